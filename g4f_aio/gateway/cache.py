"""Answers that are given again: to the same request of the same caller, and only when asked for."""

from __future__ import annotations

import asyncio
import hashlib
import time
from collections import OrderedDict
from collections.abc import Callable, Sequence
from typing import Self

import attrs
import orjson

from ..core.events import Event, Events, Started
from ..core.record import RequestRecord
from ..core.requests import ChatRequest
from ..settings import CacheSettings
from .flight import Ask, Flight, Reader, take_down

#: the part of the whole room that one answer may take
LARGEST = 1 / 8


@attrs.frozen
class _Kept:
    events: tuple[Event, ...]
    size: int
    until: float


class Replay:
    """The events of an answer that was kept."""

    def __init__(self, events: Sequence[Event], record: RequestRecord) -> None:
        self._events = iter(events)
        self._record = record

    def __aiter__(self) -> Self:
        return self

    async def __anext__(self) -> Event:
        for event in self._events:
            take_down(event, self._record)
            return event
        raise StopAsyncIteration

    async def aclose(self) -> None:
        """Nobody speaks."""


class ResponseCache:
    """Whole answers by their request, and the calls under way that equal requests share.

    *ask* gets an answer that is not here. Its calls run as tasks of *tasks*: the request that made
    one may be given up while others still read it. Nothing that failed or was cut is kept. *clock*
    is monotonic, in seconds.
    """

    def __init__(
        self, ask: Ask, tasks: asyncio.TaskGroup, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._ask = ask
        self._tasks = tasks
        self._clock = clock
        self._kept: OrderedDict[bytes, _Kept] = OrderedDict()
        self._size = 0
        #: the calls that may be shared, and all that are under way
        self._flights: dict[bytes, Flight] = {}
        self._live: set[Flight] = set()

    def chat(self, request: ChatRequest, record: RequestRecord, limits: CacheSettings) -> Events:
        """The events of an answer, perhaps of one that was given or is just being given."""
        key = _key(request, record.caller)
        kept = self._kept.get(key)
        if kept is not None and kept.until > self._clock():
            self._kept.move_to_end(key)
            record.cache = "hit"
            return Replay(kept.events, record)
        flight = self._flights.get(key)
        if flight is not None and flight.open:
            record.cache = "shared"
            return Reader(flight, record)
        record.cache = "miss"
        largest = int(limits.size * LARGEST)
        flight = Flight(self._ask, request, record, largest)

        def landed() -> None:
            self._live.discard(flight)
            if self._flights.get(key) is flight:
                del self._flights[key]
                if flight.whole and flight.open:
                    self._keep(key, flight, limits)

        self._flights[key] = flight
        self._live.add(flight)
        reader = Reader(flight, record)
        flight.start(self._tasks, landed)
        return reader

    def clear(self) -> None:
        """Forget every answer: the settings have changed. Calls under way go on, unshared."""
        self._kept.clear()
        self._size = 0
        self._flights.clear()

    def close(self) -> None:
        """End the calls under way."""
        for flight in self._live:
            flight.cancel()

    def _keep(self, key: bytes, flight: Flight, limits: CacheSettings) -> None:
        self._drop(key)
        self._kept[key] = _Kept(_lasting(flight.events), flight.size, self._clock() + limits.ttl)
        self._size += flight.size
        while self._size > limits.size:
            self._drop(next(iter(self._kept)))

    def _drop(self, key: bytes) -> None:
        kept = self._kept.pop(key, None)
        if kept is not None:
            self._size -= kept.size


def _lasting(events: Sequence[Event]) -> tuple[Event, ...]:
    """The *events* without the upstream's headers, which tell of the moment."""
    first, *rest = events
    if isinstance(first, Started) and first.headers is not None:
        first = attrs.evolve(first, headers=None)
    return (first, *rest)


def _key(request: ChatRequest, caller: str) -> bytes:
    """What makes two requests one: everything in them, who asks, and how he wants it written."""
    routing = request.routing
    content = request.raw if request.raw is not None else repr(request)
    said = (
        caller,
        request.dialect,
        request.accept,
        request.stream,
        request.model,
        routing.provider,
        routing.proxy,
        routing.emulate,
        sorted(routing.api_keys.items()),
        sorted(request.headers.items()),
        content,
    )
    return hashlib.sha256(orjson.dumps(said, option=orjson.OPT_SORT_KEYS)).digest()
