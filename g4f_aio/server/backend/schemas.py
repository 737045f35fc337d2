"""JSON Schemas of what the backend API answers, and the parameters in its URLs."""

from __future__ import annotations

from typing import Any, get_args

from ...core.record import Outcome
from ..json_schema import Schema

_STRING: Schema = {"type": "string"}
_TEXT: Schema = {"type": ["string", "null"]}
_COUNT: Schema = {"type": "integer", "minimum": 0}
_STATUS: Schema = {"type": "integer", "minimum": 100, "maximum": 599}
_MILLISECONDS: Schema = {"type": ["integer", "null"], "minimum": 0}
_OUTCOME: Schema = {"type": "string", "enum": list(get_args(Outcome))}
_CACHE: Schema = {"type": ["string", "null"], "description": "How the response cache took part."}

#: parameters in URLs by name: what they mean and what they are
PARAMETERS: dict[str, tuple[str, Schema]] = {
    "caller": ("Only requests with the key of this name.", _STRING),
    "provider": ("Only requests for which this provider was named or asked.", _STRING),
    "model": ("Only requests for which this model was named or asked.", _STRING),
    "outcome": (
        "Only requests that ended so.",
        {**_OUTCOME, "enum": ["ok", "failed", "cancelled"]},
    ),
    "since": ("Only requests that began at this Unix time or later.", {"type": "number"}),
    "before": ("Only older ones than the page before: its `next`.", {"type": "integer"}),
    "limit": ("The most to list.", {"type": "integer", "minimum": 1, "maximum": 1000}),
}


def backend_schemas() -> dict[str, Schema]:
    """The schemas by name."""
    return {
        "RequestList": _object(
            "Finished requests, the newest first.",
            object={"const": "list"},
            data={"type": "array", "items": _ref("Request")},
            next={
                "type": ["integer", "null"],
                "description": "What `before` takes for the next page; null when there is none.",
            },
        ),
        "Request": _object(
            "What was noted about a request; never what was said.",
            id=_STRING,
            object={"const": "request"},
            created={"type": "number", "description": "Unix time in seconds."},
            caller={**_STRING, "description": "The name of the key it came with."},
            dialect=_STRING,
            model={**_STRING, "description": "What was asked for."},
            provider={**_TEXT, "description": "Who was asked for."},
            stream={"type": "boolean"},
            outcome=_OUTCOME,
            status=_STATUS,
            code={**_TEXT, "description": "Of the error it ended in."},
            message={
                **_TEXT,
                "description": "Of that error; null where it may quote somebody else.",
            },
            answered_by={
                "anyOf": [
                    _object("Whose answer it got.", provider=_STRING, model=_STRING),
                    {"type": "null"},
                ]
            },
            usage={"anyOf": [_ref("RequestUsage"), {"type": "null"}]},
            ttft_ms={**_MILLISECONDS, "description": "To the first event of the answer."},
            duration_ms=_MILLISECONDS,
            cache=_CACHE,
            emulated={
                "type": "array",
                "items": _STRING,
                "description": "What the gateway supplied because the provider lacks it.",
            },
            attempts={"type": "array", "items": _ref("RequestAttempt")},
        ),
        "RequestAttempt": _object(
            "A call of a provider.",
            provider=_STRING,
            model={**_STRING, "description": "What the provider calls it."},
            why={**_TEXT, "description": "What put it in its place in the order."},
            outcome=_OUTCOME,
            status={"anyOf": [_STATUS, {"type": "null"}]},
            code=_TEXT,
            after_ms={**_MILLISECONDS, "description": "From the request to this call."},
            ttft_ms=_MILLISECONDS,
            duration_ms=_MILLISECONDS,
        ),
        "RequestUsage": _object(
            "Tokens.",
            input_tokens=_COUNT,
            output_tokens=_COUNT,
            cached_tokens={**_COUNT, "description": "Of the input."},
            reasoning_tokens={**_COUNT, "description": "Of the output."},
            estimated={"type": "boolean", "description": "They were counted here."},
        ),
    }


def _object(about: str, /, **properties: Any) -> Schema:
    return {
        "type": "object",
        "description": about,
        "properties": properties,
        "required": list(properties),
    }


def _ref(name: str) -> Schema:
    return {"$ref": f"#/components/schemas/{name}"}
