"""The response object of OpenAI's Responses API, and what it is made of.

https://platform.openai.com/docs/api-reference/responses/object
"""

from __future__ import annotations

import secrets
import time
from typing import Any

from ..core.errors import GatewayError
from ..core.events import FinishReason, Usage
from ..core.requests import ChatRequest

Json = dict[str, Any]

_COUNTS = frozenset(("input_tokens", "output_tokens", "total_tokens"))
#: codes that clients of this API know; any other would be a surprise to them
_KNOWN = frozenset(
    ("rate_limit_exceeded", "invalid_prompt", "context_length_exceeded", "insufficient_quota")
)
_INCOMPLETE: dict[FinishReason | None, str] = {
    "length": "max_output_tokens",
    "content_filter": "content_filter",
}
#: what a request says and the response repeats, and what OpenAI goes by where it says nothing
_REPEATED: Json = {
    "background": False,
    "instructions": None,
    "max_output_tokens": None,
    "max_tool_calls": None,
    "metadata": {},
    "parallel_tool_calls": True,
    "previous_response_id": None,
    "prompt_cache_key": None,
    "safety_identifier": None,
    "service_tier": "auto",
    "store": True,
    "temperature": 1.0,
    "tool_choice": "auto",
    "top_logprobs": 0,
    "top_p": 1.0,
    "truncation": "disabled",
    "user": None,
}


def new_id(prefix: str) -> str:
    """An id, unique and unguessable."""
    return f"{prefix}_{secrets.token_hex(24)}"


def response_object(request: ChatRequest, provider: str, previous: str | None) -> Json:
    """The response to *request* when it has begun. *previous* is the one that it goes on from."""
    raw = request.raw or {}
    repeated = {
        name: usual if raw.get(name) is None else raw[name] for name, usual in _REPEATED.items()
    }
    began: Json = {
        "id": new_id("resp"),
        "object": "response",
        "created_at": int(time.time()),
        "status": "in_progress",
        "completed_at": None,
        "error": None,
        "incomplete_details": None,
        "model": request.model,
        "provider": provider,
        "output": [],
        **repeated,
        "reasoning": {"effort": None, "summary": None} | (raw.get("reasoning") or {}),
        "text": {"format": {"type": "text"}} | _given(raw.get("text")),
        "tools": [_tool(tool) for tool in raw.get("tools") or ()],
        "usage": None,
    }
    return began if previous is None else began | {"previous_response_id": previous}


def ended(began: Json, finish: FinishReason | None, output: list[Json], usage: Usage) -> Json:
    """The response when the answer has come to its end."""
    reason = _INCOMPLETE.get(finish)
    return began | {
        "status": "completed" if reason is None else "incomplete",
        "completed_at": int(time.time()) if reason is None else None,
        "incomplete_details": None if reason is None else {"reason": reason},
        "output": output,
        "usage": usage_object(usage),
    }


def is_cut(finish: FinishReason | None) -> bool:
    """Whether an answer that ended so is not complete."""
    return finish in _INCOMPLETE


def failed(began: Json, error: GatewayError, output: list[Json]) -> Json:
    """The response when it ended in an *error*."""
    return began | {"status": "failed", "error": error_of(error), "output": output}


def error_of(error: GatewayError) -> Json:
    """An error inside a response."""
    if error.code in _KNOWN:
        code = error.code
    else:
        code = "invalid_prompt" if error.status < 500 else "server_error"  # noqa: PLR2004
    return {"code": code, "message": error.message}


def usage_object(usage: Usage) -> Json:
    """Usage as this dialect writes it."""
    raw = usage.raw or {}
    if raw.keys() >= _COUNTS and "input_tokens_details" in raw:
        return raw
    written: Json = {
        "input_tokens": usage.input,
        "input_tokens_details": {"cached_tokens": usage.cached, "cache_write_tokens": 0},
        "output_tokens": usage.output,
        "output_tokens_details": {"reasoning_tokens": usage.reasoning},
        "total_tokens": usage.input + usage.output,
    }
    return written | {"estimated": True} if usage.estimated else written


def usage_of(raw: Any) -> Usage | None:
    """An upstream's usage object; None when it is none."""
    if not isinstance(raw, dict) or not raw:
        return None
    return Usage(
        _count(raw, "input_tokens"),
        _count(raw, "output_tokens"),
        _count(raw.get("input_tokens_details"), "cached_tokens"),
        _count(raw.get("output_tokens_details"), "reasoning_tokens"),
        raw=raw,
    )


def _count(of: Any, name: str) -> int:
    value = of.get(name) if isinstance(of, dict) else None
    return value if type(value) is int else 0


def _given(fields: Json | None) -> Json:
    return {key: value for key, value in (fields or {}).items() if value is not None}


def _tool(tool: Json) -> Json:
    """A tool as the response repeats it: a function with all its fields."""
    if tool["type"] != "function":
        return tool
    return {"description": None, "parameters": None, "strict": None} | tool
