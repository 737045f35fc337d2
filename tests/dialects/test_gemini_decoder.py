"""Gemini's chunks and bodies as events; what is cut, malformed or given up never ends well."""

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
    Media,
    ReasoningDelta,
    TextDelta,
    ToolCallDelta,
    Usage,
)
from g4f_aio.core.messages import ToolCall
from g4f_aio.dialects.gemini_decoder import GeminiDecoder
from g4f_aio.dialects.gemini_thinking import Signatures

from ..golden.samples import Sample, samples
from .wire import Json, cut, datas, described, fed, frame, whole

SAMPLES = samples("gemini")


def decoder(*, single: bool = False, credential: str | None = None) -> GeminiDecoder:
    return GeminiDecoder("up", Signatures(), single=single, credential=credential)


def candidate(*parts: Json, finish: str | None = None, **fields: Any) -> Json:
    """A chunk with one candidate."""
    one: Json = {"index": 0, **fields}
    if parts:
        one["content"] = {"role": "model", "parts": list(parts)}
    if finish:
        one["finishReason"] = finish
    return {"candidates": [one]}


def said(*parts: Json, **fields: Any) -> list[Event]:
    """The events of a chunk with *parts*."""
    return list(decoder().feed(frame(candidate(*parts, **fields))))


def ended(*chunks: Json) -> list[Event]:
    """The events of a stream that ends there."""
    return fed(decoder(), [b"".join(map(frame, chunks))])


@pytest.mark.parametrize("sample", SAMPLES, ids=lambda sample: sample.name)
@pytest.mark.parametrize("end", [b"\n", b"\r\n", b"\r"], ids=["LF", "CRLF", "CR"])
def test_a_sample_means_what_its_answer_says(sample: Sample, end: bytes) -> None:
    stream = sample.stream.replace(b"\n", end)
    assert described(whole(fed(decoder(), [stream]))) == sample.answer


@given(st.sampled_from(SAMPLES), st.lists(st.integers(0, 2**16)))
def test_a_sample_gives_the_same_events_however_it_is_cut(
    sample: Sample, places: list[int]
) -> None:
    assert fed(decoder(), cut(sample.stream, places)) == fed(decoder(), [sample.stream])


@pytest.mark.parametrize("sample", SAMPLES, ids=lambda sample: sample.name)
def test_a_sample_cut_off_before_its_last_chunk_is_an_error(sample: Sample) -> None:
    last = sample.stream.rfind(b"data: ")
    for end in [*range(0, last, 11), last, last + 40]:
        with pytest.raises(UpstreamError):
            fed(decoder(), [sample.stream[:end]])


@pytest.mark.parametrize("sample", SAMPLES, ids=lambda sample: sample.name)
def test_a_stream_that_comes_as_an_array_means_the_same(sample: Sample) -> None:
    body = b"[" + b",".join(datas(sample.stream)) + b"]"
    assert described(whole(decoder().body(body))) == sample.answer


@pytest.mark.parametrize(
    ("part", "events"),
    [
        ({"text": "a"}, [TextDelta("a")]),
        ({"text": ""}, []),
        ({"text": "a", "thought": False}, [TextDelta("a")]),
        ({"text": "a", "thought": True}, [ReasoningDelta("a")]),
        ({"text": "", "thought": True}, []),
        ({"text": None}, []),
        ({"inlineData": {"mimeType": "audio/wav", "data": "AA=="}}, "audio"),
        ({"fileData": {"mimeType": "video/mp4", "fileUri": "https://a/v"}}, "video"),
        ({"inlineData": {"mimeType": "application/pdf", "data": "AA=="}}, []),
        ({"inlineData": {"data": "AA=="}}, []),
        ({"executableCode": {"language": "PYTHON", "code": "1"}}, []),
        ({}, []),
    ],
)
def test_the_events_of_a_part(part: Json, events: list[Event] | str) -> None:
    match events:
        case "audio":
            assert said(part) == [Media("audio", "data:audio/wav;base64,AA==", "audio/wav")]
        case "video":
            assert said(part) == [Media("video", "https://a/v", "video/mp4")]
        case _:
            assert said(part) == events


def test_halves_of_a_character_are_put_together() -> None:
    stream = decoder()
    events = [
        *stream.feed(b'data: {"candidates":[{"content":{"parts":[{"text":"a\\ud83d"}]}}]}\n\n'),
        *stream.feed(b'data: {"candidates":[{"content":{"parts":[{"text":"\\ude00b"}]}}]}\n\n'),
    ]
    assert events == [TextDelta("a"), TextDelta("😀b")]


# calls


def test_calls_without_an_id_or_with_a_used_one_get_ids_of_their_own() -> None:
    call = {"functionCall": {"name": "f", "args": {"a": 1}}}
    same = {"functionCall": {"name": "f", "id": "x"}}
    events = said(call, call, same, same)
    calls = [event for event in events if isinstance(event, ToolCallDelta)]
    assert [one.index for one in calls] == [0, 1, 2, 3]
    assert len({one.id for one in calls}) == 4
    assert all(one.id for one in calls)
    assert calls[2].id == "x"
    assert [one.arguments for one in calls] == ['{"a":1}', '{"a":1}', "{}", "{}"]


def test_calls_are_counted_for_each_answer_and_their_ids_are_unique_over_all() -> None:
    call = {"functionCall": {"name": "f", "id": "x"}}
    content = {"role": "model", "parts": [call]}
    chunk = {"candidates": [{"index": i, "content": content} for i in (0, 1)]}
    first, second = decoder().feed(frame(chunk))
    assert isinstance(first, ToolCallDelta)
    assert isinstance(second, ToolCallDelta)
    assert (first.choice, first.index, second.choice, second.index) == (0, 0, 1, 0)
    assert first.id != second.id


def test_only_the_first_call_counts_where_one_at_a_time_is_asked_for() -> None:
    calls = [{"functionCall": {"name": name, "id": name}} for name in "ab"]
    stream = decoder(single=True)
    events = [*stream.feed(frame(candidate(*calls, finish="STOP"))), *stream.close()]
    assert events == [ToolCallDelta(0, "a", "a", "{}"), Finish("tool_calls")]


def test_the_signature_of_a_call_is_kept() -> None:
    signatures = Signatures()
    part = {"functionCall": {"name": "f", "id": "x"}, "thoughtSignature": "s"}
    list(GeminiDecoder("up", signatures).feed(frame(candidate(part))))
    assert signatures.of((ToolCall("x", "f", "{}"),), "gemini-2.5-pro") == ["s"]


# sources


def test_sources_come_once_each_whatever_they_are_sources_of() -> None:
    grounding = {
        "groundingChunks": [
            {"web": {"uri": "https://a", "title": "A"}},
            {"maps": {"uri": "https://b"}},
            {"retrievedContext": {"title": "no address"}},
            "x",
        ]
    }
    context = {"urlMetadata": [{"retrievedUrl": "https://c"}]}
    quoted = {"citations": [{"uri": "https://a"}]}
    chunk = candidate(
        groundingMetadata=grounding, urlContextMetadata=context, citationMetadata=quoted
    )
    stream = decoder()
    links = (Citation("https://a", "A"), Citation("https://b"), Citation("https://c"))
    assert list(stream.feed(frame(chunk))) == [Citations(links)]
    assert list(stream.feed(frame(chunk))) == []


# ends


@pytest.mark.parametrize(
    ("reason", "finish"),
    [
        ("STOP", "stop"),
        ("MAX_TOKENS", "length"),
        ("SAFETY", "content_filter"),
        ("RECITATION", "content_filter"),
        ("BLOCKLIST", "content_filter"),
        ("PROHIBITED_CONTENT", "content_filter"),
        ("SPII", "content_filter"),
        ("IMAGE_SAFETY", "content_filter"),
        ("LANGUAGE", "content_filter"),
    ],
)
def test_the_reason_of_an_end(reason: str, finish: str) -> None:
    (event,) = ended(candidate(finish=reason))
    assert isinstance(event, Finish)
    assert event.reason == finish


@pytest.mark.parametrize(
    "reason",
    ["MALFORMED_FUNCTION_CALL", "UNEXPECTED_TOOL_CALL", "OTHER", "NO_IMAGE", "SOMETHING_NEW"],
)
def test_an_answer_that_was_given_up_is_an_error(reason: str) -> None:
    with pytest.raises(
        UpstreamError, match=f"up gave its answer up: {reason}: call:f\\("
    ) as caught:
        ended(candidate(finish=reason, finishMessage="call:f("))
    assert caught.value.fallback
    with pytest.raises(UpstreamError, match=f"{reason}$"):
        ended(candidate(finish=reason))


def test_calls_of_an_answer_that_hit_its_bound_are_not_asked_to_be_run() -> None:
    call = {"functionCall": {"name": "f", "id": "x"}}
    assert ended(candidate(call, finish="MAX_TOKENS"))[-1] == Finish("length")


def test_a_choice_ends_once() -> None:
    chunk = candidate(finish="STOP")
    assert ended(chunk, candidate(finish="FINISH_REASON_UNSPECIFIED"), chunk) == [Finish()]


def test_an_answer_of_which_one_choice_has_no_end_is_cut() -> None:
    with pytest.raises(UpstreamError, match="before it was complete"):
        ended(candidate(finish="STOP"), candidate({"text": "a"}, index=1))


@pytest.mark.parametrize(
    "chunk", [{}, {"usageMetadata": {"promptTokenCount": 1}}, {"candidates": []}]
)
def test_an_answer_without_a_candidate_is_cut(chunk: Json) -> None:
    with pytest.raises(UpstreamError, match="before it was complete"):
        ended(chunk)


def test_what_blocks_a_prompt_does_not_end_an_answer_that_has_begun() -> None:
    feedback = {"promptFeedback": {"blockReason": "SAFETY"}}
    events = ended(candidate({"text": "a"}), feedback, candidate(finish="STOP"))
    assert events == [TextDelta("a"), Finish()]


def test_it_is_never_done_before_the_body_is() -> None:
    stream = decoder()
    list(stream.feed(frame(candidate(finish="STOP"))))
    assert not stream.done


# whole answers


def test_a_whole_answer() -> None:
    value = candidate({"text": "a"}, {"text": "b"}, finish="STOP")
    value["usageMetadata"] = {"promptTokenCount": 1, "candidatesTokenCount": 2}
    found = list(decoder().body(orjson.dumps(value)))
    usage = Usage(1, 2, raw=value["usageMetadata"])
    assert found == [TextDelta("a"), TextDelta("b"), Finish(), usage]


def test_candidates_without_an_index_are_numbered() -> None:
    ends = [{"finishReason": "STOP"}, {"finishReason": "SAFETY"}]
    found = list(decoder().body(orjson.dumps({"candidates": ends})))
    assert found == [Finish("stop", 0), Finish("content_filter", 1)]


def test_a_whole_answer_without_an_end_is_cut() -> None:
    with pytest.raises(UpstreamError, match="before it was complete"):
        list(decoder().body(orjson.dumps(candidate({"text": "a"}))))


# errors


@pytest.mark.parametrize(
    "data",
    [
        b"{",
        b"1",
        b'"a"',
        b"null",
        b"[1]",
        b'{"candidates":{"a":1}}',
        b'{"candidates":[1]}',
        b"<html>",
    ],
)
def test_data_that_is_no_answer_is_an_error(data: bytes) -> None:
    with pytest.raises(UpstreamError, match="up sent malformed data"):
        list(decoder().feed(b"data: " + data + b"\n\n"))
    with pytest.raises(UpstreamError, match="up sent malformed data"):
        list(decoder().body(data))


@pytest.mark.parametrize("broken", [1, "a", [1], {"a": 1}, None, True])
@pytest.mark.parametrize(
    "field",
    [
        "content",
        "index",
        "groundingMetadata",
        "citationMetadata",
        "logprobsResult",
        "urlContextMetadata",
    ],
)
def test_a_field_of_another_type_harms_nobody(field: str, broken: object) -> None:
    value = candidate(finish="STOP")
    value["candidates"][0][field] = broken
    value["usageMetadata"] = broken
    value["promptFeedback"] = broken
    events = ended(value)
    assert [type(event) for event in events if not isinstance(event, Usage)] == [Finish]


def test_an_error_in_a_stream_is_one() -> None:
    problem = {
        "error": {"code": 503, "message": "Overloaded, secret-5310", "status": "UNAVAILABLE"}
    }
    with pytest.raises(UpstreamError, match=r"up answered 503: Overloaded, \*\*\*") as caught:
        list(decoder(credential="secret-5310").feed(frame(problem)))
    assert caught.value.upstream_status == 503


def test_a_quota_in_a_stream_is_a_quota() -> None:
    problem = {"error": {"code": 429, "message": "Slow down", "status": "RESOURCE_EXHAUSTED"}}
    with pytest.raises(RateLimitError):
        list(decoder().feed(frame([problem])))


NAMES = [
    "candidates",
    "content",
    "parts",
    "text",
    "thought",
    "functionCall",
    "args",
    "name",
    "id",
    "index",
    "finishReason",
    "error",
    "usageMetadata",
    "promptFeedback",
    "blockReason",
    "groundingMetadata",
    "groundingChunks",
    "web",
    "uri",
    "inlineData",
    "mimeType",
    "data",
    "logprobsResult",
    "chosenCandidates",
    "topCandidates",
    "token",
]
LEAVES = st.none() | st.booleans() | st.integers(-(2**53), 2**53) | st.text() | st.just("STOP")


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
