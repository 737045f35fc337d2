"""The response that carries an answer, on the wire."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from email.utils import parsedate_to_datetime

import pytest
from aiohttp import web
from aiohttp.test_utils import BaseTestServer, TestServer

from g4f_aio.server.reply import Reply
from tests.patience import PATIENCE

JSON = {"Content-Type": "application/json"}


async def whole(_: web.Request) -> web.StreamResponse:
    return Reply(JSON, b'{"a": 1}')


async def stream(request: web.Request) -> web.StreamResponse:
    reply = Reply({"Content-Type": "text/event-stream"})
    await reply.prepare(request)
    await reply.write(b"one")
    await reply.write(b"")  # would end the body, if it were sent
    await reply.write(memoryview(b"two"))
    await reply.write_eof(b"three")
    return reply


async def short(request: web.Request) -> web.StreamResponse:
    reply = Reply({})
    await reply.prepare(request)
    return reply


@pytest.fixture
async def server() -> AsyncIterator[BaseTestServer]:
    app = web.Application()
    app.router.add_get("/whole", whole)
    app.router.add_get("/stream", stream)
    app.router.add_get("/short", short)
    async with TestServer(app) as server:
        yield server


async def say(server: BaseTestServer, *requests: str) -> bytes:
    """All that comes back on one connection until the server closes it."""
    reader, writer = await asyncio.open_connection(server.host, server.port)
    for request in requests:
        writer.write(f"{request}\r\nHost: x\r\n\r\n".encode())
    async with asyncio.timeout(PATIENCE):
        data = await reader.read()
    writer.close()
    return data


async def answers(server: BaseTestServer, *requests: str) -> bytes:
    """The answers to all of them on one connection, which must go on until the last."""
    data = await say(server, *requests, "GET /none HTTP/1.1\r\nConnection: close")
    found, end, _ = data.partition(b"HTTP/1.1 404")
    assert end
    return found


def parts(data: bytes) -> tuple[str, dict[str, str], bytes]:
    head, _, body = data.partition(b"\r\n\r\n")
    first, *lines = head.decode().split("\r\n")
    return first, dict(line.split(": ", 1) for line in lines), body


async def test_a_body_comes_in_one_piece_with_its_length(server: BaseTestServer) -> None:
    first, headers, body = parts(await answers(server, "GET /whole HTTP/1.1"))
    assert first == "HTTP/1.1 200 OK"
    assert body == b'{"a": 1}'
    parsedate_to_datetime(headers.pop("Date"))
    assert headers == {**JSON, "Content-Length": "8"}


async def test_a_stream_comes_in_chunks(server: BaseTestServer) -> None:
    first, headers, body = parts(await answers(server, "GET /stream HTTP/1.1"))
    assert first == "HTTP/1.1 200 OK"
    assert headers["Transfer-Encoding"] == "chunked"
    assert "Content-Length" not in headers
    assert body == b"3\r\none\r\n3\r\ntwo\r\n5\r\nthree\r\n0\r\n\r\n"


async def test_a_stream_may_end_without_a_byte(server: BaseTestServer) -> None:
    _, _, body = parts(await answers(server, "GET /short HTTP/1.1"))
    assert body == b"0\r\n\r\n"


async def test_the_connection_goes_on_after_both(server: BaseTestServer) -> None:
    data = await answers(server, *(["GET /whole HTTP/1.1", "GET /stream HTTP/1.1"] * 2))
    assert data.count(b"HTTP/1.1 200 OK") == 4
    assert b"Connection" not in data


async def test_a_client_can_ask_for_its_end(server: BaseTestServer) -> None:
    data = await say(server, "GET /whole HTTP/1.1\r\nConnection: close")
    assert data.count(b"HTTP/1.1 200 OK") == 1
    assert parts(data)[1]["Connection"] == "close"


async def test_for_http_1_0_the_end_of_the_connection_is_that_of_the_stream(
    server: BaseTestServer,
) -> None:
    ask = "GET /stream HTTP/1.0\r\nConnection: keep-alive"
    first, headers, body = parts(await say(server, ask))
    assert first == "HTTP/1.0 200 OK"
    assert "Transfer-Encoding" not in headers
    assert headers.get("Connection") != "keep-alive"
    assert body == b"onetwothree"


async def test_for_http_1_0_a_body_need_not_end_the_connection(server: BaseTestServer) -> None:
    data = await answers(server, *(["GET /whole HTTP/1.0\r\nConnection: keep-alive"] * 2))
    assert data.count(b"HTTP/1.0 200 OK") == 2
    assert parts(data)[1]["Connection"] == "keep-alive"


@pytest.mark.parametrize("path", ["/whole", "/stream"])
async def test_signals_of_the_application_may_add_to_its_head(path: str) -> None:
    async def add(_: web.Request, response: web.StreamResponse) -> None:
        response.headers["X-Names"] = ",".join(response.headers)

    app = web.Application()
    app.router.add_get("/whole", whole)
    app.router.add_get("/stream", stream)
    app.on_response_prepare.append(add)
    async with TestServer(app) as server:
        _, headers, _ = parts(await answers(server, f"GET {path} HTTP/1.1"))
    assert {"Content-Type", "Date"} < set(headers["X-Names"].split(","))


async def test_a_header_cannot_bring_another_along() -> None:
    async def split(_: web.Request) -> web.StreamResponse:
        return Reply({"X-Provider": "a\r\nSet-Cookie: b"}, b"{}")

    app = web.Application()
    app.router.add_get("/", split)
    async with TestServer(app) as other:
        data = await say(other, "GET / HTTP/1.1\r\nConnection: close")
    assert b"Set-Cookie" not in data


async def test_after_its_end_nothing_can_be_written() -> None:
    replies: list[Reply] = []

    async def ended(request: web.Request) -> web.StreamResponse:
        reply = Reply({})
        with pytest.raises(RuntimeError):
            await reply.write(b"too early")
        assert not reply.prepared
        assert reply.body_length == 0
        writer = await reply.prepare(request)
        assert await reply.prepare(request) is writer
        await reply.write_eof(b"x")
        await reply.write_eof(b"y")
        with pytest.raises(RuntimeError):
            await reply.write(b"too late")
        replies.append(reply)
        return reply

    app = web.Application()
    app.router.add_get("/", ended)
    async with TestServer(app) as server:
        data = await answers(server, "GET / HTTP/1.1")
    assert parts(data)[2] == b"1\r\nx\r\n0\r\n\r\n"
    assert replies[0].body_length == len(data)
