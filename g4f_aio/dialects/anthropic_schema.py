"""The shape of a Messages request on the wire, and its strict structuring."""

from __future__ import annotations

import base64
from typing import Any, Literal, get_args

import attrs
import cattrs

from ..core.messages import FilePart, ImagePart, OtherPart, Part, TextPart, ToolCall
from ..core.requests import OtherTool, Tool
from .json_text import dumps
from .structure import bad_request, register, strict_converter, wrong_type

WireRole = Literal["user", "assistant", "system"]
WireChoice = Literal["auto", "any", "tool", "none"]


@attrs.frozen
class Thought:
    """A thinking block; a redacted one has no text."""

    text: str


@attrs.frozen
class ToolResult:
    """What a tool answered to the call of that id."""

    tool_use_id: str
    parts: tuple[Part, ...] = ()


Block = Part | ToolCall | ToolResult | Thought


@attrs.frozen
class WireMessage:
    """A message, its blocks already in the core's classes."""

    role: WireRole
    content: str | list[Block]


@attrs.frozen
class ToolChoice:
    """How tools are to be used."""

    type: WireChoice
    name: str | None = None
    disable_parallel_tool_use: bool | None = None


@attrs.frozen
class Thinking:
    """Whether and how long to think."""

    type: str
    budget_tokens: int | None = None


@attrs.frozen
class OutputConfig:
    """Effort and format of the answer."""

    effort: str | None = None
    format: dict[str, Any] | None = None


@attrs.frozen
class Metadata:
    """About the request."""

    user_id: str | None = None


@attrs.frozen
class Body:
    """The fields of a request that have a type here; others may be anything."""

    messages: list[WireMessage]
    max_tokens: int
    model: str | None = None
    system: str | list[Block] | None = None
    stream: bool | None = None
    temperature: float | None = None
    top_p: float | None = None
    stop_sequences: list[str] | None = None
    tools: list[Tool | OtherTool] | None = None
    tool_choice: ToolChoice | None = None
    thinking: Thinking | None = None
    output_config: OutputConfig | None = None
    metadata: Metadata | None = None
    service_tier: str | None = None


def structure(raw: dict[str, Any]) -> Body:
    """The typed fields of a request; BadRequestError with the JSON path of each wrong one."""
    try:
        return _FAST.structure(raw, Body)
    except Exception:  # noqa: BLE001  (whatever it was, the exact converter describes it)
        return _explain(raw)


def _explain(raw: dict[str, Any]) -> Body:
    try:
        return _EXACT.structure(raw, Body)
    except Exception as error:  # noqa: BLE001  (described in full, never swallowed)
        raise bad_request(error) from None


@attrs.frozen
class _Typed:
    type: str


@attrs.frozen
class _Text:
    text: str


@attrs.frozen
class _Thinking:
    thinking: str


@attrs.frozen
class _Sourced:
    source: dict[str, Any]
    title: str | None = None


@attrs.frozen
class _ToolUse:
    id: str
    name: str
    input: dict[str, Any]


@attrs.frozen
class _ToolResult:
    tool_use_id: str
    content: str | list[Block] | None = None


@attrs.frozen
class _Tool:
    name: str
    input_schema: dict[str, Any]
    description: str | None = None
    strict: bool | None = None


def _image(value: dict[str, Any], source: dict[str, Any]) -> Part:
    match source:
        case {"type": "base64", "media_type": str(kind), "data": str(data)}:
            return ImagePart(f"data:{kind};base64,{data}")
        case {"type": "url", "url": str(url)}:
            return ImagePart(url)
        case _:
            return OtherPart("image", value)


def _document(value: dict[str, Any], source: dict[str, Any], title: str | None) -> Part:
    match source:
        case {"type": "base64", "media_type": str(kind), "data": str(data)}:
            return FilePart(f"data:{kind};base64,{data}", filename=title)
        case {"type": "text", "media_type": str(kind), "data": str(text)}:
            data = base64.b64encode(text.encode()).decode()
            return FilePart(f"data:{kind};base64,{data}", filename=title)
        case {"type": "file", "file_id": str(id_)}:
            return FilePart(id=id_, filename=title)
        case _:
            return OtherPart("document", value)


def _converter(*, detailed: bool) -> cattrs.Converter:
    converter = strict_converter(detailed=detailed)
    into = converter.structure

    def block(value: Any, _: Any) -> Block:
        if type(value) is not dict:
            raise wrong_type("an object", value)
        match value.get("type"):
            case "text":
                return TextPart(into(value, _Text).text)
            case "image":
                return _image(value, into(value, _Sourced).source)
            case "document":
                document = into(value, _Sourced)
                return _document(value, document.source, document.title)
            case "tool_use":
                use = into(value, _ToolUse)
                return ToolCall(use.id, use.name, dumps(use.input).decode())
            case "tool_result":
                result = into(value, _ToolResult)
                return ToolResult(result.tool_use_id, parts(result.content))
            case "thinking":
                return Thought(into(value, _Thinking).thinking)
            case "redacted_thinking":
                return Thought("")
            case _:
                return OtherPart(into(value, _Typed).type, value)

    def tool(value: Any, _: Any) -> Tool | OtherTool:
        # the API's own tools have a type instead of a schema
        if type(value) is dict and "input_schema" not in value and "type" in value:
            return OtherTool(into(value, _Typed).type, value)
        found = into(value, _Tool)
        return Tool(found.name, found.description, found.input_schema, found.strict)

    def content(value: Any, _: Any) -> Any:
        if type(value) is str:
            return value
        if type(value) is list:
            return into(value, list[Block])
        raise wrong_type("a string or an array of content blocks", value)

    def content_or_none(value: Any, shape: Any) -> Any:
        return None if value is None else content(value, shape)

    def one_of(*words: str) -> Any:
        def hook(value: Any, _: Any) -> Any:
            if value in words:
                return value
            raise ValueError(f"must be one of {', '.join(words)}")

        return hook

    register(converter, Block, block)
    register(converter, Tool | OtherTool, tool)
    register(converter, str | list[Block], content)
    register(converter, str | list[Block] | None, content_or_none)
    register(converter, WireRole, one_of(*get_args(WireRole)))
    register(converter, WireChoice, one_of(*get_args(WireChoice)))
    return converter


def parts(content: str | list[Block] | None) -> tuple[Part, ...]:
    """The parts in a content; calls, results and thoughts are none."""
    match content:
        case None | "":
            return ()
        case str():
            return (TextPart(content),)
        case list():
            return tuple(one for one in content if not isinstance(one, _NO_PARTS))


_NO_PARTS = (ToolCall, ToolResult, Thought)
_FAST = _converter(detailed=False)
_EXACT = _converter(detailed=True)
