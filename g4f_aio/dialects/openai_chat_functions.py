"""The older way to call functions, as the tools that came in its place.

https://platform.openai.com/docs/api-reference/chat/create has it still: ``functions``,
``function_call`` and messages of the role ``function``. An answer has one call at most.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from functools import cache
from typing import Any

import attrs

from ..core.errors import BadRequestError
from ..core.messages import Message, ToolCall
from ..core.requests import ChatRequest, Tool
from .openai_extensions import converter
from .structure import structured

_FIELDS = ("functions", "function_call")


@attrs.frozen
class _Function:
    name: str
    description: str | None = None
    parameters: dict[str, Any] | None = None


@attrs.frozen
class _Older:
    functions: list[_Function] | None = None
    function_call: str | dict[str, Any] | None = None


#: few requests ask in the older way
_exact = cache(converter)


def wants_functions(request: ChatRequest) -> bool:
    """Whether calls of tools are to be told as calls of functions."""
    return "functions" in request.own


def with_tools(request: ChatRequest, raw: dict[str, Any]) -> ChatRequest:
    """The request with tools for the functions in *raw*; as it is where there are none.

    BadRequestError names what is wrong with them. Where there are tools as well, nobody can tell
    how to answer, which is left to the upstream.
    """
    if raw.get("tools"):
        return request
    messages = request.messages
    if any("function_call" in message.extra or message.role == "function" for message in messages):
        request = attrs.evolve(request, messages=tuple(_messages(messages)))
    if not raw.get("functions"):
        return request
    wire = structured(raw, _Older, _exact())
    options = {name: value for name, value in request.options.items() if name not in _FIELDS}
    return attrs.evolve(
        request,
        tools=tuple(
            Tool(one.name, one.description, one.parameters) for one in wire.functions or ()
        ),
        tool_choice=_choice(wire.function_call),
        options={"parallel_tool_calls": False, **options},
        own={name: raw[name] for name in _FIELDS if name in raw},
    )


def _choice(wanted: str | dict[str, Any] | None) -> str | dict[str, Any] | None:
    match wanted:
        case None | str():
            return wanted
        case {"name": str(name)}:
            return {"type": "function", "function": {"name": name}}
        case _:
            where = "function_call.name"
            raise BadRequestError(f"$.{where}: required field missing", param=where)


def _messages(messages: Sequence[Message]) -> Iterator[Message]:
    """Messages with calls of tools; their ids are ours, as functions have none."""
    ids: dict[str | None, str] = {}
    for at, message in enumerate(messages):
        if "function_call" in message.extra:
            call = _call(message.extra["function_call"], at)
            extra = {name: one for name, one in message.extra.items() if name != "function_call"}
            calls = message.tool_calls if call is None else (*message.tool_calls, call)
            ids.update((one.name, one.id) for one in calls)
            yield attrs.evolve(message, tool_calls=calls, extra=extra)
        elif message.role == "function" and message.name in ids:
            yield attrs.evolve(message, role="tool", tool_call_id=ids[message.name])
        else:
            yield message


def _call(wire: Any, at: int) -> ToolCall | None:
    match wire:
        case None:
            return None
        case {"name": str(name), "arguments": str(arguments)}:
            return ToolCall(f"call_{at}", name, arguments)
        case {"name": str(name)} if "arguments" not in wire:
            return ToolCall(f"call_{at}", name, "")
        case _:
            where = f"messages[{at}].function_call"
            raise BadRequestError(
                f"$.{where}: expected an object with name and arguments", param=where
            )
