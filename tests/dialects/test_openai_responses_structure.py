"""What a request may look like: everything of the API, no coercion, each mistake by its JSON path."""

from __future__ import annotations

from typing import Any

import pytest

from g4f_aio.core.errors import BadRequestError
from g4f_aio.core.messages import AudioPart, FilePart, ImagePart, OtherPart, RefusalPart, TextPart
from g4f_aio.dialects.openai_responses_schema import (
    CustomTool,
    CustomToolCall,
    FunctionCall,
    FunctionTool,
    InputMessage,
    ItemReference,
    NamespaceTool,
    Reasoning,
    ReasoningOptions,
    TextOptions,
    Thought,
    ToolOutput,
    Typed,
)
from g4f_aio.dialects.openai_responses_structure import structure

Json = dict[str, Any]


def item(value: Json) -> Any:
    found = structure({"input": [value]}).input
    assert isinstance(found, list)
    return found[0]


def part(value: Json) -> Any:
    message = item({"role": "user", "content": [value]})
    return message.content[0]


def test_an_input_is_a_text_or_items() -> None:
    assert structure({"input": "Hi"}).input == "Hi"
    assert structure({"input": []}).input == []
    assert structure({}).input is None
    assert structure({"input": None}).input is None


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        ({"role": "user", "content": "Hi"}, InputMessage("user", "Hi")),
        ({"type": None, "role": "system", "content": "Hi"}, InputMessage("system", "Hi")),
        (
            {"type": "message", "id": "msg_1", "status": "completed", "role": "developer"}
            | {"content": [{"type": "input_text", "text": "Hi"}]},
            InputMessage("developer", [TextPart("Hi")]),
        ),
        (
            {"type": "function_call", "call_id": "c", "name": "f", "arguments": "{}", "id": "fc"},
            FunctionCall("c", "f", "{}"),
        ),
        (
            {"type": "function_call", "call_id": "c", "name": "f", "namespace": "n"},
            FunctionCall("c", "f", "", "n"),
        ),
        (
            {"type": "custom_tool_call", "call_id": "c", "name": "p", "input": "x"},
            CustomToolCall("c", "p", "x"),
        ),
        (
            {"type": "function_call_output", "call_id": "c", "output": "12"},
            ToolOutput("c", "12"),
        ),
        (
            {"type": "custom_tool_call_output", "call_id": "c"}
            | {"output": [{"type": "input_text", "text": "12"}]},
            ToolOutput("c", [TextPart("12")]),
        ),
        (
            {"type": "reasoning", "id": "rs", "summary": [{"type": "summary_text", "text": "a"}]},
            Reasoning([Thought("a")]),
        ),
        (
            {"type": "reasoning", "summary": [], "encrypted_content": "gAAA", "content": None},
            Reasoning([], None, "gAAA"),
        ),
        ({"type": "item_reference", "id": "msg_1"}, ItemReference("msg_1")),
        ({"id": "msg_1"}, ItemReference("msg_1")),
        ({"id": "msg_1", "type": None}, ItemReference("msg_1")),
        ({"type": "web_search_call", "id": "ws", "x": [1]}, Typed("web_search_call")),
    ],
)
def test_items(value: Json, expected: Any) -> None:
    assert item(value) == expected


def test_thoughts_are_told_by_their_text_or_its_summary() -> None:
    assert Reasoning([Thought("a"), Thought("b")]).text == "a\n\nb"
    assert Reasoning([Thought("a")], [Thought("x")]).text == "x"
    assert Reasoning(encrypted_content="gAAA").text == ""


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        ({"type": "input_text", "text": "Hi"}, TextPart("Hi")),
        ({"type": "output_text", "text": "Hi", "annotations": []}, TextPart("Hi")),
        ({"type": "refusal", "refusal": "No"}, RefusalPart("No")),
        (
            {"type": "input_image", "image_url": "https://x", "detail": "low"},
            ImagePart("https://x", "low"),
        ),
        (
            {"type": "input_file", "file_data": "data:x", "filename": "a.pdf"},
            FilePart("data:x", None, "a.pdf"),
        ),
        (
            {"type": "input_file", "file_url": "https://x/a.pdf"},
            FilePart("https://x/a.pdf"),
        ),
        (
            {"type": "input_audio", "input_audio": {"data": "QQ==", "format": "wav"}},
            AudioPart("QQ==", "wav"),
        ),
    ],
)
def test_parts(value: Json, expected: Any) -> None:
    assert part(value) == expected


@pytest.mark.parametrize(
    "value",
    [
        {"type": "input_image", "file_id": "file_1"},
        {"type": "input_file", "file_url": "ftp://x"},
        {"type": "input_file", "file_id": "file_1"},
        {"type": "input_video", "video": 1},
    ],
)
def test_parts_that_only_their_upstream_understands_are_kept(value: Json) -> None:
    assert part(value) == OtherPart(value["type"], value)


def test_tools() -> None:
    nested = {"type": "custom", "name": "p", "format": {"type": "text"}}
    body = structure(
        {
            "tools": [
                {"type": "function", "name": "f", "parameters": {}, "strict": False},
                nested,
                {"type": "namespace", "name": "n", "tools": [nested, {"type": "mcp"}]},
                {"type": "web_search", "x": 1},
            ]
        }
    )
    custom = CustomTool("p", None, {"type": "text"})
    assert body.tools == [
        FunctionTool("f", None, {}, strict=False),
        custom,
        NamespaceTool("n", [custom, Typed("mcp")]),
        Typed("web_search"),
    ]


def test_the_other_fields() -> None:
    fields: Json = {
        "model": "gpt",
        "instructions": "Be brief",
        "stream": True,
        "stream_options": {"include_obfuscation": False},
        "temperature": 1,
        "top_p": 0.5,
        "max_output_tokens": 5,
        "max_tool_calls": 3,
        "top_logprobs": 2,
        "parallel_tool_calls": False,
        "include": ["reasoning.encrypted_content"],
        "metadata": {"a": "b"},
        "store": False,
        "previous_response_id": "resp_1",
        "background": False,
        "truncation": "auto",
        "user": "u",
        "safety_identifier": "s",
        "prompt_cache_key": "k",
        "service_tier": "flex",
        "proxy": "http://p",
        "conversation_id": "c",
        "timeout": 5,
        "cache": True,
        "x_unknown": {"a": 1},
    }
    body = structure(fields)
    for name, value in fields.items():
        if name != "x_unknown":
            assert getattr(body, name) == value
    for name in ("tool_choice", "provider", "api_key"):
        for value in ("a", {"a": "b"}, None):
            assert getattr(structure({name: value}), name) == value
    texts = structure({"text": {"format": {"type": "text"}, "verbosity": "low"}})
    assert texts.text == TextOptions({"type": "text"}, "low")
    thoughts = structure({"reasoning": {"effort": "low", "summary": "auto"}})
    assert thoughts.reasoning == ReasoningOptions("low", "auto")


@pytest.mark.parametrize(
    ("fields", "path", "what"),
    [
        ({"input": 1}, "input", "expected a string or an array of items, got an integer"),
        ({"input": ["Hi"]}, "input[0]", "expected an object, got a string"),
        ({"input": [{}]}, "input[0].type", "required field missing"),
        ({"input": [{"type": 1}]}, "input[0].type", "expected a string"),
        ({"input": [{"type": ["message"]}]}, "input[0].type", "expected a string"),
        ({"input": [{"id": "a", "x": 1, "y": 2}]}, "input[0].type", "required field missing"),
        ({"input": [{"role": "user"}]}, "input[0].content", "required field missing"),
        ({"input": [{"role": "tool", "content": ""}]}, "input[0].role", "must be one of user"),
        ({"input": [{"role": [], "content": ""}]}, "input[0].role", "must be one of user"),
        (
            {"input": [{"role": "user", "content": None}]},
            "input[0].content",
            "expected a string or an array of parts, got null",
        ),
        ({"input": [{"role": "user", "content": ["x"]}]}, "input[0].content[0]", "an object"),
        (
            {"input": [{"role": "user", "content": [{"text": "x"}]}]},
            "input[0].content[0].type",
            "required field missing",
        ),
        (
            {"input": [{"role": "user", "content": [{"type": "input_text", "text": 1}]}]},
            "input[0].content[0].text",
            "expected a string, got an integer",
        ),
        ({"input": [{"type": "function_call", "name": "f"}]}, "input[0].call_id", "required"),
        (
            {"input": [{"type": "function_call_output", "call_id": "c", "output": {}}]},
            "input[0].output",
            "expected a string or an array of parts",
        ),
        ({"input": [{"type": "item_reference"}]}, "input[0].id", "required field missing"),
        ({"stream": "no"}, "stream", "expected a boolean, got a string"),
        ({"temperature": "1"}, "temperature", "expected a number"),
        ({"max_output_tokens": 1.5}, "max_output_tokens", "expected an integer"),
        ({"tools": {}}, "tools", "expected an array, got an object"),
        ({"tools": ["web_search"]}, "tools[0]", "expected an object"),
        ({"tools": [{}]}, "tools[0].type", "required field missing"),
        ({"tools": [{"type": "function"}]}, "tools[0].name", "required field missing"),
        (
            {"tools": [{"type": "function", "function": {"name": "f"}}]},
            "tools[0].name",
            "required field missing",
        ),
        (
            {"tools": [{"type": "namespace", "name": "n", "tools": [{"type": "custom"}]}]},
            "tools[0].tools[0].name",
            "required field missing",
        ),
        ({"tool_choice": 1}, "tool_choice", "expected a string or an object"),
        ({"metadata": {"a": 1}}, "metadata", "expected an object of strings"),
        ({"metadata": []}, "metadata", "expected an object of strings, got an array"),
        ({"reasoning": "low"}, "reasoning", "expected an object"),
        ({"include": ["a", 1]}, "include[1]", "expected a string"),
        ({"text": {"format": "json"}}, "text.format", "expected an object"),
    ],
)
def test_a_mistake_is_named_by_its_path(fields: Json, path: str, what: str) -> None:
    with pytest.raises(BadRequestError) as caught:
        structure(fields)
    assert caught.value.param == path
    assert f"$.{path}: " in caught.value.message
    assert what in caught.value.message


def test_every_mistake_is_named() -> None:
    with pytest.raises(BadRequestError) as caught:
        structure({"stream": 1, "input": [{"role": "x", "content": 1}, 2]})
    for path in ("$.stream", "$.input[0].role", "$.input[0].content", "$.input[1]"):
        assert f"{path}: " in caught.value.message
