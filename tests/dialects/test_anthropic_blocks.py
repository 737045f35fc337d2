"""Content blocks: what the core has a word for, and what is kept as it is."""

from __future__ import annotations

from typing import Any

import pytest

from g4f_aio.core.errors import BadRequestError
from g4f_aio.core.messages import FilePart, ImagePart, OtherPart, TextPart, Thought, ToolCall
from g4f_aio.dialects.anthropic_blocks import Block, ToolResult, parts
from g4f_aio.dialects.anthropic_schema import structure

Json = dict[str, Any]
PDF = {"type": "base64", "media_type": "application/pdf", "data": "AA=="}
PNG = {"type": "base64", "media_type": "image/png", "data": "AA=="}
TEXTS = [{"type": "text", "text": "a"}, {"type": "text", "text": "b"}]


def block(value: Any) -> Block:
    """A block in the core's classes."""
    message = {"role": "user", "content": [value]}
    content = structure({"max_tokens": 9, "messages": [message]}).messages[0].content
    assert isinstance(content, list)
    return content[0]


def kept(kind: str, **fields: Any) -> tuple[Json, OtherPart]:
    """A block, and that it is kept as it is."""
    value = {"type": kind, **fields}
    return value, OtherPart(kind, value)


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        ({"type": "text", "text": "a", "cache_control": {"type": "ephemeral"}}, TextPart("a")),
        ({"type": "image", "source": PNG}, ImagePart("data:image/png;base64,AA==")),
        (
            {"type": "image", "source": {"type": "url", "url": "https://a/b"}},
            ImagePart("https://a/b"),
        ),
        kept("image", source={"type": "file", "file_id": "f"}),
        kept("image", source={}),
        (
            {"type": "tool_use", "id": "a", "name": "f", "input": {"ä": 1}},
            ToolCall("a", "f", '{"ä":1}'),
        ),
        ({"type": "tool_result", "tool_use_id": "a"}, ToolResult("a")),
        (
            {"type": "tool_result", "tool_use_id": "a", "content": "ok", "is_error": True},
            ToolResult("a", (TextPart("ok"),)),
        ),
        (
            {
                "type": "tool_result",
                "tool_use_id": "a",
                "content": [
                    {"type": "text", "text": "b"},
                    {"type": "image", "source": PNG},
                    {"type": "tool_reference"},
                ],
            },
            ToolResult(
                "a",
                (
                    TextPart("b"),
                    ImagePart("data:image/png;base64,AA=="),
                    OtherPart("tool_reference", {"type": "tool_reference"}),
                ),
            ),
        ),
        ({"type": "thinking", "thinking": "Hm", "signature": "s"}, Thought("Hm", "s")),
        ({"type": "thinking", "thinking": "Hm", "signature": ""}, Thought("Hm")),
        ({"type": "thinking", "thinking": "Hm"}, Thought("Hm")),
        ({"type": "redacted_thinking", "data": "d"}, Thought("", redacted="d")),
        kept("new", x=1),
    ],
)
def test_blocks(value: Json, expected: Block) -> None:
    assert block(value) == expected


@pytest.mark.parametrize(
    ("source", "expected"),
    [
        (PDF, FilePart("data:application/pdf;base64,AA==", filename="T")),
        ({"type": "file", "file_id": "f"}, FilePart(id="f", filename="T")),
        ({"type": "url", "url": "https://a/b"}, FilePart("https://a/b", filename="T")),
        ({"type": "text", "media_type": "text/plain", "data": "ä"}, TextPart("T\nä")),
        ({"type": "base64", "media_type": "text/csv", "data": "w6Q="}, TextPart("T\nä")),
        ({"type": "content", "content": "ä"}, TextPart("T\nä")),
        ({"type": "content", "content": TEXTS}, TextPart("T\na\nb")),
    ],
)
def test_documents_of_text_are_text_and_others_are_files(source: Json, expected: Block) -> None:
    assert block({"type": "document", "title": "T", "source": source}) == expected


def test_a_document_says_what_it_is_about() -> None:
    source = {"type": "text", "media_type": "text/plain", "data": "ä"}
    assert block({"type": "document", "context": "C", "source": source}) == TextPart("C\nä")
    assert block({"type": "document", "source": source}) == TextPart("ä")


@pytest.mark.parametrize(
    "source",
    [
        {"type": "url", "url": "ftp://a/b.pdf"},
        {"type": "content", "content": [*TEXTS, {"type": "image", "source": PNG}]},
        {"type": "new"},
    ],
)
def test_other_documents_stay_as_they_are(source: Json) -> None:
    value = {"type": "document", "source": source}
    assert block(value) == OtherPart("document", value)


def test_a_result_of_a_search_is_text_for_others() -> None:
    value = {"type": "search_result", "source": "https://a", "title": "A", "content": TEXTS}
    assert block(value) == TextPart("A\nhttps://a\na\nb")


@pytest.mark.parametrize(
    ("value", "path"),
    [
        (1, ""),
        ({}, ".type"),
        ({"type": 1}, ".type"),
        ({"type": "text"}, ".text"),
        ({"type": "image"}, ".source"),
        ({"type": "tool_use", "id": "a", "name": "f", "input": "x"}, ".input"),
        ({"type": "thinking", "signature": "s"}, ".thinking"),
        ({"type": "redacted_thinking"}, ".data"),
        ({"type": "tool_result", "content": "x"}, ".tool_use_id"),
        ({"type": "tool_result", "tool_use_id": "a", "content": [{"type": "text"}]}, ""),
        (
            {
                "type": "document",
                "source": {"type": "base64", "media_type": "text/plain", "data": "?"},
            },
            "",
        ),
    ],
)
def test_what_is_wrong_is_named_by_its_path(value: Any, path: str) -> None:
    with pytest.raises(BadRequestError) as raised:
        block(value)
    assert raised.value.param is not None
    assert raised.value.param.startswith(f"messages[0].content[0]{path}")


def test_parts_are_what_is_no_call_no_result_and_no_thought() -> None:
    assert parts([Thought("Hm"), TextPart("a"), ToolCall("i", "f", ""), ToolResult("i")]) == (
        TextPart("a"),
    )
    assert parts("a") == (TextPart("a"),)
    assert parts("") == parts(None) == ()
