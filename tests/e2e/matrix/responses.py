"""The Responses API as a client's dialect: what is asked in its words, and its answers read strictly."""

from __future__ import annotations

from typing import Any

import orjson

from tests.dialects import responses_wire, strict

from .answer import Answer, Ask, Choice, Json, Tokens, call
from .words import IMAGE, SCHEMA, parameters

_ENDS = {"max_output_tokens": "length", "content_filter": "content_filter"}


class Responses:
    """The Responses API."""

    path = "/v1/responses"

    def asked(self, ask: Ask, model: str, *, stream: bool) -> Json:
        """The body of a request."""
        given: Any = ask.text
        if ask.image:
            parts = [
                {"type": "input_text", "text": ask.text},
                {"type": "input_image", "image_url": IMAGE},
            ]
            given = [{"role": "user", "content": parts}]
        body: Json = {"model": model, "input": given, "stream": stream, "store": False}
        tools = [
            {"type": "function", "name": name, "parameters": parameters(), "strict": False}
            for name in ask.tools
        ]
        form = {"type": "json_schema", "name": "answer", "schema": SCHEMA, "strict": True}
        wanted = {
            "tools": tools or None,
            "text": {"format": form} if ask.schema else None,
            "reasoning": {"effort": "low"} if ask.thinking else None,
            "include": ["message.output_text.logprobs"] if ask.logprobs else None,
            "max_output_tokens": ask.max_tokens,
        }
        return body | {name: value for name, value in wanted.items() if value is not None}

    def streamed(self, body: bytes, ask: Ask) -> Answer:
        """A stream put together; its order is checked, and each event's fields."""
        return _answer(responses_wire.checked(body))

    def whole(self, body: bytes, provider: str) -> Answer:
        """An answer that is not streamed."""
        value = orjson.loads(body)
        strict.response(value)
        assert value["provider"] == provider
        return _answer(value)

    def told(self, said: Answer, ask: Ask, *, stream: bool) -> Answer:
        """What of an upstream's answer there must be in one of this dialect: everything."""
        return said


def _answer(response: Json) -> Answer:
    assert response["object"] == "response"
    items = response["output"]
    assert len({item["id"] for item in items}) == len(items)
    parts = [part for item in items for part in item.get("content") or ()]
    calls = [item for item in items if item["type"] == "function_call"]
    assert len({one["call_id"] for one in calls}) == len(calls)
    choice = Choice(
        _texts(parts, "output_text"),
        _texts(parts, "reasoning_text"),
        "".join(part["refusal"] for part in parts if part["type"] == "refusal"),
        tuple(call(one["name"], one["arguments"]) for one in calls),
        tuple(
            (token["token"], token["logprob"])
            for part in parts
            for token in part.get("logprobs") or ()
        ),
        _finish(response, called=bool(calls)),
    )
    return Answer((choice,), _tokens(response["usage"]))


def _texts(parts: list[Json], kind: str) -> str:
    return "".join(part["text"] for part in parts if part["type"] == kind)


def _finish(response: Json, *, called: bool) -> str:
    statuses = {item["status"] for item in response["output"]}
    match response:
        case {"status": "completed", "incomplete_details": None}:
            assert statuses <= {"completed"}
            return "tool_calls" if called else "stop"
        case {"status": "incomplete", "incomplete_details": {"reason": reason}}:
            return _ENDS[reason]
        case _:
            raise AssertionError(response["status"])


def _tokens(usage: Json) -> Tokens:
    assert usage["total_tokens"] == usage["input_tokens"] + usage["output_tokens"]
    return Tokens(
        usage["input_tokens"],
        usage["output_tokens"],
        usage["input_tokens_details"]["cached_tokens"],
        usage["output_tokens_details"]["reasoning_tokens"],
        usage.get("estimated", False),
    )
