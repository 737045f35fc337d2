"""A fake of Ollama, to be run as a process of its own (``python -m tests.ollama_server``).

It has both faces: OpenAI's, and its own API, which refuses what the server refuses: images that are no
base64, arguments that are no object, times it cannot read, tools and thinking for models that have
none. It thinks where its model can, unless it is told not to, calls every function it is told of,
once, then tells what they said, and otherwise says the user's last text again, word by word.

What follows an ``@`` in a model's name says how it misbehaves: ``@cut-before``, ``@cut-mid-line``,
``@cut-between``, ``@no-done``, ``@malformed``, ``@error-first``, ``@error-late``, ``@hang``; ``@status-N``,
``@busy``, ``@leak``; ``@bytes``, ``@older`` (no ids, no reason for the end), ``@empty``.
"""

from __future__ import annotations

import base64
import binascii
import re
from collections.abc import Iterator
from typing import Any

import orjson

from tests.hosted_server import JSON, Reply, event, main

Json = dict[str, Any]

KEY = "ollama-key-5310"
PIXEL = "iVBORw0KGgo="
LINES = {"Content-Type": "application/x-ndjson"}
#: what ``/api/tags`` lists and ``/api/show`` tells
MODELS: dict[str, Json] = {
    "nomic-embed-text:latest": {"family": "nomic-bert", "can": ["embedding"], "length": 2048},
    "llama3.2:latest": {
        "family": "llama",
        "can": ["completion", "tools"],
        "length": 131072,
        "parameters": 'stop                           "<|eot_id|>"\nnum_ctx                        8192',
    },
    "qwen3:8b": {
        "family": "qwen3",
        "can": ["completion", "tools", "thinking", "vision"],
        "length": 40960,
    },
    "gemma3:1b": {"family": "gemma3", "can": ["completion", "insert"], "length": 32768},
}
#: another name for one of them
ALIAS = ("qwen3:latest", "qwen3:8b")
LOADED = "qwen3:8b"
_DURATION = re.compile(r"[+-]?(0|(\d+(\.\d*)?(ns|us|µs|ms|s|m|h))+)")


class Refusal(Exception):  # noqa: N818  (what the server says no to)
    """A request that is wrong in itself."""


class Ollama(Reply):
    """The answer to one request."""

    async def answer(self) -> None:
        given = self.exchange.headers.get("authorization")
        if given not in (None, f"Bearer {KEY}"):
            await self.json(401, {"error": "unauthorized"})
            return
        match self.exchange.method, self.exchange.route:
            case "GET", "/api/version":
                await self.json(200, {"version": "0.12.6"})
            case "GET", "/api/tags":
                await self.json(200, {"models": [listed(name) for name in (*MODELS, ALIAS[0])]})
            case "GET", "/api/ps":
                await self.json(200, {"models": [listed(LOADED) | {"size_vram": 5}]})
            case "POST", "/api/show":
                await self.show()
            case "POST", "/api/chat":
                await self.own_chat()
            case "POST", "/v1/chat/completions":
                await self.openai_chat()
            case _:
                await self.whole(404, {"Content-Type": "text/plain"}, b"404 page not found")

    async def show(self) -> None:
        """What a model can."""
        model = MODELS.get(self.body["model"].replace(*ALIAS))
        if model is None:
            await self.json(404, {"error": f"model '{self.body['model']}' not found"})
            return
        shown: Json = {
            "details": {"family": model["family"]},
            "capabilities": model["can"],
            "model_info": {
                "general.architecture": model["family"],
                f"{model['family']}.context_length": model["length"],
            },
        }
        if "parameters" in model:
            shown["parameters"] = model["parameters"]
        await self.json(200, shown)

    async def openai_chat(self) -> None:
        """OpenAI's face: it has a mark of its own."""
        delta = {"role": "assistant", "content": "As OpenAI would."}
        chunk = {
            "id": "chatcmpl-7",
            "object": "chat.completion.chunk",
            "created": 1,
            "model": self.body["model"],
            "system_fingerprint": "fp_ollama",
            "choices": [{"index": 0, "delta": delta, "finish_reason": "stop"}],
        }
        if self.body["model"].startswith("gone"):
            said = {"message": "model 'gone' not found", "type": "not_found_error"}
            await self.json(404, {"error": said | {"param": None, "code": None}})
            return
        self.begin()
        await self.write(event(chunk) + b"data: [DONE]\n\n")
        await self.end()

    # its own chat

    async def own_chat(self) -> None:
        name, _, self.mood = str(self.body.get("model")).partition("@")
        self.model = MODELS.get(name.replace(*ALIAS))
        kind, _, number = self.mood.rpartition("-")
        if self.model is None:
            await self.json(404, {"error": f"model '{name}' not found"})
        elif kind == "status":
            await self.json(int(number), {"error": f"Told to answer {number}"})
        elif self.mood == "busy":
            said = "server busy, please try again.  maximum pending requests exceeded"
            await self.json(503, {"error": said})
        elif self.mood == "leak":
            await self.json(403, {"error": f"The key {KEY} may not do this."})
        else:
            try:
                self.check(name, self.model["can"])
            except Refusal as refusal:
                await self.json(400, {"error": str(refusal)})
                return
            await self.chat(list(self.lines()))

    def check(self, name: str, can: list[str]) -> None:
        """Refusal for what the server would not take."""
        if "completion" not in can:
            raise Refusal(f'"{name}" does not support chat')
        if self.body.get("tools") and "tools" not in can:
            raise Refusal(f"registry.ollama.ai/library/{name} does not support tools")
        think = self.body.get("think")
        if not isinstance(think, bool | str | None):
            raise Refusal("think must be a boolean or string")
        if think and "thinking" not in can:
            raise Refusal(f'"{name}" does not support thinking')
        form = self.body.get("format")
        if not (form in (None, "json") or isinstance(form, dict)):
            raise Refusal(
                f'invalid format: {form!r}; expected "json" or a valid JSON Schema object'
            )
        alive = self.body.get("keep_alive", 0)
        if not (isinstance(alive, int) or _DURATION.fullmatch(alive)):
            raise Refusal(f'time: invalid duration "{alive}"')
        for tool in self.body.get("tools", ()):
            if not isinstance(tool["function"]["parameters"], dict):
                raise Refusal("json: cannot unmarshal into Go struct field parameters")
        for message in self.body["messages"]:
            self.check_message(message)

    def check_message(self, message: Json) -> None:
        if message["role"] not in ("system", "user", "assistant", "tool"):
            raise Refusal(f"invalid role: {message['role']!r}")
        if not isinstance(message["content"], str):
            raise Refusal("json: cannot unmarshal into Go struct field content of type string")
        for image in message.get("images", ()):
            try:
                base64.b64decode(image, validate=True)
            except binascii.Error:
                raise Refusal("illegal base64 data at input byte 4") from None
        for call in message.get("tool_calls", ()):
            if not isinstance(call["function"]["arguments"], dict):
                raise Refusal("json: cannot unmarshal string into Go struct field arguments")

    async def chat(self, lines: list[Json]) -> None:
        """The answer, whole or as a stream."""
        if self.mood == "cut-before":
            self.head(200, LINES | {"Content-Length": "1000"})
            self.cut()
        elif self.mood == "error-first":
            await self.json(500, {"error": "llama runner process has terminated"})
        elif self.body.get("stream", True):
            await self.stream(lines)
        else:
            await self.completion(lines)

    async def completion(self, lines: list[Json]) -> None:
        if self.mood == "hang":
            await self.hang()
        if self.mood.startswith("cut"):
            self.head(200, JSON | {"Content-Length": "1000"})
            self.writer.write(b'{"model":"m","message":')
            self.cut()
        elif self.mood == "malformed":
            await self.whole(200, JSON, b"<html>")
        elif self.mood == "error-late":
            await self.json(500, {"error": "an error was encountered while running the model"})
        else:
            await self.json(200, joined(lines))

    async def stream(self, lines: list[Json]) -> None:
        self.begin(LINES)
        for number, line in enumerate(lines):
            data = orjson.dumps(line) + b"\n"
            if number == 1:
                match self.mood:
                    case "hang":
                        await self.hang()
                    case "cut-mid-line":
                        await self.write(data[:30])
                        return self.cut()
                    case "cut-between":
                        return self.cut()
                    case "malformed":
                        await self.write(b"<html>\n")
                    case "error-late":
                        said = {"error": "an error was encountered while running the model"}
                        await self.write(orjson.dumps(said) + b"\n")
                        break
                    case _:
                        pass
            step = 1 if self.mood == "bytes" else len(data)
            for begin in range(0, len(data), step):
                await self.write(data[begin : begin + step])
        await self.end()
        return None

    def lines(self) -> Iterator[Json]:
        """The lines of the answer."""
        messages = list(self.messages())
        limit = self.body.get("options", {}).get("num_predict")
        reason = "stop"
        if limit is not None and limit < len(messages):
            messages, reason = messages[:limit], "length"
        for message in messages:
            line = self.line(message)
            if self.body.get("logprobs") and message.get("content"):
                line["logprobs"] = [{"token": message["content"], "logprob": -0.25}]
            yield line
        if self.mood == "no-done":
            return
        took = {"total_duration": 900, "load_duration": 100, "prompt_eval_count": 10}
        end = {} if self.mood == "older" else {"done_reason": reason}
        yield self.line({}) | {"done": True, **end, **took, "eval_count": len(messages)}

    def line(self, message: Json) -> Json:
        said = {"role": "assistant", "content": "", **message}
        return {
            "model": self.body["model"],
            "created_at": "2025-10-26T17:15:24Z",
            "message": said,
        } | {"done": False}

    def messages(self) -> Iterator[Json]:
        """What the model says."""
        assert self.model is not None
        if self.mood == "empty":
            return
        if "thinking" in self.model["can"] and self.body.get("think", True):
            yield {"thinking": "Looking"}
            yield {"thinking": " at it."}
        last = self.body["messages"][-1]
        if last["role"] == "tool":
            results = [one for one in self.body["messages"] if one["role"] == "tool"]
            yield {"content": "; ".join(f"{r.get('tool_name')}: {r['content']}" for r in results)}
        elif tools := self.body.get("tools"):
            for number, tool in enumerate(tools):
                function = {"name": tool["function"]["name"], "arguments": {"city": "Köln"}}
                id_ = {} if self.mood == "older" else {"id": f"call_{number}"}
                yield {"tool_calls": [{**id_, "function": {"index": number, **function}}]}
        elif self.body.get("format"):
            yield {"content": '{"said": '}
            yield {"content": f'"{last["content"]}"}}'}
        else:
            yield from ({"content": word} for word in re.findall(r"\S+\s*", last["content"]))


def listed(name: str) -> Json:
    """A model as a list has it."""
    real = name.replace(*ALIAS)
    return {
        "name": name,
        "model": name,
        "modified_at": "2025-10-03T23:34:03.409490317-07:00",
        "digest": f"sha256:{real}",
        "details": {"format": "gguf", "family": MODELS[real]["family"], "parameter_size": "8B"},
    }


def joined(lines: list[Json]) -> Json:
    """The whole answer that lines make up."""
    said: Json = {"role": "assistant", "content": ""}
    for line in lines:
        for key in ("content", "thinking"):
            if text := line["message"].get(key):
                said[key] = said.get(key, "") + text
        if calls := line["message"].get("tool_calls"):
            said.setdefault("tool_calls", []).extend(calls)
    logprobs = [token for line in lines for token in line.get("logprobs", ())]
    return lines[-1] | {"message": said} | ({"logprobs": logprobs} if logprobs else {})


if __name__ == "__main__":
    main(Ollama)
