"""Events put together to a whole answer."""

from __future__ import annotations

from typing import get_args

import pytest

from g4f_aio.core.completion import Completion
from g4f_aio.core.events import (
    Citation,
    Citations,
    ConversationState,
    Event,
    Finish,
    Logprobs,
    Media,
    Passthrough,
    Preview,
    ReasoningDelta,
    RefusalDelta,
    Started,
    Status,
    Suggestions,
    TextDelta,
    Title,
    ToolCallDelta,
    Usage,
)
from g4f_aio.core.messages import Thought, ToolCall

NOTICES: list[Event] = [
    Preview("a"),
    Title("a"),
    Suggestions(("a",)),
    Status("a"),
    ConversationState({}),
]
EVENTS: list[Event] = [
    Started("p", "m"),
    TextDelta("a"),
    ReasoningDelta("b"),
    RefusalDelta("c"),
    ToolCallDelta(0, "d", "f", "{}"),
    Logprobs({"content": [1]}),
    Media("image", "https://e"),
    Citations((Citation("https://g"),)),
    Usage(1, 2),
    Finish("length"),
    Passthrough(b"x"),
    *NOTICES,
]


def whole(*events: Event) -> Completion:
    completion = Completion()
    for event in events:
        completion.add(event)
    return completion


def test_every_event_is_here() -> None:
    assert {type(event) for event in EVENTS} == set(get_args(Event))


def test_what_is_said_piece_by_piece_is_put_together() -> None:
    answer = whole(
        Started("p", "m"),
        ReasoningDelta("H"),
        ReasoningDelta("m"),
        TextDelta("Hel"),
        TextDelta("lo"),
        RefusalDelta("N"),
        RefusalDelta("o"),
        Finish("length"),
        Usage(1, 2),
    )
    choice = answer.choice()
    assert (answer.provider, answer.model) == ("p", "m")
    assert (choice.reasoning, choice.text, choice.refusal) == ("Hm", "Hello", "No")
    assert choice.finish == "length"
    assert answer.usage == Usage(1, 2)


def test_every_seal_ends_a_thought() -> None:
    answer = whole(
        ReasoningDelta("H"),
        ReasoningDelta("m", signature="s"),
        ReasoningDelta("", redacted="r"),
        ReasoningDelta("O"),
        ReasoningDelta("h"),
        ReasoningDelta("", redacted="q"),
        ReasoningDelta("", signature="t"),
        ReasoningDelta("End"),
    )
    assert answer.choice().thoughts == (
        Thought("Hm", "s"),
        Thought("", redacted="r"),
        Thought("Oh"),
        Thought("", redacted="q"),
        Thought("", "t"),
        Thought("End"),
    )
    assert answer.choice().reasoning == "HmOhEnd"
    assert Completion().choice().thoughts == ()


def test_sources_belong_to_their_answer() -> None:
    one, other = Citation("https://a"), Citation("https://b")
    answer = whole(Citations((one,)), Citations((other,), 1), Citations((other,)))
    assert answer.choice(0).citations == [one, other]
    assert answer.choice(1).citations == [other]


def test_several_answers_are_kept_apart() -> None:
    answer = whole(
        TextDelta("b", 1), TextDelta("a"), ReasoningDelta("r", 1), RefusalDelta("n", 1), Finish()
    )
    assert [answer.choices[index].text for index in (0, 1)] == ["a", "b"]
    assert (answer.choices[1].reasoning, answer.choices[1].refusal) == ("r", "n")
    assert [answer.choices[index].finish for index in (0, 1)] == ["stop", None]


def test_the_pieces_of_calls_are_put_together_in_the_order_of_their_index() -> None:
    answer = whole(
        ToolCallDelta(1, "b", "g", "x", type="custom"),
        ToolCallDelta(0, None, "f"),
        ToolCallDelta(0, "a", None, '{"x":'),
        ToolCallDelta(1, "other", "other", " y", type="custom"),
        ToolCallDelta(0, None, None, "1}"),
        ToolCallDelta(0, "c", "h", choice=1),
    )
    assert answer.choice().tool_calls == (
        ToolCall("a", "f", '{"x":1}'),
        ToolCall("b", "g", "x y", "custom"),
    )
    assert answer.choice(1).tool_calls == (ToolCall("c", "h", ""),)


def test_log_probabilities_follow_one_another() -> None:
    answer = whole(
        Logprobs({"content": [1], "refusal": None}),
        Logprobs({"content": [2, 3], "refusal": [4]}),
        Logprobs({"content": None}),
    )
    assert answer.choice().logprobs == {"content": [1, 2, 3], "refusal": [4]}


@pytest.mark.parametrize(
    ("media", "text"),
    [
        (Media("image", "https://a", alt="A cat"), "\n![A cat](https://a)\n"),
        (Media("video", "https://b"), "\n[](https://b)\n"),
    ],
)
def test_media_are_markdown_in_the_text(media: Media, text: str) -> None:
    assert whole(TextDelta("See:"), media).choice().text == "See:" + text


def test_sources_are_collected() -> None:
    one, two = Citation("https://a", "A"), Citation("https://b")
    answer = whole(Citations((one,)), Citations((two,)))
    assert answer.choice().citations == [one, two]


@pytest.mark.parametrize("notice", NOTICES, ids=lambda notice: type(notice).__name__)
def test_notices_are_no_part_of_the_answer(notice: Event) -> None:
    assert whole(notice) == Completion()


def test_the_first_finish_of_a_choice_counts_and_the_last_usage() -> None:
    first = Finish("length", stop_sequence="x")
    answer = whole(first, Finish("stop"), Usage(1, 1), Usage(1, 2))
    assert answer.choice().finish == "length"
    assert answer.choice().ending is first
    assert answer.usage == Usage(1, 2)


@pytest.mark.parametrize(
    ("events", "complete"),
    [
        ([], False),
        ([Usage(1, 2)], False),
        ([TextDelta("a")], False),
        ([TextDelta("a"), Finish()], True),
        ([Finish()], True),
        ([TextDelta("a"), TextDelta("b", 1), Finish()], False),
        ([TextDelta("a"), TextDelta("b", 1), Finish(), Finish("stop", 1)], True),
        ([Passthrough(b"{}")], True),
    ],
)
def test_an_answer_is_complete_when_all_its_choices_are(
    events: list[Event],
    complete: bool,  # noqa: FBT001
) -> None:
    assert whole(*events).complete is complete


def test_a_body_handed_on_verbatim_is_kept_with_its_usage() -> None:
    answer = whole(Started("p", "m"), Passthrough(b"{}", Usage(1, 2), last=True))
    assert (answer.body, answer.usage) == (b"{}", Usage(1, 2))
    assert whole(Usage(3, 4), Passthrough(b"{}")).usage == Usage(3, 4)
