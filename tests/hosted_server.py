"""What fakes of hosted APIs have in common: real sockets, a record of the requests, ways to hang up.

A fake is a module with a ``Reply`` and a call of ``main``; ``running`` starts it as a process of its
own. ``GET /_record`` tells every request it got, ``DELETE /_record`` forgets them.
"""

from __future__ import annotations

import argparse
import asyncio
import http.client
import json
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass, field
from functools import partial
from http import HTTPStatus
from pathlib import Path
from typing import Any

import attrs
import orjson

from tests.patience import PATIENCE

ROOT = Path(__file__).parent.parent
SSE = {"Content-Type": "text/event-stream"}
JSON = {"Content-Type": "application/json; charset=UTF-8"}


@dataclass
class Exchange:
    """One request, and when its peer closed the connection."""

    method: str
    path: str
    headers: dict[str, str]
    body: Any
    closed_at: float | None = None

    @property
    def route(self) -> str:
        """The path without its query."""
        return self.path.partition("?")[0]


@dataclass
class State:
    """What the whole process remembers."""

    exchanges: list[Exchange] = field(default_factory=list)
    counts: dict[str, int] = field(default_factory=dict)


class Reply:
    """The answer to one request."""

    def __init__(self, connection: Connection, exchange: Exchange) -> None:
        self.connection = connection
        self.state = connection.state
        self.exchange = exchange
        self.writer = connection.writer
        self.body: dict[str, Any] = exchange.body if isinstance(exchange.body, dict) else {}

    async def answer(self) -> None:
        """Answer the request."""
        raise NotImplementedError

    async def send(self) -> None:
        """Answer the request, or tell of the earlier ones."""
        match self.exchange.method, self.exchange.route:
            case "GET", "/_record":
                await self.json(200, [vars(exchange) for exchange in self.state.exchanges])
            case "DELETE", "/_record":
                self.state.exchanges.clear()
                self.state.counts.clear()
                await self.json(200, {})
            case _:
                self.state.exchanges.append(self.exchange)
                self.connection.ours.append(self.exchange)
                await self.answer()

    async def json(self, status: int, value: object, headers: dict[str, str] | None = None) -> None:
        """A body of JSON."""
        await self.whole(status, JSON | (headers or {}), orjson.dumps(value))

    async def whole(self, status: int, headers: dict[str, str], data: bytes) -> None:
        """A body in one piece."""
        self.head(status, headers | {"Content-Length": str(len(data))})
        self.writer.write(data)
        await self.writer.drain()

    def head(self, status: int, headers: dict[str, str]) -> None:
        """Status line and headers."""
        lines = "".join(f"{name}: {value}\r\n" for name, value in headers.items())
        head = f"HTTP/1.1 {status} {HTTPStatus(status).phrase}\r\n{lines}\r\n"
        self.writer.write(head.encode("latin-1"))

    def begin(self, headers: dict[str, str] = SSE) -> None:
        """The head of a stream."""
        self.head(200, headers | {"Transfer-Encoding": "chunked"})

    async def write(self, data: bytes) -> None:
        """Some of a stream's body, in one packet."""
        self.writer.write(b"%x\r\n%b\r\n" % (len(data), data))
        await self.writer.drain()
        await asyncio.sleep(0)

    async def end(self) -> None:
        """The end of a stream's body."""
        self.writer.write(b"0\r\n\r\n")
        await self.writer.drain()

    def cut(self) -> None:
        """Hang up in the middle of it."""
        self.connection.closing = True
        self.writer.close()

    async def hang(self) -> None:
        """Do nothing until the client is gone."""
        await self.connection.closed.wait()
        raise ConnectionResetError


class Connection(asyncio.StreamReaderProtocol):
    """One connection of a client; knows when the client closed it."""

    def __init__(self, state: State, reply: type[Reply]) -> None:
        loop = asyncio.get_running_loop()
        super().__init__(asyncio.StreamReader(loop=loop), self._serve, loop=loop)
        self.state = state
        self.reply = reply
        self.ours: list[Exchange] = []
        self.closing = False
        self.closed = asyncio.Event()
        self.writer: asyncio.StreamWriter

    def eof_received(self) -> bool | None:
        self._peer_closed()
        return super().eof_received()

    def connection_lost(self, exc: Exception | None) -> None:
        self._peer_closed()
        super().connection_lost(exc)

    def _peer_closed(self) -> None:
        if not self.closing and not self.closed.is_set():
            for exchange in self.ours:
                exchange.closed_at = time.monotonic()
        self.closed.set()

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.writer = writer
        try:
            while not self.closing and (exchange := await self._read(reader)) is not None:
                await self.reply(self, exchange).send()
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
        return Exchange(method, path, headers, orjson.loads(data) if data else None)


def event(value: object, end: bytes = b"\n") -> bytes:
    """One event with *value* as JSON."""
    return b"data: " + orjson.dumps(value) + end * 2


def main(reply: type[Reply]) -> None:
    """Serve on a free port and print its address; ``--with-parent``: until stdin is closed."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--port", type=int, default=0)
    parser.add_argument("--with-parent", action="store_true")
    words = parser.parse_args()
    asyncio.run(_main(reply, words.port, with_parent=words.with_parent))


async def _main(reply: type[Reply], port: int, *, with_parent: bool) -> None:
    loop = asyncio.get_running_loop()
    server = await loop.create_server(partial(Connection, State(), reply), "127.0.0.1", port)
    host, port = server.sockets[0].getsockname()
    print(json.dumps({"root": f"http://{host}:{port}"}), flush=True)  # noqa: T201
    async with server:
        if with_parent:
            await asyncio.to_thread(sys.stdin.read)
        else:
            await server.serve_forever()


@attrs.frozen
class Running:
    """A fake that runs; *root* is its address."""

    root: str

    async def records(self) -> list[dict[str, Any]]:
        """The requests it got, oldest first."""
        found: list[dict[str, Any]] = await asyncio.to_thread(self._ask, "GET")
        return found

    async def bodies(self) -> list[dict[str, Any]]:
        """Their bodies."""
        return [record["body"] for record in await self.records()]

    async def closed(self, *, within: float = PATIENCE) -> None:
        """Return when the connection of the last request was closed by us."""
        until = time.monotonic() + within
        while time.monotonic() < until:
            records = await self.records()
            if records and records[-1]["closed_at"] is not None:
                return
            await asyncio.sleep(0.01)
        raise AssertionError(f"the connection is still open after {within} s")

    def forget(self) -> None:
        """Drop all records."""
        self._ask("DELETE")

    def _ask(self, method: str) -> Any:
        connection = http.client.HTTPConnection(self.root.removeprefix("http://"), timeout=PATIENCE)
        with closing(connection):
            connection.request(method, "/_record")
            return json.load(connection.getresponse())


@contextmanager
def running(module: str) -> Iterator[Running]:
    """The fake in the module of that name, as a process of its own."""
    command = [sys.executable, "-m", module, "--with-parent"]
    with subprocess.Popen(
        command, cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE
    ) as process:
        assert process.stdin is not None
        assert process.stdout is not None
        yield Running(**json.loads(process.stdout.readline()))
        process.stdin.close()
        process.wait(PATIENCE)
