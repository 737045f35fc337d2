"""A call of a provider ends in a finish or in a GatewayError, whatever the provider does."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from typing import Any

import attrs
import pytest

from g4f_aio.core.errors import GatewayError, RateLimitError, UpstreamError
from g4f_aio.core.events import Event, EventStream, Finish, Passthrough, TextDelta
from g4f_aio.core.provider import CallContext, Provider
from g4f_aio.core.requests import ChatRequest
from g4f_aio.gateway.call import MASK, Call
from g4f_aio.gateway.registry import Entry
from g4f_aio.settings import ProviderSettings

Play = Callable[[], AsyncIterator[Any]]


@attrs.define
class Stage:
    """What the provider plays, and whether it was told to stop."""

    play: Play
    closed: bool = False


def call(stage: Stage, credential: str | None = None) -> Call:
    @attrs.frozen(kw_only=True)
    class Actor(Provider):
        name = "actor"

        async def chat(self, request: ChatRequest, ctx: CallContext) -> EventStream:
            try:
                async for event in stage.play():
                    yield event
            finally:
                stage.closed = True

    return called(Actor(), credential)


def called(provider: Provider, credential: str | None = None) -> Call:
    entry = Entry("actor", "actor", "test", "1", ProviderSettings(type="actor"), provider)
    context = CallContext(http=None, provider="actor", credential=credential)  # type: ignore[arg-type]
    return Call(entry, ChatRequest("m", (), stream=True), context)


async def events(of: Call) -> list[Event]:
    found = []
    async with of:
        while (event := await of.next()) is not None:
            found.append(event)
    return found


async def test_the_events_come_as_they_are() -> None:
    async def play() -> AsyncIterator[Event]:
        yield TextDelta("a")
        yield Finish()

    stage = Stage(play)
    made = call(stage)
    assert await events(made) == [TextDelta("a"), Finish()]
    assert made.first_after is not None
    assert stage.closed


async def test_bytes_that_complete_the_answer_are_a_finish() -> None:
    async def play() -> AsyncIterator[Event]:
        yield Passthrough(b"data: [DONE]\n\n", last=True)

    assert len(await events(call(Stage(play)))) == 1


@pytest.mark.parametrize("said", [[], [TextDelta("a")], [Passthrough(b"data: {}\n\n")]])
async def test_an_end_without_a_finish_is_an_error(said: list[Event]) -> None:
    async def play() -> AsyncIterator[Event]:
        for event in said:
            yield event

    with pytest.raises(UpstreamError, match="actor ended its answer without a finish"):
        await events(call(Stage(play)))


@pytest.mark.parametrize("junk", [5, "text", b"bytes", {"text": "a"}, TextDelta])
async def test_what_is_no_event_is_an_error(junk: object) -> None:
    async def play() -> AsyncIterator[Any]:
        yield junk

    stage = Stage(play)
    with pytest.raises(UpstreamError, match="which is no event"):
        await events(call(stage))
    assert stage.closed


async def test_what_it_raises_is_named_but_not_quoted() -> None:
    async def play() -> AsyncIterator[Event]:
        for _ in range(1):
            raise KeyError("sk-secret")
        yield Finish()

    with pytest.raises(UpstreamError, match=r"^actor failed with KeyError$"):
        await events(call(Stage(play)))


async def test_its_own_errors_pass_with_the_credential_blotted_out() -> None:
    async def play() -> AsyncIterator[Event]:
        for _ in range(1):
            raise RateLimitError("slow down, sk-secret", retry_after=3)
        yield Finish()

    with pytest.raises(RateLimitError) as caught:
        await events(call(Stage(play), credential="sk-secret"))
    assert caught.value.message == f"slow down, {MASK}"
    assert caught.value.retry_after == 3


async def test_leaving_early_ends_the_provider() -> None:
    async def play() -> AsyncIterator[Event]:
        yield TextDelta("a")
        yield TextDelta("b")

    stage = Stage(play)
    async with call(stage) as made:
        assert await made.next() == TextDelta("a")
    assert stage.closed


async def test_a_failure_at_cleaning_up_changes_nothing() -> None:
    @attrs.frozen(kw_only=True)
    class Untidy(Provider):
        name = "untidy"

        async def chat(self, request: ChatRequest, ctx: CallContext) -> EventStream:
            try:
                yield Finish()
            finally:
                raise OSError("the door is stuck")

    async with called(Untidy()) as made:
        assert await made.next() == Finish()


async def test_a_chat_that_is_no_generator_is_an_error() -> None:
    @attrs.frozen(kw_only=True)
    class Plain(Provider):
        name = "plain"

        async def chat(self, request: ChatRequest, ctx: CallContext) -> Any:  # type: ignore[override]
            return Finish()

    with pytest.raises(GatewayError, match="is no asynchronous generator"):
        await events(called(Plain()))
