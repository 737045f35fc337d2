"""The types of the official SDKs, strictly: their own way to read takes nearly everything.

A value must have every field that its type requires, none of a wrong type, and none that the type
does not have but for the extensions that the documentation tells of.
"""

from __future__ import annotations

from collections.abc import Iterator
from functools import cache
from typing import Any, TypeVar, get_args

import anthropic.types
from anthropic.types import (
    Message,
    RawContentBlockDeltaEvent,
    RawContentBlockStartEvent,
    RawContentBlockStopEvent,
    RawMessageDeltaEvent,
    RawMessageStartEvent,
    RawMessageStopEvent,
)
from openai.types.chat import ChatCompletion, ChatCompletionChunk
from openai.types.responses import Response, ResponseStreamEvent
from pydantic import BaseModel, TypeAdapter

Json = dict[str, Any]
M = TypeVar("M", bound=BaseModel)

#: what answers may have besides the fields of the SDKs' types
EXTENSIONS = frozenset(
    (
        ("ChatCompletion", "provider"),
        ("ChatCompletionMessage", "reasoning_content"),
        ("ChoiceDelta", "reasoning_content"),
        ("ChoiceDelta", "annotations"),
        ("ChoiceDeltaToolCall", "custom"),
        ("CompletionUsage", "estimated"),
        # what upstreams add to their usage, and what of it is handed on
        ("CompletionUsage", "cost"),
        ("CompletionUsage", "prompt_cache_hit_tokens"),
        ("CompletionUsage", "prompt_cache_miss_tokens"),
        ("Response", "provider"),
        ("ResponseUsage", "estimated"),
        ("Usage", "estimated"),
        ("MessageDeltaUsage", "estimated"),
        # what the API itself writes, though its SDK does not tell of it
        ("Response", "store"),
        ("ResponseCustomToolCall", "status"),
        ("ResponseTextDeltaEvent", "obfuscation"),
        # required by SDKs before 3.9
        ("ResponseFunctionCallArgumentsDoneEvent", "name"),
    )
)
#: the SDK's class for each type of event
RESPONSE_EVENTS: dict[str, type[BaseModel]] = {
    get_args(cls.model_fields["type"].annotation)[0]: cls
    for cls in get_args(get_args(ResponseStreamEvent)[0])
}
MESSAGE_EVENTS: dict[str, type[BaseModel]] = {
    get_args(cls.model_fields["type"].annotation)[0]: cls
    for cls in (
        RawMessageStartEvent,
        RawMessageDeltaEvent,
        RawMessageStopEvent,
        RawContentBlockStartEvent,
        RawContentBlockDeltaEvent,
        RawContentBlockStopEvent,
        anthropic.types.ErrorResponse,
    )
}


def completion(value: Json) -> ChatCompletion:
    """A whole chat completion."""
    return strictly(ChatCompletion, value)


def chunk(value: Json) -> ChatCompletionChunk:
    """A chunk of one."""
    return strictly(ChatCompletionChunk, value)


def response(value: Json) -> Response:
    """A whole response."""
    return strictly(Response, value)


def response_event(value: Json) -> BaseModel:
    """An event of one."""
    return strictly(RESPONSE_EVENTS[value["type"]], value)


def message(value: Json) -> Message:
    """A whole message."""
    return strictly(Message, value)


def message_event(value: Json) -> BaseModel | None:
    """An event of one; None for a ping, which the SDK has no type for."""
    if value["type"] == "ping":
        assert value == {"type": "ping"}
        return None
    return strictly(MESSAGE_EVENTS[value["type"]], value)


def strictly(shape: type[M], value: Json) -> M:
    """*value* as that type; an error where anything of it is not as it should be."""
    found: M = _adapter(shape).validate_python(value, strict=True)
    unknown = sorted(set(_unknown(found, shape.__name__)))
    assert not unknown, f"no such fields: {', '.join(unknown)}"
    return found


@cache
def _adapter(shape: type[M]) -> TypeAdapter[M]:
    return TypeAdapter(shape)


def _unknown(value: object, path: str) -> Iterator[str]:
    """The paths of the fields that the types do not have."""
    match value:
        case BaseModel():
            kind = type(value).__name__
            for name in value.model_extra or ():
                if (kind, name) not in EXTENSIONS:
                    yield f"{path}.{name} ({kind})"
            for name in value.model_fields_set & type(value).model_fields.keys():
                yield from _unknown(getattr(value, name), f"{path}.{name}")
        case list():
            for one in value:
                yield from _unknown(one, f"{path}[]")
        case _:
            pass
