"""JSON Schemas of what the server answers. Objects may have more fields than are named here."""

from __future__ import annotations

from typing import Any

from .backend.schemas import backend_schemas
from .json_schema import Schema

_STRING: Schema = {"type": "string"}
_BOOLEAN: Schema = {"type": "boolean"}
_COUNT: Schema = {"type": "integer", "minimum": 0}
_STRINGS: Schema = {"type": "array", "items": _STRING}
_TIME: Schema = {"type": "integer", "description": "Unix time in seconds; 0 when unknown."}
_TEXT: Schema = {"type": ["string", "null"]}
_FREE: Schema = {"type": ["object", "null"]}
_FIGURE: Schema = {"type": ["number", "null"]}
_SHARE: Schema = {**_FIGURE, "minimum": 0, "maximum": 1}
_MILLISECONDS: Schema = {"type": ["integer", "null"], "minimum": 0}
_FINISH: Schema = {
    "type": ["string", "null"],
    "enum": ["stop", "length", "tool_calls", "content_filter", "function_call", None],
}
_COMPLETION = {
    "id": "chatcmpl-abc123",
    "object": "chat.completion",
    "created": 1677652288,
    "model": "gpt-4o-mini",
    "provider": "OpenAI",
    "choices": [
        {
            "index": 0,
            "message": {"role": "assistant", "content": "Hello!", "refusal": None},
            "logprobs": None,
            "finish_reason": "stop",
        }
    ],
    "usage": {"prompt_tokens": 10, "completion_tokens": 2, "total_tokens": 12},
}
_CHUNK = {
    "id": "chatcmpl-abc123",
    "object": "chat.completion.chunk",
    "created": 1677652288,
    "model": "gpt-4o-mini",
    "choices": [{"index": 0, "delta": {"content": "Hello"}, "finish_reason": None}],
}
_ERROR = {
    "error": {
        "message": "Model 'gpt-5x' not found. GET /v1/models lists them.",
        "type": "model_not_found",
        "param": "model",
        "code": "model_not_found",
    }
}


def answer_schemas() -> dict[str, Schema]:
    """The schemas by name."""
    return {
        "Error": {"examples": [_ERROR]}
        | _object("One error, always with all four keys.", error=_ref("ErrorObject")),
        "ErrorObject": _object(
            "What went wrong.",
            message={**_STRING, "description": "For people; names the field at fault."},
            type={**_STRING, "description": "The kind, such as invalid_request_error."},
            param={**_TEXT, "description": "The JSON path of the field at fault."},
            code={**_TEXT, "description": "What programs may act on."},
        ),
        "ChatCompletion": {"examples": [_COMPLETION]}
        | _object(
            "A whole answer. A provider that speaks this API may add fields.",
            id=_STRING,
            object={"const": "chat.completion"},
            created=_TIME,
            model=_STRING,
            choices=_array(_ref("Choice")),
            optional={
                "provider": {**_STRING, "description": "Who answered."},
                "usage": _ref("Usage"),
            },
        ),
        "Choice": _object(
            "One of the answers asked for.",
            index=_COUNT,
            message=_ref("Answer"),
            finish_reason=_FINISH,
            optional={"logprobs": _FREE},
        ),
        "Answer": _object(
            "The model's message.",
            role={"const": "assistant"},
            content={**_TEXT, "description": "Null when there are only tool calls."},
            optional={
                "refusal": _TEXT,
                "reasoning_content": {**_TEXT, "description": "The thinking before the answer."},
                "tool_calls": _array({"type": "object"}),
                "annotations": _array({"type": "object"}),
            },
        ),
        "ChatCompletionChunk": {"examples": [_CHUNK]}
        | _object(
            "The data of one event of a stream. Before `[DONE]`, an event may be an Error instead.",
            id=_STRING,
            object={"const": "chat.completion.chunk"},
            created=_TIME,
            model=_STRING,
            choices=_array(_ref("Delta")),
            optional={"usage": {"anyOf": [_ref("Usage"), {"type": "null"}]}},
        ),
        "Delta": _object(
            "What is new in one of the answers asked for.",
            index=_COUNT,
            delta={
                "type": "object",
                "properties": {
                    "role": {"const": "assistant"},
                    "content": _TEXT,
                    "refusal": _TEXT,
                    "reasoning_content": _TEXT,
                    "tool_calls": _array({"type": "object"}),
                },
            },
            finish_reason=_FINISH,
            optional={"logprobs": _FREE},
        ),
        "Usage": _object(
            "Tokens.",
            prompt_tokens=_COUNT,
            completion_tokens=_COUNT,
            total_tokens=_COUNT,
            optional={
                "prompt_tokens_details": _FREE,
                "completion_tokens_details": _FREE,
                "estimated": {
                    **_BOOLEAN,
                    "description": "Counted here, because the provider reported none.",
                },
            },
        ),
        "Model": _object(
            "A model, or a provider's name that stands for its default model.",
            id=_STRING,
            object={"const": "model"},
            created=_TIME,
            owned_by=_STRING,
            image=_BOOLEAN,
            vision=_BOOLEAN,
            audio=_BOOLEAN,
            video=_BOOLEAN,
            provider={**_BOOLEAN, "description": "True for an entry that is a provider's name."},
            optional={
                "providers": {**_STRINGS, "description": "Who has it."},
                "context_length": _COUNT,
                "not_a_language_model": _BOOLEAN,
            },
        ),
        "ModelList": _list_of("Model"),
        "Provider": _object(
            "A provider and how it stands.",
            provider=_STRING,
            id=_STRING,
            object={"const": "provider"},
            created=_TIME,
            label=_STRING,
            description=_STRING,
            url=_TEXT,
            models=_STRINGS,
            image_models=_STRINGS,
            vision_models=_STRINGS,
            working={**_BOOLEAN, "description": "A request to it can be tried."},
            configured={**_BOOLEAN, "description": "The operator chose it, and it lacks nothing."},
            auth={**_BOOLEAN, "description": "It needs a key of its own."},
            stream=_BOOLEAN,
            capabilities=_STRINGS,
            missing={**_TEXT, "description": "What it lacks before it can work."},
            error={**_TEXT, "description": "Why it could not be loaded."},
            plugin=_object(
                "Where it comes from.", type=_STRING, distribution=_STRING, version=_STRING
            ),
            health=_ref("Health"),
        ),
        "ProviderList": _list_of("Provider"),
        "Health": _health(
            "How the last calls went.",
            models={
                "type": "object",
                "description": "The same of each model that was asked.",
                "additionalProperties": _ref("ModelHealth"),
            },
        ),
        "ModelHealth": _health("How the last calls of one model went."),
        "Route": _object(
            "What would become of a chat.",
            object={"const": "route"},
            model={**_STRING, "description": "As the request has it."},
            provider={**_TEXT, "description": "The one that the request names."},
            needs={**_STRINGS, "description": "The capabilities that an answer takes."},
            rule={**_STRING, "description": "Which rule chose the candidates."},
            candidates=_array(_ref("RouteCandidate")),
            error={
                "anyOf": [_ref("RouteError"), {"type": "null"}],
                "description": "What the chat would be answered at once.",
            },
        ),
        "RouteCandidate": _object(
            "A provider, in its place of the order.",
            provider=_STRING,
            model={**_TEXT, "description": "What the provider calls it; null where it is open."},
            asked={**_STRING, "enum": ["first", "then", "left_out"]},
            why={**_TEXT, "description": "What put it in its place, if not the settings alone."},
            emulated={
                **_STRINGS,
                "description": "What the gateway would supply because the provider lacks it.",
            },
            wait_ms={
                **_MILLISECONDS,
                "description": "Milliseconds until it may be asked; null when nobody knows.",
            },
            condition={
                "anyOf": [_ref("RouteCondition"), {"type": "null"}],
                "description": "What the chain of the settings says about it.",
            },
            health={
                "anyOf": [_ref("ModelHealth"), {"type": "null"}],
                "description": "Of the model; null for one that cannot be asked at all.",
            },
        ),
        "RouteCondition": _object(
            "A condition on a link of a chain.",
            when=_STRING,
            values={
                "type": "object",
                "description": "What its names stand for now; null while it is not known.",
                "additionalProperties": {"type": ["number", "boolean", "null"]},
            },
        ),
        "RouteError": _object(
            "An error, with the status that it would have.",
            message=_STRING,
            type=_STRING,
            param=_TEXT,
            code=_TEXT,
            status={"type": "integer"},
        ),
        **backend_schemas(),
        "Status": _object("It is well.", status=_STRING),
        "Document": {"type": "object", "description": "This document."},
    }


def _object(about: str, /, *, optional: dict[str, Schema] | None = None, **required: Any) -> Schema:
    return {
        "type": "object",
        "description": about,
        "properties": {**required, **(optional or {})},
        "required": list(required),
    }


def _health(about: str, **more: Any) -> Schema:
    return _object(
        about,
        state={**_STRING, "enum": ["unknown", "ok", "failing", "open", "broken"]},
        last_ok={**_FIGURE, "description": "Unix time in seconds."},
        last_error=_TEXT,
        success_rate=_SHARE,
        ttft_ms={**_MILLISECONDS, "description": "To the first token, smoothed."},
        tokens_per_s={**_FIGURE, "description": "Tokens a second in streams, smoothed."},
        **more,
    )


def _list_of(name: str) -> Schema:
    return _object("A list.", object={"const": "list"}, data=_array(_ref(name)))


def _array(items: Schema) -> Schema:
    return {"type": "array", "items": items}


def _ref(name: str) -> Schema:
    return {"$ref": f"#/components/schemas/{name}"}
