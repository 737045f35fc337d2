"""The Messages API as a client's dialect: what is asked in its words, and its answers read strictly."""

from __future__ import annotations

from typing import Any

import attrs
import orjson

from tests.dialects import message_stream, strict

from .answer import Answer, Ask, Choice, Json, Tokens, call
from .scenarios import PIXEL
from .words import SCHEMA, parameters

_ENDS = {
    "end_turn": "stop",
    "max_tokens": "length",
    "tool_use": "tool_calls",
    "refusal": "content_filter",
}
#: an answer must have a bound; this one is beyond all of them
_ENOUGH = 10_000_000


class Messages:
    """The Messages API."""

    path = "/v1/messages"

    def asked(self, ask: Ask, model: str, *, stream: bool) -> Json:
        """The body of a request."""
        text: Any = ask.text
        if ask.image:
            source = {"type": "base64", "media_type": "image/png", "data": PIXEL}
            text = [{"type": "text", "text": text}, {"type": "image", "source": source}]
        body: Json = {
            "model": model,
            "messages": [{"role": "user", "content": text}],
            "stream": stream,
            "max_tokens": ask.max_tokens or _ENOUGH,
        }
        wanted = {
            "tools": [{"name": name, "input_schema": parameters()} for name in ask.tools] or None,
            "output_config": {"format": {"type": "json_schema", "schema": SCHEMA}}
            if ask.schema
            else None,
            "thinking": {"type": "enabled", "budget_tokens": 1024} if ask.thinking else None,
        }
        return body | {name: value for name, value in wanted.items() if value is not None}

    def streamed(self, body: bytes, ask: Ask) -> Answer:
        """A stream put together; its order is checked, and each event's fields."""
        return _answer(message_stream.checked(body))

    def whole(self, body: bytes, provider: str) -> Answer:
        """An answer that is not streamed."""
        value = orjson.loads(body)
        strict.message(value)
        return _answer(value)

    def told(self, said: Answer, ask: Ask, *, stream: bool) -> Answer:
        """What of an upstream's answer there must be in one of this dialect: all of it.

        It has no place for the words of a refusal but its text, unless they explain its own end by one.
        """
        (choice,) = said.choices
        if choice.finish == "content_filter":
            return said
        choice = attrs.evolve(choice, text=choice.text + choice.refusal, refusal="")
        return Answer((choice,), said.usage)


def _answer(message: Json) -> Answer:
    content = message["content"]
    calls = [block for block in content if block["type"] == "tool_use"]
    assert len({one["id"] for one in calls}) == len(calls)
    thoughts = [block for block in content if block["type"] == "thinking"]
    assert all(block["signature"] for block in thoughts), "clients keep no thought without one"
    choice = Choice(
        "".join(block["text"] for block in content if block["type"] == "text"),
        "".join(block["thinking"] for block in thoughts),
        (message.get("stop_details") or {}).get("explanation") or "",
        tuple(call(one["name"], one["input"]) for one in calls),
        finish=_ENDS[message["stop_reason"]],
    )
    return Answer((choice,), _tokens(message["usage"]))


def _tokens(usage: Json) -> Tokens:
    cached = usage.get("cache_read_input_tokens") or 0
    return Tokens(
        usage["input_tokens"] + cached + (usage.get("cache_creation_input_tokens") or 0),
        usage["output_tokens"],
        cached,
        (usage.get("output_tokens_details") or {}).get("thinking_tokens") or 0,
        usage.get("estimated", False),
    )
