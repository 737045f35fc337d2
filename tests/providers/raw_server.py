"""Servers of which a test says every byte, good or bad."""

from __future__ import annotations

import asyncio
import ssl
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager

import attrs


@attrs.define(eq=False)
class Peer:
    """One connection as the server sees it; *number* counts from 0."""

    reader: asyncio.StreamReader
    writer: asyncio.StreamWriter
    number: int
    server: RawServer

    async def request(self) -> bytes:
        """The next request, head and body; empty when the client closed the connection."""
        try:
            head = await self.reader.readuntil(b"\r\n\r\n")
        except (asyncio.IncompleteReadError, ConnectionError):
            return b""
        length = 0
        for line in head.lower().split(b"\r\n"):
            if line.startswith(b"content-length:"):
                length = int(line.partition(b":")[2])
        request = head + await self.reader.readexactly(length)
        self.server.requests.append(request)
        return request

    async def say(self, *pieces: bytes) -> None:
        """Write these, one packet each."""
        for piece in pieces:
            self.writer.write(piece)
            await self.writer.drain()
            await asyncio.sleep(0.005 if len(pieces) > 1 else 0)

    async def left(self) -> None:
        """Wait until the client has closed the connection, or reset it."""
        try:
            while await self.reader.read(2**16):
                pass
        except ConnectionError:
            pass
        self.server.left.set()


Talk = Callable[[Peer], Awaitable[None]]


@attrs.define(eq=False)
class RawServer:
    """A running server, and what it got to see."""

    port: int = 0
    peers: list[Peer] = attrs.field(factory=list)
    requests: list[bytes] = attrs.field(factory=list)
    left: asyncio.Event = attrs.field(factory=asyncio.Event)

    @property
    def url(self) -> str:
        """Its address."""
        return f"http://127.0.0.1:{self.port}"

    @property
    def tls_url(self) -> str:
        """Its address by the name on its certificate."""
        return f"https://localhost:{self.port}"


@asynccontextmanager
async def serving(talk: Talk, tls: ssl.SSLContext | None = None) -> AsyncIterator[RawServer]:
    """A server that has this to say to each connection, and closes it then."""
    server = RawServer()
    tasks: set[asyncio.Task[object]] = set()

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        tasks.add(task)
        peer = Peer(reader, writer, len(server.peers), server)
        server.peers.append(peer)
        try:
            await talk(peer)
        except (ConnectionError, asyncio.CancelledError):
            pass
        finally:
            writer.close()
            tasks.discard(task)

    listener = await asyncio.start_server(serve, "127.0.0.1", 0, ssl=tls)
    server.port = listener.sockets[0].getsockname()[1]
    try:
        yield server
    finally:
        listener.close()
        for task in tasks:
            task.cancel()
        if tasks:
            await asyncio.wait(tasks)


def answering(*answers: bytes) -> Talk:
    """For each request on each connection the next of these; after the last one it hangs up."""
    left = list(answers)

    async def talk(peer: Peer) -> None:
        while left and await peer.request():
            await peer.say(left.pop(0))

    return talk


def ok(body: bytes = b"ok", *headers: str) -> bytes:
    """A usual answer."""
    lines = "".join(f"{line}\r\n" for line in headers)
    return f"HTTP/1.1 200 OK\r\nContent-Length: {len(body)}\r\n{lines}\r\n".encode() + body


Serving = Callable[..., AbstractAsyncContextManager[RawServer]]
