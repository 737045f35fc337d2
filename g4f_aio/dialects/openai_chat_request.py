"""Requests of OpenAI's chat completions, in and out.

https://platform.openai.com/docs/api-reference/chat/create and the gateway's own extensions
(contract section 4).
"""

from __future__ import annotations

from typing import Any

import attrs

from ..core.errors import BadRequestError, UnsupportedError
from ..core.messages import Message, Part, RefusalPart, TextPart
from ..core.requests import NO_ROUTING, ChatRequest, Sampling
from .foreign import demand_translatable
from .openai_chat_functions import with_tools
from .openai_chat_parts import (
    NAME,
    as_it_came,
    known_tool,
    origin_of,
    part_object,
    plain_messages,
    tool_call_object,
    tool_object,
)
from .openai_chat_quirks import Quirks
from .openai_chat_schema import Body, WireMessage, structure
from .openai_extensions import OF_CHATS, chat_routing_of, without_extensions
from .structure import load_object

#: fields of this gateway, never sent upstream
EXTENSIONS = OF_CHATS | {"media", "images", "image", "download_media"}
#: extensions that nothing here can supply yet
_UNAVAILABLE = ("media", "images", "image")
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
#: what a Sampling has a field for, and how that looks where there is none of them
_SAMPLING = frozenset(field.name for field in attrs.fields(Sampling)) | {"max_completion_tokens"}
_NO_SAMPLING = Sampling()
_NO_QUIRKS = Quirks()


def decode(body: bytes) -> ChatRequest:
    """A client's request; BadRequestError with JSON paths when it is wrong."""
    raw = load_object(body)
    messages = plain_messages(raw.get("messages"))
    wire = structure(raw, len(messages))
    _check(wire, messages)
    if wire.messages:
        messages += tuple(map(_message, wire.messages, raw["messages"][len(messages) :]))
    options: dict[str, Any] = {}
    if raw.keys() <= _FIELDS:  # as nearly always
        routing, sent = NO_ROUTING, raw
    else:
        _check_available(raw)
        options = _options(wire, raw)
        routing, sent = chat_routing_of(wire), without_extensions(raw, EXTENSIONS)
    request = ChatRequest(
        model=wire.model or "",
        messages=messages,
        stream=wire.stream or False,
        sampling=_NO_SAMPLING if raw.keys().isdisjoint(_SAMPLING) else _sampling(wire),
        tools=tuple(map(known_tool, wire.tools, raw["tools"])) if wire.tools else (),
        tool_choice=wire.tool_choice,
        response_format=wire.response_format,
        n=wire.n or 1,
        include_usage=wire.stream_options.include_usage if wire.stream_options else None,
        options=options,
        routing=routing,
        dialect=NAME,
        accept=NAME,
        raw=sent,
    )
    return with_tools(request, raw) if b'"function' in body else request


def encode(
    request: ChatRequest, model: str, quirks: Quirks = _NO_QUIRKS, *, ask_usage: bool = True
) -> dict[str, Any]:
    """The request as an upstream of this dialect takes it, with its *quirks*.

    *ask_usage* asks for usage in a stream where the caller did not say anything about it.
    """
    if request.raw is not None and request.dialect == NAME:
        body = request.raw if request.raw.get("model") == model else request.raw | {"model": model}
    else:
        body = _build(request, model, quirks)
    if request.stream and ask_usage and request.include_usage is None:
        options = body.get("stream_options") or {}
        body = body | {"stream_options": options | {"include_usage": True}}
    return body


def _check(wire: Body, messages: tuple[Message, ...]) -> None:
    """What types cannot say; *messages* are those that are not in *wire*."""
    if not (messages or wire.messages):
        raise BadRequestError("$.messages: must hold at least one message", param="messages")
    if wire.n is not None and wire.n < 1:
        raise BadRequestError("$.n: must be at least 1", param="n")


def _check_available(raw: dict[str, Any]) -> None:
    for name in _UNAVAILABLE:
        if raw.get(name):
            raise UnsupportedError(f"$.{name}: nothing here can supply it", param=name)


def _options(wire: Body, raw: dict[str, Any]) -> dict[str, Any]:
    options = {
        name: value for name, value in raw.items() if name not in _TAKEN and value is not None
    }
    if type(wire.provider) is dict:
        options["provider"] = wire.provider
    return options


def _sampling(wire: Body) -> Sampling:
    newer, stop = wire.max_completion_tokens, wire.stop
    return Sampling(
        wire.temperature,
        wire.top_p,
        wire.max_tokens if newer is None else newer,
        () if stop is None else (stop,) if isinstance(stop, str) else tuple(stop),
        wire.seed,
        wire.presence_penalty,
        wire.frequency_penalty,
    )


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
    calls = tuple(wire.tool_calls or ())
    return Message(
        role=wire.role,
        parts=parts,
        name=wire.name,
        tool_calls=calls,
        tool_call_id=wire.tool_call_id,
        reasoning=wire.reasoning_content,
        extra={k: v for k, v in raw.items() if k not in _MESSAGE_KEYS},
        origin=origin_of(raw, wire.role, parts, calls, wire.tool_call_id),
    )


def _build(request: ChatRequest, model: str, quirks: Quirks) -> dict[str, Any]:
    demand_translatable(request, NAME)
    sampling = request.sampling
    newer = quirks.max_completion_tokens or "max_completion_tokens" in request.options
    body: dict[str, Any] = {
        "model": model,
        "messages": [encode_message(message) for message in quirks.taken(request.messages)],
    }
    optional = {
        "stream": request.stream or None,
        "temperature": sampling.temperature,
        "top_p": sampling.top_p,
        "stop": list(sampling.stop) or None,
        "seed": sampling.seed,
        "presence_penalty": sampling.presence_penalty,
        "frequency_penalty": sampling.frequency_penalty,
        "tools": [tool_object(tool) for tool in request.tools] or None,
        "tool_choice": request.tool_choice,
        "response_format": request.response_format,
        "n": request.n if request.n > 1 else None,
        **request.options,
        # OpenAI's reasoning models refuse the older name
        "max_completion_tokens" if newer else "max_tokens": sampling.max_tokens,
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
            wire["content"] = [part_object(part) for part in parts]
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
    return wire | as_it_came(message) | message.extra


_MESSAGE_KEYS = frozenset(field.name for field in attrs.fields(WireMessage))
