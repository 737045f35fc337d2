"""Connections are kept while they are good, and closed as soon as they are not."""

from __future__ import annotations

import asyncio
import ssl
from collections.abc import AsyncIterator

import pytest

from g4f_aio.providers.origin import Origin, Proxy
from g4f_aio.providers.pool import Pool
from g4f_aio.providers.transport import Connection

from .raw_server import Peer, RawServer, answering, ok, serving

GET = b"GET / HTTP/1.1\r\nHost: x\r\n\r\n"


@pytest.fixture
async def pool() -> AsyncIterator[Pool]:
    """A pool that keeps connections."""
    async with Pool() as pool:
        yield pool


def at(server: RawServer) -> Origin:
    """Where a server is."""
    return Origin("http", "127.0.0.1", server.port)


async def ask(pool: Pool, origin: Origin) -> Connection:
    """Ask on an idle connection if there is one, else on a new one; it has the head then."""
    connection = pool.take(origin)
    if not connection.made:
        await pool.open(connection, origin)
    await connection.ask("GET", GET, None)
    return connection


async def get(pool: Pool, origin: Origin) -> bytes:
    """Ask, read, and give the connection back."""
    connection = await ask(pool, origin)
    body = await connection.read()
    assert await connection.read() == b""
    pool.give_back(connection)
    return body


async def until_gone(connection: Connection) -> None:
    """Wait until a connection is closed; a second is more than enough."""
    async with asyncio.timeout(5):
        while not connection.gone:  # noqa: ASYNC110  (there is no event)
            await asyncio.sleep(0.001)


async def test_a_connection_is_used_again(pool: Pool) -> None:
    async with serving(answering(ok(b"1"), ok(b"2"), ok(b"3"))) as server:
        assert [await get(pool, at(server)) for _ in range(3)] == [b"1", b"2", b"3"]
        assert len(server.peers) == 1


async def test_requests_at_the_same_time_have_connections_of_their_own(pool: Pool) -> None:
    async with serving(answering(*[ok()] * 6)) as server:
        await asyncio.gather(*(get(pool, at(server)) for _ in range(3)))
        await asyncio.gather(*(get(pool, at(server)) for _ in range(3)))
        assert len(server.peers) == 3


async def test_the_connection_used_last_comes_first(pool: Pool) -> None:
    async with serving(answering(*[ok()] * 9)) as server:
        one, two = await ask(pool, at(server)), await ask(pool, at(server))
        for connection in (one, two):
            await connection.read()
            pool.give_back(connection)
        assert pool.take(at(server)) is two
        assert pool.take(at(server)) is one
        assert not pool.take(at(server)).made


async def test_a_connection_is_for_its_origin_only(pool: Pool) -> None:
    async with serving(answering(ok())) as server:
        await get(pool, at(server))
        assert not pool.take(Origin("http", "localhost", server.port)).made
        assert not pool.take(Origin("https", "127.0.0.1", server.port)).made
        assert pool.take(at(server)).made


@pytest.mark.parametrize(
    "answer",
    [
        ok(b"hello", "Connection: close"),
        b"HTTP/1.0 200 OK\r\nContent-Length: 5\r\n\r\nhello",
        ok(b"hello") + b"HTTP/1.1 200 OK\r\n",
        b"HTTP/1.1 200 OK\r\n\r\nhello",
    ],
)
async def test_a_connection_that_had_its_last_answer_is_closed(pool: Pool, answer: bytes) -> None:
    async def talk(peer: Peer) -> None:
        await peer.request()
        await peer.say(answer)
        if b"Length" in answer:
            await peer.left()

    async with serving(talk) as server:
        assert await get(pool, at(server)) == b"hello"
        assert not pool.take(at(server)).made
        if b"Length" in answer:
            await asyncio.wait_for(server.left.wait(), 5)


async def test_a_connection_with_an_unread_answer_is_closed_at_once(pool: Pool) -> None:
    async def talk(peer: Peer) -> None:
        await peer.request()
        await peer.say(b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhel")
        await peer.left()

    async with serving(talk) as server:
        connection = await ask(pool, at(server))
        assert await connection.read() == b"hel"
        pool.give_back(connection)
        await asyncio.wait_for(server.left.wait(), 0.1)
        assert not pool.take(at(server)).made


@pytest.mark.parametrize("farewell", [b"", b"HTTP/1.1 408 Request Timeout\r\n\r\n", b"\r\n"])
@pytest.mark.parametrize("reset", [False, True])
async def test_an_idle_connection_is_dropped_when_the_upstream_closes_it(
    pool: Pool, farewell: bytes, *, reset: bool
) -> None:
    close = asyncio.Event()

    async def talk(peer: Peer) -> None:
        await peer.request()
        await peer.say(ok())
        await close.wait()
        await peer.say(farewell)
        if reset:
            peer.writer.transport.abort()

    async with serving(talk) as server:
        connection = await ask(pool, at(server))
        await connection.read()
        pool.give_back(connection)
        close.set()
        await until_gone(connection)
        assert not pool.take(at(server)).made
        await asyncio.sleep(0.01)
        assert not pool._idle.get(at(server))
        assert connection not in pool._open


async def test_idle_connections_are_closed_after_a_while() -> None:
    async with Pool(keep_alive=0.1) as pool, serving(answering(*[ok()] * 9)) as server:
        one, two = await ask(pool, at(server)), await ask(pool, at(server))
        await one.read()
        pool.give_back(one)
        await asyncio.sleep(0.06)
        await two.read()
        pool.give_back(two)
        await asyncio.sleep(0.06)
        assert (one.gone, two.gone) == (True, False)
        await until_gone(two)
        assert not pool._idle


async def test_one_that_is_used_all_the_time_is_kept() -> None:
    async with Pool(keep_alive=0.1) as pool, serving(answering(*[ok()] * 9)) as server:
        for _ in range(5):
            await get(pool, at(server))
            await asyncio.sleep(0.05)
        assert len(server.peers) == 1


async def test_one_that_is_about_to_close_is_not_handed_out(pool: Pool) -> None:
    async with serving(answering(*[ok()] * 2)) as server:
        one, two = await ask(pool, at(server)), await ask(pool, at(server))
        for connection in (one, two):
            await connection.read()
            pool.give_back(connection)
        two.abort()
        assert pool.take(at(server)) is one


async def test_leaving_a_pool_closes_everything() -> None:
    async def talk(peer: Peer) -> None:
        while await peer.request():
            await peer.say(ok())
        peer.server.left.set()

    async with serving(talk) as server:
        async with Pool() as pool:
            idle, busy = await ask(pool, at(server)), await ask(pool, at(server))
            await idle.read()
            pool.give_back(idle)
        assert idle.gone
        assert busy.gone
        assert not pool._open
        await asyncio.wait_for(server.left.wait(), 5)
        pool.give_back(busy)
        assert not pool.take(at(server)).made
        with pytest.raises(OSError, match="stopping"):
            await pool.open(pool.make(), at(server))


async def test_a_connection_that_opens_after_the_end_is_closed() -> None:
    async with serving(Peer.left) as server:
        async with asyncio.timeout(5), Pool() as pool:
            connection = pool.make()
            task = asyncio.ensure_future(pool.open(connection, at(server)))
            await asyncio.sleep(0)
        await task
        assert connection.gone
        assert not pool._open


async def test_a_failure_to_connect_leaves_nothing(pool: Pool) -> None:
    with pytest.raises(ConnectionRefusedError):
        await pool.open(pool.make(), Origin("http", "127.0.0.1", 1))
    assert not pool._open


@pytest.mark.parametrize("after", range(12))
async def test_who_gives_up_at_any_moment_leaves_nothing(
    pool: Pool, after: int, server_tls: ssl.SSLContext
) -> None:
    async with serving(Peer.left) as plain, serving(Peer.left, server_tls) as encrypted:
        for origin in (at(plain), Origin("https", "localhost", encrypted.port)):
            task = asyncio.ensure_future(pool.open(pool.make(), origin))
            for _ in range(after):
                await asyncio.sleep(0)
            if task.cancel():
                with pytest.raises((asyncio.CancelledError, OSError)):
                    await task
        async with asyncio.timeout(5):
            await pool.close()
        assert not pool._open


@pytest.mark.parametrize(
    "answer", [b"HTTP/1.1 200 Yes\r\n\r\n220 ready\r\n", b"HTTP/1.1 407 No\r\n\r\n"]
)
async def test_nor_does_a_way_that_ends_at_the_proxy(pool: Pool, answer: bytes) -> None:
    async with serving(answering(answer)) as proxy:
        origin = Origin("https", "api.example", 443, Proxy("http", "127.0.0.1", proxy.port))
        with pytest.raises(OSError):  # noqa: PT011  (any)
            await pool.open(pool.make(), origin)
    async with asyncio.timeout(5):
        await pool.close()
    assert not pool._open


async def test_tls_is_spoken_with_the_given_certificates(
    server_tls: ssl.SSLContext, client_tls: ssl.SSLContext
) -> None:
    talk = answering(ok(b"1"), ok(b"2"))
    async with serving(talk, server_tls) as server, Pool(tls=client_tls) as pool:
        origin = Origin("https", "localhost", server.port)
        assert [await get(pool, origin) for _ in range(2)] == [b"1", b"2"]
        assert len(server.peers) == 1


def test_targets_are_made_once() -> None:
    pool = Pool()
    first = pool.target("GET", "http://api.example/v1", None)
    assert pool.target("GET", "http://api.example/v1", None) is first
    assert pool.target("POST", "http://api.example/v1", None) is not first
