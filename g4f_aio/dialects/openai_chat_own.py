"""Chunks of ours among an upstream's."""

from __future__ import annotations

import time
from typing import Any

from ..core.requests import ChatRequest
from .openai_chat_encoder import new_id

#: what they take over from the upstream's
_CONSTANT = ("id", "object", "created", "model", "system_fingerprint")


def own_chunk(
    request: ChatRequest, like: dict[str, Any], choices: list[dict[str, Any]]
) -> dict[str, Any]:
    """A chunk with these *choices*, in the rest *like* one of the upstream's."""
    chunk: dict[str, Any] = {
        "id": new_id(),
        "object": "chat.completion.chunk",
        "created": int(time.time()),
        "model": request.model,
    }
    same = {key: like[key] for key in _CONSTANT if key in like}
    usage = {"usage": None} if request.include_usage else {}
    return chunk | same | {"choices": choices} | usage


def ended_once(chunk: dict[str, Any], new: tuple[int, ...]) -> dict[str, Any]:
    """The chunk with no finish reason but in the *new* ones among the choices that end."""
    return chunk | {
        "choices": [
            one if (one.get("index") or 0) in new else one | {"finish_reason": None}
            for one in chunk.get("choices") or ()
        ]
    }
