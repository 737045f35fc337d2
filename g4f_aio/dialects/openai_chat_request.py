"""Requests of OpenAI's chat completions, in and out.

https://platform.openai.com/docs/api-reference/chat/create and the gateway's own extensions
(contract section 4).
"""

from __future__ import annotations

from typing import Any

import attrs

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
from ..core.requests import NO_ROUTING, ChatRequest, OtherTool, Routing, Sampling, Tool
from .openai_chat_schema import Body, WireMessage, structure
from .structure import load_object

NAME = "openai-chat"

#: fields of this gateway, never sent upstream
EXTENSIONS = frozenset(
    (
        "provider",
        "proxy",
        "api_key",
        "conversation_id",
        "timeout",
        "cache",
        "emulate",
        "web_search",
        "media",
        "images",
        "image",
        "download_media",
    )
)
#: extensions that nothing here can supply yet
_UNAVAILABLE = ("web_search", "media", "images", "image")
#: what a ChatRequest has a field for; everything else goes to its options
_FIELDS = frozenset(
    (
        "model",
        "messages",
        "stream",
        "stream_options",
        "temperature",
        "top_p",
        "max_tokens",
        "stop",
        "seed",
        "presence_penalty",
        "frequency_penalty",
        "tools",
        "tool_choice",
        "response_format",
        "n",
    )
)
_TAKEN = _FIELDS | EXTENSIONS


def decode(body: bytes) -> ChatRequest:
    """A client's request; BadRequestError with JSON paths when it is wrong."""
    raw = load_object(body)
    wire = structure(raw)
    _check(wire, raw)
    options = {
        name: value for name, value in raw.items() if name not in _TAKEN and value is not None
    }
    if type(wire.provider) is dict:
        options["provider"] = wire.provider
    stop = wire.stop
    return ChatRequest(
        model=wire.model or "",
        messages=tuple(map(_message, wire.messages, raw["messages"])),
        stream=bool(wire.stream),
        sampling=Sampling(
            wire.temperature,
            wire.top_p,
            wire.max_tokens if wire.max_completion_tokens is None else wire.max_completion_tokens,
            (stop,) if isinstance(stop, str) else tuple(stop or ()),
            wire.seed,
            wire.presence_penalty,
            wire.frequency_penalty,
        ),
        tools=tuple(wire.tools or ()),
        tool_choice=wire.tool_choice,
        response_format=wire.response_format,
        n=wire.n or 1,
        include_usage=wire.stream_options.include_usage if wire.stream_options else None,
        options=options,
        routing=_routing(wire),
        dialect=NAME,
        accept=NAME,
        raw=_without_extensions(raw),
    )


def encode(request: ChatRequest, model: str, *, ask_usage: bool = True) -> dict[str, Any]:
    """The request as an upstream of this dialect takes it.

    *ask_usage* asks for usage in a stream where the caller did not say anything about it.
    """
    if request.raw is not None and request.dialect == NAME:
        body = request.raw if request.raw.get("model") == model else request.raw | {"model": model}
    else:
        body = _build(request, model)
    if request.stream and ask_usage and request.include_usage is None:
        options = body.get("stream_options") or {}
        body = body | {"stream_options": options | {"include_usage": True}}
    return body


def _check(wire: Body, raw: dict[str, Any]) -> None:
    """What types cannot say."""
    if not wire.messages:
        raise BadRequestError("$.messages: must hold at least one message", param="messages")
    if wire.n is not None and wire.n < 1:
        raise BadRequestError("$.n: must be at least 1", param="n")
    if wire.timeout is not None and wire.timeout <= 0:
        raise BadRequestError("$.timeout: must be more than 0 seconds", param="timeout")
    for name in _UNAVAILABLE:
        if raw.get(name):
            raise UnsupportedError(f"$.{name}: nothing here can supply it", param=name)


def _routing(wire: Body) -> Routing:
    asked = (wire.provider, wire.conversation_id, wire.api_key, wire.proxy, wire.timeout)
    if not any(asked) and wire.cache is None and wire.emulate is None:
        return NO_ROUTING
    keys = wire.api_key or {}
    return Routing(
        provider=wire.provider if isinstance(wire.provider, str) and wire.provider else None,
        conversation_id=wire.conversation_id or None,
        api_keys={"": keys} if isinstance(keys, str) else keys,
        proxy=wire.proxy or None,
        timeout=wire.timeout,
        cache=wire.cache,
        emulate=wire.emulate,
    )


def _without_extensions(raw: dict[str, Any]) -> dict[str, Any]:
    if EXTENSIONS.isdisjoint(raw):
        return raw
    kept = {key: value for key, value in raw.items() if key not in EXTENSIONS}
    if type(raw.get("provider")) is dict:
        kept["provider"] = raw["provider"]
    return kept


def _message(wire: WireMessage, raw: dict[str, Any]) -> Message:
    content = wire.content
    if type(content) is str and len(raw) == 2:  # noqa: PLR2004  (role and content, as nearly always)
        return Message(wire.role, (TextPart(content),))
    parts: tuple[Part, ...]
    if content is None:
        parts = ()
    elif isinstance(content, str):
        parts = (TextPart(content),)
    else:
        parts = tuple(content)
    if wire.refusal:
        parts += (RefusalPart(wire.refusal),)
    return Message(
        role=wire.role,
        parts=parts,
        name=wire.name,
        tool_calls=tuple(wire.tool_calls or ()),
        tool_call_id=wire.tool_call_id,
        reasoning=wire.reasoning_content,
        extra={k: v for k, v in raw.items() if k not in _MESSAGE_KEYS},
    )


def _build(request: ChatRequest, model: str) -> dict[str, Any]:
    sampling = request.sampling
    body: dict[str, Any] = {
        "model": model,
        "messages": [encode_message(message) for message in request.messages],
    }
    optional = {
        "stream": request.stream or None,
        "temperature": sampling.temperature,
        "top_p": sampling.top_p,
        "stop": list(sampling.stop) or None,
        "seed": sampling.seed,
        "presence_penalty": sampling.presence_penalty,
        "frequency_penalty": sampling.frequency_penalty,
        "tools": [_tool(tool) for tool in request.tools] or None,
        "tool_choice": request.tool_choice,
        "response_format": request.response_format,
        "n": request.n if request.n > 1 else None,
        **request.options,
        # OpenAI's reasoning models refuse the older name
        "max_completion_tokens"
        if "max_completion_tokens" in request.options
        else "max_tokens": sampling.max_tokens,
    }
    body.update({key: value for key, value in optional.items() if value is not None})
    if request.stream and request.include_usage is not None:
        body["stream_options"] = {"include_usage": request.include_usage}
    return body


def encode_message(message: Message) -> dict[str, Any]:
    """A message as this dialect writes it."""
    wire: dict[str, Any] = {"role": message.role, "content": None}
    refusals = [part.text for part in message.parts if isinstance(part, RefusalPart)]
    parts = [part for part in message.parts if not isinstance(part, RefusalPart)]
    match parts:
        case []:
            # only an assistant that refused or called tools may have said nothing
            if message.role != "assistant" or not (message.tool_calls or refusals):
                wire["content"] = ""
        case [TextPart(text=text)]:
            wire["content"] = text
        case _:
            wire["content"] = [_part(part) for part in parts]
    if refusals:
        wire["refusal"] = "".join(refusals)
    if message.tool_calls:
        wire["tool_calls"] = [tool_call_object(call) for call in message.tool_calls]
    optional = {
        "name": message.name,
        "tool_call_id": message.tool_call_id,
        "reasoning_content": message.reasoning,
    }
    wire.update({key: value for key, value in optional.items() if value is not None})
    return wire | message.extra


def tool_call_object(call: ToolCall) -> dict[str, Any]:
    """A whole call of a tool as this dialect writes it."""
    if call.type == "custom":
        custom = {"name": call.name, "input": call.arguments}
        return {"id": call.id, "type": "custom", "custom": custom}
    function = {"name": call.name, "arguments": call.arguments}
    return {"id": call.id, "type": "function", "function": function}


def _tool(tool: Tool | OtherTool) -> dict[str, Any]:
    if isinstance(tool, OtherTool):
        return tool.raw
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


def _part(
    part: TextPart | ImagePart | AudioPart | FilePart | OtherPart,
) -> dict[str, Any]:
    match part:
        case TextPart(text=text):
            return {"type": "text", "text": text}
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


_MESSAGE_KEYS = frozenset(field.name for field in attrs.fields(WireMessage))
