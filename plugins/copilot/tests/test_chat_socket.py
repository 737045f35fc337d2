"""The WebSocket: where it leads, how it fails, and that nothing of it stays."""

from __future__ import annotations

import asyncio
import base64
import hashlib
import socket
import ssl
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import aclosing, asynccontextmanager, contextmanager
from typing import Any

import attrs
import pytest
import trustme
from g4f_aio_copilot import Copilot
from g4f_aio_copilot.chat_socket import Socket, open_socket
from g4f_aio_copilot.faults import Faults
from g4f_aio_copilot.session import Session
from yarl import URL

from g4f_aio import GatewayError, TextDelta, Timeouts, UpstreamError, UpstreamTimeoutError

from .conftest import PATIENCE, TIMEOUTS, Caller, Service, ask_for

#: a request with this begins no conversation, so that the WebSocket is the first that is opened
KNOWN: Any = {"Copilot": {"conversation_id": "1"}}
#: seconds within which a connection is gone; a thousandth of it is enough
AT_ONCE = 2.0

#: of RFC 6455
GUID = b"258EAFA5-E914-47DA-95CA-C5AB0DC85B11"

Connected = Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]


@asynccontextmanager
async def listening(
    connected: Connected, context: ssl.SSLContext | None = None
) -> AsyncIterator[str]:
    """A server that treats its connections so; its address."""
    server = await asyncio.start_server(connected, "127.0.0.1", 0, ssl=context)
    async with server:
        yield f"127.0.0.1:{server.sockets[0].getsockname()[1]}"


@contextmanager
def full() -> Iterator[str]:
    """An address where nobody accepts connections any more."""
    with socket.create_server(("127.0.0.1", 0), backlog=0) as server:
        waiting = [socket.socket() for _ in range(4)]
        for client in waiting:
            client.settimeout(0)
            client.connect_ex(server.getsockname())
        yield f"127.0.0.1:{server.getsockname()[1]}"
        for client in waiting:
            client.close()


async def failure(caller: Caller, **more: Any) -> GatewayError:
    with pytest.raises(GatewayError) as caught:
        await caller.ask("Hello", states=KNOWN, **more)
    assert "-1234" not in caught.value.message
    assert caught.value.__cause__ is None
    return caught.value


async def test_an_address_where_nobody_is(caller: Caller) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
    error = await failure(caller, provider=Copilot(base_url=f"http://127.0.0.1:{port}"))
    assert type(error) is UpstreamError
    assert error.message.startswith(f"Copilot cannot be reached at ws://127.0.0.1:{port}: ")


async def test_a_name_that_nobody_has(caller: Caller) -> None:
    error = await failure(caller, provider=Copilot(base_url="https://copilot.invalid"))
    assert error.message.startswith("Copilot cannot be reached at wss://copilot.invalid: ")


@pytest.fixture
def unvouched() -> ssl.SSLContext:
    """A certificate of an authority that nobody knows."""
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    trustme.CA().issue_cert("127.0.0.1").configure_cert(context)
    return context


async def test_a_certificate_that_nobody_vouches_for(
    caller: Caller, unvouched: ssl.SSLContext
) -> None:
    asked = []

    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        asked.append(await reader.read())
        writer.close()

    async with listening(answer, unvouched) as address:
        error = await failure(caller, provider=Copilot(base_url=f"https://{address}"))
    assert error.message.startswith(f"Copilot cannot be reached at wss://{address}: ")
    assert "certificate" in error.message.lower()
    assert asked == []


async def test_a_connection_that_takes_too_long(caller: Caller) -> None:
    brief = caller.context(timeouts=Timeouts(connect=0.3, headers=10))
    with full() as address:
        provider = Copilot(base_url=f"http://{address}")
        error = await failure(caller, provider=provider, context=brief)
    assert type(error) is UpstreamTimeoutError
    assert error.message == "Copilot gave no connection within 0.3 s"


async def test_a_handshake_that_takes_too_long(caller: Caller) -> None:
    brief = attrs.evolve(TIMEOUTS, headers=0.3)
    error = await failure(caller, context=caller.context("socket-hang-1234", timeouts=brief))
    assert type(error) is UpstreamTimeoutError
    assert error.message == "Copilot did not begin to answer within 0.3 s"
    await caller.service.closed()


async def test_an_answer_may_take_longer_than_its_handshake(caller: Caller) -> None:
    brief = caller.context(timeouts=attrs.evolve(TIMEOUTS, headers=0.15))
    events = await caller.ask("slow", context=brief, states=KNOWN)
    assert [event.text for event in events if isinstance(event, TextDelta)][-1] == "three"


async def test_a_handshake_that_is_none(caller: Caller) -> None:
    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        writer.write(b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: tea\r\n\r\n")
        writer.close()

    async with listening(answer) as address:
        error = await failure(caller, provider=Copilot(base_url=f"http://{address}"))
    assert error.message == "Copilot does not speak WebSocket there; is its base_url right?"


async def test_what_is_no_http(caller: Caller) -> None:
    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        writer.write(b"220 mail.example ESMTP\r\n\r\n")
        writer.close()

    async with listening(answer) as address:
        error = await failure(caller, provider=Copilot(base_url=f"http://{address}"))
    assert error.message.startswith("Copilot opened no WebSocket: ")


@asynccontextmanager
async def opened(service: Service) -> AsyncIterator[Socket]:
    """A WebSocket at the fake."""
    url = URL(f"ws{service.root.removeprefix('http')}/c/api/chat?accessToken=good-1234")
    faults = Faults("Copilot", Session())
    async with open_socket(url, {}, timeouts=TIMEOUTS, proxy=None, faults=faults) as made:
        yield made


async def test_nobody_takes_what_is_sent_too_late(service: Service) -> None:
    async with opened(service) as made:
        assert "connected" in await made.receive()
        await made.send('{"content": [{"text": "frame !cut"}]}')
        assert "received" in await made.receive()
        assert "Well" in await made.receive()
        with pytest.raises(UpstreamError, match="before the end of its answer"):
            await made.receive()
        with pytest.raises(UpstreamError, match="before the end of its answer"):
            await made.send("Hello?")


async def test_a_wait_may_have_an_end(service: Service) -> None:
    async with opened(service) as made:
        await made.receive()
        with pytest.raises(TimeoutError):
            await made.receive(0.05)


async def test_whoever_leaves_closes_it_at_once(service: Service) -> None:
    async with opened(service) as made:
        await made.receive()
        left = time.monotonic()
    assert await service.closed() - left < AT_ONCE


@pytest.mark.parametrize("prompt", ["hang", "slow", "many 1000"])
async def test_whoever_stops_an_answer_closes_it_at_once(caller: Caller, prompt: str) -> None:
    call = caller.provider().chat(ask_for(prompt), caller.context())
    async with asyncio.timeout(PATIENCE), aclosing(call) as events:
        await anext(events)
        left = time.monotonic()
    assert time.monotonic() - left < AT_ONCE
    assert await caller.service.closed() - left < AT_ONCE


@pytest.mark.parametrize("prompt", ["silent", "hang", "quiet"])
async def test_a_cancelled_call_closes_it_at_once(caller: Caller, prompt: str) -> None:
    provider = caller.provider(followups_wait=60)
    async with asyncio.TaskGroup() as group:
        task = group.create_task(caller.ask(prompt, provider=provider))
        await caller.service.told("/c/api/chat", "body")
        left = time.monotonic()
        task.cancel()
    assert await caller.service.closed() - left < AT_ONCE


async def test_a_cancelled_handshake_closes_it_at_once(caller: Caller) -> None:
    async with asyncio.TaskGroup() as group:
        context = caller.context("socket-hang-1234")
        task = group.create_task(caller.ask("Hello", context=context, states=KNOWN))
        await caller.service.told("/c/api/chat", "headers")
        left = time.monotonic()
        task.cancel()
    assert await caller.service.closed() - left < AT_ONCE


@asynccontextmanager
async def deaf() -> AsyncIterator[tuple[str, asyncio.Event]]:
    """A server that shakes hands and reads no more; its address, and whether something came."""
    came, over = asyncio.Event(), asyncio.Event()

    async def hold(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        request = await reader.readuntil(b"\r\n\r\n")
        key = request.partition(b"Sec-WebSocket-Key: ")[2].partition(b"\r\n")[0]
        proof = hashlib.sha1(key + GUID, usedforsecurity=False).digest()
        writer.write(
            b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
            b"Sec-WebSocket-Accept: %b\r\n\r\n" % base64.b64encode(proof)
        )
        await reader.readexactly(1)
        came.set()
        await over.wait()
        writer.transport.abort()

    async with listening(hold) as address:
        yield address, came
        over.set()


async def test_nobody_waits_for_a_goodbye() -> None:
    async with deaf() as (address, _):
        url, faults = URL(f"ws://{address}"), Faults("Copilot", Session())
        async with open_socket(url, {}, timeouts=TIMEOUTS, proxy=None, faults=faults):
            left = time.monotonic()
        assert time.monotonic() - left < AT_ONCE


async def test_one_who_does_not_read_is_left_all_the_same(caller: Caller) -> None:
    """A prompt of megabytes waits to be taken; the wait can be ended."""
    async with deaf() as (address, came), asyncio.TaskGroup() as group:
        provider = Copilot(base_url=f"http://{address}", max_prompt=2**26)
        task = group.create_task(caller.ask("a" * 2**23, provider=provider, states=KNOWN))
        await came.wait()
        left = time.monotonic()
        task.cancel()
        await asyncio.wait([task])
        assert time.monotonic() - left < AT_ONCE


async def test_a_call_goes_through_its_proxy(caller: Caller) -> None:
    asked = bytearray()

    async def refuse(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        asked.extend(await reader.readuntil(b"\r\n\r\n"))
        writer.write(b"HTTP/1.1 407 Proxy Authentication Required\r\n\r\n")
        writer.close()

    async with listening(refuse) as address:
        http = attrs.evolve(caller.client, proxy=f"http://me:word-1234@{address}")
        error = await failure(
            caller,
            provider=Copilot(base_url="https://copilot.example"),
            context=caller.context(http=http),
        )
    assert bytes(asked).startswith(b"CONNECT copilot.example:443 HTTP/1.1\r\n")
    assert b"good-token" not in asked
    assert error.message == "Copilot opened no WebSocket: ClientHttpProxyError"


async def test_to_this_machine_there_is_a_shorter_way(
    caller: Caller, monkeypatch: pytest.MonkeyPatch
) -> None:
    nowhere = "http://127.0.0.1:9"
    for name in ("HTTP_PROXY", "WS_PROXY", "ALL_PROXY", "http_proxy", "ws_proxy", "all_proxy"):
        monkeypatch.setenv(name, nowhere)
    http = attrs.evolve(caller.client, proxy=nowhere)
    assert await caller.ask("Hello", context=caller.context(http=http))
