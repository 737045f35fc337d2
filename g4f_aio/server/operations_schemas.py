"""JSON Schemas of OpenAI's smaller APIs. Objects may have more fields than are named here."""

from __future__ import annotations

from typing import Any

from ..dialects.openai_completions import CompletionsBody
from ..dialects.openai_embeddings import EmbeddingsBody
from ..dialects.openai_moderations import ModerationsBody
from .json_schema import Schema, Schemas

_NAMES: dict[type, str] = {
    CompletionsBody: "CompletionRequest",
    EmbeddingsBody: "EmbeddingRequest",
    ModerationsBody: "ModerationRequest",
}
#: bodies of requests by the name of their schema
EXAMPLES: dict[str, Any] = {
    "CompletionRequest": {"model": "", "prompt": "Once upon a time", "max_tokens": 16},
    "EmbeddingRequest": {"model": "", "input": ["Hello!", "Bye!"]},
    "ModerationRequest": {"model": "", "input": "Hello!"},
}
_FIELDS = {
    "model": "A model, a provider's name (its default model), `PROVIDER:MODEL`, or nothing for "
    "the default.",
    "provider": "The provider to use; an object is handed on.",
    "api_key": "Your own key for the provider: a string, or an object by provider's name.",
    "timeout": "Seconds for the whole answer.",
    "proxy": "An HTTP proxy for this call, where the settings allow it.",
    "input": "What to read: texts, or for embeddings their tokens.",
    "prompt": "What to continue: a text, several, or their tokens.",
    "encoding_format": "How each vector is written: as numbers, or as 32-bit floats in Base64.",
    "stream": "Whether the answer comes as server-sent events.",
}
_STRING: Schema = {"type": "string"}
_COUNT: Schema = {"type": "integer", "minimum": 0}
_FINISH: Schema = {"type": ["string", "null"], "enum": ["stop", "length", "content_filter", None]}
_EMBEDDINGS = {
    "object": "list",
    "data": [{"object": "embedding", "index": 0, "embedding": [0.0023, -0.0093]}],
    "model": "text-embedding-3-small",
    "usage": {"prompt_tokens": 8, "total_tokens": 8},
}
_COMPLETION = {
    "id": "cmpl-abc123",
    "object": "text_completion",
    "created": 1677652288,
    "model": "gpt-3.5-turbo-instruct",
    "choices": [{"text": " there", "index": 0, "logprobs": None, "finish_reason": "length"}],
    "usage": {"prompt_tokens": 4, "completion_tokens": 1, "total_tokens": 5},
}
_MODERATION = {
    "id": "modr-abc123",
    "model": "omni-moderation-latest",
    "results": [
        {"flagged": False, "categories": {"violence": False}, "category_scores": {"violence": 0.01}}
    ],
}


def operations_schemas() -> dict[str, Schema]:
    """The schemas by name."""
    made = Schemas({}, _NAMES)
    for body, name in _NAMES.items():
        made.of(body)
        properties = made.components[name]["properties"]
        for field in properties.keys() & _FIELDS.keys():
            properties[field]["description"] = _FIELDS[field]
    return made.components | _answers()


def _answers() -> dict[str, Schema]:
    return {
        "EmbeddingList": {"examples": [_EMBEDDINGS]}
        | _object(
            "The vectors, in the order of the texts.",
            object={"const": "list"},
            data={"type": "array", "items": _ref("Embedding")},
            model=_STRING,
            usage=_object(
                "Tokens.",
                prompt_tokens=_COUNT,
                total_tokens=_COUNT,
                optional={"estimated": {"type": "boolean"}},
            ),
        ),
        "Embedding": _object(
            "One vector.",
            object={"const": "embedding"},
            index=_COUNT,
            embedding={"anyOf": [{"type": "array", "items": {"type": "number"}}, _STRING]},
        ),
        "TextCompletion": {"examples": [_COMPLETION]}
        | _object(
            "The continued texts; in a stream, a piece of them.",
            id=_STRING,
            object={"const": "text_completion"},
            created=_COUNT,
            model=_STRING,
            choices={"type": "array", "items": _ref("TextChoice")},
            optional={"usage": {"anyOf": [_ref("Usage"), {"type": "null"}]}},
        ),
        "TextChoice": _object(
            "One of the continuations. Those of the first prompt come first.",
            text=_STRING,
            index=_COUNT,
            finish_reason=_FINISH,
            optional={"logprobs": {"type": ["object", "null"]}},
        ),
        "Moderation": {"examples": [_MODERATION]}
        | _object(
            "What is objectionable in each input.",
            id=_STRING,
            model=_STRING,
            results={
                "type": "array",
                "items": _object(
                    "The judgement of one input.",
                    flagged={"type": "boolean"},
                    categories={"type": "object"},
                    category_scores={"type": "object"},
                ),
            },
        ),
    }


def _object(about: str, /, *, optional: dict[str, Schema] | None = None, **required: Any) -> Schema:
    return {
        "type": "object",
        "description": about,
        "properties": {**required, **(optional or {})},
        "required": list(required),
    }


def _ref(name: str) -> Schema:
    return {"$ref": f"#/components/schemas/{name}"}
