"""Ollama's lines as events; what is cut, malformed or given up never ends well."""

from __future__ import annotations

import contextlib
from collections.abc import Iterable
from typing import Any

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from g4f_aio.core.errors import GatewayError, RateLimitError, UpstreamError
from g4f_aio.core.events import (
    Event,
    Finish,
    Logprobs,
    ReasoningDelta,
    TextDelta,
    ToolCallDelta,
    Usage,
)
from g4f_aio.dialects.ollama_decoder import OllamaDecoder

from ..golden.samples import Sample, samples
from .wire import Json, cut, described, whole

SAMPLES = samples("ollama")


def decoder(*, single: bool = False, credential: str | None = None) -> OllamaDecoder:
    return OllamaDecoder("up", single=single, credential=credential)


def line(message: Json | None = None, **fields: Any) -> bytes:
    """A line with a message."""
    said = {"role": "assistant", "content": ""} | (message or {})
    return orjson.dumps({"model": "m", "message": said, "done": False, **fields}) + b"\n"


def last(reason: str | None = "stop", counted: Json | None = None) -> bytes:
    """The last line."""
    why: Json = {} if reason is None else {"done_reason": reason}
    return line(**(why | (counted or {}) | {"done": True}))


def fed(pieces: Iterable[bytes], into: OllamaDecoder | None = None) -> list[Event]:
    """The events of an answer that comes in *pieces* and ends properly."""
    into = into or decoder()
    return [*(event for piece in pieces for event in into.feed(piece)), *into.close()]


@pytest.mark.parametrize("sample", SAMPLES, ids=lambda sample: sample.name)
@pytest.mark.parametrize("end", [b"\n", b"\r\n"], ids=["LF", "CRLF"])
def test_a_sample_means_what_its_answer_says(sample: Sample, end: bytes) -> None:
    stream = sample.stream.replace(b"\n", end)
    assert described(whole(fed([stream]))) == sample.answer
    assert described(whole(decoder().body(stream))) == sample.answer


@given(st.sampled_from(SAMPLES), st.lists(st.integers(0, 2**16)))
def test_a_sample_gives_the_same_events_however_it_is_cut(
    sample: Sample, places: list[int]
) -> None:
    assert fed(cut(sample.stream, places)) == fed([sample.stream])


@pytest.mark.parametrize("sample", SAMPLES, ids=lambda sample: sample.name)
def test_a_sample_cut_off_before_its_end_is_an_error(sample: Sample) -> None:
    stream = sample.stream.rstrip()
    for end in [*range(0, len(stream), 7), len(stream) - 1]:
        with pytest.raises(UpstreamError, match="before it was complete"):
            fed([stream[:end]])


@pytest.mark.parametrize("sample", SAMPLES, ids=lambda sample: sample.name)
def test_the_last_line_needs_no_end(sample: Sample) -> None:
    assert described(whole(fed([sample.stream.rstrip()]))) == sample.answer


def test_an_event_comes_as_soon_as_its_line_is_there() -> None:
    stream = decoder()
    first, second = line({"content": "a"}), line({"content": "b"})
    assert list(stream.feed(first + second[:10])) == [TextDelta("a")]
    assert list(stream.feed(second[10:-1])) == []
    assert list(stream.feed(b"\n")) == [TextDelta("b")]


def test_it_is_done_with_the_last_line_and_ignores_what_follows() -> None:
    stream = decoder()
    list(stream.feed(line({"content": "a"})))
    before = stream.done
    assert list(stream.feed(last() + b"<html>\n" + last())) == [Finish()]
    assert (before, stream.done) == (False, True)
    assert list(stream.close()) == []


@pytest.mark.parametrize(
    ("message", "events"),
    [
        ({"content": "a"}, [TextDelta("a")]),
        ({"thinking": "a"}, [ReasoningDelta("a")]),
        ({"thinking": "a", "content": "b"}, [ReasoningDelta("a"), TextDelta("b")]),
        ({"content": ""}, []),
        ({"content": None, "thinking": 1, "tool_calls": {"a": 1}}, []),
        ({"tool_calls": [1, "a"]}, []),
        ({"something": "new"}, []),
    ],
)
def test_the_events_of_a_message(message: Json, events: list[Event]) -> None:
    assert list(decoder().feed(line(message))) == events


def test_a_line_that_says_nothing_known_is_passed_over() -> None:
    stream = [b'{"status":"loading"}\n\n  \n', line(), b'{"message":[1],"done":"yes"}\n', last()]
    assert fed(stream) == [Finish()]


def test_halves_of_a_character_are_put_together() -> None:
    stream = [
        b'{"message":{"content":"a\\ud83d"},"done":false}\n',
        b'{"message":{"content":"\\ude00b"},"done":false}\n',
        last(),
    ]
    assert fed(stream) == [TextDelta("a"), TextDelta("😀b"), Finish()]


# calls


def test_calls_without_an_id_or_with_a_used_one_get_ids_of_their_own() -> None:
    call = {"function": {"name": "f", "arguments": {"a": 1}}}
    same = {"id": "x", "function": {"name": "f"}}
    odd = {"id": 5, "function": {"arguments": '{"b":2}'}}
    events = fed(
        [line({"tool_calls": [call, call]}), line({"tool_calls": [same, same, odd, {}]}), last()]
    )
    calls = [event for event in events if isinstance(event, ToolCallDelta)]
    assert [one.index for one in calls] == [0, 1, 2, 3, 4, 5]
    assert len({one.id for one in calls}) == 6
    assert all(one.id for one in calls)
    assert calls[2].id == "x"
    assert [one.name for one in calls] == ["f", "f", "f", "f", "", ""]
    assert [one.arguments for one in calls] == ['{"a":1}', '{"a":1}', "{}", "{}", '{"b":2}', "{}"]
    assert events[-1] == Finish("tool_calls")


def test_only_the_first_call_counts_where_one_at_a_time_is_asked_for() -> None:
    calls = [{"id": name, "function": {"name": name}} for name in "ab"]
    stream = [line({"tool_calls": calls}), line({"tool_calls": calls}), last()]
    events = fed(stream, decoder(single=True))
    assert events == [ToolCallDelta(0, "a", "a", "{}"), Finish("tool_calls")]


# ends


@pytest.mark.parametrize(
    ("reason", "finish"),
    [("stop", "stop"), ("length", "length"), ("load", "stop"), ("new", "stop"), (None, "stop")],
)
def test_the_reason_of_an_end(reason: str | None, finish: str) -> None:
    (event,) = fed([last(reason)])
    assert isinstance(event, Finish)
    assert event.reason == finish


def test_calls_of_an_answer_that_hit_its_bound_are_not_asked_to_be_run() -> None:
    call = {"id": "x", "function": {"name": "f"}}
    assert fed([line({"tool_calls": [call]}), last("length")])[-1] == Finish("length")


@pytest.mark.parametrize(
    "stream", [b"", b"\n", line({"content": "a"}), b'{"done":1}\n', b'{"done":']
)
def test_an_answer_that_does_not_say_it_is_done_is_cut(stream: bytes) -> None:
    with pytest.raises(UpstreamError, match="up ended its answer before it was complete") as caught:
        fed([stream])
    assert caught.value.fallback


# usage and log probabilities


def test_usage_keeps_what_the_server_measured() -> None:
    counted = {"prompt_eval_count": 3, "eval_count": 2, "load_duration": 7, "eval_duration": "?"}
    raw = {"load_duration": 7, "prompt_eval_count": 3, "eval_count": 2}
    assert fed([last(counted=counted)]) == [Finish(), Usage(3, 2, raw=raw)]


@pytest.mark.parametrize("counted", [{}, {"total_duration": 5}, {"eval_count": None}])
def test_without_a_count_there_is_no_usage(counted: Json) -> None:
    assert fed([last(counted=counted)]) == [Finish()]


def test_log_probabilities_have_all_that_openai_s_have() -> None:
    token = {"token": "a", "logprob": -0.5}
    events = fed([line({"content": "a"}, logprobs=[token]), line(logprobs=[1]), last()])
    whole_token = {"bytes": None, "top_logprobs": [], **token}
    expected = Logprobs({"content": [whole_token], "refusal": None})
    assert events == [TextDelta("a"), expected, Finish()]


# errors


@pytest.mark.parametrize("data", [b"}", b"1", b'"a"', b"null", b"[1]", b"<html>"])
def test_data_that_is_no_line_is_an_error(data: bytes) -> None:
    with pytest.raises(UpstreamError, match="up sent malformed data"):
        fed([line({"content": "a"}), data + b"\n", last()])
    with pytest.raises(UpstreamError, match="up sent malformed data"):
        list(decoder().body(data))


def test_an_error_in_a_stream_is_one() -> None:
    stream = decoder(credential="secret-5310")
    assert list(stream.feed(line({"content": "a"}))) == [TextDelta("a")]
    with pytest.raises(UpstreamError, match=r"up failed: the runner died, \*\*\*") as caught:
        list(stream.feed(b'{"error":"the runner died, secret-5310"}\n'))
    assert caught.value.fallback


def test_an_error_may_be_an_object() -> None:
    with pytest.raises(RateLimitError, match="slow down"):
        fed([b'{"error":{"message":"slow down","code":429}}\n'])


def test_an_error_without_the_end_of_its_line_is_one() -> None:
    with pytest.raises(UpstreamError, match="up failed: out of memory"):
        fed([b'{"error":"out of memory"}'])


def test_a_line_without_end_is_given_up() -> None:
    stream = OllamaDecoder("up", limit=100)
    for _ in range(2):
        list(stream.feed(line({"content": "short"})))
    list(stream.feed(b"x" * 100))
    with pytest.raises(UpstreamError, match="up sent a line of more than 100 bytes"):
        list(stream.feed(b"x"))


NAMES = [
    "message",
    "content",
    "thinking",
    "tool_calls",
    "function",
    "name",
    "arguments",
    "id",
    "done",
    "done_reason",
    "error",
    "logprobs",
    "eval_count",
    "prompt_eval_count",
]
LEAVES = st.none() | st.booleans() | st.integers(-(2**53), 2**53) | st.text() | st.just("stop")


@given(
    st.recursive(
        LEAVES,
        lambda inner: st.lists(inner) | st.dictionaries(st.sampled_from(NAMES), inner),
        max_leaves=25,
    )
)
def test_whatever_an_upstream_sends_is_an_answer_or_a_failure_of_its_own(value: object) -> None:
    with contextlib.suppress(GatewayError):
        assert any(isinstance(event, Finish) for event in decoder().body(orjson.dumps(value)))
