"""Answers are data: pieces, pauses and an end."""

from __future__ import annotations

import pytest

from g4f_aio.testing import Answer


def test_json_is_sized_and_says_so() -> None:
    answer = Answer.json({"a": "ü"}, status=429, headers={"Retry-After": "7"})
    assert answer.body == '{"a":"ü"}'.encode()
    assert answer.headers == {"Content-Type": "application/json", "Retry-After": "7"}
    assert (answer.status, answer.sized, answer.end) == (429, True, "complete")


def test_events_are_made_of_objects_texts_bytes_and_pauses() -> None:
    answer = Answer.sse({"a": 1}, "two\nlines", 0.5, b": a comment\n\n", "[DONE]")
    assert answer.steps == (
        b'data: {"a":1}\n\n',
        b"data: two\ndata: lines\n\n",
        0.5,
        b": a comment\n\n",
        b"data: [DONE]\n\n",
    )
    assert answer.headers["Content-Type"] == "text/event-stream"
    assert not answer.sized


def test_a_stream_is_text_bytes_and_pauses() -> None:
    answer = Answer.stream("ü", 1.0, b"\xff", headers={"Content-Type": "application/x-ndjson"})
    assert answer.steps == ("ü".encode(), 1.0, b"\xff")
    assert answer.headers == {"Content-Type": "application/x-ndjson"}
    assert answer.pieces == ("ü".encode(), b"\xff")


def test_an_answer_can_end_badly() -> None:
    answer = Answer.stream("a")
    assert (answer.cut().end, answer.hanging().end) == ("cut", "hang")
    assert answer.cut().steps == answer.steps
    assert Answer.silence() == Answer(end="hang")


@pytest.mark.parametrize(
    ("steps", "half"),
    [
        (("abcd", 0.5, "efgh"), (b"abcd",)),
        (("ab", "cdefgh"), (b"ab", b"cd")),
        (("abcdef", "gh"), (b"abcd",)),
        (("a",), (b"",)),
        ((), (b"",)),
    ],
)
def test_half_an_answer_is_half_of_its_bytes(steps: tuple[str, ...], half: object) -> None:
    assert Answer.stream(*steps).first_half().steps == half


@pytest.mark.parametrize(
    ("steps", "rest"),
    [(("a", 0.5, "b", "c"), (b"a", b"b")), (("ab",), (b"a",)), ((), (b"",))],
)
def test_without_its_last_piece_an_answer_still_begins(
    steps: tuple[str, ...], rest: object
) -> None:
    assert Answer.stream(*steps).without_last_piece().steps == rest
