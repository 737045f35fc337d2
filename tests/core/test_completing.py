"""Texts completed by chats."""

from __future__ import annotations

from contextlib import aclosing
from typing import Any

import attrs
import pytest

from g4f_aio.core.completing import MOST, ChatsOnlyError, as_chats
from g4f_aio.core.errors import UpstreamError
from g4f_aio.core.events import (
    Citations,
    Event,
    EventStream,
    Finish,
    Logprobs,
    ReasoningDelta,
    RefusalDelta,
    Started,
    Status,
    TextDelta,
    ToolCallDelta,
    Usage,
)
from g4f_aio.core.operations import CompletionRequest
from g4f_aio.core.provider import CallContext
from g4f_aio.core.requests import ChatRequest, Sampling

CONTEXT = CallContext(None, "work")  # type: ignore[arg-type]
TOLD = Started("work", "m", emulated=("completions",))


@attrs.define
class Chats:
    """Plays events, for each chat the next ones, and notes what it was asked."""

    plays: list[tuple[Event, ...]]
    asked: list[ChatRequest] = attrs.field(factory=list)
    closed: int = 0

    async def __call__(self, request: ChatRequest, ctx: CallContext) -> EventStream:
        self.asked.append(request)
        try:
            for event in self.plays[len(self.asked) - 1]:
                yield event
        finally:
            self.closed += 1


async def events(request: CompletionRequest, *plays: tuple[Event, ...]) -> list[Event]:
    async with aclosing(as_chats(request, CONTEXT, Chats(list(plays)))) as found:
        told, *rest = [event async for event in found]
    assert told == attrs.evolve(TOLD, model=request.model)
    return rest


async def test_a_prompt_is_what_the_user_says() -> None:
    chats = Chats([(Finish(),)])
    request = CompletionRequest(
        model="m",
        prompts=("a",),
        stream=True,
        n=2,
        sampling=Sampling(0.5, max_tokens=3),
        logprobs=4,
        raw={"user": "me", "logit_bias": {"1": 2}, "seed": None, "x": 1},
    )
    async with aclosing(as_chats(request, CONTEXT, chats)) as found:
        assert [event async for event in found] == [TOLD, Finish()]
    (chat,) = chats.asked
    assert (chat.model, chat.last_user_text, chat.stream, chat.n) == ("m", "a", True, 2)
    assert chat.sampling == Sampling(0.5, max_tokens=3)
    assert chat.options == {
        "user": "me",
        "logit_bias": {"1": 2},
        "logprobs": True,
        "top_logprobs": 4,
    }
    assert (chat.raw, chat.accept) == (None, None)


async def test_choices_are_counted_on() -> None:
    kinds: tuple[Any, ...] = (
        TextDelta("x", 1),
        ReasoningDelta("y", 1),
        RefusalDelta("z", 1),
        ToolCallDelta(0, "i", "n", choice=1),
        Logprobs({}, 1),
        Citations((), 1),
        Finish("stop", 1),
    )
    found = await events(CompletionRequest(prompts=("a", "b"), n=2), kinds, (*kinds, Status("s")))
    moved = [attrs.evolve(event, choice=3) for event in kinds]
    assert found == [*kinds, *moved, Status("s")]


async def test_who_gives_one_answer_at_a_time_is_asked_as_often() -> None:
    play = (TextDelta("x"), Finish(), Usage(1, 2))
    chats = Chats([play] * 4)
    request = CompletionRequest(model="m", prompts=("a", "b"), n=2, echo=True, singly=True)
    async with aclosing(as_chats(request, CONTEXT, chats)) as stream:
        found = [event async for event in stream]
    assert [(chat.last_user_text, chat.n) for chat in chats.asked] == [
        ("a", 1),
        ("a", 1),
        ("b", 1),
        ("b", 1),
    ]
    assert found.pop(0) == attrs.evolve(TOLD, emulated=("completions", "n"))
    assert found.pop() == Usage(4, 8)
    texts = [(event.text, event.choice) for event in found if isinstance(event, TextDelta)]
    assert texts == [(text, at) for at in range(4) for text in ("ab"[at // 2], "x")]
    assert [event.choice for event in found if isinstance(event, Finish)] == [0, 1, 2, 3]


async def test_but_not_for_ever() -> None:
    with pytest.raises(ChatsOnlyError) as caught:
        await events(CompletionRequest(prompts=("a",), n=MOST + 1, singly=True))
    assert caught.value.param == "n"


async def test_a_single_answer_needs_nothing_but_a_chat() -> None:
    chats = Chats([(Finish(),)])
    request = CompletionRequest(model="m", prompts=("a",), singly=True)
    async with aclosing(as_chats(request, CONTEXT, chats)) as found:
        assert [event async for event in found] == [TOLD, Finish()]


async def test_what_is_told_comes_with_the_answer_and_not_before() -> None:
    with pytest.raises(UpstreamError):
        await anext(as_chats(CompletionRequest(prompts=("a",)), CONTEXT, Chats([()])))


async def test_usage_is_that_of_all_or_none() -> None:
    asked = CompletionRequest(prompts=("a", "b"))
    both = await events(asked, (Usage(1, 2, 3, 4), Finish()), (Finish(), Usage(10, 20, 30, 40)))
    assert both == [Finish(), Finish("stop", 1), Usage(11, 22, 33, 44)]
    one = await events(asked, (Usage(1, 2), Finish()), (Finish(),))
    assert one == [Finish(), Finish("stop", 1)]


async def test_an_echo_comes_with_the_answer_and_not_before() -> None:
    asked = CompletionRequest(prompts=("a", "b"), n=2, echo=True)
    said = (TextDelta("x"), Finish(), Finish("stop", 1))
    found = await events(asked, said, said)
    texts = [(event.text, event.choice) for event in found if isinstance(event, TextDelta)]
    assert texts == [("a", 0), ("a", 1), ("x", 0), ("b", 2), ("b", 3), ("x", 2)]
    with pytest.raises(UpstreamError):
        await events(asked, ())


async def test_a_chat_that_is_cut_is_an_error_though_others_were_whole() -> None:
    with pytest.raises(UpstreamError, match="without a finish"):
        await events(CompletionRequest(prompts=("a", "b")), (Finish(),), (TextDelta("x"),))


async def test_who_leaves_ends_the_chat() -> None:
    chats = Chats([(TextDelta("x"), Finish())])
    async with aclosing(as_chats(CompletionRequest(prompts=("a",)), CONTEXT, chats)) as found:
        await anext(found)
    assert chats.closed == 1


@pytest.mark.parametrize(
    ("fields", "param"),
    [
        ({"prompts": ("a", [1])}, "prompt"),
        ({"suffix": "x"}, "suffix"),
        ({"best_of": 2}, "best_of"),
        ({"echo": True, "logprobs": 0}, "echo"),
    ],
)
async def test_what_a_chat_has_no_word_for_is_named(fields: dict[str, Any], param: str) -> None:
    with pytest.raises(ChatsOnlyError) as caught:
        await events(CompletionRequest(**{"prompts": ("a",), **fields}))
    assert caught.value.param == param
    assert caught.value.fallback
    assert caught.value.status == 400


async def test_what_makes_no_difference_is_no_obstacle() -> None:
    asked = CompletionRequest(prompts=("a",), suffix="", best_of=1)
    assert await events(asked, (Finish(),)) == [Finish()]
