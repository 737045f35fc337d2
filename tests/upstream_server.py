"""A fake of OpenAI's chat completions, to be run as a process of its own: real sockets, real cuts.

``python tests/upstream_server.py --port 0`` prints one line of JSON: ``base_url`` of the API,
``root``, and ``full``, the address of a port whose queue is full, so that connecting hangs.

The model's name says what it does (N, MS are numbers):

- ``gpt-4o``, ``gpt-4o-mini``, ``gpt-4``, ``echo``: says the user's last text again, word by word
- ``words-N``, ``burst-N``: N words, one write each or all in one; ``paced-MS-N``: one each MS ms
- ``cut-before-headers``, ``cut-before-token``, ``cut-mid-event``, ``cut-between-events``: hangs up
  there; ``cut-after-finish``: after the finish reason; ``bad-chunk``: breaks HTTP's own framing
- ``no-done``: ends properly, but without ``[DONE]``; ``no-finish``: ``[DONE]`` without a reason;
  ``ends-mid``: ends properly after two words, with neither
- ``malformed``; ``error-in-stream``, ``error-first``: an error object as an event of a success
- ``status-N``, ``status-N-MS``: an error with that status, late by MS ms; ``once-N``, ``once-N-MS``: only the first time, with the
  hint to come back after 50 or MS ms, then as ``echo``; ``first-N-N``, ``first-N-N-MS``: the first N
  times an error with the status N, then as ``echo`` after MS ms
- ``leak-N``: an error with that status that quotes the request's headers, in a redirect's target as
  well; ``leak-stream``: the same as an event of a success
- ``hang-headers``, ``hang-token``, ``hang-mid``, ``hang-after-done``: goes silent there
- ``slow-headers-MS``, ``slow-token-MS``, ``slow-json-MS``: late by that much
- ``comments-only``, for ever; ``comments``: between its words
- ``crlf``, ``bom``, ``byte-by-byte``, ``emoji-cut``: unusual but right ways to write a stream
- ``big-event-N``: one event with N bytes of text; ``pages-N-N``: so many of so many bytes
- ``unknown-fields``, ``reasoning``, ``refusal``, ``tools``: special content
- ``agent``: makes the calls that the user wrote, each in a ``<tool_call>`` as name and arguments,
  and then says what they gave; without any, as ``echo``
- ``usage-in-finish``: usage in the last chunk, asked for or not; ``no-usage``: never
- ``no-stream``: one JSON body though a stream was asked for; ``always-stream``: the reverse
- ``html``, ``redirect``: what is no API at all

Anything else is 404 ``model_not_found``. After an ``@`` come options: ``@eof`` ends bodies by
closing instead of HTTP's chunks (a cut is then invisible to HTTP), ``@reset`` cuts with a reset;
``@at-N`` goes wrong after N words instead of two; ``@says-X`` says X1 X2 X3; ``@thinks`` and
``@calls`` begin with reasoning and tool calls, ``@calls-late`` ends with them, and of them ``@one``
makes the first only; ``@finish-X`` gives that reason for the end; ``@sees`` tells of images, too;
``@mute`` gives no hint when to come back; the rest is a tag that keeps tests apart. ``n``, ``logprobs`` and ``stream_options.include_usage`` are
honoured. A key that begins with ``wrong`` is refused; one that begins with ``spent-MS`` has no quota
left for so long, from its first use on.

``GET /_record`` tells every request to the API: headers, body, when it came, when it was answered,
and when its peer closed the connection (CLOCK_MONOTONIC seconds); ``DELETE /_record`` forgets them.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import re
import socket
import sys
import time
from collections import Counter
from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass, field
from functools import partial
from http import HTTPStatus
from typing import Any

import orjson

SSE = {"Content-Type": "text/event-stream; charset=utf-8", "Cache-Control": "no-cache"}
JSON = {"Content-Type": "application/json"}
MODELS = ("gpt-4o", "gpt-4o-mini", "gpt-4", "echo", "words-3", "paced-20-100", "tools", "reasoning")
NAME = re.compile(r"([a-z]+(?:-[a-z]+)*)((?:-\d+)*)")
EMOJI = ("héllo ", "👋🏽 ", "日本語")


@dataclass
class Exchange:
    """One request and what became of it."""

    method: str
    path: str
    headers: dict[str, str]
    body: Any
    connection: int
    at: float
    done_at: float | None = None
    closed_at: float | None = None


@dataclass
class State:
    """What the whole process remembers."""

    exchanges: list[Exchange] = field(default_factory=list)
    failed: Counter[str] = field(default_factory=Counter)
    #: until when each key has no quota
    spent: dict[str, float] = field(default_factory=dict)
    connections: int = 0


class Connection(asyncio.StreamReaderProtocol):
    """One connection of a client; knows when the client closed it."""

    def __init__(self, state: State) -> None:
        loop = asyncio.get_running_loop()
        super().__init__(asyncio.StreamReader(loop=loop), self._serve, loop=loop)
        self.state = state
        state.connections += 1
        self.number = state.connections
        self.ours: list[Exchange] = []
        self.closing = False
        self.closed = asyncio.Event()

    def eof_received(self) -> bool | None:
        self._peer_closed()
        return super().eof_received()

    def connection_lost(self, exc: Exception | None) -> None:
        self._peer_closed()
        super().connection_lost(exc)

    def _peer_closed(self) -> None:
        if not self.closing and not self.closed.is_set():
            now = time.monotonic()
            for exchange in self.ours:
                exchange.closed_at = now
        self.closed.set()

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            while (exchange := await self._read(reader)) is not None:
                if exchange.path.startswith("/v1/"):
                    self.state.exchanges.append(exchange)
                    self.ours.append(exchange)
                await Reply(self, exchange, writer).send()
                exchange.done_at = time.monotonic()
                if self.closing:
                    break
        except (ConnectionError, asyncio.IncompleteReadError):
            pass
        finally:
            self.closing = True
            writer.close()

    async def _read(self, reader: asyncio.StreamReader) -> Exchange | None:
        try:
            head = await reader.readuntil(b"\r\n\r\n")
        except asyncio.IncompleteReadError:
            return None
        first, *lines = head.decode("latin-1").split("\r\n")
        method, path, _ = first.split(" ")
        pairs = (line.split(": ", 1) for line in lines if line)
        headers = {name.lower(): value for name, value in pairs}
        data = await reader.readexactly(int(headers.get("content-length", 0)))
        try:
            body = orjson.loads(data) if data else None
        except orjson.JSONDecodeError:
            body = data.decode("latin-1")
        return Exchange(method, path, headers, body, self.number, time.monotonic())


class Reply:
    """The answer to one request."""

    def __init__(
        self, connection: Connection, exchange: Exchange, writer: asyncio.StreamWriter
    ) -> None:
        self.connection = connection
        self.state = connection.state
        self.exchange = exchange
        self.writer = writer
        self.body: dict[str, Any] = exchange.body if isinstance(exchange.body, dict) else {}
        self.model = str(self.body.get("model", ""))
        self.name, *self.options = self.model.split("@")
        found = NAME.fullmatch(self.name)
        kind, numbers = found.groups() if found else (self.name, "")
        self.kind = kind
        self.numbers = [int(number) for number in numbers.split("-") if number]
        self.chunked = "eof" not in self.options
        self.credential = exchange.headers.get("authorization", "").removeprefix("Bearer ")

    async def send(self) -> None:
        """Answer the request."""
        match self.exchange.method, self.exchange.path.partition("?")[0]:
            case "GET", "/_record":
                known = [vars(exchange) for exchange in self.state.exchanges]
                await self.json(200, {"now": time.monotonic(), "exchanges": known})
            case "DELETE", "/_record":
                self.state.exchanges.clear()
                self.state.failed.clear()
                self.state.spent.clear()
                await self.json(200, {})
            case _ if self.credential.startswith("wrong"):
                await self.error(401)
            case _ if (wait := self.without_quota()) > 0:
                await self.error(429, {"Retry-After-Ms": f"{wait * 1000:.0f}"})
            case "GET", "/v1/models":
                owned = {"object": "model", "created": 1700000000, "owned_by": "fake"}
                data = [{"id": model, **owned} for model in MODELS]
                await self.json(200, {"object": "list", "data": data})
            case "POST", "/v1/chat/completions":
                await self.chat()
            case _:
                await self.error(404)

    async def chat(self) -> None:
        """A completion, as the model's name asks for it."""
        streamed = self.kind == "always-stream" or (
            bool(self.body.get("stream")) and self.kind != "no-stream"
        )
        match self.kind:
            case "status":
                await self.pause(sum(self.numbers[1:]) / 1000)
                await self.error(self.numbers[0])
            case "once" if self.model not in self.state.failed:
                self.state.failed[self.model] += 1
                wait = str(self.numbers[1]) if len(self.numbers) > 1 else "50"
                await self.error(self.numbers[0], {"Retry-After": "1", "Retry-After-Ms": wait})
            case "first" if self.state.failed[self.model] < self.numbers[0]:
                self.state.failed[self.model] += 1
                await self.error(self.numbers[1])
            case "leak":
                status = self.numbers[0]
                target = {"Location": f"http://127.0.0.1:1/?{self.confession()}"}
                await self.json(status, error_body(status, self.confession()), target)
            case "hang-headers":
                await self.hang()
            case "cut-before-headers":
                self.cut()
            case "html":
                page = b"<html><script>x()</script><body><h1>It works!</h1></body></html>"
                await self.whole(200, {"Content-Type": "text/html"}, page)
            case "redirect":
                target = {"Location": "http://127.0.0.1:1/v1/chat/completions"}
                await self.whole(307, target, b"")
            case _ if not self.known():
                await self.error(404)
            case _:
                if self.kind == "slow-headers":
                    await self.pause(self.numbers[0] / 1000)
                if self.kind == "first" and len(self.numbers) > 2:
                    await self.pause(self.numbers[2] / 1000)
                await (self.stream() if streamed else self.completion())

    def without_quota(self) -> float:
        """Seconds for which the key of the request has no quota left."""
        found = re.match(r"spent-(\d+)", self.credential)
        if found is None:
            return 0.0
        now = time.monotonic()
        return self.state.spent.setdefault(self.credential, now + int(found[1]) / 1000) - now

    def option(self, name: str) -> str | None:
        """What comes after the name of an option; None when it is not there."""
        found = (one for one in self.options if one.startswith(f"{name}-"))
        return next((one.removeprefix(f"{name}-") for one in found), None)

    def known(self) -> bool:
        """Whether there is a model of that name."""
        return self.kind in KINDS or self.name in MODELS

    # whole answers

    async def completion(self) -> None:
        """An answer that is not streamed."""
        match self.kind:
            case "slow-json" | "slow-token":
                await self.pause(self.numbers[0] / 1000)
            case "hang-token" | "hang-mid" | "comments-only":
                await self.hang()
            case _:
                pass
        pieces = list(self.pieces())
        message: dict[str, Any] = {"role": "assistant", "content": "".join(pieces), "refusal": None}
        if self.calls:
            calls = [
                {"id": call["id"], "type": "function", "function": call["function"]}
                for call in self.calls
            ]
            message |= {"content": "".join(pieces) or None, "tool_calls": calls}
        if self.kind == "reasoning" or "thinks" in self.options:
            message["reasoning_content"] = "Let me think."
        if self.kind == "refusal":
            message |= {"content": None, "refusal": "I cannot."}
        answer = self.begun("chat.completion") | {
            "choices": [
                {
                    "index": i,
                    "message": message,
                    "logprobs": self.logprobs(pieces),
                    "finish_reason": self.finish,
                }
                for i in range(self.body.get("n") or 1)
            ],
            "usage": self.usage(pieces),
        }
        match self.kind:
            case "error-first" | "error-in-stream":
                await self.json(200, error_body(500, "The engine broke"))
            case "leak-stream":
                await self.json(200, error_body(500, self.confession()))
            case "no-usage":
                del answer["usage"]
                await self.json(200, answer)
            case "malformed":
                await self.whole(200, JSON, b'{"choices": [{"index": 0, "mess')
            case _ if self.kind.startswith("cut"):
                data = orjson.dumps(answer)
                self.write_head(200, JSON | {"Content-Length": str(len(data))})
                self.writer.write(data[: len(data) // 2])
                self.cut()
            case _:
                await self.json(200, answer)

    async def json(self, status: int, value: object, headers: dict[str, str] | None = None) -> None:
        """A body of JSON."""
        await self.whole(status, JSON | (headers or {}), orjson.dumps(value))

    async def error(self, status: int, headers: dict[str, str] | None = None) -> None:
        """An error as OpenAI writes it."""
        said = {
            404: f"The model `{self.model}` does not exist or you do not have access to it.",
            401: "Incorrect API key provided.",
        }.get(status, f"Told to answer {status}")
        hint = status in (429, 503) and "mute" not in self.options
        extra = {"Retry-After": "1"} if hint else {}
        await self.json(status, error_body(status, said), extra | (headers or {}))

    async def whole(self, status: int, headers: dict[str, str], data: bytes) -> None:
        """A body in one piece."""
        self.write_head(status, headers | {"Content-Length": str(len(data))})
        self.writer.write(data)
        await self.writer.drain()

    # streams

    async def stream(self) -> None:
        """A streamed answer."""
        framing = {"Transfer-Encoding": "chunked"} if self.chunked else {"Connection": "close"}
        self.write_head(200, SSE | framing)
        await self.writer.drain()
        if self.kind == "burst":
            frames = b"".join([frame async for frame in self.frames()])
            await self.write(frames)
        else:
            async for frame in self.frames():
                for piece in self.cuts(frame):
                    await self.write(piece)
                if self.connection.closing:
                    return
        if self.kind == "hang-after-done":
            await self.hang()
        if self.chunked:
            self.writer.write(b"0\r\n\r\n")
        else:
            self.close()
        await self.writer.drain()

    async def frames(self) -> AsyncIterator[bytes]:
        """The events, one by one; it pauses, hangs up or hangs as the model's name asks."""
        kind = self.kind
        pieces = list(self.pieces())
        choices = range(self.body.get("n") or 1)
        match kind:
            case "hang-token":
                await self.hang()
            case "slow-token":
                await self.pause(self.numbers[0] / 1000)
            case "error-first":
                yield event(error_body(500, "The engine broke"))
                return
            case "comments-only":
                while True:
                    yield b": OPENROUTER PROCESSING\n\n"
                    await self.pause(0.05)
            case "bom":
                yield b"\xef\xbb\xbf"
            case _:
                pass
        for index in choices:
            yield self.chunk({"role": "assistant", "content": "", "refusal": None}, index)
        if kind == "cut-before-token":
            self.cut()
            return
        for delta in self.special():
            yield self.chunk(delta)
        for number, piece in enumerate(pieces):
            if number == int(self.option("at") or 2):
                if kind == "bad-chunk":
                    await self.pause(0.05)  # what came before should have been read by then
                broken = self.breaking()
                if broken is not None:
                    yield broken
                    if kind.startswith(("cut", "bad")):
                        self.cut()
                    return
                if kind == "hang-mid":
                    await self.hang()
            if kind == "paced":
                await self.pause(self.numbers[0] / 1000)
            if kind == "comments":
                yield b": still thinking\n\n"
            for index in choices:
                yield self.chunk({"content": piece}, index, logprobs=self.logprobs([piece]))
        if "calls-late" in self.options:
            for delta in self.called():
                yield self.chunk(delta)
        async for frame in self.ending(pieces):
            yield frame

    async def ending(self, pieces: list[str]) -> AsyncIterator[bytes]:
        """The last events of a stream."""
        kind = self.kind
        if kind != "no-finish":
            usage = {"usage": self.usage(pieces)} if kind == "usage-in-finish" else {}
            for index in range(self.body.get("n") or 1):
                yield self.chunk({}, index, self.finish, usage)
        if kind == "cut-after-finish":
            self.cut()
            return
        if self.include_usage and kind not in ("usage-in-finish", "no-usage"):
            whole = {"choices": [], "usage": self.usage(pieces)}
            yield self.event(self.begun("chat.completion.chunk") | whole)
        if kind != "no-done":
            yield b"data: [DONE]" + self.line_end * 2

    def breaking(self) -> bytes | None:
        """What comes after the second word of a stream that goes wrong there."""
        match self.kind:
            case "cut-mid-event":
                return self.chunk({"content": " never complete"})[:60]
            case "cut-between-events" | "ends-mid":
                return b""
            case "bad-chunk":
                self.writer.write(b"this is no chunk size\r\n")
                return b""
            case "malformed":
                return b'data: {"id": "chatcmpl-fake", "choices": [{"ind\n\n'
            case "error-in-stream":
                return event(error_body(500, "The engine broke"))
            case "leak-stream":
                return event(error_body(500, self.confession()))
            case _:
                return None

    def special(self) -> Iterator[dict[str, Any]]:
        """Deltas other than text."""
        ways = {self.kind, *self.options}
        if ways & {"reasoning", "thinks"}:
            yield {"reasoning_content": "Let me "}
            yield {"reasoning_content": "think."}
        if self.kind == "refusal":
            yield {"refusal": "I cannot."}
        if ways & {"tools", "agent", "calls"}:
            yield from self.called()

    def called(self) -> Iterator[dict[str, Any]]:
        """The deltas of its tool calls."""
        for call in self.calls:
            function = call["function"]
            first = {"name": function["name"], "arguments": ""}
            yield {"tool_calls": [call | {"type": "function", "function": first}]}
            for part in re.findall(r".{1,7}", function["arguments"]):
                more = {"index": call["index"], "function": {"arguments": part}}
                yield {"tool_calls": [more]}

    def cuts(self, frame: bytes) -> Iterator[bytes]:
        """The pieces in which an event is written."""
        match self.kind:
            case "byte-by-byte":
                yield from (frame[i : i + 1] for i in range(len(frame)))
            case "emoji-cut":
                yield from re.findall(rb"[\x00-\x7f]+|[\x80-\xff]", frame)
            case _:
                yield frame

    # parts

    def pieces(self) -> Iterator[str]:
        """The words of the answer."""
        voice = self.option("says")
        match self.kind:
            case _ if voice is not None:
                yield from (f"{' ' * (n > 1)}{voice}{n}" for n in (1, 2, 3))
            case "words" | "burst":
                yield from (f" w{i}" if i else "w0" for i in range(self.numbers[0]))
            case "paced":
                yield from (f" w{i}" if i else "w0" for i in range(self.numbers[1]))
            case "big-event":
                yield "x" * self.numbers[0]
            case "pages":
                yield from ("x" * self.numbers[1] for _ in range(self.numbers[0]))
            case "emoji-cut":
                yield from EMOJI
            case "tools" | "refusal":
                return
            case "agent" if self.calls:
                return
            case "agent" if given := self.given():
                yield from re.findall(r"\S+\s*|\s+", given)
            case _ if self.kind in ("echo", "agent", "once", "first") or self.name in MODELS:
                yield from re.findall(r"\S+\s*|\s+", self.asked()) or ["Nothing"]
            case _:
                yield from ("One", " two", " three")

    @property
    def calls(self) -> tuple[dict[str, Any], ...]:
        """The tool calls that it makes."""
        if self.kind == "agent":
            return tuple(self.wanted())
        if self.kind != "tools" and not {"calls", "calls-late"}.intersection(self.options):
            return ()
        return TOOL_CALLS[: 1 if "one" in self.options else None]

    def wanted(self) -> Iterator[dict[str, Any]]:
        """The calls that the user wrote, until they are answered."""
        found = [] if self.given() else re.findall("<tool_call>(.+?)</tool_call>", self.asked())
        for index, call in enumerate(map(json.loads, found)):
            function = {"name": call["name"], "arguments": json.dumps(call["arguments"])}
            yield {
                "index": index,
                "id": f"call_{len(self.state.exchanges)}_{index}",
                "function": function,
            }

    def given(self) -> str:
        """What tools gave since somebody last spoke."""
        texts: list[str] = []
        for message in reversed(self.body.get("messages", ())):
            if message.get("role") != "tool":
                break
            content = message["content"]
            parts = [{"text": content}] if isinstance(content, str) else content
            texts.insert(0, "".join(part["text"] for part in parts))
        return "; ".join(texts)

    @property
    def finish(self) -> str:
        """Why it ends."""
        return self.option("finish") or ("tool_calls" if self.calls else "stop")

    def asked(self) -> str:
        """The text of the user's last message."""
        for message in reversed(self.body.get("messages", ())):
            if message.get("role") == "user":
                content = message.get("content")
                if isinstance(content, str):
                    return content
                return "".join(map(self.told, content))
        return ""

    def told(self, part: dict[str, Any]) -> str:
        """A part of a message in words."""
        if "sees" in self.options and part["type"] == "image_url":
            return f" [image {part['image_url']['url']}]"
        text: str = part.get("text", "")
        return text

    def confession(self) -> str:
        """What a careless upstream says of a request that it does not like."""
        return f"Bad request with {self.exchange.headers}"

    def logprobs(self, pieces: list[str]) -> dict[str, Any] | None:
        """Each word as a token that was certain, where the request asks for that."""
        if not self.body.get("logprobs"):
            return None
        certain = {"logprob": 0.0, "top_logprobs": []}
        tokens = [{"token": p, "bytes": list(p.encode()), **certain} for p in pieces]
        return {"content": tokens, "refusal": None}

    def begun(self, kind: str) -> dict[str, Any]:
        """What every object of an answer begins with."""
        made = {"id": "chatcmpl-fake", "object": kind, "created": 1700000000, "model": self.model}
        extra = {"x_vendor": {"region": "eu", "π": 3.14}} if self.kind == "unknown-fields" else {}
        return made | {"system_fingerprint": "fp_fake"} | extra

    def chunk(
        self,
        delta: dict[str, Any],
        index: int = 0,
        finish: str | None = None,
        extra: dict[str, Any] | None = None,
        logprobs: dict[str, Any] | None = None,
    ) -> bytes:
        """One chunk as an event."""
        if self.kind == "unknown-fields":
            delta = delta | {"x_mood": "calm"}
        choice = {"index": index, "delta": delta, "logprobs": logprobs, "finish_reason": finish}
        null = {"usage": None} if self.include_usage else {}
        head = self.begun("chat.completion.chunk")
        return self.event(head | {"choices": [choice]} | null | (extra or {}))

    def event(self, value: object) -> bytes:
        """One event with this stream's line ends."""
        return b"data: " + orjson.dumps(value) + self.line_end * 2

    @property
    def line_end(self) -> bytes:
        """What ends a line."""
        return b"\r\n" if self.kind == "crlf" else b"\n"

    @property
    def include_usage(self) -> bool:
        """Whether the client wants a chunk with usage."""
        options = self.body.get("stream_options") or {}
        return bool(options.get("include_usage"))

    def usage(self, pieces: list[str]) -> dict[str, Any]:
        """Words counted as tokens."""
        texts = (str(message.get("content") or "") for message in self.body.get("messages", ()))
        asked = sum(len(text.split()) for text in texts)
        total = asked + len(pieces)
        return {"prompt_tokens": asked, "completion_tokens": len(pieces), "total_tokens": total}

    # the wire

    def write_head(self, status: int, headers: dict[str, str]) -> None:
        """Status line and headers."""
        given = {"X-Request-Id": f"req_{len(self.state.exchanges)}", **headers}
        lines = "".join(f"{name}: {value}\r\n" for name, value in given.items())
        known = status in HTTPStatus._value2member_map_
        phrase = HTTPStatus(status).phrase if known else "Unknown"
        head = f"HTTP/1.1 {status} {phrase}\r\n{lines}\r\n"
        self.writer.write(head.encode("latin-1"))

    async def write(self, data: bytes) -> None:
        """Some of a stream's body, in one packet."""
        if data:
            self.writer.write(b"%x\r\n%b\r\n" % (len(data), data) if self.chunked else data)
            await self.writer.drain()
            await asyncio.sleep(0)

    def cut(self) -> None:
        """Hang up in the middle of it."""
        self.connection.closing = True
        if "reset" in self.options:
            self.writer.transport.abort()
        else:
            self.close()

    def close(self) -> None:
        """End the connection from this side."""
        self.connection.closing = True
        self.writer.close()

    async def pause(self, seconds: float) -> None:
        """Wait; ConnectionResetError as soon as the client is gone."""
        try:
            async with asyncio.timeout(seconds):
                await self.connection.closed.wait()
        except TimeoutError:
            return
        raise ConnectionResetError

    async def hang(self) -> None:
        """Do nothing until the client is gone."""
        await self.pause(3600)


#: the names in the list above
KINDS = frozenset(
    name
    for line in str(__doc__).splitlines()
    if line.startswith(("- ", "  "))
    for name in re.findall(r"``([a-z]+(?:-[a-z]+)*)(?:-N|-MS)*``", line)
)
TOOL_CALLS: tuple[dict[str, Any], ...] = (
    {
        "index": 0,
        "id": "call_a",
        "function": {"name": "get_weather", "arguments": '{"city": "Köln", "days": 2}'},
    },
    {"index": 1, "id": "call_b", "function": {"name": "get_time", "arguments": "{}"}},
)


def event(value: object) -> bytes:
    """One event."""
    return b"data: " + orjson.dumps(value) + b"\n\n"


def error_body(status: int, message: str) -> dict[str, Any]:
    """An error object as OpenAI writes it."""
    kind, code = {
        401: ("invalid_request_error", "invalid_api_key"),
        404: ("invalid_request_error", "model_not_found"),
        429: ("requests", "rate_limit_exceeded"),
    }.get(status, ("server_error" if status >= 500 else "invalid_request_error", None))
    return {"error": {"message": message, "type": kind, "param": None, "code": code}}


def fill(full: socket.socket) -> list[socket.socket]:
    """Connections that fill the queue of a socket that nobody accepts from."""
    waiting = []
    for _ in range(4):
        client = socket.socket()
        client.settimeout(0)
        client.connect_ex(full.getsockname())
        waiting.append(client)
    return waiting


async def main(port: int, *, with_parent: bool) -> None:
    """Serve until the process ends; *with_parent*: until standard input is closed."""
    loop = asyncio.get_running_loop()
    server = await loop.create_server(partial(Connection, State()), "127.0.0.1", port, backlog=1024)
    full = socket.create_server(("127.0.0.1", 0), backlog=0)
    waiting = fill(full)
    host, port = server.sockets[0].getsockname()
    root = f"http://{host}:{port}"
    address = f"http://127.0.0.1:{full.getsockname()[1]}/v1"
    print(json.dumps({"base_url": f"{root}/v1", "root": root, "full": address}), flush=True)  # noqa: T201
    async with server:
        if with_parent:
            await asyncio.to_thread(sys.stdin.read)
        else:
            await server.serve_forever()
    for client in (*waiting, full):
        client.close()


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description="A fake of OpenAI's chat completions")
    parser.add_argument("--port", type=int, default=0)
    parser.add_argument("--with-parent", action="store_true", help="end when stdin is closed")
    words = parser.parse_args()
    asyncio.run(main(words.port, with_parent=words.with_parent))
