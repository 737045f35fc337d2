"""An upstream's chunks and bodies as events; what is cut, malformed or an error never ends well."""

from __future__ import annotations

import contextlib
from typing import Any

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from g4f_aio.core.errors import GatewayError, RateLimitError, UpstreamError
from g4f_aio.core.events import (
    Citation,
    Citations,
    Event,
    Finish,
    Logprobs,
    Media,
    ReasoningDelta,
    RefusalDelta,
    TextDelta,
    ToolCallDelta,
    Usage,
)
from g4f_aio.dialects.openai_chat_decoder import EventDecoder, load_answer, load_chunk

from ..golden.samples import Sample, samples
from .wire import DONE, Json, chunk, cut, described, fed, frame, whole

SAMPLES = samples("openai-chat")


def decoded(*frames: bytes) -> list[Event]:
    return fed(EventDecoder("up"), [b"".join(frames)])


def said(delta: Json) -> list[Event]:
    """The events of a chunk with *delta*."""
    return list(EventDecoder("up").feed(frame(chunk(delta))))


def ended(delta: Json | None = None, **choice: Any) -> bytes:
    """A finishing chunk."""
    value = chunk(delta, finish="stop")
    value["choices"][0] |= choice
    return frame(value)


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
def test_a_sample_cut_off_before_its_finish_is_an_error(sample: Sample) -> None:
    last = sample.stream.rfind(b'"finish_reason":"')
    ends = range(0, max(last, 0), 7) if last > 0 else [0, 100]
    for end in ends:
        with pytest.raises(UpstreamError):
            fed(EventDecoder("up"), [sample.stream[:end]])


@pytest.mark.parametrize(
    ("delta", "events"),
    [
        ({"content": "a"}, [TextDelta("a")]),
        ({"content": ""}, []),
        ({"content": None}, []),
        ({"role": "assistant"}, []),
        ({"reasoning_content": "a"}, [ReasoningDelta("a")]),
        ({"reasoning": "a"}, [ReasoningDelta("a")]),
        ({"reasoning": "a", "reasoning_content": "a"}, [ReasoningDelta("a")]),
        ({"reasoning": {"effort": "high"}}, []),
        ({"refusal": "a"}, [RefusalDelta("a")]),
        ({"content": [{"type": "text", "text": "a"}, "x", {"text": 1}]}, [TextDelta("a")]),
        (
            {
                "content": [
                    {"type": "thinking", "thinking": [{"type": "text", "text": "hm"}]},
                    {"type": "text", "text": "a"},
                ]
            },
            [ReasoningDelta("hm"), TextDelta("a")],
        ),
        ({"content": {"text": "a"}}, []),
        (
            {"images": [{"type": "image_url", "image_url": {"url": "data:,x"}}, {}, 1]},
            [Media("image", "data:,x")],
        ),
        (
            {
                "annotations": [
                    {"type": "url_citation", "url_citation": {"url": "https://a", "title": "A"}},
                    {"type": "url_citation", "url_citation": {"url": "https://b", "title": None}},
                    {"type": "url_citation", "url_citation": {"title": "no url"}},
                    {"type": "file_citation"},
                    None,
                ]
            },
            [Citations((Citation("https://a", "A"), Citation("https://b", "")))],
        ),
        ({"annotations": [{"type": "file_citation"}]}, []),
        ({"annotations": {"type": "x"}}, []),
        ({"unknown": {"a": [1]}}, []),
    ],
)
def test_the_events_of_a_delta(delta: Json, events: list[Event]) -> None:
    assert said(delta) == events


@pytest.mark.parametrize(
    ("calls", "events"),
    [
        (
            [{"index": 1, "id": "c", "type": "function", "function": {"name": "f"}}],
            [ToolCallDelta(0, "c", "f")],
        ),
        (
            [{"id": "a", "function": {"name": "f", "arguments": "{}"}}, {"function": {}}],
            [ToolCallDelta(0, "a", "f", "{}"), ToolCallDelta(1)],
        ),
        (
            [{"index": 0, "function": {"name": "f", "arguments": {"x": [1]}}}],
            [ToolCallDelta(0, None, "f", '{"x":[1]}')],
        ),
        (
            [{"index": 0, "id": "", "function": {"name": "", "arguments": None}}],
            [ToolCallDelta(0)],
        ),
        (
            [{"index": "0", "id": 7, "function": {"name": 8, "arguments": "x"}}],
            [ToolCallDelta(0, None, None, "x")],
        ),
        (
            [{"index": 0, "id": "c", "type": "custom", "custom": {"name": "f", "input": "x"}}],
            [ToolCallDelta(0, "c", "f", "x", type="custom")],
        ),
        ([{"index": 0, "function": "f"}], [ToolCallDelta(0)]),
        ([None, "x", 1, []], []),
        ({"index": 0}, []),
        ("x", []),
    ],
)
def test_the_fragments_of_tool_calls(calls: Any, events: list[Event]) -> None:
    assert said({"tool_calls": calls}) == events


def test_calls_are_numbered_from_zero_without_gaps_whatever_the_upstream_counts() -> None:
    decoder = EventDecoder("up")
    numbers = []
    for index, id_ in [(3, "a"), (3, None), (7, "b"), (3, None), (7, "b"), (7, None)]:
        call = {"index": index, "id": id_, "function": {"arguments": "x"}}
        (event,) = decoder.feed(frame(chunk({"tool_calls": [call]})))
        assert isinstance(event, ToolCallDelta)
        numbers.append(event.index)
    assert numbers == [0, 0, 1, 0, 1, 1]


def test_a_new_id_under_the_same_index_is_a_new_call() -> None:
    decoder = EventDecoder("up")
    calls = [("a", "f"), (None, None), ("b", "g"), ("b", None), ("", None), ("a", "f")]
    numbers = []
    for id_, name in calls:
        call = {"index": 0, "id": id_, "function": {"name": name, "arguments": ""}}
        (event,) = decoder.feed(frame(chunk({"tool_calls": [call]})))
        assert isinstance(event, ToolCallDelta)
        numbers.append(event.index)
    assert numbers == [0, 0, 1, 1, 1, 2]


def test_an_id_that_comes_later_belongs_to_the_call_begun_without_one() -> None:
    decoder = EventDecoder("up")
    for id_ in (None, "a", "a"):
        call = {"index": 0, "id": id_, "function": {"arguments": "x"}}
        assert list(decoder.feed(frame(chunk({"tool_calls": [call]})))) == [
            ToolCallDelta(0, id_, None, "x")
        ]


def test_the_calls_of_two_choices_are_counted_apart() -> None:
    call = {"index": 0, "id": "a", "function": {"name": "f"}}
    events = list(
        EventDecoder("up").feed(
            frame(chunk({"tool_calls": [call]})) + frame(chunk({"tool_calls": [call]}, index=1))
        )
    )
    assert events == [ToolCallDelta(0, "a", "f"), ToolCallDelta(0, "a", "f", choice=1)]


@pytest.mark.parametrize(
    ("reason", "expected"),
    [
        ("stop", "stop"),
        ("length", "length"),
        ("tool_calls", "tool_calls"),
        ("content_filter", "content_filter"),
        ("function_call", "tool_calls"),
        ("model_length", "length"),
        ("max_tokens", "length"),
        ("eos", "stop"),
        (1, "stop"),
        (["stop"], "stop"),
    ],
)
def test_finish_reasons(reason: Any, expected: str) -> None:
    events = decoded(ended(finish_reason=reason))
    assert [event.reason for event in events if isinstance(event, Finish)] == [expected]


@pytest.mark.parametrize("reason", ["error", "insufficient_system_resource"])
def test_an_answer_that_was_given_up_is_an_error(reason: str) -> None:
    with pytest.raises(UpstreamError, match=reason):
        decoded(frame(chunk({"content": "a"})), ended(finish_reason=reason), DONE)


@pytest.mark.parametrize("name", ["stop_reason", "matched_stop"])
@pytest.mark.parametrize(("said", "known"), [("END", "END"), ("other", None), (151645, None)])
def test_some_tell_the_stop_sequence_that_they_came_upon(
    name: str, said: object, known: str | None
) -> None:
    ended = {"index": 0, "delta": {}, "finish_reason": "stop", name: said}
    found = EventDecoder("up", ("END",)).feed(frame({"choices": [ended]}))
    assert list(found) == [Finish(stop_sequence=known)]


def test_a_choice_finishes_once() -> None:
    assert decoded(ended(), ended(), ended(finish_reason="length"), DONE) == [Finish("stop")]


def test_logprobs_come_after_the_text_they_belong_to() -> None:
    probs = {"content": [{"token": "a", "logprob": -1}]}
    assert decoded(ended({"content": "a"}, logprobs=probs)) == [
        TextDelta("a"),
        Logprobs(probs),
        Finish("stop"),
    ]


def test_usage_is_told_as_it_comes_with_the_upstreams_own_object() -> None:
    raw = {
        "prompt_tokens": 5,
        "completion_tokens": 7,
        "prompt_tokens_details": {"cached_tokens": 2},
        "completion_tokens_details": {"reasoning_tokens": 3},
        "cost": 0.1,
    }
    assert decoded(ended(), frame({"choices": [], "usage": raw}), DONE) == [
        Finish("stop"),
        Usage(5, 7, 2, 3, raw=raw),
    ]


def test_what_follows_done_is_ignored() -> None:
    decoder = EventDecoder("up")
    done = [decoder.done]
    assert list(decoder.feed(ended() + DONE + b"data: rubbish\n\n")) == [Finish("stop")]
    assert [*done, decoder.done] == [False, True]
    assert list(decoder.feed(b"data: more rubbish\n\n")) == []
    assert list(decoder.close()) == []


@pytest.mark.parametrize(
    "done", [b"data:[DONE]\n\n", b"data: [DONE] \n\n", b"id: 1\ndata: [DONE]\n\n"]
)
def test_done_in_other_spellings(done: bytes) -> None:
    decoder = EventDecoder("up")
    list(decoder.feed(ended() + done))
    assert decoder.done


def test_done_without_a_finish_reason_ends_the_open_choices() -> None:
    call = {"index": 0, "id": "a", "function": {"name": "f"}}
    events = decoded(
        frame(chunk({"content": "a"})), frame(chunk({"tool_calls": [call]}, index=1)), DONE
    )
    assert events[-2:] == [Finish("stop", 0), Finish("tool_calls", 1)]


@pytest.mark.parametrize(
    "stream",
    [
        b"",
        b": comment\n\n",
        DONE,
        frame({"choices": []}) + DONE,
        frame(chunk({"content": "a"})),
        frame(chunk({"content": "a"}, index=1)) + ended(),
        frame({"choices": [], "usage": {"prompt_tokens": 1}}),
    ],
)
def test_a_stream_that_ends_before_its_answer_is_cut(stream: bytes) -> None:
    with pytest.raises(UpstreamError, match="up ended its answer before it was complete") as caught:
        decoded(stream)
    assert caught.value.provider == "up"


@pytest.mark.parametrize(
    "data",
    [
        b"{",
        b"[]",
        b"1",
        b'"x"',
        b"null",
        b"[DONE",
        b'{"choices": 1}',
        b'{"choices": "x"}',
        b'{"choices": {"index": 0}}',
        b'{"choices": [1]}',
        b'{"choices": [null]}',
        b'{"choices": [{"index": "0"}]}',
        b'{"choices": [{"index": {"a": 1}}]}',
        b'{"choices": [{"index": true}]}',
        b'{"choices": [{"delta": "x"}]}',
        b'{"choices": [{"delta": ["x"]}]}',
        b'{"choices": [{"delta": {"content": NaN}}]}',
        b'{"choices": [{"delta": {"content": "\\ud800", "x": NaN}}]}',
        b"[" * 100_000,
        b'["\\ud800"' + b",[" * 100_000,
        b'{"a": "\xff"}',
    ],
)
def test_malformed_data_is_an_error(data: bytes) -> None:
    with pytest.raises(UpstreamError, match=r"^up sent malformed data: ") as caught:
        list(EventDecoder("up").feed(frame(chunk({"content": "a"})) + b"data: " + data + b"\n\n"))
    assert len(caught.value.message) < 500


@pytest.mark.parametrize(
    "harmless",
    [
        {"choices": None},
        {},
        {"type": "ping"},
        {"choices": [{}]},
        {"choices": [{"delta": None}]},
        {"choices": [{"delta": {}, "index": None}]},
        {"error": None, "choices": []},
        {"error": {}, "choices": []},
        {"usage": None},
        {"usage": {}},
        {"usage": "x"},
    ],
)
def test_chunks_with_nothing_in_them_are_passed_over(harmless: Json) -> None:
    assert decoded(frame(harmless), ended()) == [Finish("stop")]


@pytest.mark.parametrize(
    "error",
    [
        {"error": {"message": "overheated", "type": "server_error"}},
        {"error": "overheated"},
        {"object": "error", "message": "overheated", "code": 500},
    ],
)
def test_an_error_in_the_stream_comes_after_the_events_before_it(error: Json) -> None:
    events = EventDecoder("up").feed(frame(chunk({"content": "a"})) + frame(error))
    assert next(iter(events)) == TextDelta("a")
    with pytest.raises(UpstreamError, match=r"^up failed: overheated$"):
        list(events)


def test_an_error_about_the_rate_says_so() -> None:
    with pytest.raises(RateLimitError):
        decoded(frame({"error": {"message": "slow down", "code": "rate_limit_exceeded"}}))


def test_data_in_several_lines_is_one_chunk() -> None:
    pretty = orjson.dumps(chunk({"content": "a"}), option=orjson.OPT_INDENT_2)
    lines = b"".join(b"data: " + line + b"\n" for line in pretty.split(b"\n"))
    assert decoded(b"event: x\nid: 1\n" + lines + b"\n", ended()) == [TextDelta("a"), Finish()]


def test_a_character_cut_in_two_between_deltas_is_put_together() -> None:
    stream = b"".join(
        b'data: {"choices":[{"index":%d,"delta":{"%b":"%b"}}]}\n\n' % (index, key, text)
        for index, key, text in [
            (0, b"content", b"a\\uD83d"),
            (1, b"content", b"b"),
            (0, b"reasoning_content", b"c"),
            (0, b"content", b"\\ude00d"),
            (1, b"content", b"\\ude00"),
        ]
    )
    assert list(EventDecoder("up").feed(stream)) == [
        TextDelta("a"),
        TextDelta("b", 1),
        ReasoningDelta("c"),
        TextDelta("😀d"),
        TextDelta("\ufffd", 1),
    ]


MESSAGE = {"role": "assistant", "content": "Hi", "refusal": None}


def body(*choices: Json, **more: Any) -> bytes:
    return orjson.dumps({"id": "x", "object": "chat.completion", "choices": choices} | more)


def test_a_whole_answer() -> None:
    call = {"id": "c", "type": "function", "function": {"name": "f", "arguments": "{}"}}
    usage = {"prompt_tokens": 1, "completion_tokens": 2, "total_tokens": 3}
    data = body(
        {"index": 0, "message": MESSAGE | {"reasoning_content": "Hm"}, "finish_reason": "length"},
        {"index": 1, "message": {"content": None, "tool_calls": [call]}, "finish_reason": None},
        usage=usage,
    )
    assert list(EventDecoder("up").body(data)) == [
        ReasoningDelta("Hm"),
        TextDelta("Hi"),
        Finish("length"),
        ToolCallDelta(0, "c", "f", "{}", 1),
        Finish("tool_calls", 1),
        Usage(1, 2, raw=usage),
    ]


def test_a_whole_answer_without_indexes_or_reasons_is_complete() -> None:
    data = body({"message": {"content": "a"}}, {"message": {"content": "b"}, "index": "x"})
    assert list(EventDecoder("up").body(data)) == [
        TextDelta("a"),
        TextDelta("b", 1),
        Finish("stop"),
        Finish("stop", 1),
    ]


@pytest.mark.parametrize("message", [None, {}, {"content": None}])
def test_a_whole_answer_may_say_nothing(message: Any) -> None:
    data = body({"message": message, "finish_reason": "stop"})
    assert list(EventDecoder("up").body(data)) == [Finish("stop")]


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"<html>",
        b"[]",
        b"{}",
        b'{"choices": null}',
        b'{"choices": []}',
        b'{"choices": {}}',
        b'{"choices": [1]}',
        b'{"choices": [{"message": {}}, null]}',
        b'{"choices": [{"message": "x"}]}',
    ],
)
def test_a_body_that_is_no_answer_is_malformed(data: bytes) -> None:
    with pytest.raises(UpstreamError, match=r"^up sent malformed data: "):
        list(EventDecoder("up").body(data))


@pytest.mark.parametrize("load", [load_answer, load_chunk])
@pytest.mark.parametrize("error", [b'{"error": "no"}', b'{"object": "error", "message": "no"}'])
def test_an_error_as_a_body_is_raised(load: Any, error: bytes) -> None:
    with pytest.raises(GatewayError, match=r"^up failed: no$"):
        load(error, "up")


JSON = st.recursive(
    st.none() | st.booleans() | st.integers(-2, 2) | st.sampled_from(["", "a", "stop", "error"]),
    lambda inner: (
        st.lists(inner, max_size=2)
        | st.dictionaries(
            st.sampled_from(
                [
                    "text",
                    "type",
                    "url",
                    "image_url",
                    "thinking",
                    "url_citation",
                    "function",
                    "custom",
                    "name",
                    "arguments",
                    "input",
                    "id",
                    "index",
                ]
            ),
            inner,
            max_size=3,
        )
    ),
    max_leaves=6,
)
DELTAS = JSON | st.dictionaries(
    st.sampled_from(
        ["content", "role", "refusal", "reasoning", "tool_calls", "annotations", "images"]
    ),
    JSON | st.lists(JSON, max_size=2),
)


@given(
    st.lists(
        st.fixed_dictionaries(
            {},
            optional={
                "index": JSON,
                "delta": DELTAS,
                "finish_reason": JSON,
                "logprobs": JSON,
                "message": DELTAS,
            },
        )
    )
)
def test_nothing_an_upstream_can_write_raises_anything_but_an_error_of_ours(
    choices: list[Json],
) -> None:
    data = orjson.dumps({"choices": choices})
    with contextlib.suppress(GatewayError):
        list(EventDecoder("up").feed(b"data: " + data + b"\n\n"))
    with contextlib.suppress(GatewayError):
        list(EventDecoder("up").body(data))
