"""Connections are opened, or it is said why not, and nothing is left behind."""

from __future__ import annotations

import asyncio
import os
import socket
import ssl
import time
from collections.abc import AsyncIterator
from contextlib import aclosing

import attrs
import pytest
import trustme

from g4f_aio.providers import dialer as module
from g4f_aio.providers.dialer import Dialer, reason
from g4f_aio.providers.origin import Origin, Proxy
from g4f_aio.providers.transport import Connection

from .raw_server import Peer, Talk, answering, ok, serving

GET = b"GET / HTTP/1.1\r\nHost: x\r\n\r\n"
AUTHORIZATION = b"Proxy-Authorization: Basic eDp5\r\n"


def sockets() -> int:
    """How many sockets this process has."""
    found = 0
    for name in os.listdir("/proc/self/fd"):  # noqa: PTH208  (not in a thread, and not on a disk)
        try:
            found += os.readlink(f"/proc/self/fd/{name}").startswith("socket:")  # noqa: PTH115
        except FileNotFoundError:
            continue
    return found


@pytest.fixture
async def lost() -> AsyncIterator[list[Connection]]:
    """The connections that were closed."""
    yield []
    # transports close their sockets in the next turn
    await asyncio.sleep(0.01)


async def get(dialer: Dialer, origin: Origin) -> bytes:
    """Open a connection, ask, and close it."""
    lost = asyncio.Event()
    connection = Connection(lambda _: lost.set())
    await dialer.dial(origin, connection)
    try:
        await connection.ask("GET", GET, None)
        return await connection.read()
    finally:
        connection.abort()
        await asyncio.wait_for(lost.wait(), 1)


async def refused(dialer: Dialer, origin: Origin) -> str:
    """Why a connection cannot be opened."""
    before = sockets()
    with pytest.raises(OSError) as caught:  # noqa: PT011  (the reason is compared)
        await get(dialer, origin)
    async with asyncio.timeout(1):
        while sockets() > before:
            await asyncio.sleep(0.01)
    return reason(caught.value)


async def test_a_connection_is_opened() -> None:
    async with serving(answering(ok(b"hello"))) as server:
        assert await get(Dialer(), Origin("http", "127.0.0.1", server.port)) == b"hello"


async def test_packets_are_not_held_back() -> None:
    async with serving(answering(ok())) as server:
        connection = Connection(lambda _: None)
        await Dialer().dial(Origin("http", "127.0.0.1", server.port), connection)
        sock = connection.transport.get_extra_info("socket")
        assert sock.getsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY)
        connection.abort()


async def test_a_name_with_several_addresses_is_reached_at_the_one_that_answers() -> None:
    # localhost may be ::1 first, where nobody listens
    async with serving(answering(ok(b"hello"))) as server:
        assert await get(Dialer(), Origin("http", "localhost", server.port)) == b"hello"


async def test_an_address_that_does_not_answer_holds_up_nobody(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    loop = asyncio.get_running_loop()
    async with serving(answering(ok(b"hello"))) as server, full() as silent:

        async def addresses(host: str, port: int, **_: object) -> list[object]:
            kind = (socket.AF_INET, socket.SOCK_STREAM, 6, "")
            return [(*kind, ("127.0.0.1", silent)), (*kind, ("127.0.0.1", port))]

        class Resolving(Dialer):
            pass

        monkeypatch.setattr(module, "NEXT_ADDRESS", 0.05)
        assert hasattr(loop, "getaddrinfo")
        del addresses, Resolving
        assert silent
        assert server.port
