"""What is remembered of a response that an upstream wrote itself."""

from __future__ import annotations

from typing import Any

import orjson
import pytest

from g4f_aio.core.events import Passthrough
from g4f_aio.dialects.openai_responses_passed import Passed

Json = dict[str, Any]


def frames(*events: Json, end: bytes = b"\n") -> bytes:
    return b"".join(b"data: " + orjson.dumps(event) + end * 2 for event in events)


def test_bytes_go_through() -> None:
    passed = Passed(None, streamed=True)
    assert not passed.begun
    for data in (b'data: {"previous_response_id": null}\n\n', b": ping\n\n"):
        assert passed.take(Passthrough(data)) == data
    assert passed.begun


@pytest.mark.parametrize("space", [b"", b" ", b" \n"])
def test_the_previous_response_is_named_where_the_upstream_was_not_told(space: bytes) -> None:
    passed = Passed('resp_"1', streamed=False)
    data = (
        b'{"instructions":"\\"previous_response_id\\":null","previous_response_id":%bnull}' % space
    )
    found = orjson.loads(passed.take(Passthrough(data, last=True)))
    assert found == {
        "instructions": '"previous_response_id":null',
        "previous_response_id": 'resp_"1',
    }
    assert passed.response() == found


@pytest.mark.parametrize("kind", ["completed", "incomplete", "failed"])
def test_the_last_event_tells_the_response(kind: str) -> None:
    passed = Passed(None, streamed=True)
    passed.take(Passthrough(frames({"type": "response.created", "response": {"id": "r"}})))
    last = {"type": f"response.{kind}", "response": {"id": "r", "status": kind}}
    passed.take(Passthrough(frames({"type": "x"}, last), last=True))
    passed.take(Passthrough(b": bye\n\n", progress=False))
    assert passed.response() == {"id": "r", "status": kind}


@pytest.mark.parametrize(
    "data",
    [
        b"data: [DONE]\n\n",
        b'data: {"type": "resp\n\n',
        b"data: []\n\n",
        frames({"type": "response.created", "response": {"id": "r"}}),
        frames({"type": "response.completed", "response": None}),
    ],
)
def test_a_stream_without_an_end_tells_no_response(data: bytes) -> None:
    passed = Passed(None, streamed=True)
    passed.take(Passthrough(data, last=True))
    assert passed.response() is None


@pytest.mark.parametrize("data", [b'{"id"', b"[]", b"\xff"])
def test_a_body_that_is_no_object_tells_no_response(data: bytes) -> None:
    passed = Passed(None, streamed=False)
    passed.take(Passthrough(data, last=True))
    assert passed.response() is None


def test_where_it_left_off() -> None:
    passed = Passed(None, streamed=True)
    began = {"type": "response.created", "sequence_number": 3, "response": {"id": "r"}}
    passed.take(Passthrough(frames(began, {"sequence_number": True}, end=b"\r\n")))
    passed.take(Passthrough(frames({"sequence_number": 9, "response": {"id": "other"}})))
    assert passed.left_off() == ({"id": "r"}, 10)


def test_where_it_left_off_without_a_word_of_it() -> None:
    passed = Passed(None, streamed=True)
    passed.take(Passthrough(b"data: junk\n\n"))
    assert passed.left_off() == (None, 0)
