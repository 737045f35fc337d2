"""Requests of OpenAI's Responses API.

https://platform.openai.com/docs/api-reference/responses/create and the gateway's own extensions.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

import attrs

from ..core.errors import BadRequestError, UnsupportedError
from ..core.requests import ChatRequest, Sampling
from .openai_extensions import OF_CHATS, chat_routing_of, without_extensions
from .openai_responses_events import NAME
from .openai_responses_items import joined, messages, without_our_thoughts
from .openai_responses_schema import InputMessage, ResponsesBody, TextOptions
from .openai_responses_structure import structure
from .openai_responses_tools import Toolbox, tools_of
from .structure import load_object

Json = dict[str, Any]

#: what ``include`` says for log probabilities
LOGPROBS = "message.output_text.logprobs"
#: instead of an input
_INSTEAD = ("previous_response_id", "prompt", "conversation")
#: what makes no difference to who translates a request
_USUAL_TIERS = (None, "auto", "default")


def decode(body: bytes) -> ChatRequest:
    """A client's request; BadRequestError with JSON paths when it is wrong."""
    raw = load_object(body)
    wire = structure(raw)
    _check(wire, raw)
    request = ChatRequest(
        model=wire.model or "",
        messages=(),
        stream=bool(wire.stream),
        sampling=Sampling(wire.temperature, wire.top_p, wire.max_output_tokens),
        response_format=_response_format(wire.text),
        routing=chat_routing_of(wire),
        dialect=NAME,
        accept=NAME,
        raw=without_extensions(raw, OF_CHATS),
    )
    return _with_talk(request, wire, raw)


def continued(
    request: ChatRequest, before: Iterable[Json] | None, known: Mapping[str, Json]
) -> ChatRequest:
    """The request with what it refers to in its place.

    *before* are the items of the response that it goes on from, where they are known; *known* those
    that it only names, by their ids.
    """
    raw = joined(request.raw or {}, before, known)
    return _with_talk(attrs.evolve(request, raw=raw), structure(raw), raw)


def encode(request: ChatRequest, model: str) -> Json:
    """The request as an upstream of this dialect takes it; only those of this dialect can be."""
    if request.raw is None or request.dialect != NAME:
        raise UnsupportedError("Only requests to /v1/responses are handed on as they are")
    raw = without_our_thoughts(request.raw)
    return raw if raw.get("model") == model else raw | {"model": model}


def _with_talk(request: ChatRequest, wire: ResponsesBody, raw: Json) -> ChatRequest:
    """The request with its messages and tools, which go together."""
    toolbox = Toolbox(tools_of(raw))
    tools, choice = toolbox.choose(wire.tool_choice)
    given = wire.input
    items = [InputMessage("user", given)] if isinstance(given, str) else given or ()
    return attrs.evolve(
        request,
        messages=messages(items, toolbox, wire.instructions),
        tools=tools,
        tool_choice=choice,
        options=_options(wire),
    )


def _check(wire: ResponsesBody, raw: Json) -> None:
    """What types cannot say."""
    if not wire.input and not any(raw.get(name) for name in _INSTEAD):
        what = "required field missing" if wire.input is None else "must not be empty"
        raise BadRequestError(f"$.input: {what}", param="input")
    if wire.max_output_tokens is not None and wire.max_output_tokens < 1:
        raise BadRequestError("$.max_output_tokens: must be at least 1", param="max_output_tokens")


def _response_format(text: TextOptions | None) -> Json | None:
    """The form of the answer as chat completions write it."""
    form = text.format if text else None
    if form is None:
        return None
    match form:
        case {"type": "json_schema", "name": str(), "schema": dict()}:
            named = {key: value for key, value in form.items() if key != "type"}
            return {"type": "json_schema", "json_schema": named}
        case {"type": "json_object"}:
            return {"type": "json_object"}
        case {"type": "text"}:
            return None
        case {"type": "json_schema"}:
            raise BadRequestError(
                "$.text.format: json_schema needs name and schema", param="text.format"
            )
        case _:
            raise BadRequestError(
                "$.text.format.type: must be one of text, json_schema, json_object",
                param="text.format.type",
            )


def _options(wire: ResponsesBody) -> Json:
    """The rarer parameters as chat completions name them.

    Hints that only OpenAI's own servers act on (for their caches, say) are not among them: other
    upstreams refuse what they do not know.
    """
    logprobs = LOGPROBS in (wire.include or ()) or None
    options = {
        "reasoning_effort": wire.reasoning and wire.reasoning.effort,
        "verbosity": wire.text and wire.text.verbosity,
        "parallel_tool_calls": wire.parallel_tool_calls if wire.tools else None,
        "user": wire.user,
        "service_tier": None if wire.service_tier in _USUAL_TIERS else wire.service_tier,
        "logprobs": logprobs,
        "top_logprobs": wire.top_logprobs if logprobs else None,
    }
    return {name: value for name, value in options.items() if value is not None}
