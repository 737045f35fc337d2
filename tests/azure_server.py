"""A fake of Azure OpenAI, to be run as a process of its own (``python -m tests.azure_server``).

It has the v1 endpoint and the addresses of deployments, which need an ``api-version``; both want the
header ``api-key``. Its streams begin and end with verdicts of the content filters. The name of the
deployment says what it does: ``my-gpt`` says the user's last text again, ``filtered`` stops in the
middle, ``refusing`` refuses the prompt, ``busy`` has no capacity, ``cut`` hangs up; others do not exist.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any
from urllib.parse import parse_qs, unquote

from tests.hosted_server import Reply, event, main

Json = dict[str, Any]

KEY = "azure-key-5310"
DEPLOYMENTS = ("my-gpt", "my gpt/ü", "filtered", "refusing", "busy", "cut")
SAFE = {"hate": {"filtered": False, "severity": "safe"}}
NOBODY: Json = {"id": "", "object": "", "created": 0, "model": ""}


def error(code: str, message: str, **fields: object) -> Json:
    """An error as Azure writes it."""
    return {"error": {"code": code, "message": message, **fields}}


class Azure(Reply):
    """The answer to one request."""

    async def answer(self) -> None:
        query = parse_qs(self.exchange.path.partition("?")[2])
        version = query.get("api-version", [""])[0]
        path = re.fullmatch(
            r"(?:/gateway)?/openai/(v1|deployments/([^/]+))/chat/completions", self.exchange.route
        )
        dated = path is not None and path[1] != "v1"
        if path is None or dated != bool(re.match(r"\d{4}-", version)):
            await self.json(404, error("404", "Resource not found"))
            return
        self.deployment = unquote(path[2]) if dated else str(self.body.get("model"))
        if self.exchange.headers.get("api-key") != KEY:
            said = "Access denied due to invalid subscription key or wrong API endpoint."
            await self.json(401, error("401", said))
        elif self.deployment not in DEPLOYMENTS:
            said = "The API deployment for this resource does not exist."
            await self.json(404, error("DeploymentNotFound", said))
        elif self.deployment == "refusing":
            said = "The response was filtered due to the prompt."
            inner = {"code": "ResponsibleAIPolicyViolation", "content_filter_result": SAFE}
            filtered = error("content_filter", said, param="prompt", type=None, innererror=inner)
            await self.json(400, filtered)
        elif self.deployment == "busy":
            said = "Requests have exceeded the call rate limit. Please retry after 11 seconds."
            await self.json(429, error("429", said), {"Retry-After": "11"})
        elif self.body.get("stream"):
            await self.stream()
        else:
            await self.completion()

    def words(self) -> Iterator[str]:
        """The answer."""
        yield from re.findall(r"\S+\s*", str(self.body["messages"][-1]["content"]))

    def begun(self, kind: str) -> Json:
        """What every object of an answer begins with."""
        return {"id": "chatcmpl-az", "object": kind, "created": 1741569952, "model": "gpt-4o-2024"}

    async def completion(self) -> None:
        """A whole answer with the verdicts in it."""
        message = {"role": "assistant", "content": "".join(self.words()), "refusal": None}
        choice = {
            "index": 0,
            "message": message,
            "finish_reason": "stop",
            "logprobs": None,
            "content_filter_results": SAFE,
        }
        verdicts = {"prompt_filter_results": [{"prompt_index": 0, "content_filter_results": SAFE}]}
        usage = {"prompt_tokens": 3, "completion_tokens": 2, "total_tokens": 5}
        whole = {"choices": [choice], "usage": usage, **verdicts}
        await self.json(200, self.begun("chat.completion") | whole)

    async def stream(self) -> None:
        """A stream among the verdicts of an asynchronous filter."""
        self.begin()
        prompt = {"prompt_index": 0, "content_filter_results": SAFE}
        await self.write(event({**NOBODY, "choices": [], "prompt_filter_results": [prompt]}))
        await self.write(self.chunk({"role": "assistant", "content": "", "refusal": None}))
        for number, word in enumerate(self.words()):
            if number == 1 and self.deployment == "cut":
                self.cut()
                return
            if number == 1 and self.deployment == "filtered":
                break
            await self.write(self.chunk({"content": word}))
            verdict = {"content_filter_results": SAFE, "content_filter_offsets": {"end_offset": 9}}
            choice = {"index": 0, "finish_reason": None, **verdict}
            await self.write(event({**NOBODY, "choices": [choice]}))
        if self.deployment == "filtered":
            # an asynchronous filter has no id for its last word either
            end = {"index": 0, "finish_reason": "content_filter", "content_filter_results": SAFE}
            await self.write(event({**NOBODY, "choices": [end]}))
        else:
            await self.write(self.chunk({}, "stop"))
        if (self.body.get("stream_options") or {}).get("include_usage"):
            usage = {"prompt_tokens": 3, "completion_tokens": 2, "total_tokens": 5}
            await self.write(
                event(self.begun("chat.completion.chunk") | {"choices": [], "usage": usage})
            )
        await self.write(b"data: [DONE]\n\n")
        await self.end()

    def chunk(self, delta: Json, finish: str | None = None) -> bytes:
        """One chunk as an event."""
        choice = {"index": 0, "delta": delta, "finish_reason": finish, "logprobs": None}
        filtered = {"content_filter_results": SAFE} if delta.get("content") else {}
        return event(self.begun("chat.completion.chunk") | {"choices": [choice | filtered]})


if __name__ == "__main__":
    main(Azure)
