"""The way out, byte by byte: what a client makes of upstreams that behave as they like."""

from __future__ import annotations

import asyncio
import gzip
import logging
import ssl
import zlib
from collections.abc import AsyncIterator

import attrs
import pytest

from g4f_aio import UpstreamError, UpstreamTimeoutError
from g4f_aio.providers import response as response_module
from g4f_aio.providers import upstream as module
from g4f_aio.providers.pool import Pool
from g4f_aio.providers.upstream import Client
from tests.patience import Stopwatch

from .raw_server import Peer, RawServer, Talk, answering, ok, serving

CHUNKED = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"
SECRET = "sk-secret-5310"


@pytest.fixture
async def client() -> AsyncIterator[Client]:
    """A client with time enough."""
    async with Pool() as pool:
        yield Client(pool, "acme", 5.0, 5.0, 2**20)


async def get(client: Client, server: RawServer) -> bytes:
    """The body of an answer."""
    async with client.get(f"{server.url}/x") as response:
        return await response.read()


# a connection that was closed while it was idle


def closing_after(*answers: bytes) -> Talk:
    """One answer on each connection; whoever asks again on it finds it closed."""
    left = list(answers)

    async def talk(peer: Peer) -> None:
        await peer.request()
        await peer.say(left.pop(0))
        await peer.request()

    return talk


async def test_what_a_closed_connection_swallowed_is_asked_again(client: Client) -> None:
    async with serving(closing_after(ok(b"1"), ok(b"2"))) as server:
        assert await get(client, server) == b"1"
        async with client.post(f"{server.url}/x", json={"n": 2}) as response:
            assert await response.read() == b"2"
        assert len(server.peers) == 2
        assert server.requests[1] == server.requests[2]


async def test_so_is_a_large_request(client: Client) -> None:
    body = bytes(4 * 2**20)

    async def talk(peer: Peer) -> None:
        if await peer.request():
            await peer.say(ok(b"%d" % peer.number))
            await peer.reader.read(10)

    async with serving(talk) as server:
        assert await get(client, server) == b"0"
        async with client.post(f"{server.url}/x", data=body) as response:
            assert await response.read() == b"1"
        assert server.requests[-1].endswith(body)


async def test_but_once_only(client: Client) -> None:
    async def talk(peer: Peer) -> None:
        await peer.request()
        if peer.number == 0:
            await peer.say(ok(b"1"))
            await peer.request()

    async with serving(talk) as server:
        assert await get(client, server) == b"1"
        with pytest.raises(UpstreamError, match=r"^acme hung up before it answered$"):
            await get(client, server)
        assert len(server.peers) == 2


async def test_what_a_new_connection_swallowed_is_not_asked_again(client: Client) -> None:
    async with serving(answering()) as server:
        with pytest.raises(UpstreamError, match=r"^acme hung up before it answered$"):
            await get(client, server)
        assert len(server.peers) == 1


async def test_nor_what_was_answered_by_a_single_byte(client: Client) -> None:
    async with serving(answering(ok(b"1"), b"H")) as server:
        assert await get(client, server) == b"1"
        with pytest.raises(UpstreamError, match=r"^acme hung up before it answered$"):
            await get(client, server)
        assert len(server.peers) == 1


async def test_nor_what_the_upstream_had_time_to_begin(
    client: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "STALE", 0.05)

    async def talk(peer: Peer) -> None:
        await peer.request()
        await peer.say(ok(b"1"))
        await peer.request()
        await asyncio.sleep(0.1)

    async with serving(talk) as server:
        assert await get(client, server) == b"1"
        with pytest.raises(UpstreamError, match=r"^acme hung up before it answered$"):
            await get(client, server)
        assert len(server.peers) == 1


async def test_the_second_try_has_the_time_that_is_left(client: Client) -> None:
    async def talk(peer: Peer) -> None:
        await peer.request()
        if peer.number == 0:
            await peer.say(ok(b"1"))
            await peer.request()
        else:
            await peer.left()

    async with serving(talk) as server:
        assert await get(client, server) == b"1"
        hasty = attrs.evolve(client, headers_timeout=0.1)
        with pytest.raises(UpstreamTimeoutError, match=r"did not begin to answer within 0\.1 s"):
            await get(hasty, server)
        await asyncio.wait_for(server.left.wait(), 5)


# headers and URLs


@pytest.mark.parametrize("value", [f"{SECRET}\r\nX-Evil: 1", f"{SECRET}\n", f"{SECRET}\0", "€"])
async def test_a_header_with_a_line_end_is_never_sent(client: Client, value: str) -> None:
    async with serving(answering(ok())) as server:
        with pytest.raises(UpstreamError, match=r"^acme cannot be asked: header X-Own") as caught:
            async with client.get(f"{server.url}/x", headers={"X-Own": value}):
                pass
        assert SECRET not in str(caught.value)
        assert not server.peers


async def test_the_caller_may_say_what_kind_of_json_it_is(client: Client) -> None:
    async with serving(answering(ok())) as server:
        kind = {"content-type": "application/scim+json"}
        async with client.post(f"{server.url}/x", json={}, headers=kind) as response:
            await response.read()
        (request,) = server.requests
    assert request.lower().count(b"content-type") == 1
    assert b"content-type: application/scim+json\r\n" in request


@pytest.mark.parametrize(
    "url", ["", "ftp://h/", "http://", "http://[", f"http://user:{SECRET}@h/", "http://h\r\n x/"]
)
async def test_a_url_that_leads_nowhere_is_an_error(client: Client, url: str) -> None:
    with pytest.raises(UpstreamError, match=r"^acme cannot be asked: ") as caught:
        async with client.get(url):
            pass
    assert SECRET not in str(caught.value)
    assert caught.value.provider == "acme"


async def test_a_url_cannot_smuggle_lines(client: Client) -> None:
    async with serving(answering(ok())) as server:
        async with client.get(f"{server.url}/x HTTP/1.1\r\nX-Evil: 1\r\n\r\n") as response:
            await response.read()
        (request,) = server.requests
    assert request.count(b"\r\n") == 5


# proxies


@pytest.mark.parametrize("scheme", ["http", "https"])
async def test_a_proxys_password_is_in_no_error(client: Client, scheme: str) -> None:
    client = attrs.evolve(client, proxy=f"http://user:{SECRET}@127.0.0.1:1")
    message = r"^acme: cannot connect to .*http://127\.0\.0\.1:1: "
    with pytest.raises(UpstreamError, match=message) as caught:
        async with client.get(f"{scheme}://api.example/v1"):
            pass
    assert SECRET not in str(caught.value)
    assert SECRET not in repr(client)


async def test_a_proxy_that_refuses_is_named(client: Client) -> None:
    talk = answering(b"HTTP/1.1 407 Who are you\r\nContent-Length: 0\r\n\r\n")
    async with serving(talk) as proxy:
        client = attrs.evolve(client, proxy=proxy.url)
        message = f"^acme: cannot connect to https://api.example through {proxy.url}: the proxy ans"
        with pytest.raises(UpstreamError, match=message):
            async with client.get("https://api.example/v1"):
                pass


# answers


async def test_an_answer_to_head_has_no_body(client: Client) -> None:
    talk = answering(b"HTTP/1.1 200 OK\r\nContent-Length: 12\r\n\r\n")
    async with serving(talk) as server, client.request("HEAD", f"{server.url}/x") as response:
        assert response.status == 200
        assert response.headers["content-length"] == "12"
        assert await response.read() == b""


@pytest.mark.parametrize(
    ("answer", "message"),
    [
        (b"220 ready\r\n", "sent what is not HTTP"),
        (b"HTTP/1.1 200 OK\r\nX: " + b"x" * 70_000, "sent headers of more than 65536 bytes"),
        (b"HTTP/1.1 200 OK\r\nContent-Encoding: br\r\n\r\n", "sent its answer in the coding 'br'"),
        (b"HTTP/1.1 200 OK\r\nTransfer-Encoding: gzip\r\n\r\n", "transfer coding 'gzip'"),
        (b"HTTP/1.1 200 OK\r\nX: y\r\n", "hung up before it answered"),
    ],
)
async def test_what_is_no_answer_is_an_error(client: Client, answer: bytes, message: str) -> None:
    async def talk(peer: Peer) -> None:
        await peer.request()
        await peer.say(answer)
        if b"hung" not in message.encode():
            await peer.left()

    async with serving(talk) as server:
        with pytest.raises(UpstreamError, match=f"^acme .*{message}") as caught:
            async with client.get(f"{server.url}/x"):
                pass
        assert caught.value.provider == "acme"
        if "hung" not in message:
            await asyncio.wait_for(server.left.wait(), 5)


async def test_a_refusal_comes_through_before_the_request_was_sent(client: Client) -> None:
    async def talk(peer: Peer) -> None:
        await peer.reader.readuntil(b"\r\n\r\n")
        await peer.say(b"HTTP/1.1 413 Large\r\nContent-Length: 3\r\nConnection: close\r\n\r\nbig")
        await asyncio.sleep(0.2)

    async with serving(talk) as server:
        exchange = client.post(f"{server.url}/x", data=bytes(32 * 2**20))
        async with exchange as response:
            assert (response.status, await response.read()) == (413, b"big")


async def test_a_last_event_without_its_blank_line_is_an_event(client: Client) -> None:
    talk = answering(ok(b"data: 1\n\ndata: 2"))
    async with serving(talk) as server, client.get(f"{server.url}/x") as response:
        found = [frames async for frames in response.frames()]
    assert found == [b"data: 1\n\n", b"data: 2\n\n"]


async def test_what_comes_after_the_last_event_is_passed_over(client: Client) -> None:
    async def talk(peer: Peer) -> None:
        await peer.request()
        await peer.say(CHUNKED + b"e\r\ndata: [DONE]\n\n\r\n", b"5\r\n: bye\r\n", b"0\r\n\r\n")
        await peer.request()
        await peer.say(ok())

    async with serving(talk) as server:
        async with client.get(f"{server.url}/x") as response:
            async for _ in response.frames():
                break
            await response.end()
        assert await get(client, server) == b"ok"
        assert len(server.peers) == 1


# what was compressed though nobody asked for it

EVENTS = b"".join(b"data: %d\n\n" % number for number in range(1000))


@pytest.mark.parametrize(
    ("coding", "packed"), [("gzip", gzip.compress(EVENTS)), ("deflate", zlib.compress(EVENTS))]
)
async def test_a_compressed_answer_comes_out_as_it_was(
    client: Client, coding: str, packed: bytes
) -> None:
    answer = ok(packed, f"Content-Encoding: {coding}")
    async with serving(answering(answer, answer)) as server:
        assert await get(client, server) == EVENTS
        async with client.get(f"{server.url}/x") as response:
            assert b"".join([frames async for frames in response.frames()]) == EVENTS
        assert len(server.peers) == 1


async def test_compressed_events_come_one_by_one(client: Client) -> None:
    seen = asyncio.Event()

    async def talk(peer: Peer) -> None:
        await peer.request()
        assert b"accept-encoding" not in peer.server.requests[0].lower()
        await peer.say(CHUNKED.replace(b"\r\n\r\n", b"\r\nContent-Encoding: gzip\r\n\r\n"))
        deflate = zlib.compressobj(wbits=31)
        for number in range(3):
            seen.clear()
            packed = deflate.compress(b"data: %d\n\n" % number)
            packed += deflate.flush(zlib.Z_SYNC_FLUSH if number < 2 else zlib.Z_FINISH)
            await peer.say(b"%x\r\n%b\r\n" % (len(packed), packed))
            await seen.wait()
        await peer.say(b"0\r\n\r\n")

    async with serving(talk) as server, client.get(f"{server.url}/x") as response:
        found = []
        async for frames in response.frames():
            found.append(frames)
            seen.set()
    assert found == [b"data: %d\n\n" % number for number in range(3)]


async def test_a_bomb_is_stopped_at_the_limit(
    client: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(response_module, "BODY_LIMIT", 2**20)
    async with serving(
        answering(ok(gzip.compress(bytes(50 * 2**20)), "Content-Encoding: gzip"))
    ) as server:
        with pytest.raises(UpstreamError, match="acme sent more than 1048576 bytes"):
            await get(client, server)


@pytest.mark.parametrize(
    ("packed", "message"),
    [
        (gzip.compress(EVENTS)[:-9], "hung up in the middle of its answer"),
        (b"no such thing", "sent malformed gzip"),
    ],
)
async def test_compression_that_makes_no_sense_is_an_error(
    client: Client, packed: bytes, message: str
) -> None:
    async with serving(answering(ok(packed, "Content-Encoding: gzip"))) as server:
        with pytest.raises(UpstreamError, match=f"^acme {message}$"):
            await get(client, server)


# leaving


async def test_who_leaves_in_the_middle_closes_the_connection_at_once(client: Client) -> None:
    async def talk(peer: Peer) -> None:
        await peer.request()
        await peer.say(CHUNKED + b"9\r\ndata: 1\n\n\r\n")
        await peer.left()

    async with serving(talk) as server:
        async with client.get(f"{server.url}/x") as response:
            async for frames in response.frames():
                assert frames == b"data: 1\n\n"
                break
            watch = Stopwatch()
        await asyncio.wait_for(server.left.wait(), 5)
        assert watch.seconds < 0.1


async def test_after_leaving_nothing_can_be_read(client: Client) -> None:
    async with serving(answering(ok(b"1"), ok(b"2"))) as server:
        async with client.get(f"{server.url}/x") as response:
            await response.read()
        with pytest.raises(UpstreamError, match="was read after its answer had been left"):
            await response.read()
        await response.end()
        assert await get(client, server) == b"2"


async def test_a_failure_of_the_caller_passes_and_closes(client: Client) -> None:
    async def talk(peer: Peer) -> None:
        await peer.request()
        await peer.say(CHUNKED)
        await peer.left()

    async with serving(talk) as server:
        with pytest.raises(ZeroDivisionError):
            async with client.get(f"{server.url}/x"):
                raise ZeroDivisionError
        await asyncio.wait_for(server.left.wait(), 5)


@pytest.fixture
async def silent() -> AsyncIterator[RawServer]:
    """A server that never says anything."""
    async with serving(Peer.left) as server:
        yield server
        # nobody may keep a connection to it
        await asyncio.wait_for(server.left.wait(), 5)


@pytest.fixture
async def encrypted(client_tls: ssl.SSLContext) -> AsyncIterator[Client]:
    """A client that need not look for the system's certificates first."""
    async with Pool(tls=client_tls) as pool:
        yield Client(pool, "acme", 5.0, 5.0, 2**20)


async def test_who_gives_up_waiting_for_tls_is_cancelled_and_nothing_else(
    encrypted: Client, silent: RawServer
) -> None:
    with pytest.raises(TimeoutError):
        async with asyncio.timeout(0.3), encrypted.get(silent.tls_url):
            pass


async def test_a_handshake_is_part_of_connecting(encrypted: Client, silent: RawServer) -> None:
    hasty = attrs.evolve(encrypted, connect_timeout=0.3)
    with pytest.raises(UpstreamTimeoutError, match=r"^acme: no connection within 0\.3 s$"):
        async with hasty.get(silent.tls_url):
            pass


async def test_who_has_less_time_for_the_answer_hears_of_that(
    encrypted: Client, silent: RawServer
) -> None:
    hasty = attrs.evolve(encrypted, headers_timeout=0.3)
    message = r"^acme did not begin to answer within 0\.3 s$"
    with pytest.raises(UpstreamTimeoutError, match=message):
        async with hasty.get(silent.tls_url):
            pass


async def test_many_streams_through_tls_at_a_time(
    server_tls: ssl.SSLContext, client_tls: ssl.SSLContext
) -> None:
    async def talk(peer: Peer) -> None:
        while await peer.request():
            await peer.say(CHUNKED)
            for _ in range(20):
                await peer.say(b"%x\r\n%b\r\n" % (len(EVENTS), EVENTS))
            await peer.say(b"0\r\n\r\n")

    async with serving(talk, server_tls) as server, Pool(tls=client_tls) as pool:
        client = Client(pool, "acme", 5.0, 5.0, 2**20)

        async def stream() -> bytes:
            async with client.get(f"{server.tls_url}/x") as response:
                return b"".join([frames async for frames in response.frames()])

        for _ in range(2):
            found = await asyncio.gather(*(stream() for _ in range(10)))
            assert set(found) == {EVENTS * 20}
        assert len(server.peers) == 10


async def test_nothing_is_logged(client: Client, caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.INFO):
        async with serving(closing_after(ok(b"1"), ok(b"2"))) as server:
            for _ in range(2):
                await get(client, server)
    assert caplog.records == []
