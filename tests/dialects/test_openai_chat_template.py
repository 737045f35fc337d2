"""Texts are read out of chunks that differ in nothing else, and never out of others."""

from __future__ import annotations

from typing import Any

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from g4f_aio.dialects.openai_chat_template import Template, end_of_plain, load_plain

Chunk = dict[str, Any]


def chunk(delta: Chunk, **more: Any) -> Chunk:
    choice = {"index": 0, "delta": delta, "finish_reason": None} | more.pop("choice", {})
    return {"id": "x", "model": "m", "choices": [choice]} | more


def frame(value: Chunk) -> bytes:
    return b"data: " + orjson.dumps(value) + b"\n\n"


def template(delta: Chunk, **more: Any) -> Template | None:
    value = chunk(delta, **more)
    return Template.of(frame(value), value)


@given(st.text(min_size=1), st.lists(st.text(), min_size=1))
def test_it_reads_the_texts_of_chunks_like_the_one_it_was_made_of(
    first: str, texts: list[str]
) -> None:
    try:
        made = template({"content": first})
    except orjson.JSONEncodeError:
        return
    assert made is not None
    try:
        frames = b"".join(frame(chunk({"content": text})) for text in texts)
    except orjson.JSONEncodeError:
        return
    assert made.read(frames) == ("".join(texts), len(texts))


@pytest.mark.parametrize(
    "other",
    [
        chunk({"content": "b"}, choice={"finish_reason": "stop"}),
        chunk({"content": "b"}, id="y"),
        chunk({"content": "b"}, usage={"prompt_tokens": 1}),
        chunk({"content": None}),
        chunk({"role": "assistant", "content": "b"}),
        chunk({"tool_calls": []}),
        {"error": {"message": "no"}},
        {"choices": []},
    ],
)
def test_one_other_chunk_among_them_and_it_says_so(other: Chunk) -> None:
    made = template({"content": "a"})
    assert made is not None
    plain = frame(chunk({"content": "a"}))
    assert made.read(plain + plain) == ("aa", 2)
    assert made.read(plain + frame(other) + plain) is None
    assert made.read(frame(other)) is None
    assert made.read(plain + frame(other)) is None


@pytest.mark.parametrize("text", [b'a"b', b"a\\", b"a\\x", b"\xff", b"\x01", b'","b', b"\\ud800"])
def test_a_text_that_is_no_json_string_is_refused(text: bytes) -> None:
    made = template({"content": "a"})
    assert made is not None
    plain = frame(chunk({"content": "@"}))
    broken = plain.replace(b"@", text)
    read = made.read(broken)
    assert read is None or orjson.dumps(read[0]) == b'"' + text + b'"'


@pytest.mark.parametrize(
    ("delta", "more"),
    [
        ({"role": "assistant", "content": "a"}, {}),
        ({"content": "a", "reasoning_content": "b"}, {}),
        ({"content": ""}, {}),
        ({"content": None}, {}),
        ({"content": ["a"]}, {}),
        ({"content": "a"}, {"usage": {"prompt_tokens": 1}}),
        ({"content": "a"}, {"error": "no"}),
        ({"content": "a"}, {"choice": {"finish_reason": "stop"}}),
        ({"content": "a"}, {"choice": {"logprobs": {"content": []}}}),
        ({"content": "a"}, {"choices": []}),
        ({"content": "a"}, {"note": {"content": "other"}}),
    ],
)
def test_no_template_is_made_of_a_chunk_that_says_more(delta: Chunk, more: Chunk) -> None:
    assert template(delta, **more) is None


def test_thinking_is_a_text_like_another() -> None:
    made = template({"reasoning_content": "a", "content": None})
    assert made is not None
    assert made.read(frame(chunk({"reasoning_content": "b", "content": None}))) == ("b", 1)


def test_a_torn_text_is_not_mended_by_the_next_one() -> None:
    made = template({"content": "a"})
    assert made is not None
    plain = frame(chunk({"content": "@"}))
    frames = plain.replace(b"@", b"a\\") + plain.replace(b"@", b',"b')
    assert made.read(frames) is None


def test_texts_that_are_no_texts_together_are_refused() -> None:
    made = template({"content": "a"})
    assert made is not None
    plain = frame(chunk({"content": "@"}))
    torn = [b'a",["x', b"y", b'z"],"b']
    assert made.read(b"".join(plain.replace(b"@", text) for text in torn)) is None


@pytest.mark.parametrize(
    ("frames", "chunks"),
    [
        (b'data: {"a": 1}\n\n', [{"a": 1}]),
        (b'data: {"a": 1}\n\ndata: []\n\n', [{"a": 1}, []]),
        (b'data: {"a": 1}\r\n\r\n', None),
        (b'data: {"a":\r1}\n\n', None),
        (b'data: {"a":\n1}\n\n', None),
        (b'data: {"a":\n\n1}\n\n', None),
        (b'data: {"a": 1\n},{"b": 2\n}\n\n', None),
        (b'data: {"choices":[{}\n\ndata: {}]},{}\n\n', None),
        (b'data: {"a": 1}\n\n: x\n\n', None),
        (b'data: {"a": 1}\n\ndata: [DONE]\n\n', None),
        (b'data: {"a": 1}\n', None),
        (b": x\n\n", None),
        (b"", None),
    ],
)
def test_frames_of_one_line_of_json_each_are_loaded(frames: bytes, chunks: Any) -> None:
    assert load_plain(frames) == chunks


@pytest.mark.parametrize(
    ("frames", "end"),
    [
        (b"data: a\n\ndata: b\n\n", 18),
        (b'data: a\n\ndata: "finish_reason":"stop"\n\n', 9),
        (b'data: "finish_reason":"stop"\n\n', 0),
        (b'data: "finish_reason":null\n\n', 28),
    ],
)
def test_the_chunk_that_finishes_a_choice_is_found_quickly(frames: bytes, end: int) -> None:
    assert end_of_plain(frames) == end


def test_the_choice_a_text_belongs_to_is_known() -> None:
    first = template({"content": "a"}, choice={"index": None})
    second = template({"content": "a"}, choice={"index": 2})
    assert first is not None
    assert second is not None
    assert (first.choice, second.choice) == (0, 2)
    assert template({"content": "a"}, choice={"index": "1"}) is None
