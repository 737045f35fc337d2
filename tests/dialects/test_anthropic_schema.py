"""The shape of a Messages request: what is wrong is named by its path, what is new is kept."""

from __future__ import annotations

import base64
from typing import Any

import pytest

from g4f_aio.core.errors import BadRequestError
from g4f_aio.core.messages import FilePart, ImagePart, OtherPart, TextPart, ToolCall
from g4f_aio.core.requests import OtherTool, Tool
from g4f_aio.dialects.anthropic_schema import Block, Thought, ToolResult, parts, structure

Json = dict[str, Any]
HELLO = {"role": "user", "content": "Hello"}


def body(**fields: Any) -> Json:
    return {"model": "m", "max_tokens": 9, "messages": [HELLO]} | fields


def block(value: Json) -> Block:
    """A block in the core's classes."""
    content = structure(body(messages=[{"role": "user", "content": [value]}])).messages[0].content
    assert isinstance(content, list)
    return content[0]


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        ({"type": "text", "text": "a", "cache_control": {"type": "ephemeral"}}, TextPart("a")),
        (
            {
                "type": "image",
                "source": {"type": "base64", "media_type": "image/png", "data": "AA=="},
            },
            ImagePart("data:image/png;base64,AA=="),
        ),
        (
            {"type": "image", "source": {"type": "url", "url": "https://a/b"}},
            ImagePart("https://a/b"),
        ),
        (
            {"type": "image", "source": {"type": "file", "file_id": "f"}},
            OtherPart("image", {"type": "image", "source": {"type": "file", "file_id": "f"}}),
        ),
        (
            {
                "type": "document",
                "title": "a.pdf",
                "source": {"type": "base64", "media_type": "application/pdf", "data": "AA=="},
            },
            FilePart("data:application/pdf;base64,AA==", filename="a.pdf"),
        ),
        (
            {
                "type": "document",
                "source": {"type": "text", "media_type": "text/plain", "data": "ä"},
            },
            FilePart(f"data:text/plain;base64,{base64.b64encode('ä'.encode()).decode()}"),
        ),
        ({"type": "document", "source": {"type": "file", "file_id": "f"}}, FilePart(id="f")),
        (
            {"type": "document", "source": {"type": "url", "url": "u"}},
            OtherPart("document", {"type": "document", "source": {"type": "url", "url": "u"}}),
        ),
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
                "content": [{"type": "text", "text": "b"}, {"type": "tool_reference"}],
            },
            ToolResult(
                "a", (TextPart("b"), OtherPart("tool_reference", {"type": "tool_reference"}))
            ),
        ),
        ({"type": "thinking", "thinking": "Hm", "signature": "s"}, Thought("Hm")),
        ({"type": "redacted_thinking", "data": "d"}, Thought("")),
        ({"type": "new", "x": 1}, OtherPart("new", {"type": "new", "x": 1})),
    ],
)
def test_blocks(value: Json, expected: Block) -> None:
    assert block(value) == expected


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        (
            {"name": "f", "description": "d", "input_schema": {"type": "object"}, "strict": True},
            Tool("f", "d", {"type": "object"}, strict=True),
        ),
        ({"type": "custom", "name": "f", "input_schema": {}}, Tool("f", None, {})),
        (
            {"type": "web_search_20250305", "name": "web_search"},
            OtherTool("web_search_20250305", {"type": "web_search_20250305", "name": "web_search"}),
        ),
    ],
)
def test_tools(value: Json, expected: Tool | OtherTool) -> None:
    assert structure(body(tools=[value])).tools == [expected]


@pytest.mark.parametrize(
    ("fields", "path", "what"),
    [
        ({"messages": "Hi"}, "messages", "expected an array, got a string"),
        ({"messages": [1]}, "messages[0]", "expected an object, got an integer"),
        ({"messages": [{"role": "tool", "content": ""}]}, "messages[0].role", "one of user"),
        ({"messages": [{"role": "user"}]}, "messages[0].content", "required"),
        ({"messages": [{"role": "user", "content": None}]}, "messages[0].content", "got null"),
        ({"messages": [{"role": "user", "content": [1]}]}, "messages[0].content[0]", "an object"),
        (
            {"messages": [{"role": "user", "content": [{"type": "text"}]}]},
            "messages[0].content[0].text",
            "required",
        ),
        ({"messages": [{"role": "user", "content": [{}]}]}, "messages[0].content[0].type", "req"),
        ({"max_tokens": "9"}, "max_tokens", "expected an integer, got a string"),
        ({"max_tokens": None}, "max_tokens", "got null"),
        ({"stream": "yes"}, "stream", "expected a boolean"),
        ({"temperature": "hot"}, "temperature", "expected a number"),
        ({"system": 1}, "system", "a string or an array of content blocks"),
        ({"stop_sequences": "x"}, "stop_sequences", "expected an array"),
        ({"tools": [{"name": "f"}]}, "tools[0].input_schema", "required"),
        ({"tools": [{"type": 3}]}, "tools[0].type", "expected a string"),
        ({"tools": ["f"]}, "tools[0]", "expected an object"),
        ({"tool_choice": {"type": "maybe"}}, "tool_choice.type", "one of auto, any, tool, none"),
        ({"thinking": {"type": "enabled", "budget_tokens": "x"}}, "thinking.budget_tokens", "int"),
        ({"metadata": []}, "metadata", "expected an object, got an array"),
        ({"output_config": {"effort": 1}}, "output_config.effort", "expected a string"),
    ],
)
def test_a_field_at_fault_is_named_by_its_path(fields: Json, path: str, what: str) -> None:
    with pytest.raises(BadRequestError, match=what) as raised:
        structure(body(**fields))
    assert raised.value.param == path


def test_what_has_no_type_here_may_be_anything() -> None:
    wire = structure(body(container={"x": 1}, mcp_servers=[], top_k=5, system=None))
    assert wire.system is None


def test_parts_are_what_is_no_call_no_result_and_no_thought() -> None:
    assert parts([Thought("Hm"), TextPart("a"), ToolCall("i", "f", ""), ToolResult("i")]) == (
        TextPart("a"),
    )
    assert parts("a") == (TextPart("a"),)
    assert parts("") == parts(None) == ()
