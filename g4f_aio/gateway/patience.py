"""Waiting for a provider's events, but not for ever."""

from __future__ import annotations

from ..core.deadline import Deadline
from ..core.errors import UpstreamTimeoutError
from ..core.provider import Timeouts


class Patience:
    """Enforces first-token, idle and total time on one stream of events.

    Only the time spent waiting for the provider counts, not the time a slow client takes. Use:
    ``begin``, await an event, ``got`` or ``noticed`` it; after a CancelledError ask ``passed``.
    """

    __slots__ = (
        "_deadline",
        "_due",
        "_end",
        "_left_at",
        "_limit",
        "_now",
        "_provider",
        "_start",
        "_timeouts",
        "first_after",
    )

    def __init__(
        self, provider: str, timeouts: Timeouts, deadline: Deadline, *, streamed: bool
    ) -> None:
        self._provider = provider
        self._timeouts = timeouts
        self._deadline = deadline
        self._now = deadline.now
        now = self._start = self._left_at = deadline.now()
        total = timeouts.total
        # whoever does not stream gets everything at once, at the end
        limit = self._limit = timeouts.first_token if streamed else total
        end = self._end = now + total
        #: when the next token is too late; never after the end
        self._due = now + limit if limit < total else end
        #: seconds from the start to the first event; None before it
        self.first_after: float | None = None

    def begin(self) -> None:
        """The wait for an event begins."""
        now = self._now()
        if now != self._left_at:
            # since the last one it was the client that took its time
            away = now - self._left_at
            self._due += away
            self._end += away
        due = self._due
        deadline = self._deadline
        if due < deadline.rings:
            deadline.set(due)
        else:
            deadline.when = due

    def got(self) -> None:
        """The wait is over: a token came."""
        self._deadline.when = None
        now = self._left_at = self._now()
        if self.first_after is None:
            self.first_after = now - self._start
            self._limit = self._timeouts.idle
        due = now + self._limit
        self._due = due if due < self._end else self._end  # noqa: FURB136  (by far the fastest)

    def noticed(self) -> None:
        """The wait is over: what came says nothing, and the token is waited for on and on."""
        self._deadline.when = None
        self._left_at = self._now()

    def over(self) -> None:
        """The wait is over, and nothing came."""
        self._deadline.when = None

    def passed(self) -> bool:
        """Whether the wait took too long."""
        return self._deadline.passed()

    def error(self) -> UpstreamTimeoutError:
        """What to say when it did."""
        if self._due >= self._end:
            what = f"did not finish within {self._timeouts.total:g} s"
        elif self.first_after is None:
            what = f"began no answer for {self._limit:g} s"
        else:
            what = f"sent no token for {self._limit:g} s"
        return UpstreamTimeoutError(f"{self._provider} {what}", provider=self._provider)
