"""An upstream's message as events; what is cut, malformed or an error never ends well."""

from __future__ import annotations

from typing import Any

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from g4f_aio.core.errors import (
    GatewayError,
    OverloadedError,
    RateLimitError,
    UpstreamError,
    UpstreamTimeoutError,
)
from g4f_aio.core.events import (
    Citation,
    Citations,
    Event,
    Finish,
    ReasoningDelta,
    RefusalDelta,
    TextDelta,
    ToolCallDelta,
    Usage,
)
from g4f_aio.core.messages import Thought
from g4f_aio.dialects.anthropic_decoder import EventDecoder, load_event, load_message
from g4f_aio.dialects.anthropic_thinking import SealedThoughts, thought_block

from ..golden.samples import Sample, samples
from .message_stream import message
from .wire import Json, cut, described, fed, frame, whole

SAMPLES = samples("anthropic-messages")
STOP = {"type": "message_stop"}


def said(*events: Json) -> list[Event]:
    """What events of an upstream say, up to then."""
    return list(EventDecoder("up").feed(b"".join(map(frame, events))))


def block(value: Json, index: int = 0) -> Json:
    return {"type": "content_block_start", "index": index, "content_block": value}


def delta(kind: str, index: int = 0, **fields: Any) -> Json:
    return {
        "type": "content_block_delta",
        "index": index,
        "delta": {"type": kind, **fields},
    }


def stop(index: int = 0) -> Json:
    return {"type": "content_block_stop", "index": index}


def call(index: int = 0, **fields: Any) -> Json:
    return block({"type": "tool_use", "id": "a", "name": "f", "input": {}, **fields}, index)


@pytest.mark.parametrize("sample", SAMPLES, ids=lambda sample: sample.name)
@pytest.mark.parametrize("end", [b"\n", b"\r\n", b"\r"], ids=["LF", "CRLF", "CR"])
def test_a_sample_means_what_its_answer_says(sample: Sample, end: bytes) -> None:
    stream = sample.stream.replace(b"\n", end)
    assert described(whole(fed(EventDecoder("up"), [stream]))) == sample.answer


@given(st.sampled_from(SAMPLES), st.lists(st.integers(0, 2**16)))
def test_a_sample_gives_the_same_events_however_it_is_cut(
    sample: Sample, places: list[int]
) -> None:
    events = fed(EventDecoder("up"), cut(sample.stream, places))
    assert events == fed(EventDecoder("up"), [sample.stream])


@pytest.mark.parametrize("sample", SAMPLES, ids=lambda sample: sample.name)
def test_a_sample_cut_off_before_its_end_is_an_error(sample: Sample) -> None:
    last = sample.stream.rfind(b'"message_stop"')
    for end in (*range(0, last, 11), last):
        with pytest.raises(UpstreamError):
            fed(EventDecoder("up"), [sample.stream[:end]])


@pytest.mark.parametrize("sample", SAMPLES, ids=lambda sample: sample.name)
def test_a_whole_answer_means_the_same_as_its_stream(sample: Sample) -> None:
    found = described(whole(EventDecoder("up").body(orjson.dumps(message(sample.stream)))))
    for choice in (*found["choices"], *sample.answer["choices"]):
        for one in choice.get("tool_calls", ()):
            one[3] = orjson.loads(one[3])
    assert found == sample.answer


@pytest.mark.parametrize(
    ("event", "events"),
    [
        (delta("text_delta", text="a"), [TextDelta("a")]),
        (delta("text_delta", text=""), []),
        (delta("thinking_delta", thinking="a"), [ReasoningDelta("a")]),
        (delta("signature_delta", signature="s"), [ReasoningDelta("", signature="s")]),
        (delta("input_json_delta", partial_json="{}"), []),
        (delta("new_delta", x=1), []),
        (block({"type": "text", "text": "a"}), [TextDelta("a")]),
        (block({"type": "text"}), []),
        (
            block({"type": "thinking", "thinking": "a", "signature": "s"}),
            [ReasoningDelta("a"), ReasoningDelta("", signature="s")],
        ),
        (block({"type": "thinking", "thinking": "", "signature": ""}), []),
        (
            block({"type": "redacted_thinking", "data": "d"}),
            [ReasoningDelta("", redacted="d")],
        ),
        (call(), [ToolCallDelta(0, "a", "f")]),
        (call(id=1, name=None), [ToolCallDelta(0)]),
        (block({"type": "server_tool_use", "id": "s", "name": "web_search"}), []),
        (block({"type": "compaction", "content": "x"}), []),
        ({"type": "ping"}, []),
        ({"type": "new"}, []),
        (stop(), []),
        ({"type": "message_start", "message": {"usage": {"input_tokens": 3}}}, []),
        ({"type": "message_delta", "delta": {"stop_reason": "end_turn"}}, []),
    ],
)
def test_the_events_of_an_event(event: Json, events: list[Event]) -> None:
    assert said(event) == events


@pytest.mark.parametrize(
    ("citation", "links"),
    [
        ({"url": "https://a", "title": "A"}, [Citation("https://a", "A")]),
        ({"url": "https://a", "title": None}, [Citation("https://a")]),
        ({"source": "http://a", "title": "A"}, [Citation("http://a", "A")]),
        ({"source": "intern.doc", "title": "A"}, []),
        ({"type": "char_location", "document_title": "A"}, []),
        (None, []),
    ],
)
def test_sources_are_those_with_an_address(citation: Any, links: list[Citation]) -> None:
    expected = [Citations((link,)) for link in links]
    assert said(delta("citations_delta", citation=citation)) == expected
    assert said(block({"type": "text", "text": "", "citations": [citation]})) == expected


def test_calls_are_counted_among_themselves() -> None:
    events = said(
        block({"type": "text", "text": ""}),
        stop(),
        call(1),
        delta("input_json_delta", 1, partial_json='{"x"'),
        delta("input_json_delta", 1, partial_json=":1}"),
        stop(1),
        block({"type": "server_tool_use", "id": "s", "name": "web_search", "input": {}}, 2),
        delta("input_json_delta", 2, partial_json="{}"),
        stop(2),
        call(3, id="b"),
        stop(3),
    )
    assert events == [
        ToolCallDelta(0, "a", "f"),
        ToolCallDelta(0, arguments='{"x"'),
        ToolCallDelta(0, arguments=":1}"),
        ToolCallDelta(1, "b", "f"),
        ToolCallDelta(1, arguments="{}"),
    ]


@pytest.mark.parametrize(
    ("given_input", "arguments"), [({"x": 1}, '{"x":1}'), (None, "{}"), (3, "{}")]
)
def test_an_input_may_come_with_the_start_of_its_block(given_input: Any, arguments: str) -> None:
    assert said(call(input=given_input), stop())[1:] == [ToolCallDelta(0, arguments=arguments)]


def test_a_block_that_is_never_ended_ends_with_the_message() -> None:
    assert said(call(), STOP)[1:] == [ToolCallDelta(0, arguments="{}"), Finish("tool_calls")]


def test_what_is_said_of_the_end_comes_at_the_end() -> None:
    details = {"type": "refusal", "explanation": "No."}
    ending = {"stop_reason": "refusal", "stop_details": details}
    assert said(
        {"type": "message_start", "message": {"usage": {"input_tokens": 3, "output_tokens": 1}}},
        {"type": "message_delta", "delta": ending, "usage": {"output_tokens": 4}},
        {"type": "message_delta", "delta": {"stop_reason": None}, "usage": {"output_tokens": 5}},
        STOP,
        delta("text_delta", text="never read"),
    ) == [RefusalDelta("No."), Finish("content_filter"), Usage(3, 5)]


@pytest.mark.parametrize("details", [None, {}, {"explanation": None}, {"explanation": ""}, "x"])
def test_a_refusal_may_have_no_explanation(details: Any) -> None:
    ending = {"stop_reason": "refusal", "stop_details": details}
    assert said({"type": "message_delta", "delta": ending}, STOP) == [Finish("content_filter")]


@pytest.mark.parametrize(
    ("stop_reason", "stop_sequence", "finish"),
    [
        ("stop_sequence", "END", Finish(stop_sequence="END")),
        ("pause_turn", None, Finish(paused=True)),
        ("end_turn", None, Finish()),
    ],
)
def test_how_it_ended_is_told_in_full(
    stop_reason: str, stop_sequence: str | None, finish: Finish
) -> None:
    ending = {"stop_reason": stop_reason, "stop_sequence": stop_sequence}
    assert said({"type": "message_delta", "delta": ending}, STOP) == [finish]


def test_an_end_without_a_reason_is_one() -> None:
    assert said(STOP) == [Finish("stop")]


def test_halves_of_a_character_come_together() -> None:
    first, second = delta("text_delta", text="?"), delta("text_delta", text="!")
    frames = frame(first).replace(b"?", b"\\ud83d") + frame(second).replace(b"!", b"\\ude00")
    assert list(EventDecoder("up").feed(frames)) == [TextDelta("😀")]


def test_nothing_more_is_wanted_once_it_is_done() -> None:
    decoder = EventDecoder("up")
    before = decoder.done
    list(decoder.feed(frame(STOP) + b"data: junk\n\n"))
    assert (before, decoder.done) == (False, True)
    assert list(decoder.feed(b"data: junk\n\n")) == []
    assert list(decoder.close()) == []


@pytest.mark.parametrize(
    "data",
    [
        b"junk",
        b"[DONE]",
        b"[]",
        b"null",
        b'{"type":1}',
        b"{}",
        b'{"type":"message_start"}',
        b'{"type":"content_block_start","index":0}',
        b'{"type":"content_block_delta","index":"0","delta":{}}',
        b'{"type":"content_block_delta","index":0,"delta":{"type":"text_delta"}}',
        b'{"type":"content_block_delta","index":0,"delta":{"type":"thinking_delta","thinking":1}}',
        b'{"type":"content_block_stop"}',
        b'{"type":"message_delta","delta":[]}',
    ],
)
def test_malformed_data_is_an_error(data: bytes) -> None:
    with pytest.raises(UpstreamError, match="up sent malformed data"):
        list(EventDecoder("up").feed(b"data: " + data + b"\n\n"))


@pytest.mark.parametrize(
    ("error", "kind", "status"),
    [
        ({"type": "overloaded_error", "message": "Overloaded"}, OverloadedError, 503),
        ({"type": "rate_limit_error", "message": "Slow down"}, RateLimitError, 429),
        ({"type": "timeout_error", "message": "Too slow"}, UpstreamTimeoutError, 504),
        ({"type": "api_error", "message": "Internal server error"}, UpstreamError, 502),
        ("no object", UpstreamError, 502),
        (None, UpstreamError, 502),
    ],
)
def test_an_error_event_is_an_error(error: Any, kind: type[GatewayError], status: int) -> None:
    text = delta("text_delta", text="a")
    frames = frame(text) + frame({"type": "error", "error": error})
    events: list[Event] = []
    with pytest.raises(kind) as raised:
        events.extend(EventDecoder("up").feed(frames))
    assert events == [TextDelta("a")]
    assert type(raised.value) is kind
    assert raised.value.status == status
    assert raised.value.fallback
    assert raised.value.provider == "up"


def test_an_error_without_its_type_is_one_all_the_same() -> None:
    with pytest.raises(UpstreamError, match="up failed: broke"):
        load_event(b'{"error":{"message":"broke"}}', "up")


@pytest.mark.parametrize(
    "data",
    [
        b"<html>",
        b'{"type":"message"}',
        b'{"type":"message","content":"x"}',
        b'{"type":"message","content":["x"]}',
        b'{"type":"completion","content":[]}',
        b'{"id":"chatcmpl-1","choices":[]}',
    ],
)
def test_an_answer_that_is_no_message_is_an_error(data: bytes) -> None:
    with pytest.raises(UpstreamError, match="up sent malformed data"):
        load_message(data, "up")


def test_a_whole_answer_may_be_an_error() -> None:
    with pytest.raises(OverloadedError):
        list(EventDecoder("up").body(b'{"type":"error","error":{"type":"overloaded_error"}}'))


def test_a_whole_answer_without_usage() -> None:
    body = b'{"type":"message","content":[],"stop_reason":"end_turn"}'
    assert list(EventDecoder("up").body(body)) == [Finish("stop")]


# what was thought before calls


def calls(stream: bytes) -> SealedThoughts:
    """What is kept of a stream."""
    thoughts = SealedThoughts()
    fed(EventDecoder("up", thoughts), [stream])
    return thoughts


def begun(index: int, block: Json) -> bytes:
    return frame({"type": "content_block_start", "index": index, "content_block": block})


def piece(index: int, value: Json) -> bytes:
    return frame({"type": "content_block_delta", "index": index, "delta": value})


HM = piece(0, {"type": "thinking_delta", "thinking": "Hm"})
CALL = {"type": "tool_use", "id": "a", "name": "f", "input": {}}
LAST = frame({"type": "message_stop"})


@pytest.mark.parametrize(
    ("frames", "expected"),
    [
        (HM + HM + piece(0, {"type": "signature_delta", "signature": "s"}), [Thought("HmHm", "s")]),
        (
            begun(0, {"type": "thinking", "thinking": "Hm", "signature": "s"})
            + begun(1, {"type": "redacted_thinking", "data": "d"}),
            [Thought("Hm", "s"), Thought("", redacted="d")],
        ),
        (HM, []),
        (begun(0, {"type": "redacted_thinking"}), []),
        (piece(0, {"type": "signature_delta"}), []),
    ],
)
def test_sealed_thoughts_before_the_first_call_are_kept(
    frames: bytes, expected: list[Thought]
) -> None:
    second = begun(3, CALL | {"id": "b"})
    kept = calls(frames + begun(2, CALL) + second + LAST)
    assert kept.before("a") == tuple(map(thought_block, expected))
    assert kept.before("b") == ()


def test_a_call_without_an_id_keeps_nothing() -> None:
    sealed = begun(0, {"type": "thinking", "thinking": "Hm", "signature": "s"})
    kept = calls(sealed + begun(1, CALL | {"id": ""}) + LAST)
    assert kept.before("") == ()
