"""The tools of a Responses request as functions, which every model knows, and calls of them back.

A tool that takes plain text (``custom``) becomes a function with one argument, and tools in a
namespace become functions beside the others. The calls that a model makes are given back in the
form that the client knows.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any

import attrs
import orjson

from ..core.errors import BadRequestError
from ..core.requests import OtherTool, Tool
from .json_text import dumps, loads

Json = dict[str, Any]

#: the types of tools that are functions, or can be made into ones
TRANSLATED = ("function", "custom")
#: the argument that holds the text for a tool of type ``custom``
TEXT = "input"
_TEXT_SCHEMA: Json = {
    "type": "object",
    "properties": {TEXT: {"type": "string", "description": "The whole input, as plain text."}},
    "required": [TEXT],
    "additionalProperties": False,
}


@attrs.frozen
class Named:
    """What the client calls a tool. *type* is ``function`` or ``custom``."""

    type: str
    name: str
    namespace: str | None = None


class Toolbox:
    """The tools of one request, from their JSON; *tools* are those that the model gets."""

    def __init__(self, raw: Iterable[Json] | None) -> None:
        self._by_function: dict[str, Named] = {}
        self.tools: tuple[Tool | OtherTool, ...] = tuple(self._translated(raw or ()))
        self._functions = {named: function for function, named in self._by_function.items()}

    def called(self, function: str) -> Named:
        """What the client calls the function of that name; unknown ones keep their names."""
        return self._by_function.get(function) or Named("function", function)

    def function(self, named: Named) -> str:
        """The name of the function that stands for a tool."""
        return self._functions.get(named, named.name)

    def choose(
        self, choice: str | Json | None
    ) -> tuple[tuple[Tool | OtherTool, ...], str | Json | None]:
        """The tools to offer, and the choice among them as chat completions write it.

        What no function stands for is left as it is.
        """
        if not isinstance(choice, dict):
            return self.tools, choice
        match choice.get("type"):
            case "function" | "custom" as kind:
                function = self._chosen(kind, choice, "tool_choice")
                return self.tools, {"type": "function", "function": {"name": function}}
            case "allowed_tools":
                return self._allowed(choice)
            case _:
                return self.tools, choice

    def _allowed(self, choice: Json) -> tuple[tuple[Tool | OtherTool, ...], str | Json | None]:
        """Those allowed are all that the model gets to see."""
        match choice:
            case {"mode": "auto" | "required" as mode, "tools": list(listed)}:
                pass
            case _:
                raise BadRequestError(
                    "$.tool_choice: allowed_tools needs mode (auto or required) and tools",
                    param="tool_choice",
                )
        allowed = set()
        for at, one in enumerate(listed):
            if type(one) is dict and one.get("type") in ("function", "custom"):
                allowed.add(self._chosen(one["type"], one, f"tool_choice.tools[{at}]"))
        tools = tuple(
            tool for tool in self.tools if isinstance(tool, OtherTool) or tool.name in allowed
        )
        return tools, mode

    def _chosen(self, kind: str, choice: Json, path: str) -> str:
        name, namespace = choice.get("name"), choice.get("namespace")
        if not isinstance(name, str):
            raise BadRequestError(f"$.{path}.name: required field missing", param=f"{path}.name")
        return self.function(Named(kind, name, namespace if isinstance(namespace, str) else None))

    def _translated(self, raw: Iterable[Json]) -> Iterator[Tool | OtherTool]:
        spaces = []
        for tool in raw:
            kind = tool["type"]
            if kind == "namespace":
                spaces.append(tool)
            elif kind in TRANSLATED:
                yield self._function(tool, None)
            else:
                yield OtherTool(kind, tool)
        for space in spaces:
            for tool in space["tools"]:
                kind = tool["type"]
                known = kind in TRANSLATED
                yield self._function(tool, space["name"]) if known else OtherTool(kind, tool)

    def _function(self, tool: Json, namespace: str | None) -> Tool:
        name: str = tool["name"]
        function = name if name not in self._by_function else f"{namespace}__{name}"
        self._by_function[function] = Named(tool["type"], name, namespace)
        if tool["type"] == "custom":
            return Tool(function, _with_format(tool), _TEXT_SCHEMA)
        return Tool(function, tool.get("description"), tool.get("parameters"), tool.get("strict"))


def tools_of(raw: Json) -> list[Json]:
    """The tools of a request: its own, and those that come among its items."""
    found = list(raw.get("tools") or ())
    given = raw.get("input")
    more = [
        tool
        for item in (given if isinstance(given, list) else ())
        if item.get("type") == "additional_tools"
        for tool in item["tools"]
    ]
    if more:
        # told apart by their text: to compare each with each takes long where there are many
        known = {_text(tool) for tool in found}
        for tool in more:
            if (text := _text(tool)) not in known:
                known.add(text)
                found.append(tool)
    return found


def _text(tool: Json) -> bytes:
    return orjson.dumps(tool, option=orjson.OPT_SORT_KEYS)


def text_arguments(text: str) -> str:
    """The arguments of the function that stands for a tool of type ``custom``."""
    return dumps({TEXT: text}).decode()


def text_of_arguments(arguments: str) -> str:
    """The text in such arguments; a model that wrote something else meant that as the text."""
    try:
        match loads(arguments.encode()):
            case {"input": str(text)}:
                return text
            case str(text):
                return text
            case _:
                return arguments
    except ValueError:
        return arguments


def _with_format(tool: Json) -> str | None:
    """The description, and the grammar that the text must follow."""
    description: str | None = tool.get("description")
    match tool.get("format"):
        case {"type": "grammar", "definition": str(definition), **rest}:
            kind = rest.get("syntax", "")
            grammar = f"The input must follow this {kind} grammar:\n{definition}"
            return f"{description}\n\n{grammar}" if description else grammar
        case _:
            return description
