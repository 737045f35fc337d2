"""The items of a Responses request as messages, and the items of a list of them."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

import attrs

from ..core.messages import Message, OtherPart, Part, TextPart, Thought, ToolCall
from .openai_responses_schema import (
    PARTS,
    AdditionalTools,
    CustomToolCall,
    FunctionCall,
    InputMessage,
    Item,
    ItemReference,
    Reasoning,
    ToolOutput,
    Typed,
)
from .openai_responses_seals import is_ours, opened
from .openai_responses_tools import TRANSLATED, Named, Toolbox, text_arguments

Json = dict[str, Any]

#: how the ids of thoughts begin that were written here: no upstream knows them
OUR_THOUGHT = "rs_local"
#: fields that ask for what only an upstream with this API has
_FIELDS = (
    "background",
    "conversation",
    "context_management",
    "moderation",
    "previous_response_id",
    "prompt",
)
_ITEMS = frozenset(
    (
        "message",
        "function_call",
        "function_call_output",
        "custom_tool_call",
        "custom_tool_call_output",
        "reasoning",
    )
)
#: the types of tools that a choice can name
_NAMED = ("function", "custom")


def messages(
    items: Iterable[Item], tools: Toolbox, instructions: str | None = None
) -> tuple[Message, ...]:
    """The conversation that *items* make up; those that no message can stand for are left out.

    What a model thinks, says and calls in one go is one message, and so are the instructions at the
    beginning: many models take no more than one. What a tool shows is said by the user, as most
    take only text from tools.
    """
    found = [Message("system", (TextPart(instructions),))] if instructions else []
    thought = ""
    seals: tuple[Thought, ...] = ()
    shown: list[Part] = []
    for item in items:
        if shown and not isinstance(item, ToolOutput):
            found.append(Message("user", tuple(shown)))
            shown.clear()
        match item:
            case Reasoning():
                thought = "\n\n".join(filter(None, (thought, item.text)))
                seals += opened(item.encrypted_content)
                continue
            case InputMessage(role="assistant", content=content):
                _say(found, Message("assistant", _parts(content), thoughts=seals), thought)
            case FunctionCall() | CustomToolCall():
                calls = (_call(item, tools),)
                _say(found, Message("assistant", tool_calls=calls, thoughts=seals), thought)
            case InputMessage(role="user", content=content):
                found.append(Message("user", _parts(content)))
            case InputMessage(content=content):
                _instruct(found, _parts(content))
            case ToolOutput(call_id=id_, output=output):
                parts = _parts(output)
                texts = tuple(part for part in parts if isinstance(part, TextPart | OtherPart))
                shown += [part for part in parts if part not in texts]
                found.append(Message("tool", texts, tool_call_id=id_))
            case AdditionalTools() | ItemReference() | Typed():  # pragma: no branch
                pass
        thought, seals = "", ()
    if shown:
        found.append(Message("user", tuple(shown)))
    return tuple(found)


def _instruct(found: list[Message], parts: tuple[Part, ...]) -> None:
    """Add instructions: as one text, which at the beginning they share with those before."""
    texts = [part.text for part in parts if isinstance(part, TextPart)]
    if len(texts) < len(parts):
        found.append(Message("system", parts))
        return
    match found:
        case [Message(role="system", parts=(TextPart(text=before),))]:
            texts.insert(0, before)
            found.clear()
        case _:
            pass
    found.append(Message("system", (TextPart("\n\n".join(texts)),)))


def _say(found: list[Message], new: Message, thought: str) -> None:
    """Add what a model said to the message before, where calls make the two one."""
    new = attrs.evolve(new, reasoning=thought or None)
    last = found[-1] if found else None
    if last is None or last.role != "assistant" or not (last.tool_calls or new.tool_calls):
        found.append(new)
        return
    found[-1] = attrs.evolve(
        last,
        parts=last.parts + new.parts,
        tool_calls=last.tool_calls + new.tool_calls,
        reasoning="\n\n".join(filter(None, (last.reasoning, new.reasoning))) or None,
        thoughts=last.thoughts + new.thoughts,
    )


def _call(item: FunctionCall | CustomToolCall, tools: Toolbox) -> ToolCall:
    if isinstance(item, FunctionCall):
        function = tools.function(Named("function", item.name, item.namespace))
        return ToolCall(item.call_id, function, item.arguments)
    function = tools.function(Named("custom", item.name, item.namespace))
    return ToolCall(item.call_id, function, text_arguments(item.input))


def _parts(content: str | list[Part]) -> tuple[Part, ...]:
    return (TextPart(content),) if isinstance(content, str) else tuple(content)


def items_of(raw: Json) -> list[Json]:
    """The items of a request; a text is a message of the user."""
    given = raw.get("input")
    if isinstance(given, str):
        return [{"type": "message", "role": "user", "content": given}]
    return list(given or ())


def is_reference(item: Json) -> bool:
    """Whether an item only names another one."""
    kind = item.get("type")
    return kind == "item_reference" or (kind is None and "role" not in item and "id" in item)


def references(raw: Json) -> list[str]:
    """The ids of the items that a request refers to."""
    return [item["id"] for item in items_of(raw) if is_reference(item)]


def joined(raw: Json, before: Iterable[Json] | None, known: Mapping[str, Json]) -> Json:
    """A request that says itself what it referred to: the items *before*, and the *known* ones.

    Without such items it still goes on from another response.
    """
    own = [known.get(item["id"], item) if is_reference(item) else item for item in items_of(raw)]
    if before is None:
        return raw | {"input": own}
    kept = {key: value for key, value in raw.items() if key != "previous_response_id"}
    return kept | {"input": [*before, *own]}


def without_our_thoughts(raw: Json) -> Json:
    """A request as an upstream takes it, which knows only the thoughts that it wrote itself."""
    given = raw.get("input")
    if not isinstance(given, list) or not any(map(_is_our_thought, given)):
        return raw
    return raw | {"input": [item for item in given if not _is_our_thought(item)]}


def _is_our_thought(item: Json) -> bool:
    if item.get("type") != "reasoning":
        return False
    return str(item.get("id")).startswith(OUR_THOUGHT) or is_ours(item.get("encrypted_content"))


def only_native(raw: Json) -> Iterator[tuple[str, str]]:
    """What only an upstream that speaks this API itself can supply: paths, and what is there."""
    yield from ((name, name) for name in _FIELDS if raw.get(name))
    yield from _tools_only_native(raw.get("tools") or (), "tools", spaces=True)
    match raw.get("tool_choice"):
        case {"type": "allowed_tools", "tools": list(allowed)}:
            for at, one in enumerate(allowed):
                kind = one.get("type") if type(one) is dict else None
                if kind not in _NAMED:
                    yield f"tool_choice.tools[{at}]", str(kind)
        case {**choice} if choice.get("type") not in _NAMED:
            yield "tool_choice", str(choice.get("type"))
        case _:
            pass
    for at, item in enumerate(items_of(raw)):
        kind = item.get("type")
        if kind is None:
            kind = "message" if "role" in item else "item_reference"
        if kind == "additional_tools":
            yield from _tools_only_native(item["tools"], f"input[{at}].tools", spaces=True)
            continue
        if kind not in _ITEMS:
            yield f"input[{at}]", kind
            continue
        name = _PARTS_OF.get(kind, "content")
        parts = item.get(name) if kind != "reasoning" else None
        for inner, part in enumerate(parts if isinstance(parts, list) else ()):
            if not _is_whole(part):
                yield f"input[{at}].{name}[{inner}]", part["type"]


def _tools_only_native(
    tools: Iterable[Json], path: str, *, spaces: bool = False
) -> Iterator[tuple[str, str]]:
    for at, tool in enumerate(tools):
        if tool["type"] == "namespace" and spaces:
            yield from _tools_only_native(tool["tools"], f"{path}[{at}].tools")
        elif tool["type"] not in TRANSLATED:
            yield f"{path}[{at}]", tool["type"]


def _is_whole(part: Json) -> bool:
    """Whether a part says itself what it is, and does not only tell where that is."""
    match part["type"]:
        case "input_image":
            return part.get("image_url") is not None
        case "input_file":
            return part.get("file_data") is not None or part.get("file_url") is not None
        case kind:
            return kind in PARTS


_PARTS_OF = {"function_call_output": "output", "custom_tool_call_output": "output"}
