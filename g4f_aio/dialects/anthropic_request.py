"""Requests of Anthropic's Messages API, in and out.

https://platform.claude.com/docs/en/api/messages/create
"""

from __future__ import annotations

from typing import Any

import attrs

from ..core.errors import BadRequestError, UnsupportedError
from ..core.messages import Message, TextPart, ToolCall
from ..core.requests import ChatRequest, OtherTool, Sampling, Tool
from .anthropic_content import conversation
from .anthropic_schema import Body, Thought, ToolResult, WireMessage, parts, structure
from .anthropic_thinking import depth_of, effort_of
from .structure import load_object

NAME = "anthropic-messages"

#: options that the API has nothing for; others that it lacks do not change an answer
_REFUSED = ("functions", "function_call", "logit_bias", "logprobs")
#: fields of the API's own that clients of other dialects are used to send along
_OWN = ("thinking", "top_k", "cache_control")
_TIERS = {
    "auto": "auto",
    "priority": "auto",
    "default": "standard_only",
    "flex": "standard_only",
}
#: what a JSON Schema may hold that is no schema
_NO_SCHEMAS = frozenset(("enum", "const", "default", "examples"))


def decode(body: bytes) -> ChatRequest:
    """A client's request; BadRequestError with JSON paths when it is wrong."""
    raw = load_object(body)
    wire = structure(raw)
    if not wire.messages:
        raise BadRequestError("$.messages: must hold at least one message", param="messages")
    system = parts(wire.system)
    messages = [Message("system", system)] if system else []
    for message in wire.messages:
        messages.extend(_messages(message))
    return ChatRequest(
        model=wire.model or "",
        messages=tuple(messages),
        stream=bool(wire.stream),
        sampling=Sampling(
            wire.temperature, wire.top_p, wire.max_tokens, tuple(wire.stop_sequences or ())
        ),
        tools=tuple(wire.tools or ()),
        tool_choice=_tool_choice_in(wire),
        response_format=_response_format(wire),
        options={key: value for key, value in _options(wire).items() if value is not None},
        dialect=NAME,
        accept=NAME,
        raw=raw,
    )


def _messages(wire: WireMessage) -> list[Message]:
    """A wire message as one of ours for each tool's result, and one for the rest."""
    if isinstance(wire.content, str):
        return [Message(wire.role, (TextPart(wire.content),))]
    found, calls, thoughts = [], [], []
    for block in wire.content:
        match block:
            case ToolResult(tool_use_id=id_, parts=result):
                found.append(Message("tool", result, tool_call_id=id_))
            case ToolCall():
                calls.append(block)
            case Thought(text=text):
                thoughts.append(text)
            case _:
                pass
    rest, reasoning = parts(wire.content), "".join(thoughts) or None
    if rest or calls or reasoning or not found:
        found.append(Message(wire.role, rest, tool_calls=tuple(calls), reasoning=reasoning))
    return found


def _tool_choice_in(wire: Body) -> str | dict[str, Any] | None:
    choice = wire.tool_choice
    if choice is None:
        return None
    if choice.type == "tool":
        if choice.name is None:
            raise BadRequestError("$.tool_choice.name: required", param="tool_choice.name")
        return {"type": "function", "function": {"name": choice.name}}
    return "required" if choice.type == "any" else choice.type


def _response_format(wire: Body) -> dict[str, Any] | None:
    match wire.output_config and wire.output_config.format:
        case {"type": "json_schema", "schema": dict(schema)}:
            named = {"name": "answer", "schema": schema, "strict": True}
            return {"type": "json_schema", "json_schema": named}
        case _:
            return None


def _options(wire: Body) -> dict[str, Any]:
    thinking, effort = wire.thinking, wire.output_config and wire.output_config.effort
    if thinking is not None and thinking.budget_tokens is not None:
        effort = effort or effort_of(thinking.budget_tokens)
    choice = wire.tool_choice
    return {
        "reasoning_effort": "xhigh" if effort == "max" else effort,
        "user": wire.metadata and wire.metadata.user_id,
        "parallel_tool_calls": False if choice and choice.disable_parallel_tool_use else None,
        "service_tier": "default" if wire.service_tier == "standard_only" else wire.service_tier,
    }


@attrs.frozen
class Habits:
    """What an upstream is told where the request says nothing.

    *max_tokens* bounds an answer; None: as the model's name allows. *thinking* is one of
    ``anthropic_thinking.FORMS``. *cache*: ask it to cache the prompt for the next request.
    """

    max_tokens: int | None = None
    thinking: str = "auto"
    cache: bool = False


def encode(request: ChatRequest, model: str, habits: Habits) -> dict[str, Any]:
    """The request as an upstream of this dialect takes it; UnsupportedError where it cannot."""
    if request.raw is not None and request.dialect == NAME:
        return request.raw if request.raw.get("model") == model else request.raw | {"model": model}
    return _build(request, model, habits)


def _build(request: ChatRequest, model: str, habits: Habits) -> dict[str, Any]:
    _check(request)
    sampling, options = request.sampling, request.options
    talk = conversation(request.messages)
    depth = depth_of(
        model,
        options.get("reasoning_effort"),
        sampling.max_tokens,
        form=habits.thinking,
        default=habits.max_tokens,
    )
    output = {"effort": depth.effort, "format": _format(request.response_format)}
    user = options.get("user") or options.get("safety_identifier")
    tools, choice = _tools(request)
    optional = {
        "system": list(talk.system) or None,
        "stream": request.stream or None,
        # 1 is what the API goes by anyway, and newer models refuse to be told anything
        "temperature": None if sampling.temperature == 1 else sampling.temperature,
        "top_p": None if sampling.top_p == 1 else sampling.top_p,
        "stop_sequences": list(sampling.stop) or None,
        "tools": tools or None,
        "tool_choice": choice,
        "thinking": depth.thinking,
        "output_config": {k: v for k, v in output.items() if v is not None} or None,
        "metadata": {"user_id": user} if user else None,
        "service_tier": _TIERS.get(options.get("service_tier", "")),
        "cache_control": {"type": "ephemeral"} if habits.cache else None,
    }
    body: dict[str, Any] = {"model": model, "max_tokens": depth.max_tokens}
    body.update({key: value for key, value in optional.items() if value is not None})
    own = {name: options[name] for name in _OWN if name in options}
    return body | own | {"messages": list(talk.messages)}


def _check(request: ChatRequest) -> None:
    """What cannot be said in this dialect is refused by name."""
    sampling, options = request.sampling, request.options
    asked = {
        **{name: options.get(name) for name in _REFUSED},
        "n": request.n > 1,
        "seed": sampling.seed is not None,
        "presence_penalty": sampling.presence_penalty,
        "frequency_penalty": sampling.frequency_penalty,
        "modalities": "audio" in (options.get("modalities") or ()),
        "verbosity": options.get("verbosity", "medium") != "medium",
    }
    wrong = [name for name, value in asked.items() if value]
    if wrong:
        raise UnsupportedError(f"{wrong[0]}: the Messages API has no such thing", param=wrong[0])
    if sampling.temperature is not None and sampling.temperature > 1:
        raise UnsupportedError("temperature: must be from 0 to 1 here", param="temperature")


def _format(wanted: dict[str, Any] | None) -> dict[str, Any] | None:
    match wanted:
        case None | {"type": "text"}:
            return None
        case {"type": "json_schema", "json_schema": {"schema": dict(schema)}}:
            return {"type": "json_schema", "schema": _closed(schema)}
        case {"type": "json_schema"}:
            where = "response_format.json_schema.schema"
            raise BadRequestError(f"{where}: must be an object", param=where)
        case _:
            raise UnsupportedError(
                "response_format: must be text or json_schema here", param="response_format"
            )


def _closed(schema: Any) -> Any:
    """A JSON Schema whose objects take no further keys, as the API demands it.

    Whatever fits it fits the given one, too.
    """
    match schema:
        case dict():
            found = {k: v if k in _NO_SCHEMAS else _closed(v) for k, v in schema.items()}
            kind = schema.get("type")
            is_object = kind == "object" or (type(kind) is list and "object" in kind)
            return {"additionalProperties": False, **found} if is_object else found
        case list():
            return [_closed(one) for one in schema]
        case _:
            return schema


def _tools(request: ChatRequest) -> tuple[list[dict[str, Any]], dict[str, Any] | None]:
    """The tools that the request allows, and how to choose among them."""
    tools = [_tool(tool) for tool in request.tools]
    search = request.options.get("web_search_options")
    choice = request.tool_choice
    if type(choice) is dict and choice.get("type") == "allowed_tools":
        allowed = choice.get("allowed_tools") or choice
        names = {_named(one) for one in allowed.get("tools") or ()}
        tools = [tool for tool in tools if tool.get("name") in names]
        choice = allowed.get("mode")
    if type(search) is dict:
        tools.append(_web_search(search))
    single = request.options.get("parallel_tool_calls") is False
    found: dict[str, Any] | None
    match choice:
        case None:
            found = {"type": "auto"} if single else None
        case "auto" | "none":
            found = {"type": choice}
        case "required":
            found = {"type": "any"}
        case {"type": "function"} if name := _named(choice):
            found = {"type": "tool", "name": name}
        case _:
            raise UnsupportedError(
                "tool_choice: must be none, auto, required, a function or allowed_tools here",
                param="tool_choice",
            )
    if not tools and choice in (None, "auto", "none"):
        return [], None
    if single and found and found["type"] != "none":
        found["disable_parallel_tool_use"] = True
    return tools, found


def _named(tool: Any) -> str | None:
    """The name in ``{"type": "function", "function": {"name"}}``, or in the flat form of it."""
    match tool:
        case {"function": {"name": str(name)}} | {"name": str(name)}:
            return name
        case _:
            return None


def _tool(tool: Tool | OtherTool) -> dict[str, Any]:
    if isinstance(tool, OtherTool):
        if tool.type == "custom":
            raise UnsupportedError("tools: custom tools are not supported", param="tools")
        return tool.raw
    schema = {"type": "object", **(tool.parameters or {"properties": {}})}
    described = {} if tool.description is None else {"description": tool.description}
    return {"name": tool.name, **described, "input_schema": schema}


def _web_search(wanted: dict[str, Any]) -> dict[str, Any]:
    """The API's own tool for what OpenAI has an option for."""
    tool = {"type": "web_search_20250305", "name": "web_search"}
    match wanted.get("user_location"):
        case {"approximate": dict(place)}:
            return tool | {"user_location": {"type": "approximate", **place}}
        case _:
            return tool
