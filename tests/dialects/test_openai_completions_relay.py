"""Text completions of an upstream, relayed or read."""

from __future__ import annotations

from itertools import pairwise
from typing import Any

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from g4f_aio.core.errors import UpstreamError
from g4f_aio.core.events import Event, Finish, Logprobs, Passthrough, TextDelta, Usage
from g4f_aio.core.operations import CompletionRequest
from g4f_aio.dialects.openai_chat_relay import WITHHELD
from g4f_aio.dialects.openai_completions_relay import Reader, Relay
from g4f_aio.dialects.sse import FrameSplitter

USAGE = {"prompt_tokens": 3, "completion_tokens": 2, "total_tokens": 5}
DONE = b"data: [DONE]\n\n"


def asked(**fields: Any) -> CompletionRequest:
    given: dict[str, Any] = {"model": "m", "prompts": ("abcd",), "stream": True}
    return CompletionRequest(**(given | fields))


def frame(text: str = "", index: int = 0, finish: str | None = None, **fields: Any) -> bytes:
    choice = {"text": text, "index": index, "logprobs": None, "finish_reason": finish}
    chunk = {"id": "c1", "object": "text_completion", "created": 1, "model": "m-1"}
    return b"data: " + orjson.dumps(chunk | {"choices": [choice]} | fields) + b"\n\n"


SAID = frame("a") + b": comment\n\n" + frame("b", 1) + frame(finish="stop")
WHOLE = SAID + frame(index=1, finish="length")
TOLD = frame(choices=[], usage=USAGE)


def relay(request: CompletionRequest, *pieces: bytes) -> list[Passthrough]:
    """What is handed on."""
    made = Relay(request, "p")
    events: list[Event] = []
    for piece in pieces:
        events += made.feed(piece)
    events += made.close()
    found = [event for event in events if isinstance(event, Passthrough)]
    assert len(found) == len(events)
    assert [event.last for event in found] == [False] * (len(found) - 1) + [True]
    return found


def chunks(events: list[Passthrough]) -> list[Any]:
    lines = b"".join(event.data for event in events).split(b"\n\n")
    assert lines[-2:] == [b"data: [DONE]", b""]
    data = [line for line in lines[:-2] if line.startswith(b"data: ")]
    return [orjson.loads(line.removeprefix(b"data: ")) for line in data]


@given(st.lists(st.integers(0, len(WHOLE + DONE))))
def test_it_is_the_same_bytes_however_they_come(cuts: list[int]) -> None:
    data = WHOLE + DONE
    splitter = FrameSplitter()
    places = [0, *sorted(cuts), len(data)]
    pieces = [splitter.feed(data[a:b]) for a, b in pairwise(places)]
    events = relay(asked(), *[piece for piece in pieces if piece])
    assert b"".join(event.data for event in events) == data
    assert events[-1].usage == Usage(1, 1, estimated=True)


@pytest.mark.parametrize("wish", [None, True, False])
@pytest.mark.parametrize("comes", [True, False])
def test_usage_goes_to_whom_asked_for_it(wish: object, comes: object) -> None:
    data = WHOLE + (TOLD if comes else b"") + DONE
    events = relay(asked(include_usage=wish), data)
    usage = events[-1].usage
    assert usage is not None
    assert usage.raw == (USAGE if comes else None)
    last = chunks(events)[-1]
    assert (last["choices"] == []) is (wish is True)
    if wish:
        assert last["usage"]["total_tokens"] == (5 if comes else 2)
        assert last["id"] == "c1"


def test_an_upstream_that_says_no_done() -> None:
    assert chunks(relay(asked(), WHOLE))[-1]["choices"][0]["finish_reason"] == "length"
    assert chunks(relay(asked(include_usage=True), WHOLE))[-1]["usage"]["estimated"] is True


def test_an_upstream_that_gives_no_reason() -> None:
    found = chunks(relay(asked(include_usage=True), SAID + TOLD + DONE))
    assert found[-2]["choices"] == [
        {"text": "", "index": 1, "logprobs": None, "finish_reason": "stop"}
    ]
    assert found[-1]["usage"] == USAGE


@pytest.mark.parametrize("made", [Relay, Reader])
@pytest.mark.parametrize("data", [b"", b": hi\n\n", frame("a"), SAID, TOLD])
def test_what_is_cut_is_an_error(made: Any, data: bytes) -> None:
    broken = made(asked(), "p")
    list(broken.feed(data))
    assert not broken.done
    with pytest.raises(UpstreamError, match="before it was complete"):
        list(broken.close())


@pytest.mark.parametrize("made", [Relay, Reader])
def test_an_end_without_an_answer_is_an_error(made: Any) -> None:
    with pytest.raises(UpstreamError, match="before it was complete"):
        list(made(asked(), "p").feed(DONE))


@pytest.mark.parametrize("made", [Relay, Reader])
@pytest.mark.parametrize(
    "data",
    [
        b"data: {oops}\n\n",
        b"data: []\n\n",
        b"data: {}\n\n",
        b'data: {"choices": 1}\n\n',
        b'data: {"choices": [1]}\n\n',
        b'data: {"choices": [{"index": "0"}]}\n\n',
        b'data: {"choices": [{"text": 1}]}\n\n',
        b'data: {"error": {"message": "no"}}\n\n',
    ],
)
def test_what_is_malformed_or_an_error_ends_it(made: Any, data: bytes) -> None:
    broken = made(asked(), "p")
    events: list[Event] = []
    with pytest.raises(UpstreamError):
        events.extend(broken.feed(frame("a") + data + WHOLE + DONE))
    first = made(asked(), "p")
    with pytest.raises(UpstreamError):
        next(iter(first.feed(data)))


def test_what_came_before_an_error_is_handed_on() -> None:
    feed = Relay(asked(), "p").feed(frame("a") + b"data: {oops}\n\n")
    event = next(feed)
    assert isinstance(event, Passthrough)
    assert event.data == frame("a")
    with pytest.raises(UpstreamError):
        next(feed)


def test_nothing_is_handed_on_before_there_is_content() -> None:
    made = Relay(asked(), "p")
    assert list(made.feed(b": hi\n\n" + frame())) == []
    (event,) = made.feed(frame("a"))
    assert isinstance(event, Passthrough)
    assert event.data == b": hi\n\n" + frame() + frame("a")
    assert event.progress
    (quiet,) = made.feed(b": hi\n\n")
    assert isinstance(quiet, Passthrough)
    assert not quiet.progress
    long = Relay(asked(), "p")
    assert list(long.feed(b": " + b"x" * WITHHELD + b"\n\n"))


def test_what_follows_the_end_is_ignored() -> None:
    made = Relay(asked(), "p")
    (event,) = made.feed(WHOLE + DONE + frame("c"))
    assert isinstance(event, Passthrough)
    assert event.data == WHOLE + DONE
    assert made.done
    assert list(made.close()) == []
    assert list(made.feed(frame("c"))) == []


ANSWER = {
    "id": "c1",
    "object": "text_completion",
    "created": 1,
    "model": "m-1",
    "choices": [{"text": "a", "index": 0, "logprobs": None, "finish_reason": "stop"}],
}


def test_a_whole_answer() -> None:
    data = orjson.dumps(ANSWER | {"usage": USAGE})
    (event,) = Relay(asked(stream=False), "p").body(data)
    assert event == Passthrough(data, Usage(3, 2, raw=USAGE), last=True)
    (event,) = Relay(asked(stream=False), "p").body(orjson.dumps(ANSWER))
    assert isinstance(event, Passthrough)
    assert orjson.loads(event.data)["usage"]["estimated"] is True


@pytest.mark.parametrize("wish", [None, True])
def test_a_whole_answer_for_who_wanted_a_stream(wish: object) -> None:
    unfinished = ANSWER | {"choices": [{"text": "a", "index": 0}], "usage": USAGE}
    (event,) = Relay(asked(include_usage=wish), "p").body(orjson.dumps(unfinished))
    assert isinstance(event, Passthrough)
    first, *rest = chunks([event])
    assert first["choices"] == [{"text": "a", "index": 0, "finish_reason": "stop"}]
    assert [chunk["usage"] for chunk in rest] == ([USAGE] if wish else [])


@pytest.mark.parametrize("data", [b"x", b"{}", b'{"choices":[]}', b'{"choices":[{"text":1}]}'])
def test_what_is_no_whole_answer_is_an_error(data: bytes) -> None:
    with pytest.raises(UpstreamError):
        list(Relay(asked(stream=False), "p").body(data))


def test_a_stream_is_read() -> None:
    made = Reader(asked(stream=False), "p")
    probable = {"tokens": ["a"]}
    choice = {"text": "a", "index": 0, "logprobs": probable, "finish_reason": "odd"}
    data = frame(choices=[choice]) + frame("b", 1) + b": hi\n\n" + TOLD + DONE + frame("c")
    assert list(made.feed(data)) == [
        TextDelta("a"),
        Logprobs(probable),
        Finish(),
        TextDelta("b", 1),
        Finish("stop", 1),
        Usage(3, 2, raw=USAGE),
    ]
    assert made.done
    assert list(made.close()) == []
    open_ = Reader(asked(), "p")
    assert list(open_.feed(frame("a", finish="length"))) == [TextDelta("a"), Finish("length")]
    assert list(open_.close()) == [Usage(1, 1, estimated=True)]
    with pytest.raises(UpstreamError):
        list(open_.body(b"{}"))
