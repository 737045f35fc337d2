"""Requests of Anthropic's Messages API, as clients send them.

https://platform.claude.com/docs/en/api/messages/create
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from typing import Any

from ..core.errors import BadRequestError
from ..core.messages import Message, Origin, OtherPart, Part, Role, TextPart, Thought, ToolCall
from ..core.requests import ChatRequest, Sampling
from .anthropic_blocks import ToolResult, parts
from .anthropic_errors import NAME
from .anthropic_schema import Body, Prompt, WireMessage, structure, structure_prompt
from .anthropic_thinking import SEAL, effort_of
from .structure import load_object

#: what a ChatRequest has a field for
_FIELDS = frozenset(
    (
        "model",
        "messages",
        "max_tokens",
        "system",
        "stream",
        "temperature",
        "top_p",
        "stop_sequences",
        "tools",
        "tool_choice",
    )
)
#: the effort that goes without saying: some clients always say it, and some models refuse to be told
_USUAL = "high"
#: the longest name of a user that OpenAI takes
_USER = 64


def decode(body: bytes) -> ChatRequest:
    """A client's request; BadRequestError with JSON paths when it is wrong."""
    raw = load_object(body)
    wire = structure(raw)
    sampling = Sampling(
        wire.temperature, wire.top_p, wire.max_tokens, tuple(wire.stop_sequences or ())
    )
    return _request(wire, raw, sampling, _options(wire), stream=bool(wire.stream))


def decode_prompt(body: bytes) -> ChatRequest:
    """As ``decode``, for a request whose tokens are to be counted: it has no ``max_tokens``."""
    raw = load_object(body)
    wire = structure_prompt(raw)
    return _request(wire, raw, Sampling(), {}, stream=False)


def _request(
    wire: Prompt, raw: dict[str, Any], sampling: Sampling, options: dict[str, Any], *, stream: bool
) -> ChatRequest:
    if not wire.messages:
        raise BadRequestError("$.messages: must hold at least one message", param="messages")
    messages = list(_system(wire, raw))
    for message, value in zip(wire.messages, raw["messages"], strict=True):
        messages.extend(_messages(message, value["content"]))
    return ChatRequest(
        model=wire.model or "",
        messages=tuple(messages),
        stream=stream,
        sampling=sampling,
        tools=tuple(wire.tools or ()),
        tool_choice=_tool_choice(wire),
        response_format=_response_format(wire),
        options={key: value for key, value in options.items() if value is not None},
        dialect=NAME,
        accept=NAME,
        raw=raw,
        own={key: value for key, value in raw.items() if key not in _FIELDS},
    )


def _system(wire: Prompt, raw: dict[str, Any]) -> Iterable[Message]:
    if isinstance(wire.system, list):
        found = parts(wire.system)
        return (_came("system", found, raw["system"]),) if found else ()
    return (Message("system", (TextPart(wire.system),)),) if wire.system else ()


def _came(
    role: Role,
    parts_: tuple[Part, ...],
    blocks: list[Any],
    *,
    calls: tuple[ToolCall, ...] = (),
    answers: str | None = None,
    reasoning: str | None = None,
) -> Message:
    """A message that came in as *blocks*."""
    origin = Origin(NAME, blocks, (role, parts_, calls, answers))
    return Message(
        role,
        parts_,
        tool_calls=calls,
        tool_call_id=answers,
        reasoning=reasoning,
        origin=origin,
    )


def _messages(wire: WireMessage, value: Any) -> list[Message]:
    """A wire message as one of ours for each tool's result, and one for the rest.

    In other APIs a result is text: what else there is in one goes to what the user says. Blocks that
    only this API's servers write and read are left to it.
    """
    if isinstance(wire.content, str):
        return [Message(wire.role, (TextPart(wire.content),))]
    found: list[Message] = []
    said: list[Part] = []
    shown: list[Part] = []
    calls, thoughts, rest = [], [], []
    for block, came in zip(wire.content, value, strict=True):
        match block:
            case ToolResult(tool_use_id=id_, parts=result):
                texts = tuple(part for part in result if isinstance(part, TextPart | OtherPart))
                shown.extend(part for part in result if not isinstance(part, TextPart | OtherPart))
                found.append(_came("tool", texts, [came], answers=id_))
                continue
            case ToolCall():
                calls.append(block)
            case Thought(text=text, signature=signature):
                # one that is signed is for the model that wrote it, and not for others
                if signature == SEAL or signature is None:
                    thoughts.append(text)
            case OtherPart() if wire.role == "assistant":
                pass
            case _:
                said.append(block)
        rest.append(came)
    if rest or shown or not found:
        reasoning = "".join(thoughts) or None
        everything = (*shown, *said)
        found.append(_came(wire.role, everything, rest, calls=tuple(calls), reasoning=reasoning))
    return found


def _tool_choice(wire: Prompt) -> str | dict[str, Any] | None:
    choice = wire.tool_choice
    if choice is None:
        return None
    if choice.type == "tool":
        if choice.name is None:
            raise BadRequestError("$.tool_choice.name: required", param="tool_choice.name")
        return {"type": "function", "function": {"name": choice.name}}
    return "required" if choice.type == "any" else choice.type


def _response_format(wire: Prompt) -> dict[str, Any] | None:
    match (wire.output_config and wire.output_config.format) or wire.output_format:
        case {"type": "json_schema", "schema": dict(schema)}:
            named = {"name": "answer", "schema": schema, "strict": True}
            return {"type": "json_schema", "json_schema": named}
        case _:
            return None


def _options(wire: Body) -> dict[str, Any]:
    thinking, effort = wire.thinking, wire.output_config and wire.output_config.effort
    if effort == _USUAL:
        effort = None
    if thinking is not None and thinking.budget_tokens is not None:
        effort = effort or effort_of(thinking.budget_tokens)
    choice = wire.tool_choice
    user = wire.metadata.user_id if wire.metadata is not None else None
    if user is not None and len(user) > _USER:
        user = hashlib.sha256(user.encode()).hexdigest()
    return {
        "reasoning_effort": "xhigh" if effort == "max" else effort,
        "user": user,
        "parallel_tool_calls": False if choice and choice.disable_parallel_tool_use else None,
        "service_tier": "default" if wire.service_tier == "standard_only" else None,
        "top_k": wire.top_k,
    }
