"""A fake of OpenAI's Responses API, to be run as a process of its own (``python -m tests.responses_server``).

It has state, as the API has: what it answers is kept unless ``store`` is false, and can be fetched,
deleted, referred to and gone on from. It refuses what the API refuses: fields it does not know, ids
that it did not give, ``reasoning`` items that it did not write. It thinks when it is told to, searches
the web when it has that tool, calls every function it may call, once, then tells what they gave; answers
42 where a schema is asked for, but for a text that is JSON; and otherwise says the user's last text
again, word by word. In the background it takes two looks to be done. Chat completions are 404: who asks for them was told of the wrong route.

What follows an ``@`` in a model's name says how it misbehaves: ``@cut-head``, ``@cut-first`` (before any
content), ``@cut-event``, ``@cut-between``, ``@cut-last`` (before the last event), ``@no-end`` (an end
without it), ``@done`` (``[DONE]`` instead of it), ``@malformed``, ``@untyped``, ``@error-first``,
``@error-late``, ``@failed-first``, ``@failed-late``, ``@too-long`` (a failure that is the request's),
``@incomplete``, ``@hang``; ``@status-N``; ``@crlf``, ``@bytes``, ``@extra`` (events and items nobody
knows, and ``[DONE]`` after the end), ``@no-usage``; ``@body`` (never streams), ``@stream`` (always does).
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import orjson

from tests.hosted_server import JSON, SSE, Reply, main

Json = dict[str, Any]

KEY = "sk-5310"
MODELS = ("gpt-5", "o3")
FIELDS = (
    "background conversation include input instructions max_output_tokens max_tool_calls metadata "
    "model parallel_tool_calls previous_response_id prompt prompt_cache_key reasoning "
    "safety_identifier service_tier store stream stream_options temperature text tool_choice tools "
    "top_logprobs top_p truncation user client_metadata"
)
#: what was kept: responses by id, the items that led to each, and all items by id
RESPONSES: dict[str, Json] = {}
CONTEXTS: dict[str, list[Json]] = {}
ITEMS: dict[str, Json] = {}
ACTIONS: dict[str, int] = {}


class Refusal(Exception):  # noqa: N818  (what the API says no to)
    """A request that is wrong in itself."""

    def __init__(
        self, message: str, param: str | None = None, code: str | None = None, status: int = 400
    ) -> None:
        super().__init__(message)
        self.status = status
        kind = "invalid_request_error"
        self.body = {"error": {"message": message, "type": kind, "param": param, "code": code}}


def new_id(prefix: str) -> str:
    """An id that was never given before."""
    ACTIONS["ids"] = ACTIONS.get("ids", 0) + 1
    return f"{prefix}_{ACTIONS['ids']:032x}"


class OpenAI(Reply):
    """The answer to one request."""

    async def answer(self) -> None:
        """Answer the request."""
        try:
            await self.respond()
        except Refusal as refusal:
            await self.json(refusal.status, refusal.body)

    async def respond(self) -> None:
        """Answer the request, or refuse it."""
        if self.exchange.headers.get("authorization") not in (f"Bearer {KEY}", None):
            raise Refusal("Incorrect API key provided.", code="invalid_api_key", status=401)
        match self.exchange.method, self.exchange.route.removeprefix("/v1/").split("/"):
            case "POST", ["responses"]:
                await self.create()
            case "GET", ["models"]:
                data = [{"id": model, "object": "model", "created": 1} for model in MODELS]
                await self.json(200, {"object": "list", "data": data})
            case "GET", ["responses", name]:
                await self.json(200, progressed(kept(name)))
            case "DELETE", ["responses", name]:
                del RESPONSES[kept(name)["id"]]
                await self.json(200, {"id": name, "object": "response", "deleted": True})
            case "POST", ["responses", name, "cancel"]:
                response = kept(name)
                if not response["background"]:
                    raise Refusal("Cannot cancel a synchronous response.")
                response["status"] = "cancelled"
                await self.json(200, response)
            case _:
                raise Refusal(f"Unknown request URL: {self.exchange.route}", status=404)

    async def create(self) -> None:
        """A response, as the model's name asks for it."""
        body = self.body
        if unknown := set(body) - {*FIELDS.split()}:
            name = min(unknown)
            raise Refusal(f"Unknown parameter: '{name}'.", name, "unknown_parameter")
        model, _, twist = str(body.get("model")).partition("@")
        if model not in MODELS:
            raise Refusal(f"The model '{model}' does not exist.", "model", "model_not_found", 404)
        if twist.startswith("status-"):
            raise Refusal("Told so.", status=int(twist.removeprefix("status-")))
        context = context_of(body)
        response = begun(body, twist)
        items = list(output(body, context, twist))
        finished = dict(response, output=items, status="completed", completed_at=2.0)
        finished["usage"] = None if twist == "no-usage" else usage(context, items)
        if twist == "incomplete":
            finished |= {
                "status": "incomplete",
                "completed_at": None,
                "incomplete_details": {"reason": "max_output_tokens"},
            }
        if body.get("background"):
            response["status"] = "queued"
        if body.get("store") is not False:
            keep(response if body.get("background") else finished, context, items)
            ACTIONS[f"left {response['id']}"] = 2
            RESPONSES[f"whole {response['id']}"] = finished
        streams = bool(body.get("stream")) if twist not in ("body", "stream") else twist == "stream"
        if twist == "cut-head":
            self.cut()
        elif streams:
            await self.stream(list(events(response, finished, items, twist)), twist)
        elif body.get("background"):
            await self.json(200, response)
        elif twist in ("failed-first", "failed-late", "too-long"):
            await self.json(200, failure(response, twist))
        elif twist == "malformed":
            await self.whole(200, JSON, b'{"id": "resp_1", "out')
        elif twist == "untyped":
            await self.json(200, {"id": "resp_1", "object": "response"})
        elif twist.startswith("cut"):
            data = orjson.dumps(finished)
            self.head(200, JSON | {"Content-Length": str(len(data))})
            self.writer.write(data[: len(data) // 2])
            self.cut()
        else:
            await self.json(200, finished)

    async def stream(self, told: list[Json], twist: str) -> None:
        """The event stream of a response."""
        self.begin(SSE)
        frames = [frame(one, twist) for one in told]
        half = len(frames) // 2
        match twist:
            case "cut-first":
                await self.write(b"".join(frames[:2]))
                self.cut()
                return
            case "cut-between":
                await self.write(b"".join(frames[:half]))
                self.cut()
                return
            case "cut-event":
                await self.write(b"".join(frames[:half]) + frames[half][:30])
                self.cut()
                return
            case "cut-last" | "no-end" | "done":
                await self.write(b"".join(frames[:-1]))
                if twist == "cut-last":
                    self.cut()
                    return
                if twist == "done":
                    await self.write(b"data: [DONE]\n\n")
            case "malformed":
                await self.write(b"".join(frames[:half]) + b'data: {"type": "resp\n\n')
            case "untyped":
                await self.write(b"".join(frames[:half]) + b'data: {"delta": "x"}\n\n')
            case "hang":
                await self.write(b"".join(frames[:half]))
                await self.hang()
            case "bytes":
                for byte in b"".join(frames):
                    await self.write(bytes((byte,)))
            case _:
                for one in frames:
                    await self.write(one)
        if twist == "extra":
            await self.write(b"data: [DONE]\n\n")
        await self.end()


def kept(name: str) -> Json:
    """A kept response; a refusal when there is none."""
    if name not in RESPONSES:
        raise Refusal(f"Response with id '{name}' not found.", status=404)
    return RESPONSES[name]


def keep(response: Json, context: list[Json], items: list[Json]) -> None:
    """Remember a response and its items."""
    name = response["id"]
    RESPONSES[name] = response
    CONTEXTS[name] = [*context, *items]
    ITEMS.update({item["id"]: item for item in items})


def progressed(response: Json) -> Json:
    """A response, which is nearer to its end after each look."""
    name = response["id"]
    if response["status"] in ("queued", "in_progress"):
        ACTIONS[f"left {name}"] -= 1
        done = not ACTIONS[f"left {name}"]
        RESPONSES[name] = (
            RESPONSES[f"whole {name}"] if done else {**response, "status": "in_progress"}
        )
    return RESPONSES[name]


def context_of(body: Json) -> list[Json]:
    """All items that a request stands on."""
    before: list[Json] = []
    if previous := body.get("previous_response_id"):
        if previous not in RESPONSES:
            raise Refusal(
                f"Previous response with id '{previous}' not found.",
                "previous_response_id",
                "previous_response_not_found",
            )
        before = CONTEXTS[previous]
    given = body.get("input", [])
    items = [{"role": "user", "content": given}] if isinstance(given, str) else given
    own = []
    for at, item in enumerate(items):
        kind, name = item.get("type", "message"), item.get("id")
        if kind in ("item_reference", "reasoning") and not item.get("encrypted_content"):
            if name not in ITEMS:
                raise Refusal(f"Item with id '{name}' not found.", f"input[{at}]", status=404)
            item = ITEMS[name]  # noqa: PLW2901  (what it stands for)
        if kind == "message" and name is not None and not str(name).startswith("msg"):
            raise Refusal(f"Invalid 'input[{at}].id': expected msg.", f"input[{at}].id")
        own.append(item)
    calls = {one["call_id"] for one in (*before, *own) if one.get("type") == "function_call"}
    for one in own:
        if one.get("type") == "function_call_output" and one["call_id"] not in calls:
            raise Refusal(f"No tool call found for call_id {one['call_id']}.", "input")
    return [*before, *own]


def begun(body: Json, twist: str) -> Json:
    """The response object at its beginning."""
    return {
        "id": new_id("resp"),
        "object": "response",
        "created_at": 1.0,
        "status": "in_progress",
        "background": bool(body.get("background")),
        "completed_at": None,
        "error": None,
        "incomplete_details": None,
        "instructions": body.get("instructions"),
        "max_output_tokens": body.get("max_output_tokens"),
        "model": f"{body['model']}-2026-01-01",
        "output": [],
        "parallel_tool_calls": True,
        "previous_response_id": body.get("previous_response_id"),
        "reasoning": {"effort": None, "summary": None},
        "store": body.get("store", True),
        "temperature": 1.0,
        "text": {"format": {"type": "text"}},
        "tool_choice": "auto",
        "tools": [],
        "top_p": 1.0,
        "truncation": "disabled",
        "usage": None,
        "metadata": body.get("metadata") or {},
        **({"x_new": {"a": 1}} if twist == "extra" else {}),
    }


def words_of(context: list[Json]) -> str:
    """The text of the last message of the user, or what functions gave after it."""
    outputs: list[str] = []
    for item in reversed(context):
        if item.get("type") == "function_call_output":
            outputs.insert(0, str(item["output"]))
        elif item.get("role") == "user":
            content = item["content"]
            if isinstance(content, list):
                content = "".join(part.get("text", "") for part in content)
            return " ".join(outputs) or str(content)
    return "nothing"


def output(body: Json, context: list[Json], twist: str) -> Iterator[Json]:
    """The items that it writes."""
    if body.get("reasoning"):
        sealed = "reasoning.encrypted_content" in (body.get("include") or ())
        yield {
            "id": new_id("rs"),
            "type": "reasoning",
            "summary": [{"type": "summary_text", "text": "Let me think."}],
            "encrypted_content": "gAAAA" if sealed else None,
        }
    tools = body.get("tools") or []
    if any(tool["type"] == "web_search" for tool in tools):
        action = {"type": "search", "query": "x", "sources": []}
        yield {
            "id": new_id("ws"),
            "type": "web_search_call",
            "status": "completed",
            "action": action,
        }
    functions = [tool for tool in tools if tool["type"] == "function"]
    answered = any(item.get("type") == "function_call_output" for item in context[-2:])
    if functions and not answered:
        for tool in functions:
            yield {
                "id": new_id("fc"),
                "type": "function_call",
                "status": "completed",
                "call_id": new_id("call"),
                "name": tool["name"],
                "arguments": '{"city":"Köln"}',
            }
        return
    if twist == "extra":
        yield {"id": new_id("nw"), "type": "new_call", "status": "completed", "x": [1]}
    text = words_of(context)
    schema = (body.get("text") or {}).get("format", {}).get("type") == "json_schema"
    if schema and not text.startswith("{"):
        text = '{"answer":42}'
    part = {"type": "output_text", "text": text, "annotations": [], "logprobs": []}
    yield {
        "id": new_id("msg"),
        "type": "message",
        "status": "completed",
        "role": "assistant",
        "content": [part],
    }


def usage(context: list[Json], items: list[Json]) -> Json:
    """Some numbers."""
    asked, said = 10 * len(context), 5 * len(items)
    return {
        "input_tokens": asked,
        "input_tokens_details": {"cached_tokens": 4, "cache_write_tokens": 0},
        "output_tokens": said,
        "output_tokens_details": {"reasoning_tokens": 3},
        "total_tokens": asked + said,
    }


def failure(response: Json, twist: str) -> Json:
    """A response that failed."""
    if twist == "too-long":
        error = {"code": "context_length_exceeded", "message": "Your input is too long."}
    else:
        error = {"code": "server_error", "message": "The engine broke"}
    return {**response, "status": "failed", "error": error}


def events(response: Json, finished: Json, items: list[Json], twist: str) -> Iterator[Json]:
    """The events of a response, numbered."""
    for number, one in enumerate(_events(response, finished, items, twist)):
        yield {**one, "sequence_number": number}


def _events(response: Json, finished: Json, items: list[Json], twist: str) -> Iterator[Json]:
    yield {"type": "response.created", "response": response}
    yield {"type": "response.in_progress", "response": response}
    broken = {"type": "error", "code": "server_error", "message": "The engine broke", "param": None}
    failed = {"type": "response.failed", "response": failure(response, twist)}
    if twist in ("error-first", "failed-first", "too-long"):
        yield broken if twist == "error-first" else failed
        return
    for index, item in enumerate(items):
        place = {"output_index": index}
        unfilled: dict[str, Json] = {
            "message": {"content": [], "status": "in_progress"},
            "function_call": {"arguments": "", "status": "in_progress"},
        }
        empty = unfilled.get(item["type"], {})
        yield {"type": "response.output_item.added", **place, "item": {**item, **empty}}
        match item:
            case {"type": "message", "content": [{"text": text} as part]}:
                at = {"item_id": item["id"], **place, "content_index": 0}
                blank = {**part, "text": ""}
                yield {"type": "response.content_part.added", **at, "part": blank}
                for word in text.replace(" ", "\0 ").split("\0"):
                    delta = {"delta": word, "logprobs": [], "obfuscation": "aXqZ"}
                    yield {"type": "response.output_text.delta", **at, **delta}
                    if twist in ("error-late", "failed-late"):
                        yield broken if twist == "error-late" else failed
                        return
                done = {"text": text, "logprobs": []}
                yield {"type": "response.output_text.done", **at, **done}
                yield {"type": "response.content_part.done", **at, "part": part}
            case {"type": "function_call", "arguments": arguments}:
                at = {"item_id": item["id"], **place}
                kind = "response.function_call_arguments"
                yield {"type": f"{kind}.delta", **at, "delta": arguments}
                yield {"type": f"{kind}.done", **at, "arguments": arguments}
            case _:
                if twist == "extra":
                    yield {"type": "response.new.happened", **place}
        yield {"type": "response.output_item.done", **place, "item": item}
    yield {"type": f"response.{finished['status']}", "response": finished}


def frame(event: Json, twist: str) -> bytes:
    """One event on the wire."""
    data = b"event: %b\ndata: %b\n\n" % (event["type"].encode(), orjson.dumps(event))
    return data.replace(b"\n", b"\r\n") if twist == "crlf" else data


if __name__ == "__main__":
    main(OpenAI)
