"""Clients that cost little themselves: no HTTP library, and a few searches in each piece."""

from __future__ import annotations

import asyncio
import json
import re
import time
from array import array
from collections.abc import Callable
from typing import Any
from urllib.parse import urlsplit

import attrs

_LENGTH = re.compile(rb"\r\ncontent-length: *(\d+)", re.IGNORECASE)
#: a word where it is written first: some dialects say the whole text again at its end
_STAMP = re.compile(rb'"(?:content|delta|text_delta","text)":"t(\d{19})')
#: what of a piece may be the beginning of something that the next one goes on with
_TAIL = 48
#: the path of each dialect
PATHS = {"chat": "/chat/completions", "responses": "/responses", "messages": "/messages"}


@attrs.frozen
class Way:
    """The dialect of an upstream, and that of its client."""

    upstream: str = "chat"
    client: str = "chat"

    @property
    def translated(self) -> bool:
        """Whether there is anything to translate."""
        return self.upstream != self.client


PASSED = Way()


@attrs.frozen
class Place:
    """Where to ask, with which key, and what the names of our models begin with there.

    Those of an upstream that speaks the Messages API begin with *messages_prefix*.
    """

    url: str
    key: str = "-"
    prefix: str = ""
    messages_prefix: str = ""

    @property
    def address(self) -> tuple[str, int]:
        """Host and port."""
        parts = urlsplit(self.url)
        return parts.hostname or "127.0.0.1", parts.port or 80

    def request(self, model: str, *, stream: bool, way: Way = PASSED) -> bytes:
        """A request for an answer, ready to be sent."""
        said = [{"role": "user", "content": "Say something, please."}]
        prefix = self.messages_prefix if way.upstream == "messages" else self.prefix
        asked: dict[str, object] = {"model": f"{prefix}{model}", "stream": stream}
        match way.client:
            case "responses":
                asked |= {"input": said, "store": False}
            case "messages":
                asked |= {"messages": said, "max_tokens": 9999}
            case _:
                asked |= {"messages": said}
        body = json.dumps(asked).encode()
        host, port = self.address
        path = f"{urlsplit(self.url).path}{PATHS[way.client]}"
        head = (
            f"POST {path} HTTP/1.1\r\nHost: {host}:{port}\r\n"
            f"Authorization: Bearer {self.key}\r\nContent-Type: application/json\r\n"
            f"Content-Length: {len(body)}\r\n\r\n"
        )
        return head.encode() + body


@attrs.define
class Tally:
    """What clients counted. Times are in seconds: *waits* for a whole answer or for a word's way."""

    asked: int = 0
    good: int = 0
    events: int = 0
    words: int = 0
    waits: array[float] = attrs.field(factory=lambda: array("d"))
    firsts: array[float] = attrs.field(factory=lambda: array("d"))
    failures: dict[str, int] = attrs.field(factory=dict)

    def fail(self, how: str) -> None:
        """Count a failure of this kind."""
        self.failures[how] = self.failures.get(how, 0) + 1

    @property
    def failed(self) -> int:
        """How many failed, one way or the other."""
        return sum(self.failures.values())


class Client(asyncio.Protocol):
    """One connection: it asks, and when the answer is there it asks again, as long as *again* says.

    *expected* is the number of events that a whole stream has, 0 for an answer that is none; a
    stream that has others counts as failed, and so does every answer but 200. *stamped*: words tell
    when they were written, and their way is what is measured.
    """

    transport: asyncio.Transport

    def __init__(
        self,
        request: bytes,
        tally: Tally,
        again: Callable[[], bool],
        *,
        expected: int = 0,
        stamped: bool = False,
    ) -> None:
        self.ended = asyncio.get_running_loop().create_future()
        self._request = request
        self._tally = tally
        self._again = again
        self._expected = expected
        self._stamped = stamped
        self._began = 0
        self._head = self._rest = b""
        self._events = 0
        #: bytes of the body that have not come; -1: it comes in chunks; None: nor has the head
        self._left: int | None = None

    def connection_made(self, transport: Any) -> None:
        self.transport = transport
        self._ask()

    def connection_lost(self, exc: Exception | None) -> None:
        if not self.ended.done():
            self._end("cut off")

    def data_received(self, data: bytes) -> None:
        now = time.monotonic_ns()
        if self._left is None:
            self._head += data
            stop = self._head.find(b"\r\n\r\n") + 4
            if stop == 3:
                return
            if self._head[9:12] != b"200":
                self._end(f"status {self._head[9:12].decode('latin-1')}")
                return
            found = _LENGTH.search(self._head, 0, stop)
            self._left = int(found[1]) if found else -1
            data = self._head[stop:]
        if self._left >= 0:
            self._left -= len(data)
            if self._left == 0:
                self._complete(now)
            return
        self._piece(data, now)

    def give_up(self) -> None:
        """It took too long."""
        if not self.ended.done():
            self._end("timed out")

    def _ask(self) -> None:
        self._tally.asked += 1
        self._began = time.monotonic_ns()
        self._head = self._rest = b""
        self._events = 0
        self._left = None
        self.transport.write(self._request)

    def _piece(self, data: bytes, now: int) -> None:
        """Some of a stream."""
        tally = self._tally
        before = self._rest
        data = before + data
        events = data.count(b"data: ") - before.count(b"data: ")
        if events and not self._events:
            tally.firsts.append((now - self._began) / 1e9)
        self._events += events
        if self._stamped:
            for found in _STAMP.finditer(data):
                if found.end() > len(before):
                    tally.words += 1
                    tally.waits.append((now - int(found[1])) / 1e9)
        self._rest = data[-_TAIL:]
        if data.endswith(b"\r\n0\r\n\r\n"):
            self._complete(now)

    def _complete(self, now: int) -> None:
        tally = self._tally
        tally.events += self._events
        if self._events != self._expected:
            self._end(f"{self._events} of {self._expected} events")
            return
        tally.good += 1
        if not self._stamped:
            tally.waits.append((now - self._began) / 1e9)
        if self._again():
            self._ask()
        else:
            self._end(None)

    def _end(self, failure: str | None) -> None:
        if failure is not None:
            self._tally.fail(failure)
        self.ended.set_result(None)
        self.transport.close()
