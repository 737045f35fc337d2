"""Parts, tools and calls of chat completions as they are written, and as they came in.

What this version does not know of them is kept as long as nobody edits them.
"""

from __future__ import annotations

from typing import Any, get_args

import attrs

from ..core.messages import (
    AudioPart,
    FilePart,
    ImagePart,
    Message,
    Origin,
    OtherPart,
    Part,
    RefusalPart,
    Role,
    TextPart,
    ToolCall,
)
from ..core.requests import OtherTool, Tool

NAME = "openai-chat"
_ROLES = get_args(Role)


def plain_messages(raw: Any) -> tuple[Message, ...]:
    """The messages in *raw* before the first one that is more, or less, than a role and a text."""
    found: list[Message] = []
    for one in raw if type(raw) is list else ():
        if type(one) is not dict or len(one) != 2:  # noqa: PLR2004  (role and content)
            break
        role: Any = one.get("role")
        content = one.get("content")
        if type(content) is not str or role not in _ROLES:
            break
        found.append(Message(role, (TextPart(content),)))
    return tuple(found)


def origin_of(
    raw: dict[str, Any],
    role: Role,
    parts: tuple[Part, ...],
    calls: tuple[ToolCall, ...],
    answers: str | None,
) -> Origin | None:
    """How the content and the calls of a message came in, where there is more to them than is read."""
    came: dict[str, Any] = {}
    content = raw.get("content")
    if type(content) is list:
        said = [part_object(part) for part in parts[: len(content)]]
        if said != content:
            came["content"] = content
            if any(isinstance(part, RefusalPart) for part in parts[: len(content)]):
                came["refusal"] = raw.get("refusal")
    if calls and list(map(tool_call_object, calls)) != raw["tool_calls"]:
        came["tool_calls"] = raw["tool_calls"]
    return Origin(NAME, came, (role, parts, calls, answers)) if came else None


def as_it_came(message: Message) -> dict[str, Any]:
    """What of a message is to be written as it came in over this dialect."""
    came: dict[str, Any] | None = message.wire(NAME)
    return came or {}


def known_tool(tool: Tool | OtherTool, raw: dict[str, Any]) -> Tool | OtherTool:
    """A tool, and how it came in where there is more to it than is read."""
    if isinstance(tool, OtherTool) or tool_object(tool) == raw:
        return tool
    read = (tool.name, tool.description, tool.parameters, tool.strict)
    return attrs.evolve(tool, origin=Origin(NAME, raw, read))


def tool_call_object(call: ToolCall) -> dict[str, Any]:
    """A whole call of a tool as this dialect writes it."""
    if call.type == "custom":
        custom = {"name": call.name, "input": call.arguments}
        return {"id": call.id, "type": "custom", "custom": custom}
    function = {"name": call.name, "arguments": call.arguments}
    return {"id": call.id, "type": "function", "function": function}


def tool_object(tool: Tool | OtherTool) -> dict[str, Any]:
    """A tool as this dialect writes it."""
    if isinstance(tool, OtherTool):
        return tool.raw
    came: dict[str, Any] | None = tool.wire(NAME)
    if came is not None:
        return came
    function = {
        "name": tool.name,
        "description": tool.description,
        "parameters": tool.parameters,
        "strict": tool.strict,
    }
    return {
        "type": "function",
        "function": {key: value for key, value in function.items() if value is not None},
    }


def part_object(part: Part) -> dict[str, Any]:
    """A part of a message as this dialect writes it."""
    match part:
        case TextPart(text=text):
            return {"type": "text", "text": text}
        case RefusalPart(text=text):
            return {"type": "refusal", "refusal": text}
        case ImagePart(url=url, detail=detail):
            image = {"url": url} if detail is None else {"url": url, "detail": detail}
            return {"type": "image_url", "image_url": image}
        case AudioPart(data=data, format=kind):
            return {"type": "input_audio", "input_audio": {"data": data, "format": kind}}
        case FilePart(data=data, id=id_, filename=filename):
            file = {"file_data": data, "file_id": id_, "filename": filename}
            kept = {key: value for key, value in file.items() if value is not None}
            return {"type": "file", "file": kept}
        case OtherPart(raw=raw):  # pragma: no branch
            return raw
