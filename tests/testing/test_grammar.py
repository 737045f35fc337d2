"""Which sequences of events are an answer."""

from __future__ import annotations

from typing import Any

import attrs
import pytest

from g4f_aio import (
    ChatRequest,
    Citation,
    Citations,
    Finish,
    Logprobs,
    Media,
    Passthrough,
    ReasoningDelta,
    RefusalDelta,
    Status,
    TextDelta,
    ToolCallDelta,
    Usage,
)
from g4f_aio.core.events import Started
from g4f_aio.testing.grammar import Grammar

REQUEST = ChatRequest("m", (), stream=True)
#: one that may be answered with the upstream's own bytes
RELAYED = attrs.evolve(REQUEST, accept="openai-chat")
END = Passthrough(b"data: [DONE]\n\n", last=True)


def faults(*events: Any, request: ChatRequest = REQUEST) -> list[str]:
    """What is wrong with an answer."""
    grammar = Grammar(request)
    for event in events:
        grammar.feed(event)
    grammar.close()
    return list(grammar.faults)


@pytest.mark.parametrize(
    "events",
    [
        [Finish()],
        [Status("wait"), TextDelta("a"), TextDelta("b"), Usage(1, 2), Finish()],
        [TextDelta("a"), Finish("length"), Usage(1, 2)],
        [ReasoningDelta("a"), ReasoningDelta("", signature="s"), TextDelta("b"), Finish()],
        [RefusalDelta("no"), Logprobs({}), Finish("content_filter")],
        [TextDelta("a"), TextDelta("b", 1), Finish(choice=1), TextDelta("a"), Finish()],
        [
            ToolCallDelta(0, "i", "f", "{"),
            ToolCallDelta(0, arguments="}"),
            ToolCallDelta(1, "j", "g"),
            Finish("tool_calls"),
        ],
        [Media("image", "https://x"), Citations((Citation("https://x"),)), Finish()],
    ],
)
def test_good_answers(events: list[Any]) -> None:
    assert faults(*events) == []


def test_the_bytes_of_the_upstream_are_an_answer_where_they_are_wanted() -> None:
    relayed = [Passthrough(b"data: {}\n\n"), Passthrough(b"data: {}\r\n\r\n"), END]
    assert faults(*relayed, request=RELAYED) == []
    whole = attrs.evolve(RELAYED, stream=False)
    assert faults(Passthrough(b"{}", last=True), request=whole) == []
    assert faults(Passthrough(b"data: {}\n\n"), Passthrough(b"", last=True), request=RELAYED) == []


@pytest.mark.parametrize(
    ("events", "fault"),
    [
        (["text", Finish()], "chat yields 'text', a str, which is no event: yield those of"),
        ([TextDelta, Finish()], "a type, which is no event"),
        ([None, Finish()], "chat yields None, a NoneType, which is no event"),
        ([{"text": "a"}, Finish()], "a dict, which is no event"),
        ([Started("p", "m"), Finish()], "chat yields Started, which the gateway does"),
        (
            [TextDelta("a"), Started("p", "m", emulated=("n",)), Finish()],
            "Started comes after other events",
        ),
        ([], "ends without a Finish: yield Finish"),
        ([TextDelta("a")], "ends without a Finish: yield Finish"),
        ([TextDelta("a"), TextDelta("b", 1), Finish()], "ends without a Finish"),
        ([TextDelta(""), Finish()], "chat yields a TextDelta without text: leave out"),
        ([ReasoningDelta(""), Finish()], "chat yields a ReasoningDelta without text"),
        ([RefusalDelta(""), Finish()], "chat yields a RefusalDelta without text"),
        ([TextDelta(b"a"), Finish()], "the text of a TextDelta is a bytes: make it a str"),  # type: ignore[arg-type]
        ([TextDelta(None), Finish()], "the text of a TextDelta is a NoneType"),  # type: ignore[arg-type]
        ([Finish(), TextDelta("a")], "TextDelta comes after the Finish of its choice"),
        ([Finish(), Finish()], "chat yields Finish more than once for a choice"),
        ([Finish("end")], "Finish has the reason 'end': it must be one of stop, length"),  # type: ignore[arg-type]
        ([Usage(1, 1), Usage(1, 2), Finish()], "chat yields Usage more than once"),
        ([Usage(-1, 1), Finish()], "the counts of Usage must be integers from 0 on"),
        ([Usage(1.5, 1), Finish()], "the counts of Usage must be integers from 0 on"),  # type: ignore[arg-type]
        ([ToolCallDelta(0, "i"), Finish()], "lacks its id or its name: give it both"),
        ([ToolCallDelta(0, "i", "f", {}), Finish()], "must be JSON text: use json.dumps"),  # type: ignore[arg-type]
        ([Media("image", ""), Finish()], "Media has the url ''"),
        ([Citations(["u"]), Finish()], "links of Citations must be a tuple of Citation"),  # type: ignore[arg-type]
        ([END], "chat yields Passthrough although request.accept is None"),
    ],
)
def test_bad_answers(events: list[Any], fault: str) -> None:
    (found,) = faults(*events)
    assert fault in found


@pytest.mark.parametrize(
    ("events", "fault"),
    [
        ([Passthrough(b"data: {}\n"), END], "tears an event apart: hand on whole ones"),
        ([Passthrough(b""), END], "chat yields Passthrough without data"),
        ([Passthrough("data"), END], "the data of Passthrough is a str: it must be bytes"),  # type: ignore[arg-type]
        ([END, END], "Passthrough comes after Passthrough(last=True)"),
        ([END, Finish()], "Finish comes after Passthrough(last=True)"),
        ([Passthrough(b"data: {}\n\n")], "ends without a Finish"),
    ],
)
def test_bad_bytes(events: list[Any], fault: str) -> None:
    (found,) = faults(*events, request=RELAYED)
    assert fault in found


def test_a_mistake_that_is_made_again_and_again_is_one_fault() -> None:
    assert len(faults(*[TextDelta("")] * 5, Finish())) == 1


def test_all_mistakes_are_listed() -> None:
    assert len(faults(Started("p", "m"), TextDelta(""), Usage(-1))) == 4
