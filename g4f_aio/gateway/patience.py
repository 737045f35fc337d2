"""Waiting for a provider's events, but not for ever."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from typing import cast

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
        self._loop = asyncio.get_running_loop()
        self._start = self._loop.time()
        self._since = self._start
        #: seconds from the start to the first event; None before it
        self.first_after: float | None = None

    async def next(self, events: AsyncIterator[Event]) -> Event | None:
        """The next event, None at the end; UpstreamTimeoutError when it takes too long."""
        total = self._start + self._timeouts.total
        until = min(self._since + self._limit, total)
        scope = asyncio.timeout_at(until)
        try:
            async with scope:
                event = cast(Event | None, await anext(events, None))
        except TimeoutError:
            raise self._error(total=until == total) from None
        if event is not None and not _is_notice(event):
            self._since = self._loop.time()
            if self.first_after is None:
                self.first_after = self._since - self._start
                self._limit = self._timeouts.idle
                self._what = "sent no token"
        return event

    def _error(self, *, total: bool) -> UpstreamTimeoutError:
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
