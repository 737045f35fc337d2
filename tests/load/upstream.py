"""An upstream that costs next to nothing, so that what is measured is the gateway.

``python -m tests.load.upstream --port 0`` prints its base URL. The model's name says what it does:

- ``mock``: one JSON answer
- ``burst-N``: a stream of N words, in one write
- ``paced-MS-N``: a stream of N words, one each MS milliseconds; each word is ``t`` and the time of
  its write (19 digits, CLOCK_MONOTONIC nanoseconds), so that a client on this machine can tell how
  long it was on its way

It speaks chat completions, and streams of Anthropic's Messages API.
"""

from __future__ import annotations

import argparse
import asyncio
import gc
import json
import re
import time
from functools import cache
from typing import Any

import attrs

from tests.load.loop import run

MODELS = ("mock", "burst-64", "paced-50-100")
_LENGTH = re.compile(rb"\r\ncontent-length: *(\d+)", re.IGNORECASE)
_MODEL = re.compile(rb'"model" *: *"([a-z]+)-?(\d*)-?(\d*)"')
_USAGE = re.compile(rb'"include_usage" *: *true')
_SAME = {"id": "chatcmpl-load", "created": 1700000000, "model": "mock", "system_fingerprint": "fp"}
_COUNTS = {"prompt_tokens": 12, "completion_tokens": 18, "total_tokens": 30}
_TOKENS = {"input_tokens": 12, "output_tokens": 1}
_JSON = "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: %d\r\n\r\n"
_EVENTS = (
    b"HTTP/1.1 200 OK\r\nContent-Type: text/event-stream; charset=utf-8\r\n"
    b"Cache-Control: no-cache\r\nTransfer-Encoding: chunked\r\n\r\n"
)
_STAMP = b"0" * 19


def whole(value: object) -> bytes:
    """An answer that is not streamed."""
    body = json.dumps(value).encode()
    return (_JSON % len(body)).encode() + body


def event(data: bytes, name: bytes = b"") -> bytes:
    """One event, in an HTTP chunk of its own."""
    frame = name + b"data: " + data + b"\n\n"
    return b"%x\r\n%b\r\n" % (len(frame), frame)


def chunk(delta: dict[str, str], finish: str | None = None) -> bytes:
    """One chunk of a completion, as an event."""
    choice = {"index": 0, "delta": delta, "logprobs": None, "finish_reason": finish}
    value = _SAME | {"object": "chat.completion.chunk", "choices": [choice]}
    return event(json.dumps(value, separators=(",", ":")).encode())


_MESSAGE = {"role": "assistant", "content": "Hello! This is an answer, long enough to look real."}
COMPLETION = whole(
    _SAME
    | {
        "object": "chat.completion",
        "choices": [{"index": 0, "message": _MESSAGE, "finish_reason": "stop"}],
        "usage": _COUNTS,
    }
)
LIST = whole({"object": "list", "data": [{"id": name, "object": "model"} for name in MODELS]})
UNKNOWN = b"HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\n\r\n"
DONE = event(b"[DONE]") + b"0\r\n\r\n"


def told(kind: str, **fields: object) -> bytes:
    """An event of the Messages API."""
    data = json.dumps({"type": kind, **fields}, separators=(",", ":")).encode()
    return event(data, b"event: %b\n" % kind.encode())


def said(text: str) -> bytes:
    """A piece of text there."""
    return told("content_block_delta", index=0, delta={"type": "text_delta", "text": text})


@attrs.frozen
class Script:
    """A stream: how it begins, and a word before and after its stamp."""

    first: bytes
    before: bytes
    after: bytes

    @classmethod
    def of(cls, first: bytes, word: bytes) -> Script:
        """A stream of such words, of which this one has a stamp of zeros."""
        return cls(first, *word.split(_STAMP))

    def word(self, stamp: bytes) -> bytes:
        """A word."""
        return self.before + stamp + self.after


CHAT = Script.of(
    chunk({"role": "assistant", "content": ""}), chunk({"content": "t" + _STAMP.decode()})
)
_MESSAGE_BEGUN = {"id": "msg_load", "type": "message", "role": "assistant", "model": "mock"}
MESSAGES = Script.of(
    told(
        "message_start",
        message=_MESSAGE_BEGUN
        | {"content": [], "stop_reason": None, "stop_sequence": None, "usage": _TOKENS},
    )
    + told("content_block_start", index=0, content_block={"type": "text", "text": ""}),
    said("t" + _STAMP.decode()),
)
MESSAGES_END = (
    told("content_block_stop", index=0)
    + told(
        "message_delta",
        delta={"stop_reason": "end_turn", "stop_sequence": None},
        usage={"output_tokens": 18},
    )
    + told("message_stop")
    + b"0\r\n\r\n"
)


@cache
def end(*, usage: bool) -> bytes:
    """The last events of a chat completion."""
    counted = _SAME | {"object": "chat.completion.chunk", "choices": [], "usage": _COUNTS}
    counts = event(json.dumps(counted).encode()) if usage else b""
    return chunk({}, "stop") + counts + DONE


@cache
def burst(words: int, *, usage: bool) -> bytes:
    """A whole chat completion."""
    texts = (chunk({"content": f"word{number} "}) for number in range(words))
    return _EVENTS + CHAT.first + b"".join(texts) + end(usage=usage)


@cache
def burst_message(words: int) -> bytes:
    """A whole message."""
    texts = (said(f"word{number} ") for number in range(words))
    return _EVENTS + MESSAGES.first + b"".join(texts) + MESSAGES_END


class Connection(asyncio.Protocol):
    """One client of the upstream."""

    transport: asyncio.Transport

    def __init__(self) -> None:
        self._loop = asyncio.get_running_loop()
        self._unread = b""
        self._timer: asyncio.TimerHandle | None = None
        #: what a paced stream says, and how it ends
        self._script = CHAT
        self._last = b""

    def connection_made(self, transport: Any) -> None:
        self.transport = transport

    def connection_lost(self, exc: Exception | None) -> None:
        if self._timer is not None:
            self._timer.cancel()

    def data_received(self, data: bytes) -> None:
        self._unread += data
        while (head := self._unread.find(b"\r\n\r\n")) >= 0:
            found = _LENGTH.search(self._unread, 0, head + 2)
            stop = head + 4 + (int(found[1]) if found else 0)
            if len(self._unread) < stop:
                return
            request, self._unread = self._unread[:stop], self._unread[stop:]
            self._answer(request)

    def _answer(self, request: bytes) -> None:
        found = _MODEL.search(request)
        if request.startswith(b"GET /v1/models"):
            self.transport.write(LIST)
        elif found is None:
            self.transport.write(UNKNOWN)
        elif found[1] in (b"burst", b"paced"):
            usage = _USAGE.search(request) is not None
            messages = request.startswith(b"POST /v1/messages")
            if found[1] == b"burst":
                words = int(found[2])
                whole = burst_message(words) if messages else burst(words, usage=usage)
                self.transport.write(whole)
                return
            self._script = MESSAGES if messages else CHAT
            self._last = MESSAGES_END if messages else end(usage=usage)
            self.transport.write(_EVENTS + self._script.first)
            seconds = int(found[2]) / 1000
            self._tick(self._loop.time() + seconds, seconds, int(found[3]))
        else:
            self.transport.write(COMPLETION)

    def _tick(self, at: float, seconds: float, left: int) -> None:
        """Say the next word at that time; it does not matter if the one before was late."""
        self._timer = self._loop.call_at(at, self._say, at, seconds, left)

    def _say(self, at: float, seconds: float, left: int) -> None:
        word = self._script.word(b"%019d" % time.monotonic_ns())
        if left > 1:
            self.transport.write(word)
            self._tick(at + seconds, seconds, left - 1)
        else:
            self.transport.write(word + self._last)


async def main(port: int) -> None:
    """Serve until the process ends."""
    loop = asyncio.get_running_loop()
    server = await loop.create_server(Connection, "127.0.0.1", port, backlog=4096)
    print(f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}/v1", flush=True)  # noqa: T201
    gc.freeze()
    gc.disable()
    await server.serve_forever()


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description="A fast fake of OpenAI's chat completions")
    parser.add_argument("--port", type=int, default=0)
    run(main(parser.parse_args().port))
