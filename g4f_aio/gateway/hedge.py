"""A second provider for a request whose first one is slow to begin; the slower one is stopped."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from contextlib import AsyncExitStack

from ..core.errors import GatewayError
from ..core.events import Event
from .trip import Trip


class Hedge:
    """Two calls for one request: whoever has the first event answers.

    Each call is driven by a task of its own from its beginning to its end, because a provider may
    hold what belongs to one task, such as a time limit. ``aclose`` must follow.
    """

    def __init__(self) -> None:
        #: one at a time, so that the provider goes no faster than the client reads
        self._items: asyncio.Queue[tuple[Trip, Event | GatewayError | None]] = asyncio.Queue(1)
        self._stack = AsyncExitStack()
        self._group = asyncio.TaskGroup()
        self._running: dict[Trip, asyncio.Task[None]] = {}
        self._winner: Trip | None = None

    async def begin(
        self, first: Trip, second: Callable[[], Awaitable[Trip | None]], after: float
    ) -> tuple[Trip, Event]:
        """The call that answers and its first event.

        *first* has begun; *second* begins another one, if it can, and is called when there is no
        event after so many seconds. GatewayError when both failed, or when the request is at fault;
        then, and when it is cancelled, nothing runs on.
        """
        try:
            return await self._first_event(first, second, after)
        except BaseException:
            await self.aclose()
            raise

    async def next(self) -> Event | None:
        """The next event of the call that answers, None after the last."""
        _, event = await self._items.get()
        if isinstance(event, GatewayError):
            raise event
        return event

    async def aclose(self) -> None:
        """Let nothing run on. The call that answers, if there is one, is then its owner's to end."""
        await self._stop_all_but(self._winner)
        for task in self._running.values():
            task.cancel()
        await self._stack.aclose()

    async def _first_event(
        self, first: Trip, second: Callable[[], Awaitable[Trip | None]], after: float
    ) -> tuple[Trip, Event]:
        await self._stack.enter_async_context(self._group)
        self._start(first)
        try:
            async with asyncio.timeout(after):
                trip, event = await self._items.get()
        except TimeoutError:
            other = await second()
            if other is not None:
                self._start(other)
            trip, event = await self._items.get()
        while isinstance(event, GatewayError):
            del self._running[trip]
            await trip.failed(event)
            if not self._running or not event.fallback:
                raise event
            trip, event = await self._items.get()
        assert event is not None  # noqa: S101  (without a finish it would have failed)
        await self._stop_all_but(trip)
        self._winner = trip
        return trip, event

    async def _stop_all_but(self, winner: Trip | None) -> None:
        for trip, task in tuple(self._running.items()):
            if trip is not winner:
                task.cancel()
                await asyncio.wait((task,))
                # first, so that whatever happens it is ended once
                del self._running[trip]
                await trip.cancelled()

    def _start(self, trip: Trip) -> None:
        self._running[trip] = self._group.create_task(self._drive(trip))

    async def _drive(self, trip: Trip) -> None:
        while True:
            event: Event | GatewayError | None
            try:
                event = await trip.call.next()
            except GatewayError as error:
                event = error
            await self._items.put((trip, event))
            if event is None or isinstance(event, GatewayError):
                return
