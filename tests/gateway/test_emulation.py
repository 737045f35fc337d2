"""What a provider lacks is supplied: in further tries, in several calls, and ended in order."""

from __future__ import annotations

import asyncio
from contextlib import aclosing
from typing import Any, ClassVar

import attrs
import pytest

from g4f_aio import (
    ChatRequest,
    Event,
    Finish,
    GatewayError,
    Message,
    Routing,
    Sampling,
    TextDelta,
    TextPart,
    Tool,
    ToolCallDelta,
    UnsupportedError,
    UpstreamError,
    Usage,
)
from g4f_aio.core.events import Started
from g4f_aio.core.operations import CompletionRequest
from g4f_aio.core.record import RequestRecord
from g4f_aio.gateway.answering import Answering
from g4f_aio.settings import RoutingSettings
from tests.gateway.actors import Actor, Theatre, says, stage

JSON = {"type": "json_object"}
SCHEMA = {"type": "object", "required": ["a"]}
STRICT = {"type": "json_schema", "json_schema": {"name": "n", "schema": SCHEMA}}
CALL = '<tool_call>{"name": "f", "arguments": {"x": 1}}</tool_call>'
HI = Message("user", (TextPart("Hi"),))


@attrs.frozen(kw_only=True)
class Plain(Actor):
    """One that takes nothing but messages."""

    ignores: ClassVar[frozenset[str]] = frozenset(("stop", "max_tokens", "system"))


def plain(theatre: Theatre, name: str = "a") -> Theatre:
    """The theatre with that actor taking nothing."""
    entry = theatre.entry(name)
    assert isinstance(entry.provider, Actor)
    theatre.registry.add(attrs.evolve(entry, provider=Plain(stage=entry.provider.stage)))
    return theatre


def answering(theatre: Theatre, **fields: Any) -> Answering:
    request = ChatRequest("best", (HI,), stream=True, **fields)
    theatre.record = RequestRecord("", "", "", "")
    return Answering(theatre.desk, theatre.gateway.now, request, theatre.record)


async def ask(theatre: Theatre, **fields: Any) -> list[Event]:
    """All events of the answer to a request."""
    async with aclosing(answering(theatre, **fields)) as events:
        return [event async for event in events]


def text(events: list[Event], choice: int = 0) -> str:
    return "".join(e.text for e in events if isinstance(e, TextDelta) and e.choice == choice)


async def test_the_provider_is_stopped_at_a_stop_sequence() -> None:
    never = asyncio.Event()
    theatre = plain(Theatre(stage((TextDelta("One EN"), TextDelta("D two"), never))))
    events = await ask(theatre, sampling=Sampling(stop=("END",)))
    assert text(events) == "One "
    assert isinstance(events[-2], Usage)
    assert events[-1] == Finish("stop", stop_sequence="END")
    assert events[0] == Started("a", "m", 1, ("stop",))
    assert theatre.record.emulated == ("stop",)
    assert theatre.outcomes == [("a", "ok", None)]
    theatre.demand_quiet()


async def test_a_request_that_needs_nothing_is_sent_as_it_is() -> None:
    theatre = plain(Theatre(stage(says("Hello"))))
    events = await ask(theatre)
    assert events == [Started("a", "m", 1), TextDelta("Hello"), Finish()]
    assert theatre.record.emulated == ()


async def test_who_has_it_all_goes_first() -> None:
    theatre = plain(Theatre(stage(says("a")), stage(says("b"))))
    assert text(await ask(theatre, sampling=Sampling(stop=("END",)))) == "b"
    assert theatre.record.emulated == ()
    assert text(await ask(theatre)) == "a"


async def test_it_may_be_forbidden() -> None:
    theatre = plain(Theatre(stage(says("a")), routing=RoutingSettings(emulate=False)))
    wishes: dict[str, dict[str, Any]] = {
        "tools": {"tools": (Tool("f"),)},
        "n": {"n": 2},
        "stop": {"sampling": Sampling(stop=("x",))},
    }
    for param, fields in wishes.items():
        with pytest.raises(UnsupportedError) as caught:
            await ask(theatre, **fields)
        assert caught.value.param == param
    assert theatre.calls == [0]


async def test_a_request_may_wish_for_it_all_the_same() -> None:
    theatre = plain(Theatre(stage(says("a")), routing=RoutingSettings(emulate=False)))
    events = await ask(theatre, n=2, routing=Routing(emulate=True))
    assert events[0] == Started("a", "m", 1, ("n",))


async def test_it_is_for_chats_alone() -> None:
    theatre = plain(Theatre(stage(says("a"))))
    asked = CompletionRequest(model="best", prompts=("x",), sampling=Sampling(stop=("END",)))
    with pytest.raises(UnsupportedError) as caught:
        await theatre.gateway.now.catalog.candidates(asked)
    assert caught.value.param == "stop"


async def test_json_is_asked_for_again_and_then_given() -> None:
    theatre = Theatre(
        stage(
            (TextDelta("No"), Usage(3, 1), Finish()), (TextDelta('{"a": 1}'), Usage(9, 4), Finish())
        )
    )
    events = await ask(theatre, response_format=STRICT)
    assert events == [
        Started("a", "m", 1, ("json_schema",)),
        TextDelta('{"a": 1}'),
        Usage(12, 5),
        Finish(),
    ]
    assert theatre.calls == [2]
    assert theatre.outcomes == [("a", "ok", None)]


async def test_what_never_fits_is_422_and_no_fault_of_the_provider() -> None:
    theatre = Theatre(stage(says("No"), says('{"b": 1}')), stage(says("never")))
    with pytest.raises(GatewayError, match='"a" is a required property') as caught:
        await ask(theatre, response_format=STRICT)
    assert (caught.value.status, caught.value.code) == (422, "unprocessable")
    assert theatre.calls == [2, 0]
    assert theatre.standing("a").model.last_error is None
    theatre.demand_quiet()


async def test_calls_of_tools_are_read_out_of_the_text() -> None:
    theatre = Theatre(stage(says("Wait. ", CALL[:20], CALL[20:])))
    events = await ask(theatre, tools=(Tool("f"),))
    assert text(events) == "Wait."
    found = [one for one in events if isinstance(one, ToolCallDelta)]
    assert found[0].name == "f"
    assert "".join(one.arguments for one in found) == '{"x": 1}'
    assert events[-1] == Finish("tool_calls")
    assert theatre.record.emulated == ("tools",)


async def test_a_failure_goes_to_the_next_provider() -> None:
    theatre = Theatre(stage((UpstreamError("down"),)), stage(says(CALL)))
    events = await ask(theatre, tools=(Tool("f"),))
    assert events[0] == Started("b", "m", 2, ("tools",))


async def test_choices_run_at_the_same_time() -> None:
    together = asyncio.Event()

    def meet() -> None:
        if performance.running == 3:
            together.set()

    performance = stage((meet, together, TextDelta("x"), Usage(2, 1), Finish()))
    theatre = Theatre(performance)
    events = await ask(theatre, n=3)
    assert [text(events, choice) for choice in range(4)] == ["x", "x", "x", ""]
    assert events[-1] == Usage(6, 3)
    assert {one.choice for one in events if isinstance(one, Finish)} == {0, 1, 2}
    assert theatre.record.emulated == ("n",)
    theatre.demand_quiet()


@pytest.mark.parametrize("places", [1, 2])
async def test_choices_take_no_more_places_than_there_are(places: int) -> None:
    performance = stage((0.0, *says("x")))
    theatre = Theatre(performance, providers={"a": {"max_requests": places}})
    events = await ask(theatre, n=4)
    assert [text(events, choice) for choice in range(4)] == ["x"] * 4
    assert performance.most == places
    theatre.demand_quiet()


async def test_one_choice_that_fails_ends_them_all() -> None:
    never = asyncio.Event()
    theatre = Theatre(stage((never,), (UpstreamError("down"),)))
    with pytest.raises(UpstreamError, match="down"):
        await ask(theatre, n=2)
    theatre.demand_quiet()


async def test_a_client_that_leaves_ends_every_call() -> None:
    never = asyncio.Event()
    theatre = Theatre(stage((TextDelta("x"), never)), providers={"a": {"max_requests": 3}})
    async with aclosing(answering(theatre, n=3)) as events:
        await anext(events)
    assert theatre.outcomes == [("a", "cancelled", None)]
    theatre.demand_quiet()


async def test_an_answer_nobody_began_is_left_alone() -> None:
    theatre = Theatre(stage(says("x")))
    async with aclosing(answering(theatre, n=3)):
        pass
    assert theatre.calls == [0]


async def test_what_cannot_be_planned_is_told_before_any_call() -> None:
    theatre = Theatre(stage(says("x")))
    with pytest.raises(UnsupportedError, match="at most 16"):
        await ask(theatre, n=17)
    assert theatre.calls == [0]
    theatre.demand_quiet()


async def test_both_work_behind_a_hedge() -> None:
    theatre = Theatre(stage(says(CALL)), stage(says(CALL)), routing=RoutingSettings(hedge=True))
    for fields in ({"tools": (Tool("f"),)}, {"n": 2}):
        for _ in range(8):
            events = await ask(theatre, **fields)
            assert isinstance(events[-1], (Finish, Usage))
    theatre.demand_quiet()


async def test_a_second_try_has_the_time_that_is_left() -> None:
    theatre = Theatre(stage(says("No"), says('{"a": 1}')))
    await ask(theatre, response_format=JSON)
    first, second = theatre.stages[0].contexts
    assert 0 < second.timeouts.total < first.timeouts.total


async def test_completions_by_chats_are_given_as_often_as_wanted() -> None:
    theatre = Theatre(stage(says("One"), says("Two")))
    request = CompletionRequest(model="best", prompts=("Hi",), n=2, stream=True)
    async with aclosing(theatre.gateway.call(request)) as stream:
        started, *events = [event async for event in stream]
    assert isinstance(started, Started)
    assert started.emulated == ("completions", "n")
    assert (text(events), text(events, 1)) == ("One", "Two")
    with pytest.raises(UnsupportedError) as caught:
        await anext(aiter(theatre.gateway.call(attrs.evolve(request, n=1, logprobs=1))))
    assert caught.value.param == "logprobs"
