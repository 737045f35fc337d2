"""An upstream's response handed on: the same bytes, and none that is cut or failed ends as if whole."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from itertools import chain
from typing import Any

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from g4f_aio.core.errors import BadRequestError, GatewayError, RateLimitError, UpstreamError
from g4f_aio.core.events import Event, Passthrough, Usage
from g4f_aio.dialects.openai_responses_relay import WITHHELD, Relay

from ..golden.samples import Sample, samples
from .responses_wire import asked, checked, read
from .wire import cut, datas, fed, passed

Json = dict[str, Any]

SAMPLES = samples("openai-responses")
CREATED: Json = {"type": "response.created", "response": {"id": "resp_1", "status": "in_progress"}}
DELTA: Json = {"type": "response.output_text.delta", "delta": "Hi"}
USAGE = {"input_tokens": 5, "output_tokens": 7, "total_tokens": 12}
MESSAGE: Json = {
    "id": "msg_1",
    "type": "message",
    "role": "assistant",
    "status": "completed",
    "content": [{"type": "output_text", "text": "Hello", "annotations": []}],
}
RESPONSE: Json = {
    "id": "resp_1",
    "object": "response",
    "created_at": 1.0,
    "status": "completed",
    "model": "gpt",
    "output": [MESSAGE],
    "parallel_tool_calls": True,
    "tool_choice": "auto",
    "tools": [],
    "usage": USAGE,
}
COMPLETED: Json = {"type": "response.completed", "response": RESPONSE}
BROKEN: Json = {"code": "server_error", "message": "The engine broke"}


def frame(event: Json) -> bytes:
    return b"event: %b\ndata: %b\n\n" % (event.get("type", "?").encode(), orjson.dumps(event))


def frames(*events: Json) -> bytes:
    return b"".join(map(frame, events))


def relay(**fields: Any) -> Relay:
    return Relay(asked(**fields), "up")


def failing(stream: bytes, *, of: Relay | None = None) -> tuple[bytes, GatewayError]:
    """What is handed on before the error, and the error."""
    decoder = of or relay()
    events: list[Event] = []
    try:
        for event in chain(decoder.feed(stream), _closing(decoder)):
            events.append(event)  # noqa: PERF402  (what came before the error counts)
    except GatewayError as error:
        return passed(events), error
    raise AssertionError("it ended well")


def _closing(decoder: Relay) -> Iterator[Event]:
    yield from decoder.close()


# what passes


@pytest.mark.parametrize("sample", SAMPLES, ids=lambda sample: sample.name)
def test_samples_pass_byte_for_byte(sample: Sample) -> None:
    events = fed(relay(**sample.request), [sample.stream])
    assert passed(events) == sample.relayed
    assert _usage(events) == sample.answer["usage"]
    last = orjson.loads(datas(sample.relayed)[-1])
    assert last["response"]["status"] == sample.answer["status"]


@pytest.mark.parametrize("sample", SAMPLES, ids=lambda sample: sample.name)
@given(places=st.lists(st.integers(0, 10**6), max_size=12))
def test_however_it_arrives_it_is_the_same(sample: Sample, places: list[int]) -> None:
    events = fed(relay(), cut(sample.stream, places))
    assert passed(events) == sample.relayed
    assert [event.last for event in _passthroughs(events)].count(True) == 1
    assert _passthroughs(events)[-1].last
    assert _usage(events) == sample.answer["usage"]


@pytest.mark.parametrize("sample", SAMPLES, ids=lambda sample: sample.name)
@given(place=st.integers(0, 10**6))
def test_a_stream_that_ends_too_early_never_ends_well(sample: Sample, place: int) -> None:
    whole = sample.stream.rstrip().removesuffix(b"data: [DONE]").rstrip()
    torn = whole[: place % len(whole)]
    decoder = relay()
    with pytest.raises(UpstreamError):
        fed(decoder, [torn])
    assert not decoder.done


def _passthroughs(events: Iterable[Event]) -> list[Passthrough]:
    return [event for event in events if isinstance(event, Passthrough)]


def _usage(events: Iterable[Event]) -> list[int]:
    (usage,) = [event.usage for event in _passthroughs(events) if event.usage is not None]
    return [usage.input, usage.output, usage.cached, usage.reasoning]


def test_nothing_is_handed_on_before_there_is_content() -> None:
    decoder = relay()
    queued = {"type": "response.queued", "response": {}}
    begun = frames(CREATED, queued, {"type": "response.in_progress", "response": {}})
    assert list(decoder.feed(begun + b": wait\n\n")) == []
    (event,) = decoder.feed(frame(DELTA))
    assert event == Passthrough(begun + b": wait\n\n" + frame(DELTA), progress=True)
    states = [decoder.done]
    (event,) = decoder.feed(frame(COMPLETED))
    assert [*states, decoder.done] == [False, True]
    assert event == Passthrough(frame(COMPLETED), Usage(5, 7, raw=USAGE), last=True)
    assert list(decoder.close()) == []


@pytest.mark.parametrize(
    "form",
    [
        b"data: %b\n\n",
        b"data:%b\n\n",
        b"event: x\nid: 1\ndata: %b\n\n",
        b"event: x\ndata: %b\nid: 1\n\n",
        b": hm\n\n\nevent: x\ndata: %b\n\n",
        b"event: x\r\ndata: %b\r\n\r\n",
    ],
)
def test_events_may_be_written_in_other_ways(form: bytes) -> None:
    stream = b"".join(form % orjson.dumps(one) for one in (CREATED, DELTA, COMPLETED))
    events = fed(relay(), [stream])
    assert passed(events) == stream
    assert _usage(events) == [5, 7, 0, 0]


def test_data_may_be_on_several_lines() -> None:
    lines = orjson.dumps(COMPLETED, option=orjson.OPT_INDENT_2).replace(b"\n", b"\ndata: ")
    stream = b"event: response.completed\ndata: " + lines + b"\n\n"
    assert passed(fed(relay(), [stream])) == stream


def test_what_is_withheld_is_bounded() -> None:
    long = {"type": "response.created", "response": {"instructions": "x" * WITHHELD}}
    (event,) = relay().feed(frame(long))
    assert passed([event]) == frame(long)


def test_comments_are_no_progress() -> None:
    decoder = relay()
    list(decoder.feed(frame(DELTA)))
    assert list(decoder.feed(b": ping\n\n")) == [Passthrough(b": ping\n\n", progress=False)]


def test_what_follows_the_end_is_left_out() -> None:
    decoder = relay()
    events = [*decoder.feed(frames(DELTA, COMPLETED, DELTA)), *decoder.feed(frame(DELTA))]
    assert passed(events) == frames(DELTA, COMPLETED)


@pytest.mark.parametrize("usage", [None, {}, "junk"])
def test_usage_is_estimated_where_the_upstream_reports_none(usage: object) -> None:
    output: list[object] = [
        MESSAGE,
        "junk",
        {"type": "function_call", "arguments": "a" * 40},
        {"type": "reasoning", "summary": [{"text": "b" * 40}, "junk"], "content": None},
    ]
    response = RESPONSE | {"usage": usage, "output": output}
    events = fed(relay(), [frames(DELTA, COMPLETED | {"response": response})])
    (found,) = [event.usage for event in _passthroughs(events) if event.usage]
    assert found.estimated
    assert found.output == 16


# what does not


@pytest.mark.parametrize(
    ("bad", "said"),
    [
        (b'data: {"type": "resp\n\n', "malformed"),
        (b"data: 1\n\n", "malformed"),
        (b'data: {"delta": "x"}\n\n', "malformed"),
        (b'data: {"type": 1}\n\n', "malformed"),
        (frame({"type": "response.completed"}), "malformed"),
        (frame({"type": "response.completed", "response": []}), "malformed"),
        (b"data: [DONE]\n\n", "before it was complete"),
        (b"", "before it was complete"),
        (frame({"type": "error", **BROKEN}), "The engine broke"),
        (frame({"type": "error", "error": BROKEN}), "The engine broke"),
        (b'data: {"error": {"message": "The engine broke"}}\n\n', "The engine broke"),
        (frame({"type": "response.failed", "response": {"error": BROKEN}}), "The engine broke"),
        (frame({"type": "response.failed", "response": {}}), "up failed"),
    ],
)
@pytest.mark.parametrize("begun", [b"", frame(CREATED), frames(CREATED, DELTA)])
def test_what_is_wrong_ends_in_an_error(begun: bytes, bad: bytes, said: str) -> None:
    told, error = failing(begun + bad + frame(COMPLETED) * bool(bad))
    assert isinstance(error, UpstreamError)
    assert said in error.message
    assert error.provider == "up"
    # with nothing of the answer told, another provider can still be asked
    assert told == (begun if DELTA["delta"].encode() in begun else b"")


@pytest.mark.parametrize("kind", ["response.failed", "error"])
def test_a_failure_says_whose_it_is(kind: str) -> None:
    def failure(code: str) -> GatewayError:
        error = {"code": code, "message": "Too much"}
        event = {"response": {"error": error}} if kind == "response.failed" else {"error": error}
        return failing(frames(CREATED, {"type": kind, **event}))[1]

    assert isinstance(failure("rate_limit_exceeded"), RateLimitError)
    for code in ("context_length_exceeded", "invalid_prompt"):
        error = failure(code)
        assert isinstance(error, BadRequestError)
        assert (error.code, error.status, error.provider) == (code, 400, "up")
        assert error.message == "up failed: Too much"


def test_a_failure_without_a_message_is_told_by_its_code() -> None:
    event = {"type": "error", "code": "invalid_prompt", "message": None}
    assert failing(frame(event))[1].message == "up failed: invalid_prompt"


# whole responses


def body(data: bytes | Json, **fields: Any) -> Passthrough:
    written = data if isinstance(data, bytes) else orjson.dumps(data)
    (event,) = relay(**{"stream": False} | fields).body(written)
    assert isinstance(event, Passthrough)
    return event


def test_a_whole_response_passes_byte_for_byte() -> None:
    data = orjson.dumps(RESPONSE, option=orjson.OPT_INDENT_2) + b"\n"
    assert body(data) == Passthrough(data, Usage(5, 7, raw=USAGE), last=True)


def test_a_response_in_the_background_has_no_usage_yet() -> None:
    assert body(RESPONSE | {"status": "queued", "output": [], "usage": None}).usage is None


@pytest.mark.parametrize(
    ("data", "said"),
    [
        (b'{"id": "resp', "malformed"),
        (b"[]", "malformed"),
        (b"{}", "malformed"),
        ({**RESPONSE, "output": None}, "malformed"),
        ({"error": BROKEN}, "The engine broke"),
        ({**RESPONSE, "status": "failed", "error": BROKEN}, "The engine broke"),
        ({**RESPONSE, "status": "failed", "error": None}, "up failed"),
    ],
)
def test_a_whole_response_that_is_none_is_an_error(data: bytes | Json, said: str) -> None:
    with pytest.raises(UpstreamError, match=said):
        body(data)


# the other form than was asked for


def test_a_body_for_a_stream_becomes_one() -> None:
    call = {
        "id": "fc_1",
        "type": "function_call",
        "call_id": "c",
        "name": "f",
        "arguments": "{}",
        "status": "completed",
    }
    response = RESPONSE | {"output": [MESSAGE, call], "usage": None}
    event = body(response, stream=True)
    told = read(event.data)
    assert [one["type"].removeprefix("response.") for one in told] == [
        "created",
        "output_item.added",
        "output_item.done",
        "output_item.added",
        "output_item.done",
        "completed",
    ]
    assert told[0]["response"]["status"] == "in_progress"
    assert told[-1]["response"] == response
    assert event.last


@pytest.mark.parametrize(
    ("status", "last"),
    [("incomplete", "incomplete"), ("completed", "completed"), (None, "completed")],
)
def test_such_a_stream_ends_as_the_body_does(status: str | None, last: str) -> None:
    event = body(RESPONSE | {"status": status, "usage": None}, stream=True)
    assert orjson.loads(datas(event.data)[-1])["type"] == f"response.{last}"


@pytest.mark.parametrize("sample", SAMPLES, ids=lambda sample: sample.name)
def test_a_stream_for_a_body_becomes_one(sample: Sample) -> None:
    events = fed(relay(stream=False), [sample.stream])
    (event,) = _passthroughs(events)
    assert orjson.loads(event.data) == orjson.loads(datas(sample.relayed)[-1])["response"]
    assert event.last
    assert _usage(events) == sample.answer["usage"]


def test_a_stream_for_a_body_that_fails_is_an_error() -> None:
    told, error = failing(
        frames(CREATED, DELTA, {"type": "error", **BROKEN}), of=relay(stream=False)
    )
    assert (told, error.message) == (b"", "up failed: The engine broke")
    told, error = failing(frames(CREATED, DELTA), of=relay(stream=False))
    assert (told, error.message) == (b"", "up ended its answer before it was complete")


def test_what_we_write_ourselves_is_relayed_by_another_gateway() -> None:
    sample = next(one for one in samples("openai-responses-from-chat") if one.name == "text")
    assert checked(passed(fed(relay(), [sample.relayed])))
