"""Connections are opened, or it is said why not, and nothing is left behind."""

from __future__ import annotations

import asyncio
import os
import re
import socket
import ssl
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import attrs
import pytest
from aiohappyeyeballs import AddrInfoType

from g4f_aio.providers import dialer as module
from g4f_aio.providers.dialer import Dialer, reason
from g4f_aio.providers.origin import Origin, Proxy
from g4f_aio.providers.transport import Connection
from tests.patience import Stopwatch

from .raw_server import Peer, RawServer, Talk, answering, ok, serving

GET = b"GET / HTTP/1.1\r\nHost: x\r\n\r\n"
AUTHORIZATION = b"Proxy-Authorization: Basic eDp5\r\n"


def sockets() -> int:
    """How many sockets this process has; 0 where the system does not tell."""
    found = 0
    if not os.path.isdir("/proc/self/fd"):  # noqa: PTH112
        return 0
    for name in os.listdir("/proc/self/fd"):  # noqa: PTH208  (Path would stat them)
        try:
            found += os.readlink(f"/proc/self/fd/{name}").startswith("socket:")  # noqa: PTH115
        except FileNotFoundError:
            continue
    return found


@asynccontextmanager
async def nothing_left() -> AsyncIterator[None]:
    """Afterwards there are as many sockets as before."""
    before = await asyncio.to_thread(sockets)
    yield
    async with asyncio.timeout(5):
        while await asyncio.to_thread(sockets) > before:  # noqa: ASYNC110  (there is no event)
            await asyncio.sleep(0.01)


@asynccontextmanager
async def full() -> AsyncIterator[int]:
    """A port at which connecting hangs."""
    with socket.create_server(("127.0.0.1", 0), backlog=0) as listener:
        waiting = [socket.socket() for _ in range(4)]
        for client in waiting:
            client.settimeout(0)
            client.connect_ex(listener.getsockname())
        yield listener.getsockname()[1]
        for client in waiting:
            client.close()


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
        await asyncio.wait_for(lost.wait(), 5)


async def refusal(dialer: Dialer, origin: Origin) -> str:
    """Why a connection cannot be opened."""
    async with nothing_left():
        with pytest.raises(OSError) as caught:  # noqa: PT011  (the reason is compared)
            await get(dialer, origin)
    return reason(caught.value)


async def test_a_connection_is_opened() -> None:
    async with serving(answering(ok(b"hello"))) as server:
        assert await get(Dialer(), Origin("http", "127.0.0.1", server.port)) == b"hello"


async def test_packets_are_not_held_back() -> None:
    async with serving(answering(ok())) as server:
        lost = asyncio.Event()
        connection = Connection(lambda _: lost.set())
        await Dialer().dial(Origin("http", "127.0.0.1", server.port), connection)
        sock = connection.transport.get_extra_info("socket")
        assert sock.getsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY)
        connection.abort()
        await lost.wait()


async def test_a_name_is_looked_up() -> None:
    # it may lead to ::1 first, where nobody listens
    async with serving(answering(ok(b"hello"))) as server:
        assert await get(Dialer(), Origin("http", "localhost", server.port)) == b"hello"


async def test_an_address_that_does_not_answer_holds_up_nobody(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    async def addresses(_: Dialer, host: str, port: int) -> list[AddrInfoType]:
        kind = (socket.AF_INET, socket.SOCK_STREAM, socket.IPPROTO_TCP, "")
        return [(*kind, (host, silent)), (*kind, (host, port))]

    monkeypatch.setattr(module, "NEXT_ADDRESS", 0.05)
    monkeypatch.setattr(Dialer, "_addresses", addresses)
    async with full() as silent, serving(answering(ok(b"hello"))) as server:
        watch = Stopwatch()
        async with nothing_left():
            assert await get(Dialer(), Origin("http", "127.0.0.1", server.port)) == b"hello"
        assert watch.seconds < 0.5


# why not


async def test_a_port_where_nobody_listens_is_said() -> None:
    for host in ("127.0.0.1", "localhost"):
        said = await refusal(Dialer(), Origin("http", host, 1))
        assert re.search("refused|Connect call failed", said)
    said = await refusal(Dialer(), Origin("http", "127.0.0.1", 1))
    assert said == "Connect call failed ('127.0.0.1', 1)"


@pytest.mark.parametrize("host", ["a" * 64 + ".example", "a..b"])
async def test_a_name_that_cannot_exist_is_said(host: str) -> None:
    assert await refusal(Dialer(), Origin("http", host, 80))


async def test_who_gives_up_leaves_no_socket() -> None:
    async with full() as port, nothing_left():
        with pytest.raises(TimeoutError):
            async with asyncio.timeout(0.05):
                await get(Dialer(), Origin("http", "127.0.0.1", port))


@pytest.mark.parametrize("after", range(12))
async def test_who_gives_up_at_any_moment_leaves_no_socket(
    after: int, server_tls: ssl.SSLContext, client_tls: ssl.SSLContext
) -> None:
    async with serving(answering(ok(b"hello")), server_tls) as server, nothing_left():
        dialer = Dialer(client_tls)
        task = asyncio.ensure_future(get(dialer, Origin("https", "localhost", server.port)))
        for _ in range(after):
            await asyncio.sleep(0)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task


@pytest.mark.parametrize("after", range(6))
async def test_nor_does_one_who_goes_straight_to_an_address(after: int) -> None:
    async with serving(answering(ok(b"hello"))) as server, nothing_left():
        task = asyncio.ensure_future(get(Dialer(), Origin("http", "127.0.0.1", server.port)))
        for _ in range(after):
            await asyncio.sleep(0)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task


# TLS


async def test_tls_is_spoken_with_who_has_the_right_certificate(
    server_tls: ssl.SSLContext, client_tls: ssl.SSLContext
) -> None:
    async with serving(answering(ok(b"hello")), server_tls) as server, nothing_left():
        dialer = Dialer(client_tls)
        assert await get(dialer, Origin("https", "localhost", server.port)) == b"hello"


async def test_a_name_with_its_last_dot_has_the_same_certificate(
    server_tls: ssl.SSLContext, client_tls: ssl.SSLContext, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def addresses(_: Dialer, __: str, port: int) -> list[AddrInfoType]:
        # not every system knows this name
        return [(socket.AF_INET, socket.SOCK_STREAM, socket.IPPROTO_TCP, "", ("127.0.0.1", port))]

    monkeypatch.setattr(Dialer, "_addresses", addresses)
    async with serving(answering(ok(b"hello")), server_tls) as server:
        origin = Origin("https", "localhost.", server.port)
        assert await get(Dialer(client_tls), origin) == b"hello"


async def test_an_answer_without_length_ends_with_tls_too(
    server_tls: ssl.SSLContext, client_tls: ssl.SSLContext
) -> None:
    talk = answering(b"HTTP/1.1 200 OK\r\n\r\nhello")
    async with serving(talk, server_tls) as server, nothing_left():
        lost = asyncio.Event()
        connection = Connection(lambda _: lost.set())
        await Dialer(client_tls).dial(Origin("https", "localhost", server.port), connection)
        await connection.ask("GET", GET, None)
        assert await connection.read() == b"hello"
        assert await connection.read() == b""
        await lost.wait()


async def test_a_certificate_for_another_name_is_refused(
    server_tls: ssl.SSLContext, client_tls: ssl.SSLContext
) -> None:
    async with serving(answering(ok()), server_tls) as server:
        said = await refusal(Dialer(client_tls), Origin("https", "127.0.0.1", server.port))
    assert said.startswith("its certificate is not valid: ")
    assert "127.0.0.1" in said


async def test_a_certificate_that_nobody_knows_is_refused(server_tls: ssl.SSLContext) -> None:
    async with serving(answering(ok()), server_tls) as server:
        said = await refusal(Dialer(), Origin("https", "localhost", server.port))
    assert said.startswith("its certificate is not valid: ")


async def test_the_systems_certificates_are_read_once() -> None:
    dialer = Dialer()
    found = await asyncio.gather(*(dialer._context() for _ in range(5)))
    assert len(set(map(id, found))) == 1
    assert found[0].verify_mode == ssl.CERT_REQUIRED
    assert found[0].check_hostname


async def test_what_speaks_no_tls_is_said(client_tls: ssl.SSLContext) -> None:
    async def talk(peer: Peer) -> None:
        await peer.say(b"220 mail.example ESMTP ready\r\n")
        await peer.left()

    async with serving(talk) as server:
        said = await refusal(Dialer(client_tls), Origin("https", "localhost", server.port))
    assert said.startswith("TLS failed: ")


async def test_what_hangs_up_in_the_handshake_is_said(client_tls: ssl.SSLContext) -> None:
    async def talk(peer: Peer) -> None:
        await peer.reader.read(1)

    async with serving(talk) as server:
        said = await refusal(Dialer(client_tls), Origin("https", "localhost", server.port))
    assert said == "it hung up"


async def test_who_gives_up_in_the_handshake_leaves_no_socket(client_tls: ssl.SSLContext) -> None:
    met = asyncio.Event()

    async def talk(peer: Peer) -> None:
        met.set()
        await peer.left()

    async with serving(talk) as server, nothing_left():
        origin = Origin("https", "localhost", server.port)
        task = asyncio.ensure_future(get(Dialer(client_tls), origin))
        await met.wait()
        done, _ = await asyncio.wait((task,), timeout=0.05)
        assert not done
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        await asyncio.wait_for(server.left.wait(), 5)


# a proxy's tunnel


def tunnel(to: RawServer, answer: bytes = b"HTTP/1.1 200 Connection established\r\n\r\n") -> Talk:
    """A proxy that opens a way to *to*, whatever it is asked for."""

    async def pump(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            while data := await reader.read(2**16):
                writer.write(data)
        except ConnectionError:
            pass
        finally:
            writer.close()

    async def talk(peer: Peer) -> None:
        await peer.request()
        reader, writer = await asyncio.open_connection("127.0.0.1", to.port)
        await peer.say(answer)
        async with asyncio.TaskGroup() as group:
            group.create_task(pump(peer.reader, writer))
            group.create_task(pump(reader, peer.writer))

    return talk


def through(proxy: RawServer, server: RawServer, scheme: str = "http") -> Origin:
    """The server, by way of the proxy."""
    way = Proxy(scheme, "localhost", proxy.port, AUTHORIZATION)
    return Origin("https", "localhost", server.port, way)


@pytest.mark.parametrize("scheme", ["http", "https"])
async def test_a_proxy_opens_a_way(
    scheme: str, server_tls: ssl.SSLContext, client_tls: ssl.SSLContext
) -> None:
    async with (
        serving(answering(ok(b"hello")), server_tls) as server,
        serving(tunnel(server), server_tls if scheme == "https" else None) as proxy,
        nothing_left(),
    ):
        assert await get(Dialer(client_tls), through(proxy, server, scheme)) == b"hello"
    to = b"localhost:%d" % server.port
    assert proxy.requests == [
        b"CONNECT " + to + b" HTTP/1.1\r\nHost: " + to + b"\r\n" + AUTHORIZATION + b"\r\n"
    ]
    assert server.requests == [GET]


async def test_a_certificate_is_asked_for_behind_the_proxy_too(
    server_tls: ssl.SSLContext, client_tls: ssl.SSLContext
) -> None:
    async with serving(answering(), server_tls) as server, serving(tunnel(server)) as proxy:
        origin = attrs.evolve(through(proxy, server), host="other.example")
        said = await refusal(Dialer(client_tls), origin)
    assert said.startswith("its certificate is not valid: ")


@pytest.mark.parametrize(
    ("answer", "said"),
    [
        (b"HTTP/1.1 407 Who are you\r\nContent-Length: 0\r\n\r\n", "the proxy answered 407"),
        (b"HTTP/1.1 502 No\r\nContent-Length: 2\r\n\r\nno", "the proxy answered 502"),
        (b"", "the proxy hung up before it answered"),
        (b"220 mail.example ESMTP\r\n", "the proxy sent what is not HTTP"),
        (b"HTTP/1.1 200 Yes\r\n\r\n220 mail.example ESMTP\r\n", "the proxy opened no way"),
    ],
)
async def test_a_proxy_that_opens_none_is_said(
    answer: bytes, said: str, client_tls: ssl.SSLContext
) -> None:
    async with serving(answering(answer)) as proxy:
        found = await refusal(Dialer(client_tls), through(proxy, proxy))
    assert found.startswith(said)


async def test_a_proxy_that_opens_a_way_and_hangs_up_is_said(client_tls: ssl.SSLContext) -> None:
    async with serving(answering(b"HTTP/1.1 200 Yes\r\n\r\n")) as proxy:
        found = await refusal(Dialer(client_tls), through(proxy, proxy))
    # whether that is seen before the handshake or in it
    assert found in ("the proxy opened no way", "it hung up")


async def test_who_gives_up_in_front_of_a_proxy_leaves_no_socket(
    client_tls: ssl.SSLContext,
) -> None:
    async with serving(Peer.left) as proxy, nothing_left():
        with pytest.raises(TimeoutError):
            async with asyncio.timeout(0.05):
                await get(Dialer(client_tls), through(proxy, proxy))


async def test_a_proxy_that_cannot_be_reached_is_said(client_tls: ssl.SSLContext) -> None:
    origin = Origin("https", "api.example", 443, Proxy("http", "127.0.0.1", 1))
    assert await refusal(Dialer(client_tls), origin)


# words


@pytest.mark.parametrize(
    ("error", "said"),
    [
        (ConnectionRefusedError(111, "Connection refused"), "Connection refused"),
        (socket.gaierror(-2, "Name or service not known"), "Name or service not known"),
        (OSError("the proxy answered 407"), "the proxy answered 407"),
    ],
)
def test_a_reason_is_for_people(error: OSError, said: str) -> None:
    assert reason(error) == said
