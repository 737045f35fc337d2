"""Texts are read out of chunks that differ in nothing else, and never out of others."""

from __future__ import annotations

from typing import Any

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from g4f_aio.dialects.openai_chat_template import Template

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
    assert made.texts(frames) == texts


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
    assert made.texts(plain + plain) == ["a", "a"]
    assert made.texts(plain + frame(other) + plain) is None
    assert made.texts(frame(other)) is None
    assert made.texts(plain + frame(other)) is None


@pytest.mark.parametrize("text", [b'a"b', b"a\\", b"a\\x", b"\xff", b"\x01", b'","b', b"\\ud800"])
def test_a_text_that_is_no_json_string_is_refused(text: bytes) -> None:
    made = template({"content": "a"})
    assert made is not None
    plain = frame(chunk({"content": "@"}))
    broken = plain.replace(b"@", text)
    texts = made.texts(broken)
    assert texts is None or orjson.dumps(texts[0]) == b'"' + text + b'"'


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
    assert made.texts(frame(chunk({"reasoning_content": "b", "content": None}))) == ["b"]
