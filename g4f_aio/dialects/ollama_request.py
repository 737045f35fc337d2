"""Requests of Ollama's own chat API.

https://docs.ollama.com/api/chat
"""

from __future__ import annotations

import base64
from collections.abc import Iterator
from typing import Any
from urllib.parse import unquote_to_bytes

import orjson

from ..core.errors import BadRequestError, UnsupportedError
from ..core.messages import (
    AudioPart,
    FilePart,
    ImagePart,
    Message,
    OtherPart,
    Part,
    RefusalPart,
    TextPart,
    ToolCall,
)
from ..core.requests import ChatRequest, OtherTool, Tool
from .foreign import demand_translatable

Json = dict[str, Any]

#: options that change an answer, and that this API has no word for
_UNAVAILABLE = (
    "logit_bias",
    "functions",
    "function_call",
    "audio",
    "web_search_options",
)
#: options of the model that clients send beside OpenAI's own
_MODEL_OPTIONS = ("top_k", "min_p", "typical_p", "repeat_penalty", "repeat_last_n")
_ROLES = {"developer": "system", "function": "tool"}
#: the levels that all versions know, for those of OpenAI that they may not
_LEVELS = {"minimal": "low", "xhigh": "high"}


def encode(request: ChatRequest, model: str, *, num_ctx: int | None = None) -> Json:
    """The request's body. *num_ctx*: the size of the context in tokens."""
    options = request.options
    for name in _UNAVAILABLE:
        if options.get(name):
            raise _unsupported(name, "Ollama's API has no such parameter")
    if options.get("verbosity", "medium") != "medium":
        raise _unsupported("verbosity", "Ollama's API has no such parameter")
    demand_translatable(request, "ollama")
    if request.n > 1:
        raise _unsupported("n", "Ollama gives one answer at a time")
    if set(options.get("modalities") or ()) - {"text"}:
        raise _unsupported("modalities", "Ollama answers with text alone")
    optional = {
        "tools": list(_tools(request)) or None,
        "format": _format(request.response_format),
        "options": _options(request, num_ctx) or None,
        "think": _think(options.get("reasoning_effort")),
        "logprobs": True if options.get("logprobs") else None,
        "top_logprobs": options.get("top_logprobs") if options.get("logprobs") else None,
    }
    return {
        "model": model,
        "messages": list(_messages(request)),
        # it streams unless it is told not to
        "stream": request.stream,
        **_given(optional),
    }


def _options(request: ChatRequest, num_ctx: int | None) -> Json:
    """How the model is run; what is not said is as its own settings have it."""
    sampling = request.sampling
    asked = {
        "temperature": sampling.temperature,
        "top_p": sampling.top_p,
        "num_predict": sampling.max_tokens,
        "stop": list(sampling.stop) or None,
        "seed": sampling.seed,
        "presence_penalty": sampling.presence_penalty,
        "frequency_penalty": sampling.frequency_penalty,
        "num_ctx": num_ctx,
        **{name: request.options.get(name) for name in _MODEL_OPTIONS},
    }
    return _given(asked)


def _think(effort: str | None) -> str | bool | None:
    """How much to think: a level of the model's, or whether at all; None leaves it to the model."""
    if effort is None:
        return None
    return False if effort == "none" else _LEVELS.get(effort, effort)


def _format(asked: Json | None) -> str | Json | None:
    match asked:
        case None | {"type": "text"}:
            return None
        case {"type": "json_object"}:
            return "json"
        case {"type": "json_schema", "json_schema": {"schema": dict(schema)}}:
            return schema
        case {"type": "json_schema"}:
            raise BadRequestError(
                "$.response_format.json_schema.schema: required field missing",
                param="response_format.json_schema.schema",
            )
        case _:
            raise _unsupported("response_format.type", f"Ollama knows no {asked.get('type')!r}")


# tools


def _tools(request: ChatRequest) -> Iterator[Json]:
    allowed = _allowed(request.tool_choice) if request.tools else None
    for index, tool in enumerate(request.tools):
        match tool:
            case Tool() if allowed is None or tool.name in allowed:
                yield {"type": "function", "function": _function(tool)}
            case Tool():
                pass
            case OtherTool(type=kind):  # pragma: no branch
                raise _unsupported(f"tools[{index}].type", f"Ollama takes no tool of type {kind!r}")


def _function(tool: Tool) -> Json:
    return {
        "name": tool.name,
        "description": tool.description or "",
        "parameters": tool.parameters or {"type": "object", "properties": {}},
    }


def _allowed(choice: str | Json | None) -> set[str] | None:
    """The names of the tools that may be called; None for all of them."""
    match choice:
        case None | "auto":
            return None
        case "none":
            return set()
        case {"type": "allowed_tools", "allowed_tools": {"mode": "auto", "tools": list(tools)}}:
            return set(_names(tools))
        case _:
            raise _unsupported("tool_choice", "Ollama cannot make a model call a tool")


def _names(tools: list[Any]) -> Iterator[str]:
    for one in tools:
        match one:
            case {"function": {"name": str(name)}} | {"name": str(name)}:
                yield name
            case _:
                raise BadRequestError(
                    "$.tool_choice.allowed_tools.tools: expected functions with a name",
                    param="tool_choice.allowed_tools.tools",
                )


# messages


def _messages(request: ChatRequest) -> Iterator[Json]:
    called: dict[str, str] = {}
    for index, message in enumerate(request.messages):
        yield _message(message, f"messages[{index}]", called)
        called.update((call.id, call.name) for call in message.tool_calls)


def _message(message: Message, where: str, called: dict[str, str]) -> Json:
    """A message; *called* are the names of the tools called before, by the ids of the calls."""
    texts: list[str] = []
    images: list[str] = []
    for index, part in enumerate(message.parts):
        _part(part, f"{where}.content[{index}]", texts, images)
    role = _ROLES.get(message.role, message.role)
    optional = {
        "images": images or None,
        "thinking": message.reasoning,
        "tool_calls": [_call(call) for call in message.tool_calls] or None,
    }
    if role == "tool":
        optional["tool_name"] = called.get(message.tool_call_id or "") or message.name
        optional["tool_call_id"] = message.tool_call_id
    return {"role": role, "content": "\n".join(texts), **_given(optional)}


def _part(part: Part, where: str, texts: list[str], images: list[str]) -> None:
    """Put a part of a message, which is at the path *where*, to the *texts* or the *images*."""
    match part:
        case TextPart(text=text) | RefusalPart(text=text):
            texts.append(text)
        case ImagePart(url=url):
            images.append(_image(url, f"{where}.image_url.url"))
        case AudioPart():
            raise _unsupported(f"{where}.type", "Ollama takes no audio")
        case FilePart():
            raise _unsupported(f"{where}.type", "Ollama takes no files")
        case OtherPart(type=kind):  # pragma: no branch
            raise _unsupported(f"{where}.type", f"Ollama takes no part of type {kind!r}")


def _image(url: str, where: str) -> str:
    """An image as bare base64: the server fetches none."""
    if not url.startswith("data:"):
        raise _unsupported(where, "Ollama takes an image only as a data: URI")
    head, _, data = url.partition(",")
    if head.endswith(";base64"):
        return data
    return base64.b64encode(unquote_to_bytes(data)).decode()


def _call(call: ToolCall) -> Json:
    """A call with its arguments as an object, whatever the model made of them."""
    if call.type == "custom":
        arguments: object = {"input": call.arguments}
    else:
        try:
            arguments = orjson.loads(call.arguments or "{}")
        except orjson.JSONDecodeError:
            arguments = None
        if type(arguments) is not dict:
            arguments = {"arguments": call.arguments}
    return {"id": call.id, "function": {"name": call.name, "arguments": arguments}}


def _unsupported(path: str, what: str) -> UnsupportedError:
    return UnsupportedError(f"$.{path}: {what}", param=path)


def _given(optional: Json) -> Json:
    return {key: value for key, value in optional.items() if value is not None}
