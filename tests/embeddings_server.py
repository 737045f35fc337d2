"""A fake of OpenAI's smaller APIs, to be run as a process of its own (``python -m tests.embeddings_server``).

A vector is made of a text's length, or of the number of its tokens. A completion says the prompt
again in capital letters, word by word. What follows an ``@`` in a model's name says what is unusual:

- embeddings: ``@numbers``, ``@base64``: always so; ``@refuses``: an error for any encoding_format;
  ``@no-usage``; ``@backwards``: the last one first; ``@few``: one too few
- completions: ``@cut``, ``@cut-frame``, ``@malformed``, ``@error``: after the first word; ``@first``: an
  error before it; ``@no-done``, ``@no-finish``; ``@whole``: never streams; ``@always``: streams always
- all: ``@status-N``; ``@page``: a page of HTML; ``@failed``: an error in a success

A model ``text-only`` is unknown to all but chats. Under ``/none`` there are only chats.
"""

from __future__ import annotations

import base64
import re
import struct
from collections.abc import Iterator
from typing import Any

from tests.hosted_server import Reply, event, main

Json = dict[str, Any]
ERROR = {"error": {"message": "It broke", "type": "server_error", "param": None, "code": None}}


def vector(given: str | list[int], size: int = 4) -> list[float]:
    """The vector for a text or for tokens; 32 bits are enough for its numbers."""
    return [len(given) + number / 4 for number in range(size)]


class Smaller(Reply):
    """One answer."""

    async def answer(self) -> None:
        name, *self.how = str(self.body.get("model", "")).split("@")
        self.name = name
        route = self.exchange.route
        status = next((one for one in self.how if re.fullmatch(r"status-\d+", one)), None)
        if self.exchange.headers.get("authorization") == "Bearer wrong":
            await self.json(401, {"error": {"message": "Wrong key", "code": "invalid_api_key"}})
        elif status is not None:
            await self.json(int(status[7:]), ERROR)
        elif "page" in self.how:
            await self.whole(200, {"Content-Type": "text/html"}, b"<h1>It works!</h1>")
        elif "failed" in self.how:
            await self.json(200, ERROR)
        elif route == "/v1/models":
            data = [{"id": one, "object": "model"} for one in ("embed", "instruct")]
            await self.json(200, {"object": "list", "data": data})
        elif route.endswith("/chat/completions"):
            await self.chat()
        elif route == "/v1/embeddings":
            await self.embeddings()
        elif route == "/v1/completions" and name != "text-only":
            await self.completions()
        elif route == "/v1/moderations":
            await self.moderations()
        else:
            await self.json(404, {"detail": "Not Found"})

    async def embeddings(self) -> None:
        given = self.body["input"]
        several = isinstance(given, list) and not isinstance(given[0], int)
        inputs = given if several else [given]
        form = self.body.get("encoding_format")
        if form is not None and "refuses" in self.how:
            message = "Unknown field: encoding_format"
            await self.json(400, {"error": {"message": message, "type": "invalid_request_error"}})
            return
        packed = (form == "base64" and "numbers" not in self.how) or "base64" in self.how
        data = [
            {"object": "embedding", "index": index, "embedding": self.embedding(one, packed=packed)}
            for index, one in enumerate(inputs)
        ]
        if "backwards" in self.how:
            data.reverse()
        if "few" in self.how:
            data.pop()
        usage = {"prompt_tokens": 5 * len(inputs), "total_tokens": 5 * len(inputs)}
        said: Json = {"object": "list", "data": data, "model": self.name}
        await self.json(200, said if "no-usage" in self.how else said | {"usage": usage})

    def embedding(self, given: Any, *, packed: bool) -> Any:
        numbers = vector(given, self.body.get("dimensions") or 4)
        if not packed:
            return numbers
        return base64.b64encode(struct.pack(f"<{len(numbers)}f", *numbers)).decode()

    async def moderations(self) -> None:
        given = self.body["input"]
        results = []
        for one in given if isinstance(given, list) else [given]:
            text = one if isinstance(one, str) else one.get("text", "")
            bad = {"violence": "kill" in text}
            result: Json = {"categories": bad, "category_scores": {"violence": 0.5}}
            if self.name.startswith("omni"):
                result["flagged"] = bad["violence"]
            results.append(result)
        await self.json(200, {"id": "modr-1", "model": self.name, "results": results})

    def choices(self) -> Iterator[tuple[int, list[str]]]:
        """The words of each choice."""
        prompt = self.body["prompt"]
        several = isinstance(prompt, list) and not isinstance(prompt[0], int)
        index = 0
        for one in prompt if several else [prompt]:
            text = one if isinstance(one, str) else " ".join(f"t{token}" for token in one)
            for _ in range(self.body.get("n") or 1):
                yield index, re.findall(r"\S+\s*", text.upper())
                index += 1

    async def completions(self) -> None:
        head = {"id": "cmpl-1", "object": "text_completion", "created": 1700000000}
        head |= {"model": self.name}
        usage = {"prompt_tokens": 3, "completion_tokens": 2, "total_tokens": 5}
        if "always" not in self.how and ("whole" in self.how or not self.body.get("stream")):
            choices = [_choice(index, "".join(words), "stop") for index, words in self.choices()]
            said: Json = head | {"choices": choices}
            await self.json(200, said if "no-usage" in self.how else said | {"usage": usage})
            return
        self.begin()
        if "first" in self.how:
            await self.write(event(ERROR))
            await self.end()
            return
        for index, words in self.choices():
            for word in words:
                await self.write(event(head | {"choices": [_choice(index, word)]}))
                if await self.broke():
                    return
            if "no-finish" not in self.how:
                await self.write(event(head | {"choices": [_choice(index, "", "length")]}))
        if (self.body.get("stream_options") or {}).get("include_usage"):
            await self.write(event(head | {"choices": [], "usage": usage}))
        if "no-done" not in self.how:
            await self.write(b"data: [DONE]\n\n")
        await self.end()

    async def broke(self) -> bool:
        """Go wrong, where the model's name says so."""
        if "malformed" in self.how:
            await self.write(b"data: {oops}\n\n")
        elif "error" in self.how:
            await self.write(event(ERROR))
        elif "cut-frame" in self.how:
            await self.write(b'data: {"id": "cm')
            self.cut()
            return True
        elif "cut" in self.how:
            self.cut()
            return True
        else:
            return False
        await self.end()
        return True

    async def chat(self) -> None:
        text = self.body["messages"][-1]["content"]
        usage = {"prompt_tokens": 7, "completion_tokens": 4, "total_tokens": 11}
        head = {"id": "chatcmpl-1", "created": 1700000000, "model": self.name}
        count = self.body.get("n") or 1
        if not self.body.get("stream"):
            message = {"role": "assistant", "content": text.upper()}
            choices = [
                {"index": index, "message": message, "finish_reason": "stop"}
                for index in range(count)
            ]
            await self.json(
                200, head | {"object": "chat.completion", "choices": choices, "usage": usage}
            )
            return
        self.begin()
        head |= {"object": "chat.completion.chunk"}
        for index in range(count):
            for word in re.findall(r"\S+\s*", text.upper()):
                delta: Json = {"index": index, "delta": {"content": word}, "finish_reason": None}
                await self.write(event(head | {"choices": [delta]}))
                if "cut" in self.how:
                    self.cut()
                    return
            last = {"index": index, "delta": {}, "finish_reason": "stop"}
            await self.write(event(head | {"choices": [last]}))
        await self.write(event(head | {"choices": [], "usage": usage}) + b"data: [DONE]\n\n")
        await self.end()


def _choice(index: int, text: str, finish: str | None = None) -> Json:
    return {"text": text, "index": index, "logprobs": None, "finish_reason": finish}


if __name__ == "__main__":
    main(Smaller)
