"""Waiting for a provider's events, but not for ever."""

from __future__ import annotations

from ..core.deadline import Deadline
from ..core.errors import UpstreamTimeoutError
from ..core.events import Event, Passthrough, Status
from ..core.provider import Timeouts


class Patience:
    """Enforces first-token, idle and total time on one stream of events.

    Only the time spent waiting for the provider counts, not the time a slow client takes. Comments
    of the upstream and notices about progress do not count as tokens. Use: ``begin``, await an
    event, ``got`` it; after a CancelledError ask ``passed``.
    """

    __slots__ = (
        "_deadline",
        "_end",
        "_left_at",
        "_limit",
        "_now",
        "_provider",
        "_since",
        "_start",
        "_timeouts",
        "_what",
        "first_after",
    )

    def __init__(
        self, provider: str, timeouts: Timeouts, deadline: Deadline, *, streamed: bool
    ) -> None:
        self._provider = provider
        self._timeouts = timeouts
        # whoever does not stream gets everything at once, at the end
        self._limit = timeouts.first_token if streamed else timeouts.total
        self._what = "began no answer"
        self._deadline = deadline
        self._now = deadline.now
        self._start = self._since = self._left_at = deadline.now()
        self._end = self._start + timeouts.total
        #: seconds from the start to the first event; None before it
        self.first_after: float | None = None

    def begin(self) -> None:
        """The wait for an event begins."""
        # since the last call it was the client that took its time
        away = self._now() - self._left_at
        self._since += away
        self._end += away
        idle = self._since + self._limit
        self._deadline.set(min(self._end, idle))

    def got(self, event: Event) -> None:
        """The wait is over: this came."""
        self._deadline.clear()
        now = self._left_at = self._now()
        if type(event) is Status or (type(event) is Passthrough and not event.progress):
            return
        self._since = now
        if self.first_after is None:
            self.first_after = now - self._start
            self._limit = self._timeouts.idle
            self._what = "sent no token"

    def over(self) -> None:
        """The wait is over, and nothing came."""
        self._deadline.clear()

    def passed(self) -> bool:
        """Whether the wait took too long."""
        return self._deadline.passed()

    def error(self) -> UpstreamTimeoutError:
        """What to say when it did."""
        total = self._since + self._limit >= self._end
        what = (
            f"did not finish within {self._timeouts.total:g} s"
            if total
            else f"{self._what} for {self._limit:g} s"
        )
        return UpstreamTimeoutError(f"{self._provider} {what}", provider=self._provider)
