"""Tools as functions and back, and what a choice among them means."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from g4f_aio.core.errors import BadRequestError
from g4f_aio.core.requests import OtherTool, Tool
from g4f_aio.dialects.openai_responses_tools import (
    Named,
    Toolbox,
    text_arguments,
    text_of_arguments,
    tools_of,
)

Json = dict[str, Any]

SCHEMA: Json = {"type": "object", "properties": {"city": {"type": "string"}}}
WEATHER: Json = {
    "type": "function",
    "name": "weather",
    "description": "Tells it",
    "parameters": SCHEMA,
    "strict": True,
}
PATCH: Json = {"type": "custom", "name": "patch", "description": "Applies it"}
SEARCH: Json = {"type": "web_search", "external_web_access": False}


def space(name: str, *tools: Json) -> Json:
    return {"type": "namespace", "name": name, "tools": list(tools)}


def test_no_tools_are_no_tools() -> None:
    assert Toolbox(None).tools == Toolbox([]).tools == ()


def test_a_function_is_one() -> None:
    (tool,) = Toolbox([WEATHER]).tools
    assert tool == Tool("weather", "Tells it", SCHEMA, strict=True)
    assert Toolbox([{"type": "function", "name": "f"}]).tools == (Tool("f"),)


def test_a_tool_for_text_is_a_function_with_one_argument() -> None:
    (tool,) = Toolbox([PATCH]).tools
    assert isinstance(tool, Tool)
    assert (tool.name, tool.description) == ("patch", "Applies it")
    assert tool.parameters is not None
    assert tool.parameters["required"] == ["input"]


@pytest.mark.parametrize(
    ("described", "expected"),
    [
        (
            {"description": "Applies it"},
            "Applies it\n\nThe input must follow this lark grammar:\nx",
        ),
        ({}, "The input must follow this lark grammar:\nx"),
    ],
)
def test_its_grammar_is_described(described: Json, expected: str) -> None:
    grammar = {"type": "grammar", "syntax": "lark", "definition": "x"}
    tool = {"type": "custom", "name": "patch", "format": grammar, **described}
    (found,) = Toolbox([tool]).tools
    assert isinstance(found, Tool)
    assert found.description == expected


def test_plain_text_needs_no_grammar() -> None:
    (found,) = Toolbox([{**PATCH, "format": {"type": "text"}}]).tools
    assert isinstance(found, Tool)
    assert found.description == "Applies it"


def test_tools_in_a_namespace_stand_beside_the_others() -> None:
    box = Toolbox([space("fs", WEATHER, PATCH, SEARCH), WEATHER, SEARCH])
    assert [tool.name for tool in box.tools if isinstance(tool, Tool)] == [
        "weather",
        "fs__weather",
        "patch",
    ]
    others = [tool for tool in box.tools if isinstance(tool, OtherTool)]
    assert others == [OtherTool("web_search", SEARCH)] * 2
    assert box.called("weather") == Named("function", "weather")
    assert box.called("fs__weather") == Named("function", "weather", "fs")
    assert box.called("patch") == Named("custom", "patch", "fs")
    assert box.called("never heard of") == Named("function", "never heard of")
    for name in ("weather", "fs__weather", "patch", "never heard of"):
        assert box.function(box.called(name)) == name


def test_tools_may_come_among_the_items() -> None:
    more = {"type": "additional_tools", "role": "developer", "tools": [space("fs", PATCH), WEATHER]}
    raw = {"tools": [WEATHER], "input": [more, {"role": "user", "content": "Hi"}, more]}
    assert tools_of(raw) == [WEATHER, space("fs", PATCH)]
    assert tools_of({"tools": None, "input": [more]}) == more["tools"]
    assert tools_of({"input": "Hi"}) == tools_of({}) == []
    again = {"type": "additional_tools", "tools": [dict(reversed(WEATHER.items()))]}
    assert tools_of({"tools": [WEATHER], "input": [again]}) == [WEATHER]


# choices


@pytest.mark.parametrize("choice", [None, "auto", "none", "required", {"type": "file_search"}])
def test_other_choices_stay_as_they_are(choice: Any) -> None:
    box = Toolbox([WEATHER])
    assert box.choose(choice) == (box.tools, choice)


@pytest.mark.parametrize(
    ("choice", "function"),
    [
        ({"type": "function", "name": "weather"}, "weather"),
        ({"type": "custom", "name": "patch"}, "patch"),
        ({"type": "function", "name": "weather", "namespace": "fs"}, "fs__weather"),
        ({"type": "function", "name": "weather", "namespace": 1}, "weather"),
    ],
)
def test_a_tool_may_be_chosen(choice: Json, function: str) -> None:
    box = Toolbox([WEATHER, PATCH, space("fs", WEATHER)])
    expected = {"type": "function", "function": {"name": function}}
    assert box.choose(choice) == (box.tools, expected)


@pytest.mark.parametrize("mode", ["auto", "required"])
def test_only_those_allowed_are_offered(mode: str) -> None:
    box = Toolbox([WEATHER, PATCH, SEARCH, {"type": "function", "name": "other"}])
    listed: list[Json] = [
        {"type": "function", "name": "weather"},
        {"type": "custom", "name": "patch"},
        {"type": "mcp", "server_label": "left to who knows it"},
    ]
    tools, choice = box.choose({"type": "allowed_tools", "mode": mode, "tools": listed})
    assert choice == mode
    assert tools == box.tools[:3]


@pytest.mark.parametrize(
    ("choice", "path"),
    [
        ({"type": "function"}, "tool_choice.name"),
        ({"type": "custom", "name": 1}, "tool_choice.name"),
        ({"type": "allowed_tools"}, "tool_choice"),
        ({"type": "allowed_tools", "mode": "none", "tools": []}, "tool_choice"),
        ({"type": "allowed_tools", "mode": "auto", "tools": {}}, "tool_choice"),
        (
            {"type": "allowed_tools", "mode": "auto", "tools": [{"type": "function"}]},
            "tool_choice.tools[0].name",
        ),
    ],
)
def test_a_wrong_choice_is_named(choice: Json, path: str) -> None:
    with pytest.raises(BadRequestError) as caught:
        Toolbox([WEATHER]).choose(choice)
    assert caught.value.param == path
    assert caught.value.message.startswith(f"$.{path}")


# text for tools


@given(st.text())
def test_a_text_survives(text: str) -> None:
    assert text_of_arguments(text_arguments(text)) == text


@pytest.mark.parametrize(
    ("arguments", "text"),
    [
        ('{"input": "x", "more": 1}', "x"),
        ('"x"', "x"),
        ('{"input": 1}', '{"input": 1}'),
        ('{"patch": "x"}', '{"patch": "x"}'),
        ("*** Begin Patch", "*** Begin Patch"),
        ('{"input": "cut', '{"input": "cut'),
        ("", ""),
        ("[]", "[]"),
    ],
)
def test_a_model_that_writes_something_else_is_taken_at_its_word(arguments: str, text: str) -> None:
    assert text_of_arguments(arguments) == text
