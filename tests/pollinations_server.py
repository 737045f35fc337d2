"""A fake of Pollinations, to be run as a process of its own (``python -m tests.pollinations_server``).

Both of its services are here: the one for those who have a key, whose paths begin with ``/gen``, and the
one for anonymous use, whose paths begin with ``/text``. Each says the user's last text again, word by
word, or calls the functions it is told of.

What follows an ``@`` in a model's name says how it misbehaves: ``@cut-before``, ``@cut-mid-event``,
``@cut-between``, ``@malformed``, ``@error-first``, ``@error-late``, ``@hang``; ``@status-N``, ``@leak``;
``@queue`` (as the anonymous service says it).
"""

from __future__ import annotations

import re
from typing import Any

from tests.hosted_server import SSE, Reply, event, main

Json = dict[str, Any]

KEY = "sk_5310secret"
MODELS: list[Json] = [
    {
        "name": "anthropic/claude-opus-4.6",
        "aliases": ["claude-large"],
        "category": "text",
        "publisher": "anthropic",
        "paid_only": True,
        "input_modalities": ["text", "image"],
        "output_modalities": ["text"],
        "capabilities": ["tool_calling", "reasoning"],
        "context_length": 200000,
    },
    {
        "name": "openai/gpt-5.4-nano",
        "aliases": ["openai", "gpt-5.4-nano", "openai"],
        "category": "text",
        "brand": "OpenAI",
        "title": "GPT-5.4 Nano",
        "pricing": {"currency": "pollen", "promptTextTokens": "0.0000002"},
        "input_modalities": ["text", "image"],
        "output_modalities": ["text"],
        "capabilities": ["tool_calling", "reasoning", "code_execution"],
        "tools": True,
        "context_length": 400000,
        "added_date": 1783641600000,
    },
    {
        "name": "google/gemini-search",
        "aliases": [],
        "input_modalities": ["text", "image", "audio", "video", "file"],
        "output_modalities": ["text", "audio"],
        "capabilities": ["web_search"],
    },
    {
        "name": "someone/small-model",
        "community": True,
        "output_modalities": ["text"],
        "capabilities": [],
    },
]
#: as the older service has them
ANONYMOUS_MODELS: list[Json] = [
    {
        "name": "openai-large",
        "description": "for those of a higher tier",
        "tier": "flower",
        "tools": True,
    },
    {
        "name": "openai-fast",
        "description": "OpenAI GPT-OSS 20B",
        "tier": "anonymous",
        "input_modalities": ["text"],
        "output_modalities": ["text"],
        "aliases": "gpt-oss",
        "tools": True,
        "reasoning": True,
        "vision": False,
        "audio": False,
    },
]
CODES = {
    400: "BAD_REQUEST",
    401: "UNAUTHORIZED",
    402: "PAYMENT_REQUIRED",
    403: "FORBIDDEN",
    404: "NOT_FOUND",
    422: "content_policy_violation",
    429: "RATE_LIMITED",
    500: "INTERNAL_ERROR",
    502: "BAD_GATEWAY",
    504: "GATEWAY_TIMEOUT",
}


def error(status: int, message: str) -> Json:
    """An error as the service writes it."""
    said = {"code": CODES[status], "message": message, "timestamp": "2026-01-01T00:00:00Z"}
    return {"status": status, "success": False, "error": said}


class Pollinations(Reply):
    """The answer to one request."""

    async def answer(self) -> None:
        given = self.exchange.headers.get("authorization")
        match self.exchange.method, self.exchange.route:
            case "GET", "/gen/text/models":
                await self.json(200, MODELS)
            case "GET", "/text/models":
                await self.json(200, ANONYMOUS_MODELS)
            case "POST", "/gen/v1/chat/completions" if given != f"Bearer {KEY}":
                await self.json(401, error(401, "Authentication required."))
            case "POST", "/text/v1/chat/completions" if given is not None:
                await self.json(402, {"error": "deprecated for authenticated users", "status": 402})
            case "POST", "/gen/v1/chat/completions" | "/text/v1/chat/completions":
                await self.chat()
            case _:
                await self.json(404, error(404, "Oh no, there's nothing here."))

    async def chat(self) -> None:
        _, _, self.mood = str(self.body["model"]).partition("@")
        kind, _, number = self.mood.rpartition("-")
        if kind == "status":
            status = int(number)
            await self.json(status, error(status, f"Told to answer {number}"))
        elif self.mood == "leak":
            await self.json(403, error(403, f"The key {KEY} may not do this."))
        elif self.mood == "queue":
            said = "Queue full for IP 192.0.2.1: 1 requests already queued. Max allowed: 1"
            await self.json(429, {"error": said, "status": 429, "migration": {}})
        elif self.mood == "cut-before":
            self.head(200, SSE | {"Content-Length": "1000"})
            self.cut()
        elif self.mood == "error-first":
            await self.json(502, error(502, "We couldn't reach our backend services."))
        elif self.body.get("stream"):
            await self.stream()
        else:
            await self.completion()

    async def completion(self) -> None:
        message: Json = {"role": "assistant", "content": "".join(self.words())}
        if self.body.get("tools"):
            message = {"role": "assistant", "content": None, "tool_calls": self.calls()}
        choice = {
            "index": 0,
            "message": message,
            "finish_reason": "tool_calls" if self.body.get("tools") else "stop",
        }
        await self.json(
            200,
            {
                "id": "pllns_1",
                "object": "chat.completion",
                "created": 1,
                "model": self.body["model"],
                "choices": [choice],
                "usage": self.usage(),
                "user_tier": "anonymous",
            },
        )

    async def stream(self) -> None:
        self.begin(SSE)
        await self.write(event(self.chunk({"role": "assistant", "content": ""})))
        for number, word in enumerate(self.words()):
            if number == 1:
                match self.mood:
                    case "hang":
                        await self.hang()
                    case "cut-mid-event":
                        await self.write(event(self.chunk({"content": word}))[:30])
                        return self.cut()
                    case "cut-between":
                        return self.cut()
                    case "malformed":
                        await self.write(b"data: {\n\n")
                    case "error-late":
                        await self.write(
                            event({"error": {"message": "It went wrong.", "code": 502}})
                        )
                        break
                    case _:
                        pass
            await self.write(event(self.chunk({"content": word})))
        else:
            await self.write(event(self.chunk({}, "stop")))
            if (self.body.get("stream_options") or {}).get("include_usage"):
                await self.write(event(self.chunk({}) | {"choices": [], "usage": self.usage()}))
            await self.write(b"data: [DONE]\n\n")
        await self.end()
        return None

    def words(self) -> list[str]:
        """The user's last text."""
        return re.findall(r"\S+\s*", self.body["messages"][-1]["content"])

    def calls(self) -> list[Json]:
        return [
            {
                "id": f"call_{number}",
                "type": "function",
                "function": {"name": tool["function"]["name"], "arguments": '{"city":"Köln"}'},
            }
            for number, tool in enumerate(self.body["tools"])
        ]

    def usage(self) -> Json:
        said = len(self.words())
        return {"prompt_tokens": 10, "completion_tokens": said, "total_tokens": 10 + said}

    def chunk(self, delta: Json, finish: str | None = None) -> Json:
        return {
            "id": "pllns_1",
            "object": "chat.completion.chunk",
            "created": 1,
            "model": self.body["model"],
            "choices": [{"index": 0, "delta": delta, "finish_reason": finish}],
        }


if __name__ == "__main__":
    main(Pollinations)
