"""Chat completions as a client's dialect: what is asked in its words, and its answers read strictly."""

from __future__ import annotations

from collections import defaultdict
from typing import Any

import orjson

from tests.dialects import chat_stream, strict

from .answer import Answer, Ask, Choice, Json, Tokens, call
from .words import IMAGE, SCHEMA, parameters


class Chat:
    """Chat completions."""

    path = "/v1/chat/completions"

    def asked(self, ask: Ask, model: str, *, stream: bool) -> Json:
        """The body of a request."""
        text: Any = ask.text
        if ask.image:
            text = [
                {"type": "text", "text": text},
                {"type": "image_url", "image_url": {"url": IMAGE}},
            ]
        body: Json = {
            "model": model,
            "messages": [{"role": "user", "content": text}],
            "stream": stream,
        }
        tools = [
            {"type": "function", "function": {"name": name, "parameters": parameters()}}
            for name in ask.tools
        ]
        schema = {"name": "answer", "schema": SCHEMA, "strict": True}
        wanted = {
            "tools": tools or None,
            "response_format": {"type": "json_schema", "json_schema": schema}
            if ask.schema
            else None,
            "reasoning_effort": "low" if ask.thinking else None,
            "n": ask.n if ask.n > 1 else None,
            "logprobs": ask.logprobs or None,
            "max_tokens": ask.max_tokens,
            "stream_options": None
            if ask.usage is None or not stream
            else {"include_usage": ask.usage},
        }
        return body | {name: value for name, value in wanted.items() if value is not None}

    def streamed(self, body: bytes, ask: Ask) -> Answer:
        """A stream put together; its order is checked, and that of each chunk's fields."""
        found = chat_stream.checked(body)
        usage = chat_stream.usage_of(found, ask.usage)
        messages: dict[int, Json] = defaultdict(dict)
        calls: dict[int, dict[int, Json]] = defaultdict(dict)
        ends: dict[int, str] = {}
        tokens: dict[int, list[Json]] = defaultdict(list)
        for choice in (choice for chunk in found for choice in chunk["choices"]):
            index, delta = choice["index"], choice["delta"]
            message = messages[index]
            for name in ("content", "reasoning_content", "refusal"):
                message[name] = (message.get(name) or "") + (delta.get(name) or "")
            for piece in delta.get("tool_calls") or ():
                called = calls[index].setdefault(piece["index"], piece | {"function": {}})
                function = called["function"]
                for name, value in piece["function"].items():
                    function[name] = function.get(name, "") + value
            tokens[index] += (choice.get("logprobs") or {}).get("content") or ()
            if choice["finish_reason"] is not None:
                ends[index] = choice["finish_reason"]
        choices = [
            {
                "message": message | {"tool_calls": list(calls[index].values())},
                "logprobs": {"content": tokens[index]},
                "finish_reason": ends[index],
            }
            for index, message in sorted(messages.items())
        ]
        return _answer(choices, usage)

    def whole(self, body: bytes, provider: str) -> Answer:
        """An answer that is not streamed."""
        value = orjson.loads(body)
        strict.completion(value)
        assert value["provider"] == provider
        assert [choice["index"] for choice in value["choices"]] == list(
            range(len(value["choices"]))
        )
        return _answer(value["choices"], value["usage"])

    def told(self, said: Answer, ask: Ask, *, stream: bool) -> Answer:
        """What of an upstream's answer there must be in one of this dialect: everything."""
        return Answer(said.choices, None) if stream and ask.usage is False else said


def _answer(choices: list[Json], usage: Json | None) -> Answer:
    return Answer(tuple(map(_choice, choices)), None if usage is None else _tokens(usage))


def _choice(choice: Json) -> Choice:
    message = choice["message"]
    calls = message.get("tool_calls") or ()
    assert len({one["id"] for one in calls}) == len(calls)
    return Choice(
        message.get("content") or "",
        message.get("reasoning_content") or "",
        message.get("refusal") or "",
        tuple(call(one["function"]["name"], one["function"]["arguments"]) for one in calls),
        tuple(
            (token["token"], token["logprob"])
            for token in (choice.get("logprobs") or {}).get("content") or ()
        ),
        choice["finish_reason"],
    )


def _tokens(usage: Json) -> Tokens:
    return Tokens(
        usage["prompt_tokens"],
        usage["completion_tokens"],
        (usage.get("prompt_tokens_details") or {}).get("cached_tokens") or 0,
        (usage.get("completion_tokens_details") or {}).get("reasoning_tokens") or 0,
        usage.get("estimated", False),
    )
