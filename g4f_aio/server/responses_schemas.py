"""JSON Schemas of OpenAI's Responses API. Objects may have more fields than are named here."""

from __future__ import annotations

from typing import Any

from ..dialects import openai_responses_schema as wire
from ..dialects.openai_responses_listing import LIMIT, MOST
from .json_schema import Schema, Schemas

_STRING: Schema = {"type": "string"}
_COUNT: Schema = {"type": "integer", "minimum": 0}
_TEXT: Schema = {"type": ["string", "null"]}
_FREE: Schema = {"type": ["object", "null"]}
#: bodies of requests by the name of their schema
EXAMPLES: dict[str, Any] = {"ResponseRequest": {"model": "", "input": "Hello!", "stream": False}}
#: what a stream is made of, by the name of the schema of its events
STREAMS = {
    "ResponseEvent": "Events `event: TYPE` and `data: {…}`, each with a ResponseEvent; "
    "`sequence_number` counts them. The first is `response.created`, the last `response.completed`, "
    "`response.incomplete`, or `response.failed` for a stream that fails. Lines that begin with a "
    "colon are comments."
}
#: the parameters of the URL by the schema of the answer
PARAMETERS: dict[str, dict[str, tuple[str, Schema]]] = {
    "ResponseItemList": {
        "limit": (
            "The most items to list.",
            {"type": "integer", "minimum": 1, "maximum": MOST, "default": LIMIT},
        ),
        "order": (
            "The newest first, or the oldest.",
            {"type": "string", "enum": ["asc", "desc"], "default": "desc"},
        ),
        "after": ("Only what comes after the item with this id.", _STRING),
    }
}
_FIELDS = {
    "model": "A model, a provider's name (its default model), `PROVIDER:MODEL`, or nothing for "
    "the default.",
    "input": "A text, or the items of a conversation.",
    "instructions": "What goes before the conversation; a response that goes on from this one "
    "needs its own.",
    "previous_response_id": "The kept response to go on from.",
    "store": "Whether to keep the response for later requests; it is kept unless this is false.",
    "stream": "Whether the answer comes as server-sent events.",
    "background": "Only for providers that speak this API themselves.",
    "provider": "The provider to use; an object is handed on.",
    "api_key": "Your own key for the provider: a string, or an object by provider's name.",
    "timeout": "Seconds for the whole answer.",
    "proxy": "An HTTP proxy for this call, where the settings allow it.",
    "conversation_id": "The conversation to continue: what was said in it goes before the input.",
    "cache": "Whether an answer that was given before will do.",
    "emulate": "Whether the gateway may supply what the provider lacks.",
    "web_search": "A query for the web, of which the model gets what is found; true: the query is "
    "the user's last message.",
}
_LIMITS = {"max_output_tokens": {"minimum": 1}, "timeout": {"exclusiveMinimum": 0}}
_RESPONSE = {
    "id": "resp_abc123",
    "object": "response",
    "created_at": 1677652288,
    "status": "completed",
    "model": "gpt-4o-mini",
    "provider": "OpenAI",
    "output": [
        {
            "id": "msg_abc123",
            "type": "message",
            "status": "completed",
            "role": "assistant",
            "content": [{"type": "output_text", "text": "Hello!", "annotations": []}],
        }
    ],
    "usage": {"input_tokens": 10, "output_tokens": 2, "total_tokens": 12},
}
_EVENT = {
    "type": "response.output_text.delta",
    "sequence_number": 4,
    "item_id": "msg_abc123",
    "output_index": 0,
    "content_index": 0,
    "delta": "Hello",
}


def responses_schemas() -> dict[str, Schema]:
    """The schemas by name."""
    return {**_requests(), **_answers()}


def _requests() -> dict[str, Schema]:
    """What clients send, from the classes that read it."""
    classes = {cls for variants in wire.VARIANTS.values() for cls in variants.values()}
    classes |= {wire.Thought, wire.TextOptions, wire.ReasoningOptions, wire.Sound}
    names: dict[type, str] = {cls: f"Response{cls.__name__}" for cls in classes}
    names[wire.ResponsesBody] = "ResponseRequest"
    made = Schemas(wire.VARIANTS, names)
    made.of(wire.ResponsesBody)
    properties = made.components["ResponseRequest"]["properties"]
    for name, description in _FIELDS.items():
        properties[name]["description"] = description
    for name, limit in _LIMITS.items():
        properties[name].update(limit)
    # a message need not say that it is one, nor a reference
    for cls in (wire.InputMessage, wire.ItemReference):
        made.components[names[cls]]["required"].remove("type")
    return made.components


def _answers() -> dict[str, Schema]:
    return {
        "Response": {"examples": [_RESPONSE]}
        | _object(
            "A whole answer. A provider that speaks this API may add fields and items.",
            id=_STRING,
            object={"const": "response"},
            status={
                **_STRING,
                "enum": [
                    "completed",
                    "incomplete",
                    "failed",
                    "in_progress",
                    "queued",
                    "cancelled",
                ],
            },
            model=_STRING,
            output={
                "type": "array",
                "items": _typed("A message, a thought, a call of a tool, or another item."),
            },
            optional={
                "created_at": {"type": "number", "description": "Unix time in seconds."},
                "provider": {**_STRING, "description": "Who answered."},
                "error": _FREE,
                "incomplete_details": _FREE,
                "previous_response_id": _TEXT,
                "usage": {"anyOf": [_ref("ResponseUsage"), {"type": "null"}]},
            },
        ),
        "ResponseUsage": _object(
            "Tokens.",
            input_tokens=_COUNT,
            output_tokens=_COUNT,
            total_tokens=_COUNT,
            optional={
                "input_tokens_details": _FREE,
                "output_tokens_details": _FREE,
                "estimated": {
                    "type": "boolean",
                    "description": "Counted here, because the provider reported none.",
                },
            },
        ),
        "ResponseEvent": {"examples": [_EVENT]}
        | _object(
            "The data of one event of a stream; its `type` is the name of the event.",
            type=_STRING,
            optional={"sequence_number": _COUNT},
        ),
        "ResponseItemList": _object(
            "A page of a list.",
            object={"const": "list"},
            data={"type": "array", "items": _typed("An item, with an id.")},
            first_id=_TEXT,
            last_id=_TEXT,
            has_more={"type": "boolean"},
        ),
        "ResponseDeleted": _object(
            "It is gone.", id=_STRING, object={"const": "response"}, deleted={"const": True}
        ),
    }


def _typed(about: str) -> Schema:
    return _object(about, type=_STRING)


def _object(about: str, /, *, optional: dict[str, Schema] | None = None, **required: Any) -> Schema:
    return {
        "type": "object",
        "description": about,
        "properties": {**required, **(optional or {})},
        "required": list(required),
    }


def _ref(name: str) -> Schema:
    return {"$ref": f"#/components/schemas/{name}"}
