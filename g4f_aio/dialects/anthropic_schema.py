"""The shape of a Messages request on the wire, and its strict structuring."""

from __future__ import annotations

from typing import Any, Literal, cast, get_args

import attrs
import cattrs

from ..core.messages import Origin
from ..core.requests import OtherTool, Tool
from .anthropic_blocks import Block, block_of
from .anthropic_errors import NAME
from .structure import register, strict_converter, structured, wrong_type

WireRole = Literal["user", "assistant", "system"]
WireChoice = Literal["auto", "any", "tool", "none"]


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


# not in slots: it is made in half the time so
@attrs.frozen(kw_only=True, slots=False)
class Prompt:
    """The fields of a request whose tokens are counted; others may be anything."""

    messages: list[WireMessage]
    model: str | None = None
    system: str | list[Block] | None = None
    tools: list[Tool | OtherTool] | None = None
    tool_choice: ToolChoice | None = None
    thinking: Thinking | None = None
    output_config: OutputConfig | None = None
    #: the older place of the format
    output_format: dict[str, Any] | None = None


# not in slots: it is made in half the time so
@attrs.frozen(kw_only=True, slots=False)
class Body(Prompt):
    """The fields of a request that have a type here; others may be anything."""

    max_tokens: int
    stream: bool | None = None
    temperature: float | None = None
    top_p: float | None = None
    top_k: int | None = None
    stop_sequences: list[str] | None = None
    metadata: Metadata | None = None
    service_tier: str | None = None


def structure(raw: dict[str, Any]) -> Body:
    """The typed fields of a request; BadRequestError with the JSON path of each wrong one."""
    return cast(Body, _structure(raw, Body))


def structure_prompt(raw: dict[str, Any]) -> Prompt:
    """As ``structure``, for a request that wants its tokens counted."""
    return _structure(raw, Prompt)


def _structure(raw: dict[str, Any], shape: type[Prompt]) -> Prompt:
    try:
        return _FAST.structure(raw, shape)
    except Exception:  # noqa: BLE001  (whatever it was, the exact converter describes it)
        return structured(raw, shape, _EXACT)


@attrs.frozen
class _Typed:
    type: str


@attrs.frozen
class _Tool:
    name: str
    input_schema: dict[str, Any]
    description: str | None = None
    strict: bool | None = None


def _converter(*, detailed: bool) -> cattrs.Converter:
    converter = strict_converter(detailed=detailed)
    into = converter.structure

    def block(value: Any, _: Any) -> Block:
        return block_of(value, into)

    def tool(value: Any, _: Any) -> Tool | OtherTool:
        # the API's own tools have a type instead of a schema
        if type(value) is dict and "input_schema" not in value and "type" in value:
            return OtherTool(into(value, _Typed).type, value)
        wire = into(value, _Tool)
        said = (wire.name, wire.description, wire.input_schema, wire.strict)
        return Tool(*said, origin=Origin(NAME, value, said))

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


#: what the tools of a request look like on the wire, by the value of ``type``; None: any other value
TOOLS: dict[str | None, type[attrs.AttrsInstance]] = {"custom": _Tool, None: _Typed}
_FAST = _converter(detailed=False)
_EXACT = _converter(detailed=True)
