"""One connection: what goes out, what comes in, and how it ends."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from g4f_aio.providers.http_answer import BATCH, TransportError
from g4f_aio.providers.transport import PIECE, READ_LIMIT, Connection
from tests.patience import Stopwatch

from .raw_server import Peer, RawServer, Talk, answering, ok, serving

GET = b"GET / HTTP/1.1\r\nHost: x\r\n\r\n"
CHUNKED = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"
UNTIL_EOF = b"HTTP/1.1 200 OK\r\n\r\n"
BEFORE = "^hung up before it answered$"
MIDDLE = "^hung up in the middle of its answer$"


def post(length: int) -> bytes:
    """The head of a request with a body."""
    return b"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: %d\r\n\r\n" % length


class Opened:
    """A connection, and the server at its other end."""

    def __init__(self, server: RawServer) -> None:
        self.server = server
        self.lost = asyncio.Event()
        self.connection = Connection(lambda _: self.lost.set())

    async def get(self) -> bytes:
        """Ask, and read all of the answer."""
        await self.connection.ask("GET", GET, None)
        return await self.read()

    async def read(self) -> bytes:
        """What is left of the answer."""
        body = b""
        while data := await self.connection.read():
            body += data
        return body


Opening = Callable[[Talk], Awaitable[Opened]]


@pytest.fixture
async def opened() -> AsyncIterator[Opening]:
    """Open a connection to a server that has this to say."""
    managers = []
    all_opened = []

    async def start(talk: Talk) -> Opened:
        manager = serving(talk)
        server = await manager.__aenter__()
        managers.append(manager)
        one = Opened(server)
        all_opened.append(one)
        loop = asyncio.get_running_loop()
        await loop.create_connection(lambda: one.connection, "127.0.0.1", server.port)
        return one

    yield start
    for one in all_opened:
        one.connection.abort()
        await asyncio.wait_for(one.lost.wait(), 5)
    for manager in managers:
        await manager.__aexit__(None, None, None)


async def test_a_request_goes_out_and_its_answer_comes_in(opened: Opening) -> None:
    one = await opened(answering(ok(b"hello", "X-Own: yes")))
    await one.connection.ask("POST", post(4), b"body")
    assert one.connection.answer.status == 200
    assert one.connection.answer.headers["x-own"] == "yes"
    assert await one.read() == b"hello"
    assert one.connection.reusable
    assert one.server.requests == [post(4) + b"body"]


async def test_requests_follow_each_other(opened: Opening) -> None:
    one = await opened(answering(*(ok(b"%d" % number) for number in range(9))))
    for number in range(9):
        assert await one.get() == b"%d" % number
        assert one.connection.reusable
        one.connection.rest()
    assert len(one.server.peers) == 1


@pytest.mark.parametrize("answer", [ok(b""), b"HTTP/1.1 204 No Content\r\n\r\n"])
async def test_however_many_answers_without_body_follow_each_other(
    opened: Opening, answer: bytes
) -> None:
    padded = answer.replace(b"\r\n", b"\r\nX-Long: " + b"x" * 30_000 + b"\r\n", 1)
    one = await opened(answering(*[padded] * 9))
    async with asyncio.timeout(5):
        for _ in range(9):
            assert await one.get() == b""
            assert one.connection.reusable
            one.connection.rest()


@pytest.mark.parametrize(
    "answer",
    [
        ok(b"hello"),
        CHUNKED + b"5\r\nhello\r\n0\r\n\r\n",
        UNTIL_EOF + b"hello",
        b"HTTP/1.1 100 Continue\r\n\r\n" + ok(b"hello"),
    ],
)
@given(cuts=st.lists(st.integers(min_value=1, max_value=70), max_size=6))
async def test_an_answer_is_the_same_however_it_is_cut(answer: bytes, cuts: list[int]) -> None:
    places = [0, *sorted(min(cut, len(answer)) for cut in cuts), len(answer)]

    async def talk(peer: Peer) -> None:
        await peer.request()
        for start, end in pairwise(places):
            peer.writer.write(answer[start:end])
            await asyncio.sleep(0)

    async with serving(talk) as server:
        one = Opened(server)
        loop = asyncio.get_running_loop()
        await loop.create_connection(lambda: one.connection, "127.0.0.1", server.port)
        assert await one.get() == b"hello"
        one.connection.abort()
        await one.lost.wait()


async def test_a_body_is_read_as_it_arrives(opened: Opening) -> None:
    go_on = asyncio.Event()

    async def talk(peer: Peer) -> None:
        await peer.request()
        await peer.say(CHUNKED + b"3\r\none\r\n")
        await go_on.wait()
        await peer.say(b"3\r\ntwo\r\n5\r\nthree\r\n0\r\n\r\n")

    one = await opened(talk)
    await one.connection.ask("GET", GET, None)
    assert await one.connection.read() == b"one"
    assert not one.connection.reusable
    go_on.set()
    assert await one.read() == b"twothree"
    assert await one.connection.read() == b""


async def test_what_came_is_read_before_a_failure_is_told(opened: Opening) -> None:
    one = await opened(answering(CHUNKED + b"5\r\nhello\r\nx"))
    await one.connection.ask("GET", GET, None)
    await one.lost.wait()
    assert await one.connection.read() == b"hello"
    with pytest.raises(TransportError, match=r"^sent what is not HTTP "):
        await one.connection.read()


@pytest.mark.parametrize("start", [b"", b"HTTP", b"HTTP/1.1 200 OK\r\nX: y\r\n"])
async def test_hanging_up_before_the_head_ends_is_no_answer(opened: Opening, start: bytes) -> None:
    one = await opened(answering(start))
    with pytest.raises(TransportError, match=BEFORE):
        await one.get()
    assert one.connection.silent == (not start)


@pytest.mark.parametrize("head", [CHUNKED + b"5\r\nhel", ok(b"hello")[:-2], CHUNKED])
@pytest.mark.parametrize("reset", [False, True])
async def test_hanging_up_before_the_body_ends_is_an_error(
    opened: Opening, head: bytes, *, reset: bool
) -> None:
    async def talk(peer: Peer) -> None:
        await peer.request()
        await peer.say(head)
        if reset:
            await asyncio.sleep(0.02)
            peer.writer.transport.abort()

    one = await opened(talk)
    await one.connection.ask("GET", GET, None)
    with pytest.raises(TransportError, match=MIDDLE):
        await one.read()
    assert not one.connection.reusable


async def test_hanging_up_is_the_end_of_a_body_without_length(opened: Opening) -> None:
    one = await opened(answering(UNTIL_EOF + b"hello"))
    assert await one.get() == b"hello"
    assert not one.connection.reusable


@pytest.mark.parametrize(
    "answer",
    [
        ok(b"hello", "Connection: close"),
        b"HTTP/1.0 200 OK\r\nContent-Length: 5\r\n\r\nhello",
        ok(b"hello") + b"more",
    ],
)
async def test_some_answers_are_the_last_of_their_connection(
    opened: Opening, answer: bytes
) -> None:
    async def talk(peer: Peer) -> None:
        await peer.request()
        await peer.say(answer)
        await peer.left()

    one = await opened(talk)
    assert await one.get() == b"hello"
    assert not one.connection.reusable


async def test_an_unread_answer_is_too(opened: Opening) -> None:
    one = await opened(answering(ok(b"hello"), b""))
    await one.connection.ask("GET", GET, None)
    assert one.connection.answer.complete
    assert not one.connection.reusable


async def test_what_nobody_asked_for_closes_the_connection(opened: Opening) -> None:
    async def talk(peer: Peer) -> None:
        await peer.say(b"HTTP/1.1 408 Request Timeout\r\nContent-Length: 0\r\n\r\n")
        await peer.left()

    one = await opened(talk)
    await asyncio.wait_for(one.lost.wait(), 5)
    assert one.connection.gone


async def test_aborting_closes_within_milliseconds(opened: Opening) -> None:
    async def talk(peer: Peer) -> None:
        await peer.request()
        await peer.say(CHUNKED + b"5\r\nhello\r\n")
        await peer.left()

    one = await opened(talk)
    await one.connection.ask("GET", GET, None)
    watch = Stopwatch()
    one.connection.abort()
    await asyncio.wait_for(one.server.left.wait(), 5)
    assert watch.seconds < 0.1


async def test_who_waits_can_be_cancelled(opened: Opening) -> None:
    async def talk(peer: Peer) -> None:
        await peer.request()
        await peer.left()

    one = await opened(talk)
    with pytest.raises(TimeoutError):
        async with asyncio.timeout(0.02):
            await one.get()


# flow


async def test_an_upstream_that_is_not_read_has_to_wait(opened: Opening) -> None:
    sent = 0
    piece = b"8000\r\n" + b"x" * 2**15 + b"\r\n"
    total = 64 * 2**20 // 2**15

    async def talk(peer: Peer) -> None:
        nonlocal sent
        await peer.request()
        await peer.say(CHUNKED)
        for _ in range(total):
            await peer.say(piece)
            sent += 1
        await peer.say(b"0\r\n\r\n")

    one = await opened(talk)
    await one.connection.ask("GET", GET, None)
    before = -1
    while before != sent:
        before = sent
        await asyncio.sleep(0.1)
    # what the system's own buffers take is not ours
    assert sent < total / 2
    held = sum(map(len, one.connection.answer.pieces))
    # the event loop's last read may have brought so much
    assert held < READ_LIMIT + 2**18
    size = 0
    while data := await one.connection.read():
        size += len(data)
    assert size == total * 2**15
    assert one.connection.reusable


async def test_what_came_can_be_read_when_the_connection_is_gone(opened: Opening) -> None:
    one = await opened(answering(ok(b"x" * 2**24)))
    await one.connection.ask("GET", GET, None)
    await asyncio.sleep(0.1)
    one.connection.abort()
    await one.lost.wait()
    size = 0
    while one.connection.answer.pieces:
        size += len(await one.connection.read())
    assert READ_LIMIT // 2 < size < 2**24
    with pytest.raises(TransportError, match=MIDDLE):
        await one.connection.read()


async def test_what_came_is_given_out_in_portions(opened: Opening) -> None:
    chunk = b"2710\r\n" + b"x" * 10_000 + b"\r\n"
    one = await opened(answering(CHUNKED + chunk * 100 + b"0\r\n\r\n", b""))
    await one.connection.ask("GET", GET, None)
    sizes = []
    while data := await one.connection.read():
        sizes.append(len(data))
        await asyncio.sleep(0.01)
    assert sum(sizes) == 1_000_000
    # event loops cut what they read into pieces of their own
    assert max(sizes) <= BATCH + 10_000
    assert one.connection.reusable


@pytest.mark.parametrize("size", [PIECE, PIECE + 1, 20 * 2**20])
async def test_a_large_request_goes_out_whole(opened: Opening, size: int) -> None:
    one = await opened(answering(ok()))
    body = bytes(range(256)) * (size // 256) + b"x" * (size % 256)
    await one.connection.ask("POST", post(size), body)
    assert await one.read() == b"ok"
    assert one.connection.reusable
    assert one.server.requests == [post(size) + body]


async def test_a_large_request_goes_no_faster_than_it_is_taken(opened: Opening) -> None:
    read = asyncio.Event()

    async def talk(peer: Peer) -> None:
        peer.writer.transport.pause_reading()  # type: ignore[attr-defined]
        await read.wait()
        peer.writer.transport.resume_reading()  # type: ignore[attr-defined]
        await peer.request()
        await peer.say(ok())

    one = await opened(talk)
    body = bytes(64 * 2**20)
    task = asyncio.ensure_future(one.connection.ask("POST", post(len(body)), body))
    await asyncio.sleep(0.2)
    assert one.connection.transport.get_write_buffer_size() < 2**20
    read.set()
    await task
    assert await one.read() == b"ok"


async def test_a_request_that_is_refused_early_is_not_sent_to_its_end(opened: Opening) -> None:
    refusal = b"HTTP/1.1 413 Too Large\r\nContent-Length: 3\r\n\r\nbig"

    async def talk(peer: Peer) -> None:
        await peer.reader.readuntil(b"\r\n\r\n")
        await peer.say(refusal)
        await asyncio.sleep(0.5)

    one = await opened(talk)
    body = bytes(64 * 2**20)
    await one.connection.ask("POST", post(len(body)), body)
    assert one.connection.answer.status == 413
    assert await one.read() == b"big"
    assert not one.connection.reusable


async def test_an_answer_that_begins_early_leaves_the_request_whole(opened: Opening) -> None:
    async def talk(peer: Peer) -> None:
        head = await peer.reader.readuntil(b"\r\n\r\n")
        length = int(head.partition(b"Content-Length: ")[2])
        await peer.say(CHUNKED + b"5\r\nhello\r\n")
        await asyncio.sleep(0.05)
        assert len(await peer.reader.readexactly(length)) == length
        await peer.say(b"3\r\nall\r\n0\r\n\r\n")
        await peer.left()

    one = await opened(talk)
    body = bytes(20 * 2**20)
    await one.connection.ask("POST", post(len(body)), body)
    assert await one.read() == b"helloall"
    assert one.connection.reusable


async def test_hanging_up_in_the_middle_of_a_large_request_is_an_error(opened: Opening) -> None:
    async def talk(peer: Peer) -> None:
        await peer.reader.readuntil(b"\r\n\r\n")

    one = await opened(talk)
    body = bytes(64 * 2**20)
    with pytest.raises(TransportError, match=BEFORE):
        await one.connection.ask("POST", post(len(body)), body)


async def test_asking_on_a_closed_connection_is_an_error(opened: Opening) -> None:
    async def talk(_: Peer) -> None:
        return

    one = await opened(talk)
    await asyncio.wait_for(one.lost.wait(), 5)
    with pytest.raises(TransportError, match=BEFORE):
        await one.connection.ask("GET", GET, None)
