"""A message handed on: the same bytes, and never an end where there is none."""

from __future__ import annotations

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from g4f_aio.core.errors import OverloadedError, UpstreamError
from g4f_aio.core.events import Event, Passthrough
from g4f_aio.dialects.anthropic_decoder import EventDecoder
from g4f_aio.dialects.anthropic_relay import WITHHELD, Relay

from ..golden.samples import Sample, samples
from .wire import cut, fed, frame, passed, whole

SAMPLES = samples("anthropic-messages")
START = frame({"type": "message_start", "message": {"usage": {"input_tokens": 3}}})
PING = frame({"type": "ping"})
TEXT = frame(
    {"type": "content_block_delta", "index": 0, "delta": {"type": "text_delta", "text": "a"}}
)
STOP = frame({"type": "message_stop"})
ERROR = frame({"type": "error", "error": {"type": "overloaded_error", "message": "Overloaded"}})


@pytest.mark.parametrize("sample", SAMPLES, ids=lambda sample: sample.name)
@pytest.mark.parametrize("end", [b"\n", b"\r\n"], ids=["LF", "CRLF"])
def test_a_sample_goes_through_as_it_came(sample: Sample, end: bytes) -> None:
    stream = sample.stream.replace(b"\n", end)
    assert passed(fed(Relay("up"), [stream])) == stream


@given(st.sampled_from(SAMPLES), st.lists(st.integers(0, 2**16)))
def test_a_sample_goes_through_however_it_is_cut(sample: Sample, places: list[int]) -> None:
    events = fed(Relay("up"), cut(sample.stream, places))
    assert passed(events) == sample.stream
    ends = [event.last for event in events if isinstance(event, Passthrough)]
    assert ends == [False] * (len(ends) - 1) + [True]


@pytest.mark.parametrize("sample", SAMPLES, ids=lambda sample: sample.name)
def test_the_usage_comes_with_the_end(sample: Sample) -> None:
    (event,) = fed(Relay("up"), [sample.stream])
    assert isinstance(event, Passthrough)
    assert event.usage == whole(fed(EventDecoder("up"), [sample.stream])).usage


@pytest.mark.parametrize("sample", SAMPLES, ids=lambda sample: sample.name)
def test_a_sample_cut_off_before_its_end_is_an_error(sample: Sample) -> None:
    last = sample.stream.rfind(b'"message_stop"')
    for end in (*range(0, last, 11), last):
        with pytest.raises(UpstreamError):
            fed(Relay("up"), [sample.stream[:end]])


def test_nothing_goes_out_before_there_is_content() -> None:
    relay = Relay("up")
    assert list(relay.feed(START)) == []
    assert list(relay.feed(PING + b": comment\n\n")) == []
    (event,) = relay.feed(TEXT)
    assert event == Passthrough(START + PING + b": comment\n\n" + TEXT)


def test_but_a_beginning_without_end_does() -> None:
    relay = Relay("up")
    events: list[Event] = []
    while not events:
        events = list(relay.feed(PING * 1000))
    assert len(passed(events)) >= WITHHELD


def test_a_failure_before_the_content_is_just_an_error() -> None:
    relay = Relay("up")
    assert list(relay.feed(START)) == []
    with pytest.raises(OverloadedError):
        list(relay.feed(PING + ERROR))


def test_what_came_before_a_failure_goes_out() -> None:
    events: list[Event] = []
    with pytest.raises(OverloadedError):
        events.extend(Relay("up").feed(START + TEXT + ERROR + TEXT))
    assert events == [Passthrough(START + TEXT)]


def test_pings_are_no_progress() -> None:
    relay = Relay("up")
    list(relay.feed(TEXT))
    assert list(relay.feed(PING)) == [Passthrough(PING, progress=False)]
    assert list(relay.feed(b": x\n\n")) == [Passthrough(b": x\n\n", progress=False)]
    assert list(relay.feed(PING + TEXT)) == [Passthrough(PING + TEXT)]


def test_what_follows_the_end_is_not_handed_on() -> None:
    relay = Relay("up")
    assert list(relay.feed(TEXT + STOP + b"data: [DONE]\n\n")) == [
        Passthrough(TEXT + STOP, last=True)
    ]
    assert relay.done
    assert list(relay.feed(TEXT)) == []
    assert list(relay.close()) == []


@pytest.mark.parametrize("data", [b"junk", b"[]", b'{"type":null}'])
def test_malformed_data_is_an_error(data: bytes) -> None:
    with pytest.raises(UpstreamError, match="up sent malformed data"):
        list(Relay("up").feed(b"data: " + data + b"\n\n"))


def test_a_start_without_its_message_has_no_usage() -> None:
    frames = frame({"type": "message_start", "message": None}) + STOP
    assert list(Relay("up").feed(frames)) == [Passthrough(frames, last=True)]


def test_a_whole_answer_goes_through_as_it_came() -> None:
    body = orjson.dumps({"type": "message", "content": [], "new": 1}) + b"\n"
    assert list(Relay("up").body(body)) == [Passthrough(body, last=True)]


def test_a_whole_answer_that_is_none_is_an_error() -> None:
    with pytest.raises(UpstreamError):
        list(Relay("up").body(b"<html>"))
