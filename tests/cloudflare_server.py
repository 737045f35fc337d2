"""A fake of Cloudflare Workers AI, to be run as a process (``python -m tests.cloudflare_server``).

One account, and errors in Cloudflare's own envelope. The model ``@cf/meta/llama-3.1-8b-instruct`` says
the user's last text again; ``@cf/busy/model`` is out of capacity, ``@cf/cut/model`` hangs up, and others do
not exist. The list of models is long enough for two pages.
"""

from __future__ import annotations

import re
from typing import Any
from urllib.parse import parse_qs

from tests.hosted_server import Reply, event, main

Json = dict[str, Any]

KEY = "cloudflare-key-5310"
ACCOUNT = "0123456789abcdef0123456789abcdef"
ECHO = "@cf/meta/llama-3.1-8b-instruct"
TASK = {"id": "c329a1f9", "name": "Text Generation", "description": "Generates text."}


def listed(name: str, **properties: str) -> Json:
    """A model as the search shows it."""
    found: list[Json] = [{"property_id": key, "value": value} for key, value in properties.items()]
    found.append({"property_id": "price", "value": [{"unit": "per M input tokens", "price": 0.28}]})
    return {"id": "f9f2250b", "source": 1, "name": name, "task": TASK, "properties": found}


MODELS = [
    listed(ECHO, context_window="7968"),
    listed(
        "@cf/meta/llama-4-scout", context_window="131000", function_calling="true", vision="true"
    ),
    listed("@cf/openai/gpt-oss-120b", context_window="128000", reasoning="true"),
    *(listed(f"@cf/vendor/model-{number}") for number in range(120)),
]


class Cloudflare(Reply):
    """The answer to one request."""

    async def answer(self) -> None:
        root = f"/client/v4/accounts/{ACCOUNT}/ai/"
        if self.exchange.headers.get("authorization") != f"Bearer {KEY}":
            await self.refuse(401, 10000, "Authentication error")
        elif self.exchange.route == f"{root}models/search":
            await self.search()
        elif self.exchange.route == f"{root}v1/chat/completions":
            await self.chat(str(self.body.get("model")))
        else:
            await self.refuse(404, 7000, "No route for that URI")

    async def refuse(self, status: int, code: int, message: str) -> None:
        """An error in the envelope."""
        errors = [{"code": code, "message": message}]
        envelope = {"result": None, "success": False, "errors": errors, "messages": []}
        await self.json(status, envelope)

    async def search(self) -> None:
        """One page of the models."""
        query = parse_qs(self.exchange.path.partition("?")[2])
        size, page = int(query["per_page"][0]), int(query["page"][0])
        found = MODELS if query.get("task") == ["Text Generation"] else []
        result = found[(page - 1) * size : page * size]
        info = {"count": len(result), "page": page, "per_page": size, "total_count": len(found)}
        envelope = {"success": True, "errors": [], "messages": [], "result_info": info}
        await self.json(200, envelope | {"result": result})

    async def chat(self, model: str) -> None:
        """A completion."""
        match model:
            case "@cf/busy/model":
                await self.refuse(429, 3040, "No more data centers to forward the request to")
                return
            case "@cf/cut/model":
                pass
            case _ if model != ECHO:
                await self.refuse(400, 5007, f"No such model {model} or task")
                return
        words = re.findall(r"\S+\s*", str(self.body["messages"][-1]["content"]))
        usage = {
            "prompt_tokens": 3,
            "completion_tokens": len(words),
            "total_tokens": 3 + len(words),
        }
        begun = {"id": "id-1741569952", "created": 1741569952, "model": model}
        if not self.body.get("stream"):
            message = {"role": "assistant", "content": "".join(words)}
            choices = [{"index": 0, "message": message, "finish_reason": "stop"}]
            whole = {"object": "chat.completion", "choices": choices, "usage": usage}
            await self.json(200, begun | whole)
            return
        self.begin()
        begun |= {"object": "chat.completion.chunk"}
        for number, word in enumerate(words):
            if number == 1 and model == "@cf/cut/model":
                self.cut()
                return
            delta = {"role": "assistant", "content": word}
            choices = [{"index": 0, "delta": delta, "finish_reason": None}]
            await self.write(event(begun | {"choices": choices}))
        end: list[Json] = [{"index": 0, "delta": {}, "finish_reason": "stop"}]
        await self.write(event(begun | {"choices": end}))
        await self.write(event(begun | {"choices": [], "usage": usage}))
        await self.write(b"data: [DONE]\n\n")
        await self.end()


if __name__ == "__main__":
    main(Cloudflare)
