"""A call that nobody wants any more has to stop, and so has what it asked of its upstream."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from typing import ClassVar

import aiohttp
import attrs
import pytest

from g4f_aio import CallContext, Capability, ChatRequest, EventStream, Finish, TextDelta
from g4f_aio.testing import Answer
from tests.testing.judged import Good, faults, said

kept: list[Callable[[], Awaitable[None]]] = []


@attrs.frozen(kw_only=True)
class SwallowsCancellation(Good):
    """It ends its answer in good order when it is cancelled."""

    name: ClassVar[str] = "zoo"

    async def chat(self, request: ChatRequest, ctx: CallContext) -> EventStream:
        async with ctx.http.post(f"{self.base_url}/ask") as response:
            await ctx.check(response)
            try:
                async for line in response.lines():
                    yield TextDelta(line.decode())
            except asyncio.CancelledError:
                pass
        yield Finish()


async def test_cancellation_that_is_swallowed() -> None:
    (found,) = await faults(SwallowsCancellation)
    assert found == (
        "the cancellation of a call is swallowed: let asyncio.CancelledError pass, and catch"
        " Exception where you would catch everything"
    )


@attrs.frozen(kw_only=True)
class NeverStops(Good):
    """It tries again, whatever happens."""

    name: ClassVar[str] = "zoo"

    async def chat(self, request: ChatRequest, ctx: CallContext) -> EventStream:
        async with ctx.http.post(f"{self.base_url}/ask") as response:
            await ctx.check(response)
            lines = response.lines()
            while True:
                try:
                    yield TextDelta((await anext(lines)).decode())
                except StopAsyncIteration:
                    break
                except asyncio.CancelledError:
                    lines = response.lines()
        yield Finish()


async def test_cancellation_that_is_swallowed_again_and_again() -> None:
    (found,) = await faults(NeverStops)
    assert found.startswith("the cancellation of a call is swallowed")


@attrs.frozen(kw_only=True)
class TurnsCancellation(Good):
    """It takes a cancellation for a failure."""

    name: ClassVar[str] = "zoo"

    async def chat(self, request: ChatRequest, ctx: CallContext) -> EventStream:
        async with ctx.http.post(f"{self.base_url}/ask") as response:
            await ctx.check(response)
            try:
                async for line in response.lines():
                    yield TextDelta(line.decode())
            except asyncio.CancelledError:
                raise RuntimeError("stopped") from None
        yield Finish()


async def test_cancellation_that_becomes_something_else() -> None:
    (found,) = await faults(TurnsCancellation)
    assert found.startswith("the cancellation of a call becomes RuntimeError: let")


@attrs.frozen(kw_only=True)
class KeepsConnection(Good):
    """It leaves its own responses open."""

    name: ClassVar[str] = "zoo"
    key: ClassVar[str] = "none"

    async def chat(self, request: ChatRequest, ctx: CallContext) -> EventStream:
        session = aiohttp.ClientSession()
        kept.append(session.close)
        response = await session.post(f"{self.base_url}/ask")
        kept.append(response.wait_for_close)
        async for line in response.content:
            yield TextDelta(line.decode())
        await session.close()
        yield Finish()


async def test_a_connection_that_outlives_the_call() -> None:
    found = await faults(KeepsConnection)
    while kept:
        await kept.pop()()
    assert (
        "a call that is cancelled leaves the connection to its upstream open: use ctx.http inside"
        " `async with`" in found
    )
    assert (
        "a call that is left after its first event leaves the connection to its upstream open: use"
        " ctx.http inside `async with`" in found
    )


@attrs.frozen(kw_only=True)
class SpeaksAtTheEnd(Good):
    """It has a last word."""

    name: ClassVar[str] = "zoo"

    async def chat(self, request: ChatRequest, ctx: CallContext) -> EventStream:
        try:
            async for event in Good.chat(self, request, ctx):
                yield event
        except GeneratorExit:
            yield Finish()


@attrs.frozen(kw_only=True)
class WaitsAtTheEnd(Good):
    """It is slow to tidy up."""

    name: ClassVar[str] = "zoo"

    async def chat(self, request: ChatRequest, ctx: CallContext) -> EventStream:
        try:
            async with ctx.http.post(f"{self.base_url}/ask") as response:
                await ctx.check(response)
                async for line in response.lines():
                    yield TextDelta(line.decode())
            yield Finish()
        except GeneratorExit:
            await asyncio.sleep(60)


@pytest.mark.parametrize(
    ("cls", "fault"),
    [
        (
            SpeaksAtTheEnd,
            "raises RuntimeError: async generator ignored GeneratorExit: yield nothing",
        ),
        (WaitsAtTheEnd, "does not stop within 1 s: wait for nothing in a `finally`"),
    ],
)
async def test_who_does_not_let_go(cls: type[Good], fault: str) -> None:
    found = await faults(cls)
    assert f"a call that is left after its first event {fault}" in "\n".join(found)


@attrs.frozen(kw_only=True)
class Collects(Good):
    """It says all at once."""

    name: ClassVar[str] = "zoo"

    async def chat(self, request: ChatRequest, ctx: CallContext) -> EventStream:
        async with ctx.http.post(f"{self.base_url}/ask") as response:
            await ctx.check(response)
            text = (await response.read()).decode()
        yield TextDelta(text)
        yield Finish()


@attrs.frozen(kw_only=True)
class CollectsOpenly(Collects):
    """It does not say that it streams."""

    name: ClassVar[str] = "zoo-2"
    capabilities: ClassVar[Capability] = Capability.CHAT


async def test_who_says_that_it_streams_has_to() -> None:
    (found,) = await faults(Collects)
    assert found == (
        "it declares Capability.STREAM and yields nothing before the upstream's answer is complete:"
        " yield while you read, or leave the flag out"
    )
    assert await faults(CollectsOpenly) == []


async def test_an_answer_in_one_piece_cannot_be_streamed() -> None:
    assert await faults(Collects, {"/ask": Answer.stream("Hello")}) == []


@attrs.frozen(kw_only=True)
class Reads(Good):
    """It is done before its upstream is."""

    name: ClassVar[str] = "zoo"

    async def chat(self, request: ChatRequest, ctx: CallContext) -> EventStream:
        async with ctx.http.post(f"{self.base_url}/ask") as response:
            await ctx.check(response)
            async for line in response.lines():
                yield TextDelta(line.decode())
                if line == b"big":
                    break
        yield Finish()


async def test_who_needs_no_more_may_end_before_its_upstream() -> None:
    assert await faults(Reads) == []


@attrs.frozen(kw_only=True)
class Local(Good):
    """It needs no upstream, and takes its time."""

    name: ClassVar[str] = "zoo"

    async def chat(self, request: ChatRequest, ctx: CallContext) -> EventStream:
        async for word in self.words():
            yield TextDelta(word)
        yield Finish()

    async def words(self) -> AsyncIterator[str]:
        for _ in range(20):
            await asyncio.sleep(0.02)
            yield "word "


@attrs.frozen(kw_only=True)
class LocalAndStubborn(Local):
    """It does not want to stop."""

    name: ClassVar[str] = "zoo-2"

    async def words(self) -> AsyncIterator[str]:
        for _ in range(5):
            try:
                await asyncio.sleep(0.1)
            except asyncio.CancelledError:
                yield "no "
            yield "word "


async def test_a_provider_without_upstream_has_to_stop_as_well() -> None:
    assert await said(Local, request="Hello") == []
    (found,) = await said(LocalAndStubborn, request="Hello")
    assert found.startswith("the cancellation of a call is swallowed")
