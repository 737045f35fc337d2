"""Token usage: reading an upstream's, writing it, and counting where there is none."""

from __future__ import annotations

import re
from typing import Any

from ..core.events import Usage
from ..core.request_tokens import estimate_request
from ..core.requests import ChatRequest
from ..core.tokens import estimate_tokens
from .json_text import dumps

_COUNTS = frozenset(("prompt_tokens", "completion_tokens", "total_tokens"))
_NO_USAGE = re.compile(rb'"usage"\s*:\s*null')


def usage_of(raw: Any, *, keep: bool = True) -> Usage | None:
    """An upstream's usage object, which is kept with what was read in it; None when it is none."""
    if not isinstance(raw, dict) or not raw:
        return None
    read, written = raw.get("prompt_tokens"), raw.get("completion_tokens")
    asked, answered = raw.get("prompt_tokens_details"), raw.get("completion_tokens_details")
    return Usage(
        read if isinstance(read, int) else 0,
        written if isinstance(written, int) else 0,
        _count(asked, "cached_tokens") if asked else 0,
        _count(answered, "reasoning_tokens") if answered else 0,
        raw=raw if keep else None,
    )


def _count(of: Any, name: str) -> int:
    value = of.get(name) if isinstance(of, dict) else None
    return value if isinstance(value, int) else 0


def usage_object(usage: Usage) -> dict[str, Any]:
    """Usage as this dialect writes it; an upstream's own object where that is of this dialect."""
    raw = usage.raw
    if raw is not None and raw.keys() >= _COUNTS:
        return raw
    written: dict[str, Any] = {
        "prompt_tokens": usage.input,
        "completion_tokens": usage.output,
        "total_tokens": usage.input + usage.output,
    }
    if usage.cached:
        written["prompt_tokens_details"] = {"cached_tokens": usage.cached}
    if usage.reasoning:
        written["completion_tokens_details"] = {"reasoning_tokens": usage.reasoning}
    if usage.estimated:
        written["estimated"] = True
    return written if raw is None or _COUNTS.isdisjoint(raw) else written | raw


def estimated_usage(request: ChatRequest, answer: str) -> Usage:
    """Usage for an upstream that reported none."""
    return counted_usage(request, estimate_tokens(answer))


def counted_usage(request: ChatRequest, tokens: int) -> Usage:
    """As ``estimated_usage``, for an answer of so many *tokens* that was counted while it came."""
    return Usage(estimate_request(request), tokens, estimated=True)


def put_usage(data: bytes, holder: dict[str, Any], usage: Usage) -> bytes:
    """*data*, the JSON of *holder*, with a usage for the missing one; else the same bytes."""
    written = usage_object(usage)
    if "usage" not in holder:
        return data.rstrip()[:-1] + b',"usage":' + dumps(written) + b"}"
    places = list(_NO_USAGE.finditer(data))
    if holder["usage"] is None and len(places) == 1:
        begin, end = places[0].span()
        return data[:begin] + b'"usage":' + dumps(written) + data[end:]
    return dumps(holder | {"usage": written})


def text_of(answer: dict[str, Any]) -> str:
    """Everything the model wrote in a whole answer."""
    texts = []
    for choice in answer["choices"]:
        message = choice.get("message")
        if type(message) is dict:
            texts += [said for key, said in message.items() if type(said) is str and key != "role"]
            texts.append(arguments_of(message.get("tool_calls")))
    return "".join(texts)


def arguments_of(calls: Any) -> str:
    """What a model wrote in an array of tool calls, or of fragments of them."""
    called = (
        call.get("function") or call.get("custom")
        for call in (calls if type(calls) is list else ())
        if type(call) is dict
    )
    return "".join(
        str(one.get("arguments") or one.get("input") or "") for one in called if type(one) is dict
    )
