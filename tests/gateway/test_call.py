"""A call of a provider ends in a finish or in a GatewayError, whatever the provider does."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import aclosing
from itertools import count
from typing import Any

import attrs
import pytest

from g4f_aio.core.deadline import Deadline
from g4f_aio.core.errors import (
    GatewayError,
    RateLimitError,
    UpstreamError,
    UpstreamTimeoutError,
)
from g4f_aio.core.events import (
    Event,
    EventStream,
    Finish,
    Passthrough,
    Started,
    Status,
    TextDelta,
    ToolCallDelta,
    Usage,
)
from g4f_aio.core.operations import CompletionRequest, ModerationRequest, Operation
from g4f_aio.core.provider import CallContext, Provider, Timeouts
from g4f_aio.core.requests import ChatRequest
from g4f_aio.gateway.call import MASK, Call
from g4f_aio.gateway.registry import Entry
from g4f_aio.settings import ProviderSettings
from g4f_aio.settings.secret import SecretStr
from tests.patience import Stopwatch

Play = Callable[[], AsyncIterator[Any]]


@attrs.define
class Stage:
    """What the provider plays, and whether it was told to stop."""

    play: Play
    closed: bool = False


def call(stage: Stage, credential: str | None = None, *, times: Timeouts | None = None) -> Call:
    @attrs.frozen(kw_only=True)
    class Actor(Provider):
        name = "actor"

        async def chat(self, request: ChatRequest, ctx: CallContext) -> EventStream:
            try:
                async for event in stage.play():
                    yield event
            finally:
                stage.closed = True

    return called(Actor(), credential, times=times)


def called(
    provider: Provider,
    credential: str | None = None,
    *,
    times: Timeouts | None = None,
    **settings: Any,
) -> Call:
    table = ProviderSettings(type="actor", **settings)
    entry = Entry("actor", "actor", "test", "1", table, provider)
    context = CallContext(
        http=None,  # type: ignore[arg-type]
        provider="actor",
        credential=credential,
        timeouts=times or Timeouts(),
    )
    return Call(entry, ChatRequest("m", (), stream=True), context, Deadline())


async def events(of: Call) -> list[Event]:
    found = []
    async with aclosing(of):
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


async def test_after_the_end_nothing_begins_again() -> None:
    begun: list[int] = []

    async def play() -> AsyncIterator[Event]:
        begun.append(1)
        yield Finish()

    made = call(Stage(play))
    assert await events(made) == [Finish()]
    assert await made.next() is None
    assert begun == [1]


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


async def test_who_makes_calls_without_end_is_stopped() -> None:
    async def play() -> AsyncIterator[Event]:
        for index in count():
            yield ToolCallDelta(index, f"call_{index}", "f")

    stage = Stage(play)
    with pytest.raises(UpstreamError, match="actor makes more than 1000 tool calls"):
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
    async with aclosing(call(stage)) as made:
        assert await made.next() == TextDelta("a")
    assert stage.closed


async def test_a_failure_at_cleaning_up_changes_nothing(caplog: pytest.LogCaptureFixture) -> None:
    @attrs.frozen(kw_only=True)
    class Untidy(Provider):
        name = "untidy"

        async def chat(self, request: ChatRequest, ctx: CallContext) -> EventStream:
            try:
                yield Finish()
            finally:
                raise OSError("the door is stuck")

    async with aclosing(called(Untidy())) as made:
        assert await made.next() == Finish()
    assert "provider actor raised when it was stopped" in caplog.text


async def test_a_chat_that_is_no_generator_is_an_error() -> None:
    @attrs.frozen(kw_only=True)
    class Coroutine(Provider):
        name = "plain"

        async def chat(self, request: ChatRequest, ctx: CallContext) -> Any:  # type: ignore[override]
            return Finish()

    @attrs.frozen(kw_only=True)
    class Plain(Provider):
        name = "plain"

        def chat(self, request: ChatRequest, ctx: CallContext) -> Any:
            return [Finish()]

    for provider in (Coroutine(), Plain()):
        with pytest.raises(GatewayError, match=r"actor\.chat is no asynchronous generator"):
            await events(called(provider))


async def test_one_that_never_began_needs_no_stopping() -> None:
    stage = Stage(never)
    await call(stage).aclose()
    assert not stage.closed


async def never() -> AsyncIterator[Event]:
    """Nothing, for long."""
    await asyncio.sleep(60)
    yield Finish()


async def test_the_keys_of_its_settings_are_blotted_out_too() -> None:
    @attrs.frozen(kw_only=True)
    class Quoting(Provider):
        name = "quoting"

        async def chat(self, request: ChatRequest, ctx: CallContext) -> EventStream:
            for _ in range(1):
                raise UpstreamError("key-1, key-12, key-123 and a-token are wrong")
            yield Finish()

    keys = tuple(SecretStr(f"key-{number}") for number in (1, 12, 123))
    made = called(Quoting(), None, api_keys=keys, options={"token": "a-token"})
    with pytest.raises(UpstreamError) as caught:
        await events(made)
    assert caught.value.message == "***, ***, *** and *** are wrong"
    assert "key" not in f"{caught.value} {caught.value!r}"


async def test_what_comes_is_counted() -> None:
    async def play() -> AsyncIterator[Event]:
        yield Started("actor", "m")
        yield Status("thinking")
        yield TextDelta("a")
        yield Usage(1, 1)
        yield Passthrough(b"data: 1\n\ndata: 2\n\n", pieces=2)
        yield Finish()

    made = call(Stage(play))
    assert made.pieces == 0
    await events(made)
    assert made.pieces == 6


# in time


async def test_one_that_is_too_slow_is_stopped_and_it_is_an_error() -> None:
    stage = Stage(never)
    made = call(stage, times=Timeouts(first_token=0.02))
    watch = Stopwatch()
    with pytest.raises(UpstreamTimeoutError, match=r"^actor began no answer for 0\.02 s$"):
        await events(made)
    assert 0.01 < watch.seconds < 2
    assert stage.closed
    task = asyncio.current_task()
    assert task is not None
    assert task.cancelling() == 0, "it leaves no mark on its task"
    async with asyncio.timeout(5):
        await asyncio.sleep(0)


@pytest.mark.parametrize(
    ("notice", "message"),
    [
        (Status("thinking"), "began no answer for 0.2 s"),
        (Passthrough(b": hm\n\n", progress=False), "began no answer for 0.2 s"),
        (Passthrough(b"data: {}\n\n"), None),
        (TextDelta("a"), None),
    ],
)
async def test_notices_are_no_tokens(notice: Event, message: str | None) -> None:
    async def play() -> AsyncIterator[Event]:
        for _ in range(40):
            await asyncio.sleep(0.01)
            yield notice
        yield Finish()

    made = call(Stage(play), times=Timeouts(first_token=0.2, idle=30))
    if message is None:
        assert len(await events(made)) == 41
        assert made.first_after is not None
        return
    with pytest.raises(UpstreamTimeoutError) as caught:
        await events(made)
    assert caught.value.message == f"actor {message}"
    assert made.first_after is None


async def test_the_time_for_each_event_is_its_own() -> None:
    async def play() -> AsyncIterator[Event]:
        for _ in range(3):
            await asyncio.sleep(0.03)
            yield TextDelta("a")
        await asyncio.sleep(60)
        yield Finish()

    made = call(Stage(play), times=Timeouts(idle=0.5))
    async with aclosing(made):
        for _ in range(3):
            assert await made.next() == TextDelta("a")
        with pytest.raises(UpstreamTimeoutError, match=r"^actor sent no token for 0\.5 s$"):
            await made.next()


async def test_a_time_limit_of_the_provider_itself_is_its_own() -> None:
    async def play() -> AsyncIterator[Event]:
        yield TextDelta("a")
        async with asyncio.timeout(0.001):
            await asyncio.sleep(60)

    with pytest.raises(UpstreamError, match=r"^actor failed with TimeoutError$"):
        await events(call(Stage(play)))


async def test_a_client_that_leaves_is_no_failure_of_the_provider() -> None:
    stage = Stage(never)
    task = asyncio.ensure_future(events(call(stage)))
    await asyncio.sleep(0)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert stage.closed


@pytest.mark.parametrize(
    "said",
    [
        [Finish()],
        [],
        [TextDelta("a"), 5],
        [RateLimitError("slow down")],
        [ValueError()],
        [asyncio.CancelledError()],
    ],
    ids=str,
)
async def test_however_it_ends_its_deadline_does_not_go_off_later(said: list[object]) -> None:
    async def play() -> AsyncIterator[Any]:
        for one in said:
            if isinstance(one, BaseException):
                raise one
            yield one

    made = call(Stage(play), times=Timeouts(first_token=0.02, idle=0.02))
    found = await asyncio.gather(events(made), return_exceptions=True)
    assert len(found) == 1
    await asyncio.sleep(0.05)


# what is no chat


def operated(provider: Provider, operation: Operation) -> Call:
    entry = Entry("actor", "actor", "test", "1", ProviderSettings(type="actor"), provider)
    context = CallContext(None, "actor", "sk-secret")  # type: ignore[arg-type]
    return Call(entry, operation, context, Deadline())


async def test_an_operation_is_one_event() -> None:
    @attrs.frozen(kw_only=True)
    class Judge(Provider):
        name = "judge"

        async def moderate(self, request: ModerationRequest, ctx: CallContext) -> bytes:
            return b"{}"

    (event,) = await events(operated(Judge(), ModerationRequest()))
    assert event == Passthrough(b"{}", Usage(estimated=True), last=True)


async def test_an_operation_that_fails_in_any_way_is_a_gateway_error() -> None:
    @attrs.frozen(kw_only=True)
    class Judge(Provider):
        name = "judge"

        async def moderate(self, request: ModerationRequest, ctx: CallContext) -> bytes:
            raise KeyError("x")

    with pytest.raises(UpstreamError, match="actor failed with KeyError"):
        await events(operated(Judge(), ModerationRequest()))

    @attrs.frozen(kw_only=True)
    class Leaks(Provider):
        name = "leaks"

        async def moderate(self, request: ModerationRequest, ctx: CallContext) -> bytes:
            raise UpstreamError(f"It said {ctx.credential}")

    with pytest.raises(UpstreamError) as caught:
        await events(operated(Leaks(), ModerationRequest()))
    assert "sk-secret" not in caught.value.message


async def test_a_completion_is_watched_as_a_chat_is() -> None:
    @attrs.frozen(kw_only=True)
    class Speaks(Provider):
        name = "speaks"

        async def chat(self, request: ChatRequest, ctx: CallContext) -> EventStream:
            yield TextDelta("a")
            yield Finish()

    made = operated(Speaks(), CompletionRequest(prompts=("a", "b"), stream=True))
    assert await events(made) == [
        Started("actor", "", emulated=("completions",)),
        TextDelta("a"),
        Finish(),
        TextDelta("a", 1),
        Finish("stop", 1),
    ]
    assert made.pieces == 3
