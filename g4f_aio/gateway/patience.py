"""Waiting for a provider's events, but not for ever."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from typing import cast

from ..core.deadline import Deadline
from ..core.errors import UpstreamTimeoutError
from ..core.events import Event, Passthrough, Status
from ..core.provider import Timeouts


class Patience:
    """Enforces first-token, idle and total time on one stream of events.

    Only the time spent waiting for the provider counts, not the time a slow client takes. Comments
    of the upstream and notices about progress do not count as tokens.
    """

    def __init__(self, provider: str, timeouts: Timeouts, *, streamed: bool) -> None:
        self._provider = provider
        self._timeouts = timeouts
        # whoever does not stream gets everything at once, at the end
        self._limit = timeouts.first_token if streamed else timeouts.total
        self._what = "began no answer"
        self._deadline = Deadline()
        self._start = self._since = self._left_at = self._deadline.now()
        self._end = self._start + timeouts.total
        #: seconds from the start to the first event; None before it
        self.first_after: float | None = None

    async def next(self, events: AsyncIterator[Event]) -> Event | None:
        """The next event, None at the end; UpstreamTimeoutError when it takes too long."""
        deadline = self._deadline
        # since the last call it was the client that took its time
        away = deadline.now() - self._left_at
        self._since += away
        self._end += away
        deadline.set(min(self._since + self._limit, self._end))
        try:
            event = await anext(events, None)
        except asyncio.CancelledError:
            if deadline.passed():
                raise self._error() from None
            raise
        finally:
            deadline.clear()
        self._left_at = deadline.now()
        if event is not None and not _is_notice(event):
            self._since = self._left_at
            if self.first_after is None:
                self.first_after = self._since - self._start
                self._limit = self._timeouts.idle
                self._what = "sent no token"
        return event

    def close(self) -> None:
        """There will be no more waiting."""
        self._deadline.close()

    def _error(self) -> UpstreamTimeoutError:
        total = self._since + self._limit >= self._end
        what = (
            f"did not finish within {self._timeouts.total:g} s"
            if total
            else f"{self._what} for {self._limit:g} s"
        )
        return UpstreamTimeoutError(f"{self._provider} {what}", provider=self._provider)


def _is_notice(event: Event) -> bool:
    kind = type(event)
    if kind is Passthrough:
        return not cast(Passthrough, event).progress
    return kind is Status
