"""A call that several listen to goes no faster than the first of them, and no longer than the last."""

from __future__ import annotations

import asyncio

import attrs
import pytest

from g4f_aio import ChatRequest, EventStream, Finish, OverloadedError, Passthrough, TextDelta
from g4f_aio.core.events import Event, ReasoningDelta, Started
from g4f_aio.core.record import RequestRecord
from g4f_aio.gateway.flight import AHEAD, Flight, Reader

PIECE = 64 * 2**10
REQUEST = ChatRequest("m", ())
RECORD = RequestRecord("id", "me", "x", "m")


@attrs.define
class Source:
    """Says so many large pieces as fast as it may."""

    pieces: int
    said: int = 0

    async def ask(self, _: ChatRequest, __: RequestRecord) -> EventStream:
        yield Started("p", "m")
        for _piece in range(self.pieces):
            self.said += 1
            yield Passthrough(b"x" * PIECE)
        yield ReasoningDelta("hm")
        yield Finish()


def nothing() -> None:
    """Nobody minds that it landed."""


async def settle() -> None:
    """Let everything happen that can."""
    for _ in range(50):
        await asyncio.sleep(0)


async def test_it_waits_for_the_reader_that_is_furthest() -> None:
    source = Source(100)
    flight = Flight(source.ask, REQUEST, RECORD, 2**30)
    async with asyncio.TaskGroup() as tasks:
        fast, slow = Reader(flight, RECORD), Reader(flight, RECORD)
        flight.start(tasks, nothing)
        await settle()
        ahead = source.said
        assert ahead <= AHEAD // PIECE + 1
        for _ in range(10):
            await anext(fast)
        await settle()
        assert ahead < source.said <= ahead + 10
        heard = [event async for event in fast]
        assert isinstance(heard[-1], Finish)
        assert len([event async for event in slow]) == 103


async def test_what_one_alone_has_read_of_a_large_answer_is_forgotten() -> None:
    source = Source(20)
    flight = Flight(source.ask, REQUEST, RECORD, PIECE)
    async with asyncio.TaskGroup() as tasks:
        flight.start(tasks, nothing)
        heard: list[Event] = [event async for event in Reader(flight, RECORD)]
    assert sum(len(event.data) for event in heard if isinstance(event, Passthrough)) == 20 * PIECE
    assert not flight.open
    assert sum(isinstance(event, Passthrough) for event in flight.events) < 3


async def test_nobody_may_join_when_nobody_reads() -> None:
    async def silent(_: ChatRequest, __: RequestRecord) -> EventStream:
        yield TextDelta("a")
        await asyncio.Event().wait()

    flight = Flight(silent, REQUEST, RECORD, 2**20)
    async with asyncio.TaskGroup() as tasks:
        flight.start(tasks, nothing)
        reader = Reader(flight, RECORD)
        assert await anext(reader) == TextDelta("a")
        joinable = [flight.open]
        for _ in range(2):  # to leave twice does no harm
            await reader.aclose()
            joinable.append(flight.open)
        assert joinable == [True, False, False]
        with pytest.raises(StopAsyncIteration):
            await anext(reader)
        with pytest.raises(OverloadedError):
            await flight.event(1)
