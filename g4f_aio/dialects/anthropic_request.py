"""Requests of Anthropic's Messages API, as its servers take them.

https://platform.claude.com/docs/en/api/messages/create
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

import attrs

from ..core.errors import BadRequestError, UnsupportedError
from ..core.requests import ChatRequest, OtherTool, Tool
from .anthropic_content import Conversation, conversation, is_foreign, sealed
from .anthropic_errors import NAME
from .anthropic_thinking import Depth, SealedThoughts, depth_of, is_thought
from .foreign import Other, demand_translatable

#: what the endpoint takes that counts tokens
_PROMPT = frozenset(
    (
        "model",
        "messages",
        "system",
        "tools",
        "tool_choice",
        "thinking",
        "output_config",
        "cache_control",
    )
)
#: options that the API has nothing for; others that it lacks do not change an answer
_REFUSED = ("functions", "function_call", "logit_bias", "logprobs")
#: fields of the API's own that clients of other dialects are used to send along
_OWN = ("top_k", "cache_control")
_OWN_TOOL = re.compile(r"[a-z_]+_20\d{6}")
_TIERS = {
    "auto": "auto",
    "priority": "auto",
    "default": "standard_only",
    "flex": "standard_only",
}
#: what a JSON Schema may hold that is no schema
_NO_SCHEMAS = frozenset(("enum", "const", "default", "examples"))


@attrs.frozen
class Habits:
    """What an upstream is told where the request says nothing.

    *max_tokens* bounds an answer; None: as the model's name allows. *thinking* is one of
    ``anthropic_thinking.FORMS``. *cache*: ask it to cache the prompt for the next request.
    """

    max_tokens: int | None = None
    thinking: str = "auto"
    cache: bool = False


def encode(
    request: ChatRequest,
    model: str,
    habits: Habits,
    thoughts: SealedThoughts | None = None,
    provider: str = "",
) -> dict[str, Any]:
    """The request as an upstream of this dialect takes it; UnsupportedError where it cannot.

    *thoughts* are those that clients of other dialects do not send back; those that they do are for
    the *provider* that they are of.
    """
    if request.raw is None or request.dialect != NAME:
        return _build(request, model, habits, thoughts, provider)
    raw = request.raw
    if any(map(_holds_foreign, raw["messages"])):
        raw = raw | {"messages": list(_without_foreign(raw["messages"]))}
    return raw if raw.get("model") == model else raw | {"model": model}


def encode_prompt(request: ChatRequest, model: str, habits: Habits) -> dict[str, Any]:
    """The request as the endpoint that counts its tokens takes it."""
    body = encode(request, model, habits)
    if request.raw is not None and request.dialect == NAME:
        return body
    return {key: value for key, value in body.items() if key in _PROMPT}


def _holds_foreign(message: dict[str, Any]) -> bool:
    content = message["content"]
    return type(content) is list and any(map(is_foreign, content))


def _without_foreign(messages: list[dict[str, Any]]) -> Iterator[dict[str, Any]]:
    for message in messages:
        if not _holds_foreign(message):
            yield message
        elif content := sealed(message["content"]):
            yield message | {"content": content}


def _build(
    request: ChatRequest,
    model: str,
    habits: Habits,
    thoughts: SealedThoughts | None,
    provider: str,
) -> dict[str, Any]:
    demand_translatable(request, NAME, _takes)
    _check(request)
    sampling, options = request.sampling, request.options
    own = request.own if request.dialect == NAME else {}
    depth = _depth(request, model, habits)
    kind = (depth.thinking or {}).get("type", "disabled")
    talk = conversation(request.messages, None if kind == "disabled" else thoughts, provider)
    thinking = None if kind == "enabled" and _interrupted(talk) else depth.thinking
    # a format that came in by its older name keeps it
    form = None if "output_format" in own else _format(request.response_format)
    output = {"effort": depth.effort} | (own.get("output_config") or {}) | {"format": form}
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
        "metadata": {"user_id": user} if user else None,
        "service_tier": _TIERS.get(options.get("service_tier", "")),
        "cache_control": {"type": "ephemeral"} if habits.cache else None,
    }
    asked = optional | {name: options[name] for name in _OWN if name in options} | own
    asked["thinking"] = thinking
    asked["output_config"] = {k: v for k, v in output.items() if v is not None} or None
    body: dict[str, Any] = {"model": model, "max_tokens": depth.max_tokens}
    body.update({key: value for key, value in asked.items() if value is not None})
    return body | {"messages": list(talk.messages)}


def _takes(other: Other) -> bool:
    """Clients of other dialects may ask for the API's own tools, whose versions are dates."""
    return isinstance(other, OtherTool) and _OWN_TOOL.fullmatch(other.type) is not None


def _depth(request: ChatRequest, model: str, habits: Habits) -> Depth:
    """How long to think and to answer; a request of this dialect says it itself."""
    same = request.dialect == NAME
    options = request.own if same else request.options
    depth = depth_of(
        model,
        None if same else options.get("reasoning_effort"),
        request.sampling.max_tokens,
        form=habits.thinking,
        default=habits.max_tokens,
    )
    thinking = options.get("thinking")
    return attrs.evolve(depth, thinking=thinking) if type(thinking) is dict else depth


def _interrupted(talk: Conversation) -> bool:
    """Whether thoughts are missing before calls of tools that are just being answered.

    The API then refuses to go on thinking in the same turn, unless it may decide about it itself.
    """
    turns = talk.messages
    if len(turns) < 2 or "tool_result" not in _kinds(turns[-1]):  # noqa: PLR2004
        return False
    at = len(turns) - 2
    while at >= 2 and _kinds(turns[at - 1]) == {"tool_result"}:  # noqa: PLR2004
        at -= 2
    return not _begins_with_thought(turns[at]["content"])


def _kinds(turn: dict[str, Any]) -> set[str | None]:
    blocks = turn["content"]
    return {block.get("type") for block in blocks} if type(blocks) is list else {"text"}


def _begins_with_thought(blocks: Any) -> bool:
    return type(blocks) is list and is_thought(blocks[0])


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
        raise UnsupportedError(f"$.{wrong[0]}: the Messages API has no such thing", param=wrong[0])
    if sampling.temperature is not None and sampling.temperature > 1:
        raise UnsupportedError("$.temperature: must be from 0 to 1 here", param="temperature")


def _format(wanted: dict[str, Any] | None) -> dict[str, Any] | None:
    match wanted:
        case None | {"type": "text"}:
            return None
        case {"type": "json_schema", "json_schema": {"schema": dict(schema)}}:
            return {"type": "json_schema", "schema": _closed(schema)}
        case {"type": "json_schema"}:
            where = "response_format.json_schema.schema"
            raise BadRequestError(f"$.{where}: must be an object", param=where)
        case _:
            raise UnsupportedError(
                "$.response_format: must be text or json_schema here", param="response_format"
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
                "$.tool_choice: must be none, auto, required, a function or allowed_tools here",
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
        return tool.raw
    came: dict[str, Any] | None = tool.wire(NAME)
    if came is not None:
        return came
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
