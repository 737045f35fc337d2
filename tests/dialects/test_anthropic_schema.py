"""The shape of a Messages request: what is wrong is named by its path, what is new is kept."""

from __future__ import annotations

from typing import Any

import attrs
import pytest

from g4f_aio.core.errors import BadRequestError
from g4f_aio.core.requests import OtherTool, Tool
from g4f_aio.dialects.anthropic_errors import NAME
from g4f_aio.dialects.anthropic_schema import structure, structure_prompt

Json = dict[str, Any]
HELLO = {"role": "user", "content": "Hello"}


def body(**fields: Any) -> Json:
    return {"model": "m", "max_tokens": 9, "messages": [HELLO]} | fields


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


def test_a_tool_keeps_how_it_came() -> None:
    value = {"name": "f", "input_schema": {}, "cache_control": {"type": "ephemeral"}}
    (tool,) = structure(body(tools=[value])).tools or []
    assert isinstance(tool, Tool)
    assert tool.wire(NAME) is value
    assert attrs.evolve(tool, description="d").wire(NAME) is None


def test_a_prompt_to_be_counted_needs_no_bound() -> None:
    wire = structure_prompt({"messages": [HELLO], "system": "Be brief."})
    assert wire.system == "Be brief."
    with pytest.raises(BadRequestError) as raised:
        structure({"messages": [HELLO]})
    assert raised.value.param == "max_tokens"
    with pytest.raises(BadRequestError) as raised:
        structure_prompt({"messages": 1})
    assert raised.value.param == "messages"
