"""Calls of tools and their results in a conversation, as texts."""

from __future__ import annotations

from collections.abc import Iterable

import attrs
import orjson

from ...core.messages import Message, Part, TextPart, ToolCall
from .call_parser import END_TAG, TAG


def as_texts(messages: Iterable[Message]) -> tuple[Message, ...]:
    """The messages as a model is to read them that writes calls in its text.

    Results become messages of the user; those of parallel calls one message.
    """
    found: list[Message] = []
    called: dict[str, str] = {}
    results = False
    for message in messages:
        called.update((call.id, call.name) for call in message.tool_calls)
        if message.role in ("tool", "function"):
            parts = _result(message, called)
            if results:
                found[-1] = attrs.evolve(
                    found[-1], parts=(*found[-1].parts, TextPart("\n"), *parts)
                )
            else:
                found.append(Message("user", parts))
            results = True
            continue
        results = False
        if message.tool_calls:
            found.append(attrs.evolve(message, parts=_calls(message), tool_calls=()))
        else:
            found.append(message)
    return tuple(found)


def _calls(message: Message) -> tuple[Part, ...]:
    text = "\n".join(_call(call) for call in message.tool_calls)
    return (*message.parts, TextPart(f"\n{text}" if message.text else text))


def _call(call: ToolCall) -> str:
    name = orjson.dumps(call.name).decode()
    return f'{TAG}\n{{"name": {name}, "arguments": {call.arguments or "{}"}}}\n{END_TAG}'


def _result(message: Message, called: dict[str, str]) -> tuple[Part, ...]:
    call_id = message.tool_call_id or ""
    name = called.get(call_id) or message.name or "unknown"
    numbered = f' id="{call_id}"' if call_id else ""
    begin, end = f'<tool_result name="{name}"{numbered}>\n', "\n</tool_result>"
    if all(isinstance(part, TextPart) for part in message.parts):
        return (TextPart(f"{begin}{message.text}{end}"),)
    return (TextPart(begin), *message.parts, TextPart(end))
