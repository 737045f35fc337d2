"""Token usage of the Messages API: reading an upstream's, and writing it."""

from __future__ import annotations

from typing import Any

from ..core.events import Finish, FinishReason, Usage
from ..core.request_tokens import estimate_request
from ..core.requests import ChatRequest
from ..core.tokens import estimate_tokens

#: the stop reason of an answer that goes on when it is sent back
PAUSED = "pause_turn"
#: why an answer ended, in our words; what is not here ended as it should
_REASONS: dict[str, FinishReason] = {
    "max_tokens": "length",
    "model_context_window_exceeded": "length",
    "tool_use": "tool_calls",
    "refusal": "content_filter",
}
_STOP_REASONS: dict[FinishReason, str] = {
    "stop": "end_turn",
    "length": "max_tokens",
    "tool_calls": "tool_use",
    "function_call": "tool_use",
    "content_filter": "refusal",
}


def reason_of(stop_reason: str) -> FinishReason:
    """Our word for a stop reason."""
    return _REASONS.get(stop_reason, "stop")


def stop_reason_of(reason: FinishReason | None, *, called: bool) -> str:
    """The stop reason for ours; *called*: the answer has calls of tools, whatever it says."""
    stop_reason = _STOP_REASONS[reason or "stop"]
    return "tool_use" if called and stop_reason == "end_turn" else stop_reason


def ending_object(finish: Finish | None, *, called: bool) -> dict[str, str | None]:
    """How an answer ended; *called*: it has calls of tools, whatever it says."""
    if finish is None:
        finish = Finish()
    reason = stop_reason_of(finish.reason, called=called)
    if reason != "end_turn":
        return {"stop_reason": reason, "stop_sequence": None}
    if finish.paused:
        return {"stop_reason": PAUSED, "stop_sequence": None}
    if finish.stop_sequence is not None:
        return {"stop_reason": "stop_sequence", "stop_sequence": finish.stop_sequence}
    return {"stop_reason": reason, "stop_sequence": None}


def usage_of(raw: dict[str, Any]) -> Usage | None:
    """An upstream's usage; None when it counts nothing.

    The input of the API is what was not cached, beside what was read from the cache and written to
    it; ours is all of it.
    """

    def count(of: Any, name: str) -> int:
        value = of.get(name) if type(of) is dict else None
        return value if type(value) is int else 0

    if type(raw.get("input_tokens")) is not int and type(raw.get("output_tokens")) is not int:
        return None
    cached = count(raw, "cache_read_input_tokens")
    return Usage(
        input=count(raw, "input_tokens") + cached + count(raw, "cache_creation_input_tokens"),
        output=count(raw, "output_tokens"),
        cached=cached,
        reasoning=count(raw.get("output_tokens_details"), "thinking_tokens"),
    )


def merged(raw: dict[str, Any], news: Any) -> dict[str, Any]:
    """A usage with the *news* about it: later counts are totals, and null says nothing."""
    if type(news) is not dict:
        return raw
    return raw | {key: value for key, value in news.items() if value is not None}


def usage_object(usage: Usage) -> dict[str, Any]:
    """Usage as this dialect writes it."""
    written: dict[str, Any] = {
        "input_tokens": usage.input - usage.cached,
        "cache_creation_input_tokens": 0,
        "cache_read_input_tokens": usage.cached,
        "output_tokens": usage.output,
    }
    if usage.reasoning:
        written["output_tokens_details"] = {"thinking_tokens": usage.reasoning}
    if usage.estimated:
        written["estimated"] = True
    return written


def estimated_usage(request: ChatRequest, answer: str) -> Usage:
    """Usage for an upstream that reported none."""
    return Usage(estimate_request(request), estimate_tokens(answer), estimated=True)
