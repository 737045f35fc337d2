"""A provider is called without a gateway, and what it does is known afterwards."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import aclosing
from typing import Any, ClassVar

import attrs
import pytest

from g4f_aio import (
    CallContext,
    Capability,
    ChatRequest,
    EventStream,
    Finish,
    ModelInfo,
    Provider,
    RateLimitError,
    TextDelta,
    Timeouts,
    UpstreamTimeoutError,
)
from g4f_aio.testing import Answer, FakeUpstream, ask, call_context
from g4f_aio.testing.call import Performance, request_for
from g4f_aio.testing.task_watch import TaskWatch
from tests.testing.judged import LINES, Good

Play = Callable[[], AsyncIterator[Any]]


@attrs.frozen(kw_only=True)
class Actor(Provider):
    """Plays what it is told to."""

    name: ClassVar[str] = "actor"
    play: Play

    async def chat(self, request: ChatRequest, ctx: CallContext) -> EventStream:
        async with aclosing(self.play()) as events:  # type: ignore[type-var]
            async for event in events:
                yield event


@attrs.frozen(kw_only=True)
class Whole(Provider):
    """Does not stream, and knows no models."""

    name: ClassVar[str] = "whole"
    capabilities: ClassVar[Capability] = Capability.CHAT


async def performed(play: Play, within: float = 5.0, **options: Any) -> Performance:
    """A call of an actor, once it is over."""
    provider = Actor(play=play)
    performance = Performance(provider, request_for(provider), **options)
    async with (
        call_context(provider) as ctx,
        performance.running(ctx, TaskWatch()) as task,
    ):
        await performance.finish(task, within)
    return performance


async def test_the_answer_of_an_upstream_is_a_list_of_events() -> None:
    async with FakeUpstream({"/ask": LINES}) as upstream:
        events = await ask(Good(base_url=upstream.url), "How are you?", credential="sk-1")
        assert events == [TextDelta("Hello\n"), TextDelta("big\n"), TextDelta("world\n"), Finish()]
        (request,) = upstream.requests
        assert request.json == {"model": "good-small", "prompt": "How are you?"}
        assert request.headers["Authorization"] == "Bearer sk-1"


async def test_an_error_of_an_upstream_is_raised() -> None:
    refusal = Answer.json({}, status=429, headers={"Retry-After": "7"})
    async with FakeUpstream({"/ask": refusal}) as upstream:
        with pytest.raises(RateLimitError) as caught:
            await ask(Good(base_url=upstream.url))
    assert caught.value.retry_after == 7
    assert caught.value.message.startswith("good answered 429")


async def test_a_call_has_time_limits() -> None:
    async with FakeUpstream({"/ask": Answer.silence()}) as upstream:
        provider = Good(base_url=upstream.url)
        async with call_context(provider, timeouts=Timeouts(headers=0.1)) as ctx:
            with pytest.raises(UpstreamTimeoutError):
                await anext(provider.chat(request_for(provider), ctx))
        await upstream.left()


def test_a_request_is_for_the_first_model_and_streams_where_that_can_be() -> None:
    request = request_for(Good(), "Hi")
    assert (request.model, request.last_user_text, request.stream) == ("good-small", "Hi", True)
    assert request_for(Whole()).model == "test-model"
    assert not request_for(Whole()).stream
    given = ChatRequest("m", ())
    assert request_for(Good(), given) is given
    assert ModelInfo(request.model) in Good().models()


async def test_a_call_that_comes_to_its_end() -> None:
    async def play() -> AsyncIterator[Any]:
        yield TextDelta("a")
        yield Finish()

    performance = await performed(play)
    assert performance.events == [TextDelta("a"), Finish()]
    assert not performance.failed


async def test_a_call_that_raises() -> None:
    async def play() -> AsyncIterator[Any]:
        yield TextDelta("a")
        raise KeyError("b")

    performance = await performed(play)
    assert isinstance(performance.error, KeyError)
    assert performance.failed
    assert not performance.late


async def test_a_call_that_is_left_after_its_first_event() -> None:
    over = asyncio.Event()

    async def play() -> AsyncIterator[Any]:
        try:
            yield TextDelta("a")
            yield TextDelta("b")
        finally:
            over.set()

    performance = await performed(play, leave=True)
    assert performance.events == [TextDelta("a")]
    assert over.is_set()
    assert not performance.failed


async def test_a_call_that_says_nothing_is_late() -> None:
    async def play() -> AsyncIterator[Any]:
        await asyncio.sleep(60)
        yield Finish()

    assert (await performed(play, 0.1)).late


async def test_a_call_that_never_stops_talking_is_late() -> None:
    async def play() -> AsyncIterator[Any]:
        while True:
            yield TextDelta("a")

    assert (await performed(play, 60)).late


async def persistent() -> None:
    """Swallow each cancellation."""
    while True:
        try:
            await asyncio.sleep(60)
        except asyncio.CancelledError:
            continue


async def obstinate() -> None:
    """Swallow everything, for a while."""
    until = time.monotonic() + 2
    while time.monotonic() < until:
        try:
            await asyncio.sleep(0.05)
        except BaseException:  # noqa: BLE001, S112  (that is what it is for)
            continue


@pytest.mark.parametrize("act", [persistent, obstinate])
async def test_a_call_that_cannot_be_cancelled_does_not_keep_the_test_from_its_end(
    act: Callable[[], Awaitable[None]],
) -> None:
    async def play() -> AsyncIterator[Any]:
        await act()
        yield Finish()

    began = time.monotonic()
    assert (await performed(play, 0.1)).late
    assert time.monotonic() - began < 10


@pytest.mark.parametrize(
    ("made", "kind"), [(lambda: [Finish()], "list"), (persistent, "coroutine")]
)
async def test_what_is_no_stream_is_named(made: Callable[[], Any], kind: str) -> None:
    @attrs.frozen(kw_only=True)
    class Stranger(Provider):
        def chat(self, request: ChatRequest, ctx: CallContext) -> EventStream:
            return made()  # type: ignore[no-any-return]

    performance = Performance(Stranger(), ChatRequest("m", ()))
    async with (
        call_context(Good()) as ctx,
        performance.running(ctx, TaskWatch()) as task,
    ):
        await performance.finish(task, 5)
    assert (performance.stranger, performance.failed) == (kind, True)
