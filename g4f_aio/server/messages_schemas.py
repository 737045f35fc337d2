"""JSON Schemas of Anthropic's Messages API. Objects may have more fields than are named here."""

from __future__ import annotations

from typing import Any

from ..core.requests import OtherTool, Tool
from ..dialects import anthropic_blocks as blocks
from ..dialects import anthropic_schema as wire
from .json_schema import Schema, Schemas

_STRING: Schema = {"type": "string"}
_COUNT: Schema = {"type": "integer", "minimum": 0}
_TEXT: Schema = {"type": ["string", "null"]}
_STOPS = (
    "end_turn",
    "max_tokens",
    "stop_sequence",
    "tool_use",
    "pause_turn",
    "refusal",
    "model_context_window_exceeded",
    None,
)
_HELLO = {"model": "", "messages": [{"role": "user", "content": "Hello!"}]}
#: bodies of requests by the name of their schema
EXAMPLES: dict[str, Any] = {
    "MessagesRequest": {**_HELLO, "max_tokens": 1024, "stream": False},
    "MessagesPrompt": _HELLO,
}
#: what a stream is made of, by the name of the schema of its events
STREAMS = {
    "MessagesEvent": "Events `event: TYPE` and `data: {…}`, each with a MessagesEvent: "
    "`message_start`; for each block of the content `content_block_start`, `content_block_delta` "
    "as often as needed and `content_block_stop`; `message_delta` with the reason of the end and "
    "the usage; `message_stop`. A `ping` may come at any time. A stream that fails ends with an "
    "`error`, and without `message_stop`."
}
#: what errors mean, by the name of their schema
ERRORS = {
    "MessagesError": "The statuses are those of the other routes, but for 529 where they say 503."
}
_FIELDS = {
    "model": "A model, a provider's name (its default model), `PROVIDER:MODEL`, or nothing for "
    "the default.",
    "max_tokens": "The most tokens of the answer, those of its thinking included.",
    "stream": "Whether the answer comes as server-sent events.",
    "system": "The instructions.",
    "output_format": "The older place of `output_config.format`.",
}
_MESSAGE = {
    "id": "msg_abc123",
    "type": "message",
    "role": "assistant",
    "model": "claude-sonnet-4-5",
    "content": [{"type": "text", "text": "Hello!"}],
    "stop_reason": "end_turn",
    "stop_sequence": None,
    "usage": {"input_tokens": 10, "output_tokens": 2},
}
_EVENT = {
    "type": "content_block_delta",
    "index": 0,
    "delta": {"type": "text_delta", "text": "Hello"},
}
_ERROR = {
    "type": "error",
    "error": {
        "type": "not_found_error",
        "message": "Model 'claude-5x' not found. GET /v1/models lists them.",
    },
    "request_id": "req_0123456789abcdef01234567",
}


def messages_schemas() -> dict[str, Schema]:
    """The schemas by name."""
    return {**_requests(), **_answers()}


def _requests() -> dict[str, Schema]:
    """What clients send, from the classes that read it."""
    names: dict[type, str] = {
        wire.Body: "MessagesRequest",
        wire.Prompt: "MessagesPrompt",
        wire.WireMessage: "MessagesMessage",
        wire.ToolChoice: "MessagesToolChoice",
        wire.Thinking: "MessagesThinking",
        wire.OutputConfig: "MessagesOutputConfig",
        wire.Metadata: "MessagesMetadata",
        **{cls: f"Messages{cls.__name__.strip('_')}Block" for cls in blocks.VARIANTS.values()},
        **{cls: f"Messages{cls.__name__.strip('_')}" for cls in wire.TOOLS.values()},
    }
    made = Schemas({blocks.Block: blocks.VARIANTS, Tool | OtherTool: wire.TOOLS}, names)
    for cls in (wire.Body, wire.Prompt):
        made.of(cls)
        properties = made.components[names[cls]]["properties"]
        properties["messages"]["minItems"] = 1
        for field, description in _FIELDS.items():
            if field in properties:
                properties[field]["description"] = description
    # a tool of one's own need not say that it is one
    made.components["MessagesTool"]["required"].remove("type")
    return made.components


def _answers() -> dict[str, Schema]:
    return {
        "MessagesAnswer": {"examples": [_MESSAGE]}
        | _object(
            "A whole answer. A provider that speaks this API may add fields and blocks.",
            id=_STRING,
            type={"const": "message"},
            role={"const": "assistant"},
            model=_STRING,
            content={
                "type": "array",
                "items": _typed("A text, a thought, a call of a tool, or another block."),
            },
            stop_reason={"type": ["string", "null"], "enum": list(_STOPS)},
            stop_sequence=_TEXT,
            usage=_ref("MessagesUsage"),
        ),
        "MessagesUsage": _object(
            "Tokens. What was read from a cache or written to it comes on top of the input.",
            input_tokens=_COUNT,
            output_tokens=_COUNT,
            optional={
                "cache_creation_input_tokens": {"type": ["integer", "null"]},
                "cache_read_input_tokens": {"type": ["integer", "null"]},
                "estimated": {
                    "type": "boolean",
                    "description": "Counted here, because the provider reported none.",
                },
            },
        ),
        "MessagesEvent": {"examples": [_EVENT]}
        | _typed("The data of one event of a stream; its `type` is the name of the event."),
        "MessagesTokens": _object("How long a prompt is.", input_tokens=_COUNT),
        "MessagesError": {"examples": [_ERROR]}
        | _object(
            "One error.",
            type={"const": "error"},
            error=_ref("MessagesErrorObject"),
            request_id={**_TEXT, "description": "The `request-id` of the answer."},
        ),
        "MessagesErrorObject": _object(
            "What went wrong.",
            type={**_STRING, "description": "The kind, such as invalid_request_error."},
            message={**_STRING, "description": "For people; names the field at fault."},
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
