"""One call under way that several equal requests listen to."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from contextlib import aclosing
from typing import Self

from ..core.errors import OverloadedError
from ..core.events import (
    Event,
    Events,
    Passthrough,
    ReasoningDelta,
    Started,
    Status,
    TextDelta,
    ToolCallDelta,
    Usage,
)
from ..core.record import RequestRecord
from ..core.requests import ChatRequest

#: a request's events, as ``Gateway.chat`` gives them
Ask = Callable[[ChatRequest, RequestRecord], Events]
#: bytes by which the call may be ahead of the reader that is furthest
AHEAD = 256 * 2**10
#: about the bytes that an event takes besides its text
_OVERHEAD = 200
#: in the place of an event that was read by everybody who may
_GONE = Status("")


class Flight:
    """A call that runs as long as anybody reads it. *largest* is in bytes.

    *record* is of the request that made it; the attempts are noted there.
    """

    def __init__(self, ask: Ask, request: ChatRequest, record: RequestRecord, largest: int) -> None:
        self._ask = ask
        self._request = request
        self._record = record
        self._largest = largest
        self._task: asyncio.Task[None] | None = None
        self._readers = 0
        self._news = asyncio.Event()
        self._room = asyncio.Event()
        #: how many events the reader that is furthest has got, and the bytes of the others
        self._read = 0
        self._unread = 0
        self.events: list[Event] = []
        #: about the bytes that the events take
        self.size = 0
        self.failure: Exception | None = None
        #: it came to its proper end
        self.whole = False

    @property
    def open(self) -> bool:
        """Whether another reader may join: not when it failed, or became too large to be kept."""
        return self.failure is None and self.size <= self._largest

    def start(self, tasks: asyncio.TaskGroup, landed: Callable[[], None]) -> None:
        """Make the call; *landed* is called when it ended, however it did, perhaps twice."""
        self._task = tasks.create_task(self._fly(landed))
        # one that is cancelled before it began runs none of its code
        self._task.add_done_callback(lambda _: landed())

    def cancel(self) -> None:
        """End the call."""
        if self._task is not None:
            self._task.cancel()

    def join(self) -> None:
        """One more reads."""
        self._readers += 1

    def leave(self) -> None:
        """One reads no more; after the last one there is nobody to call for."""
        self._readers -= 1
        if not self._readers and not self.whole:
            self._fail(OverloadedError("Nobody reads this answer any more"))
            self.cancel()

    async def event(self, at: int) -> Event | None:
        """The event of that number, as soon as it is there; None after the last."""
        while at >= len(self.events):
            if self.failure is not None:
                raise self.failure
            if self.whole:
                return None
            await self._news.wait()
        event = self.events[at]
        if at == self._read:
            self._read += 1
            self._unread -= _size(event)
            self._room.set()
        if self._readers == 1 and not self.open:
            self.events[at] = _GONE  # nobody will come and ask for it
        return event

    async def _fly(self, landed: Callable[[], None]) -> None:
        try:
            async with aclosing(self._ask(self._request, self._record)) as events:
                async for event in events:
                    self._take(event)
                    while self._unread > AHEAD:
                        self._room.clear()
                        await self._room.wait()
            self.whole = True
            landed()  # before a reader can see the end, and ask again
            self._tell()
        except asyncio.CancelledError:
            self._fail(OverloadedError("The server is stopping", code="server_shutdown"))
            raise
        except Exception as error:  # noqa: BLE001  (each reader gets to see it)
            self._fail(error)

    def _take(self, event: Event) -> None:
        size = _size(event)
        self.size += size
        self._unread += size
        self.events.append(event)
        self._tell()

    def _fail(self, error: Exception) -> None:
        self.failure = self.failure or error
        self._tell()

    def _tell(self) -> None:
        self._news.set()
        self._news = asyncio.Event()


class Reader:
    """One of those who listen; *record* is of its own request."""

    def __init__(self, flight: Flight, record: RequestRecord) -> None:
        self._flight: Flight | None = flight
        self._record = record
        self._at = 0
        flight.join()

    def __aiter__(self) -> Self:
        return self

    async def __anext__(self) -> Event:
        flight = self._flight
        event = None if flight is None else await flight.event(self._at)
        if event is None:
            raise StopAsyncIteration
        self._at += 1
        take_down(event, self._record)
        return event

    async def aclose(self) -> None:
        """Listen no more."""
        flight, self._flight = self._flight, None
        if flight is not None:
            flight.leave()


def take_down(event: Event, record: RequestRecord) -> None:
    """Note in the record of a listener what the call noted in its own."""
    match event:
        case Started(emulated=names):
            record.emulated = names
        case Usage():
            record.usage = event
        case Passthrough(usage=Usage() as usage):
            record.usage = usage
        case _:
            pass


def _size(event: Event) -> int:
    match event:
        case Passthrough(data=data):
            return len(data) + _OVERHEAD
        case TextDelta(text=text) | ReasoningDelta(text=text) | ToolCallDelta(arguments=text):
            return len(text) + _OVERHEAD
        case _:
            return _OVERHEAD
