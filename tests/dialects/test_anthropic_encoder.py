"""Events as a stream or body of the Messages API: in its order, and with everything in it."""

from __future__ import annotations

from typing import Any

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from g4f_aio.core.completion import Completion
from g4f_aio.core.errors import (
    OverloadedError,
)
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
from g4f_aio.dialects.anthropic_body import encode_completion
from g4f_aio.dialects.anthropic_decoder import EventDecoder
from g4f_aio.dialects.anthropic_encoder import StreamEncoder
from g4f_aio.dialects.anthropic_incoming import decode
from g4f_aio.dialects.anthropic_thinking import SEAL

from ..golden.samples import Sample, samples
from . import strict
from .message_stream import checked, events
from .wire import Json, described, fed, whole

SAMPLES = samples("anthropic-messages")
REQUEST = decode(
    orjson.dumps(
        {
            "model": "m",
            "max_tokens": 9,
            "stream": True,
            "messages": [{"role": "user", "content": "Hi"}],
        }
    )
)


def streamed(*given_events: Event) -> bytes:
    """The stream of an answer."""
    encoder = StreamEncoder(REQUEST)
    return b"".join(map(encoder.feed, given_events)) + encoder.finish()


def bodied(*given_events: Event) -> Json:
    """The body of an answer."""
    found: Json = orjson.loads(encode_completion(REQUEST, whole(given_events)))
    strict.message(found)
    return found


def kinds(stream: bytes) -> list[str]:
    return [event["type"] for event in events(stream)]


def blocks(*given_events: Event) -> list[Json]:
    """The blocks of the answer, which are the same streamed and not."""
    found: list[Json] = checked(streamed(*given_events))["content"]
    return found


@pytest.mark.parametrize("sample", SAMPLES, ids=lambda sample: sample.name)
def test_a_sample_says_the_same_again(sample: Sample) -> None:
    first = fed(EventDecoder("up"), [sample.stream])
    again = fed(EventDecoder("up"), [streamed(*first)])
    answer = described(whole(again))
    said, expected = answer["choices"][0], dict(sample.answer["choices"][0])
    # the API has no other place for the words of a refusal
    expected["text"] = expected.get("text", "") + expected.pop("refusal", "")
    assert said == {key: value for key, value in expected.items() if value}
    assert answer["usage"] == sample.answer["usage"]


@pytest.mark.parametrize("sample", SAMPLES, ids=lambda sample: sample.name)
def test_thoughts_keep_their_seals(sample: Sample) -> None:
    first = fed(EventDecoder("up"), [sample.stream])
    again = fed(EventDecoder("up"), [streamed(*first)])

    def thoughts(found: list[Event]) -> list[Event]:
        return [event for event in found if isinstance(event, ReasoningDelta)]

    assert thoughts(again) == thoughts(first)


def test_the_order_of_the_events() -> None:
    stream = streamed(
        Started("up", "real-model"),
        ReasoningDelta("Hm"),
        ReasoningDelta("", signature="s"),
        TextDelta("I "),
        TextDelta("look."),
        ToolCallDelta(0, "a", "f"),
        ToolCallDelta(0, arguments="{}"),
        Finish("tool_calls"),
        Usage(5, 3),
    )
    assert kinds(stream) == [
        "message_start",
        "content_block_start",
        "content_block_delta",
        "content_block_delta",
        "content_block_stop",
        "content_block_start",
        "content_block_delta",
        "content_block_delta",
        "content_block_stop",
        "content_block_start",
        "content_block_delta",
        "content_block_stop",
        "message_delta",
        "message_stop",
    ]
    found = checked(stream)
    id_ = found.pop("id")
    assert id_.startswith("msg_")
    assert found == {
        "type": "message",
        "role": "assistant",
        "model": "real-model",
        "content": [
            {"type": "thinking", "thinking": "Hm", "signature": "s"},
            {"type": "text", "text": "I look."},
            {"type": "tool_use", "id": "a", "name": "f", "input": {}},
        ],
        "stop_reason": "tool_use",
        "stop_sequence": None,
        "usage": {
            "input_tokens": 5,
            "cache_creation_input_tokens": 0,
            "cache_read_input_tokens": 0,
            "output_tokens": 3,
        },
    }


def test_the_start_tells_of_all_usage_there_can_be() -> None:
    usage = events(streamed(Finish()))[0]["message"]["usage"]
    assert usage["input_tokens"] > 0
    assert usage.keys() >= {
        "cache_creation_input_tokens",
        "cache_read_input_tokens",
        "output_tokens",
    }
    assert "estimated" not in usage


def test_usage_is_estimated_where_nobody_tells() -> None:
    usage = checked(streamed(TextDelta("word " * 20), Finish()))["usage"]
    assert usage["estimated"] is True
    assert usage["output_tokens"] == 19
    assert bodied(TextDelta("word " * 20), Finish())["usage"] == usage


def test_an_answer_of_nothing_is_a_message() -> None:
    assert checked(streamed(Finish("length")))["stop_reason"] == "max_tokens"
    assert checked(streamed(Finish("length")))["content"] == []


def test_the_first_reason_holds() -> None:
    assert checked(streamed(Finish("length"), Finish("stop")))["stop_reason"] == "max_tokens"


@pytest.mark.parametrize(
    "event",
    [
        Preview("x"),
        Title("x"),
        Suggestions(("x",)),
        ConversationState({}),
        Logprobs({}),
        Started("p", "m"),
        Finish(),
        Usage(),
        Status("x"),
    ],
)
def test_what_the_format_has_no_word_for_begins_no_answer(event: Event) -> None:
    assert StreamEncoder(REQUEST).feed(event) == b""


def test_a_notice_is_a_ping() -> None:
    encoder = StreamEncoder(REQUEST)
    encoder.feed(TextDelta("a"))
    assert encoder.feed(Status("busy")) == b'event: ping\ndata: {"type":"ping"}\n\n'


@pytest.mark.parametrize(
    ("event", "text"),
    [
        (RefusalDelta("No."), "No."),
        (Media("image", "https://a/b.png", alt="B"), "\n![B](https://a/b.png)\n"),
        (Media("audio", "https://a/b.mp3"), "\n[](https://a/b.mp3)\n"),
    ],
)
def test_what_is_text_here(event: Event, text: str) -> None:
    assert blocks(event) == [{"type": "text", "text": text}]


def test_sources_are_citations_of_the_text() -> None:
    link = {
        "type": "web_search_result_location",
        "url": "https://a",
        "title": "A",
        "encrypted_index": "",
        "cited_text": "",
    }
    said = (TextDelta("a"), Citations((Citation("https://a", "A"),)), Finish())
    expected = [{"type": "text", "text": "a", "citations": [link]}]
    assert blocks(*said) == expected
    assert bodied(*said)["content"] == expected


def test_redacted_thoughts_are_blocks_of_their_own() -> None:
    said = (ReasoningDelta("a"), ReasoningDelta("", redacted="x"), ReasoningDelta("", redacted="y"))
    assert blocks(*said, TextDelta("b")) == [
        {"type": "thinking", "thinking": "a", "signature": SEAL},
        {"type": "redacted_thinking", "data": "x"},
        {"type": "redacted_thinking", "data": "y"},
        {"type": "text", "text": "b"},
    ]


def test_every_signature_ends_its_block_and_who_has_none_gets_ours() -> None:
    said = (ReasoningDelta("a"), ReasoningDelta("", signature="s"), ReasoningDelta("b"))
    assert blocks(*said) == [
        {"type": "thinking", "thinking": "a", "signature": "s"},
        {"type": "thinking", "thinking": "b", "signature": SEAL},
    ]


def tool_uses(*given_events: Event) -> list[tuple[str, str, Json]]:
    found = [block for block in blocks(*given_events) if block["type"] == "tool_use"]
    return [(block["id"], block["name"], block["input"]) for block in found]


def test_calls_come_one_after_the_other_and_as_they_come() -> None:
    encoder = StreamEncoder(REQUEST)
    encoder.feed(ToolCallDelta(0, "a", "f", '{"x":'))
    assert kinds(encoder.feed(ToolCallDelta(0, arguments="1}"))) == ["content_block_delta"]
    assert kinds(encoder.feed(ToolCallDelta(1, "b", "g", "{"))) == [
        "content_block_stop",
        "content_block_start",
        "content_block_delta",
    ]


def test_calls_whose_pieces_come_mixed_are_sorted_out() -> None:
    said = (
        ToolCallDelta(0, "a", "f", '{"x":'),
        ToolCallDelta(1, "b", "g"),
        ToolCallDelta(1, arguments='{"y":'),
        ToolCallDelta(2, "c", "h"),
        ToolCallDelta(0, arguments="1}"),
        TextDelta("between"),
        ToolCallDelta(1, arguments="2}"),
        Finish("tool_calls"),
    )
    assert tool_uses(*said) == [("a", "f", {"x": 1}), ("b", "g", {"y": 2}), ("c", "h", {})]
    assert blocks(*said)[-1] == {"type": "text", "text": "between"}


def test_a_text_after_calls_that_are_complete_comes_at_once() -> None:
    encoder = StreamEncoder(REQUEST)
    encoder.feed(ToolCallDelta(0, "a", "f", "{}"))
    assert kinds(encoder.feed(TextDelta("Done."))) == [
        "content_block_stop",
        "content_block_start",
        "content_block_delta",
    ]
    assert encoder.feed(ToolCallDelta(0, arguments=" ")) == b"", "nothing can follow"


@pytest.mark.parametrize("given_id", [None, "", "a"])
def test_each_call_has_an_id_of_its_own(given_id: str | None) -> None:
    said = (
        ToolCallDelta(0, "a", "f", "{}"),
        ToolCallDelta(1, given_id, "f", "{}"),
        Finish("tool_calls"),
    )
    (first, _, _), (second, _, _) = tool_uses(*said)
    assert first == "a"
    assert second.startswith("toolu_")
    ids = [block["id"] for block in bodied(*said)["content"]]
    assert ids[0] == "a"
    assert ids[1].startswith("toolu_")


def test_an_answer_that_says_stop_but_calls_is_one_of_calls() -> None:
    said = (ToolCallDelta(0, "a", "f", "{}"), Finish("stop"))
    assert checked(streamed(*said))["stop_reason"] == "tool_use"
    assert bodied(*said)["stop_reason"] == "tool_use"


def test_bytes_of_the_upstream_stay_as_they_are() -> None:
    encoder = StreamEncoder(REQUEST)
    assert encoder.feed(Passthrough(b"a")) == b"a"
    assert encoder.feed(Passthrough(b"b", last=True)) == b"b"
    assert encoder.finish() == b""
    assert encode_completion(REQUEST, Completion(body=b"{}")) == b"{}"


def test_an_error_is_the_last_event_of_its_stream() -> None:
    encoder = StreamEncoder(REQUEST)
    encoder.feed(TextDelta("a"))
    error = OverloadedError("Busy")
    error.request_id = "req_1"
    told = {"type": "overloaded_error", "message": "Busy"}
    assert events(encoder.error(error)) == [{"type": "error", "error": told, "request_id": "req_1"}]


TEXTS = st.text(st.characters(codec="utf-8"), min_size=1)
VALUES: st.SearchStrategy[Any] = st.dictionaries(
    st.text(max_size=3), st.integers(-1, 2**40) | st.text()
)
PIECES = st.one_of(
    st.builds(TextDelta, TEXTS),
    st.builds(ReasoningDelta, TEXTS),
    st.tuples(st.integers(0, 3), st.integers(1, 5)),
)


@given(st.lists(PIECES), st.lists(VALUES, min_size=4, max_size=4))
def test_whatever_comes_in_whatever_order_is_all_there(
    pieces: list[Any], inputs: list[Any]
) -> None:
    rests = [orjson.dumps(one).decode() for one in inputs]
    begun: set[int] = set()
    said: list[Event] = []
    for piece in pieces:
        match piece:
            case (int(index), int(length)):
                head, rests[index] = rests[index][:length], rests[index][length:]
                first = index not in begun
                begun.add(index)
                said.append(
                    ToolCallDelta(
                        index,
                        f"id{index}" if first else None,
                        f"f{index}" if first else None,
                        head,
                    )
                )
            case _:
                said.append(piece)
    said += [ToolCallDelta(index, arguments=rests[index]) for index in sorted(begun)]
    found = blocks(*said)

    def joined(kind: str) -> str:
        return "".join(block[kind] for block in found if block["type"] == kind)

    assert joined("text") == "".join(e.text for e in said if isinstance(e, TextDelta))
    assert joined("thinking") == "".join(e.text for e in said if isinstance(e, ReasoningDelta))
    calls = {block["id"]: block["input"] for block in found if block["type"] == "tool_use"}
    assert calls == {f"id{index}": inputs[index] for index in begun}
