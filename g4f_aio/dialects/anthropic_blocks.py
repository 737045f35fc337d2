"""Content blocks of a Messages request, in the core's classes where those have a word for them."""

from __future__ import annotations

import base64
from collections.abc import Callable, Iterator
from typing import Any

import attrs

from ..core.messages import FilePart, ImagePart, OtherPart, Part, TextPart, Thought, ToolCall
from .json_text import dumps
from .structure import wrong_type


@attrs.frozen
class ToolResult:
    """What a tool answered to the call of that id."""

    tool_use_id: str
    parts: tuple[Part, ...] = ()


Block = Part | ToolCall | ToolResult | Thought
#: a value structured as that class; ValueError and its like when it is something else
Into = Callable[[Any, Any], Any]


@attrs.frozen
class _Typed:
    type: str


@attrs.frozen
class _Text:
    text: str


@attrs.frozen
class _Thinking:
    thinking: str
    signature: str = ""


@attrs.frozen
class _RedactedThinking:
    data: str


@attrs.frozen
class _Image:
    source: dict[str, Any]


@attrs.frozen
class _Document:
    source: dict[str, Any]
    title: str | None = None
    context: str | None = None


@attrs.frozen
class _SearchResult:
    source: str
    title: str
    content: list[_Text]


@attrs.frozen
class _ToolUse:
    id: str
    name: str
    input: dict[str, Any]


@attrs.frozen
class _ToolResult:
    tool_use_id: str
    content: str | list[Block] | None = None


#: what blocks look like on the wire, by the value of ``type``; None: any other value
VARIANTS: dict[str | None, type[attrs.AttrsInstance]] = {
    "text": _Text,
    "image": _Image,
    "document": _Document,
    "search_result": _SearchResult,
    "tool_use": _ToolUse,
    "tool_result": _ToolResult,
    "thinking": _Thinking,
    "redacted_thinking": _RedactedThinking,
    None: _Typed,
}


def block_of(value: Any, into: Into) -> Block:
    """A block; *into* structures what it is made of."""
    if type(value) is not dict:
        raise wrong_type("an object", value)
    kind = value.get("type")
    wire = into(value, VARIANTS.get(kind if type(kind) is str else None, _Typed))
    match wire:
        case _Text(text=text):
            return TextPart(text)
        case _ToolUse(id=id_, name=name, input=given):
            return ToolCall(id_, name, dumps(given).decode())
        case _ToolResult(tool_use_id=id_, content=content):
            return ToolResult(id_, parts(content))
        case _Thinking(thinking=text, signature=signature):
            return Thought(text, signature or None)
        case _RedactedThinking(data=data):
            return Thought("", redacted=data)
        case _Image(source=source):
            return _image(source) or OtherPart("image", value)
        case _Document():
            return _document(wire) or OtherPart("document", value)
        case _SearchResult(source=source, title=title, content=content):
            return TextPart("\n".join((title, source, *(one.text for one in content))))
        case _:
            return OtherPart(wire.type, value)


def parts(content: str | list[Block] | None) -> tuple[Part, ...]:
    """The parts in a content; calls, results and thoughts are none."""
    match content:
        case None | "":
            return ()
        case str():
            return (TextPart(content),)
        case list():
            return tuple(one for one in content if not isinstance(one, _NO_PARTS))


def _image(source: dict[str, Any]) -> Part | None:
    match source:
        case {"type": "base64", "media_type": str(kind), "data": str(data)}:
            return ImagePart(f"data:{kind};base64,{data}")
        case {"type": "url", "url": str(url)}:
            return ImagePart(url)
        case _:
            return None


def _document(wire: _Document) -> Part | None:
    """A document: one of text is text, as hardly any other API takes a file of that kind."""
    match wire.source:
        case {"type": "base64", "media_type": str(kind), "data": str(data)}:
            if kind.startswith("text/"):
                said = base64.b64decode(data, validate=True).decode("utf-8", "replace")
                return TextPart(_titled(wire, said))
            return FilePart(f"data:{kind};base64,{data}", filename=wire.title)
        case {"type": "text", "data": str(said)}:
            return TextPart(_titled(wire, said))
        case {"type": "content", "content": str(said)}:
            return TextPart(_titled(wire, said))
        case {"type": "content", "content": list(blocks)}:
            texts = list(_texts(blocks))
            return TextPart(_titled(wire, *texts)) if len(texts) == len(blocks) else None
        case {"type": "url", "url": str(url)} if url.startswith(_WEB):
            return FilePart(url, filename=wire.title)
        case {"type": "file", "file_id": str(id_)}:
            return FilePart(id=id_, filename=wire.title)
        case _:
            return None


def _titled(wire: _Document, *texts: str) -> str:
    return "\n".join((*filter(None, (wire.title, wire.context)), *texts))


def _texts(blocks: list[Any]) -> Iterator[str]:
    for block in blocks:
        match block:
            case {"type": "text", "text": str(text)}:
                yield text
            case _:
                pass


_NO_PARTS = (ToolCall, ToolResult, Thought)
_WEB = ("https://", "http://")
