"""Connections: what comes before the first request, and what is no request at all."""

from __future__ import annotations

import asyncio
import logging
import re
from types import SimpleNamespace
from typing import Any, cast

import pytest
from aiohttp import web

from g4f_aio.server import middlewares
from g4f_aio.server.protocol import Connection
from tests.patience import Stopwatch
from tests.server.conftest import Start
from tests.server.fakes import HELLO, Record, Script, Server, entry, read_answer

ID = re.compile(r"req_[0-9a-f]{24}")
GARBAGE = [
    b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03",
    b"hello there\r\n\r\n",
    b"\x00\x01\x02\x03\r\n\r\n",
    b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
    b"GET / HTTP/3.7\r\n\r\n",
    b"GET /\x01 HTTP/1.1\r\n\r\n",
    b"GET / HTTP/1.1\r\nHost localhost\r\n\r\n",
    b"GET / HTTP/1.1\r\nHost: localhost\r\nX: " + b"a" * 10_000 + b"\r\n\r\n",
    b"GET / HTTP/1.1\r\nHost: localhost\r\n" + b"X: a\r\n" * 500 + b"\r\n",
    b"GET /" + b"a" * 10_000 + b" HTTP/1.1\r\n\r\n",
    b"POST / HTTP/1.1\r\nHost: localhost\r\nContent-Length: -1\r\n\r\n",
    b"POST / HTTP/1.1\r\nHost: localhost\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\n",
    b"POST / HTTP/1.1\r\nHost: localhost\r\nContent-Length: 3\r\nTransfer-Encoding: chunked\r\n\r\n",
    b"POST / HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: chunked, identity\r\n\r\n",
    b"GET / HTTP/1.1\nHost: localhost\n\n",
]


async def rest(reader: asyncio.StreamReader) -> bytes:
    """What comes before the connection ends; a reset, where data of ours was unread, is an end."""
    try:
        async with asyncio.timeout(20):
            return await reader.read()
    except ConnectionResetError:
        return b""


@pytest.mark.parametrize("data", GARBAGE, ids=lambda data: repr(data[:40]))
async def test_what_is_not_http_gets_the_one_error_shape_and_no_line_in_the_log(
    server: Server, caplog: pytest.LogCaptureFixture, data: bytes
) -> None:
    """Anybody who can reach the port can send it, as often as he likes."""
    reader, writer = await server.connect()
    writer.write(data)
    answer = await read_answer(reader)
    assert answer.status == 400
    error = answer.error()
    assert error["type"] == "invalid_request_error"
    assert error["message"].startswith("Bad HTTP request: ")
    assert not error["message"].endswith(":")
    assert ID.fullmatch(answer.headers["x-request-id"])
    assert answer.headers["openai-processing-ms"] == "0"
    assert answer.headers["x-should-retry"] == "false"
    assert answer.headers["Server"] == "g4f_aio"
    assert await rest(reader) == b""
    writer.close()
    told = [record for record in caplog.records if record.levelno >= logging.INFO]
    # on a busy machine the watchdog may have something to say
    assert not [record for record in told if record.name != "g4f_aio.gateway.watchdog"]


async def test_an_expectation_that_nobody_meets_gets_it_too(server: Server) -> None:
    for path in ("/livez", "/none", "/v1/models"):
        answer = await server.get(path, Expect="a miracle")
        assert answer.status == 417
        assert answer.error()["type"] == "invalid_request_error"
        assert ID.fullmatch(answer.headers["x-request-id"])


async def test_a_client_that_asks_first_is_told_to_go_on(server: Server) -> None:
    async with server.client.post(
        f"http://{server.address}/v1/chat/completions", json=HELLO, expect100=True
    ) as response:
        assert response.status == 200


async def test_a_request_to_become_a_web_socket_is_answered_as_any_other(server: Server) -> None:
    headers = {"Connection": "Upgrade", "Upgrade": "websocket", "Sec-WebSocket-Key": "x"}
    assert (await server.get("/livez", **headers)).status == 200
    h2c = {"Connection": "Upgrade, HTTP2-Settings", "Upgrade": "h2c", "HTTP2-Settings": "x"}
    assert (await server.chat(headers=h2c)).status == 200


async def test_requests_in_a_row_are_answered_in_their_order(server: Server) -> None:
    request = b"GET /v1/models/%s HTTP/1.1\r\nHost: localhost\r\n\r\n"
    reader, writer = await server.connect()
    writer.write(b"".join(request % name for name in (b"small", b"none", b"large")))
    answers = [await read_answer(reader) for _ in range(3)]
    writer.close()
    assert [answer.status for answer in answers] == [200, 404, 200]
    assert [answer.json().get("id") for answer in answers] == ["small", None, "large"]


# time


@pytest.mark.parametrize("data", [b"", b"GET /livez HTTP/1.1\r\nHost: local"])
async def test_a_connection_that_begins_no_request_is_closed(start: Start, data: bytes) -> None:
    server = await start(header_timeout=0.2)
    watch = Stopwatch()
    reader, writer = await server.connect()
    writer.write(data)
    assert await rest(reader) == b""
    writer.close()
    assert 0.15 < watch.seconds < 1


async def test_headers_that_come_a_byte_at_a_time_do_not_prolong_it(start: Start) -> None:
    server = await start(header_timeout=0.3)
    reader, writer = await server.connect()
    watch = Stopwatch()
    closed = asyncio.ensure_future(rest(reader))
    for byte in b"GET /livez HTTP/1.1\r\nX-Slow: " + b"a" * 200:
        writer.write(bytes((byte,)))
        done, _ = await asyncio.wait((closed,), timeout=0.02)
        if done:
            break
    assert closed.done()
    assert closed.result() == b""
    writer.close()
    assert watch.seconds < 1.5


async def test_a_connection_with_requests_is_kept(start: Start) -> None:
    record = Record()
    steps = (0.3, *Script().steps)
    server = await start(entry(Script(record=record, steps=steps)), header_timeout=0.1)
    reader, writer = await server.connect()
    writer.write(b"GET /livez HTTP/1.1\r\nHost: localhost\r\n\r\n")
    assert (await read_answer(reader)).status == 200
    await asyncio.sleep(0.2)
    writer.write(b"GET /livez HTTP/1.1\r\nHost: localhost\r\n\r\n")
    assert (await read_answer(reader)).status == 200
    writer.close()
    assert (await server.chat()).status == 200


async def test_the_timer_ends_with_its_connection(start: Start) -> None:
    server = await start(header_timeout=0.1)
    _, writer = await server.connect()
    writer.close()
    await asyncio.sleep(0.2)
    assert (await server.get("/livez")).status == 200


# our own mistakes


async def test_a_mistake_outside_of_the_boundary_is_an_error_without_details(
    server: Server, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def broken(*_: object) -> web.Response:
        raise ZeroDivisionError("a secret detail")

    monkeypatch.setattr(middlewares, "error_response", broken)
    answer = await server.get("/none")
    assert answer.status == 500
    assert answer.error() == {
        "message": "Internal error",
        "type": "server_error",
        "param": None,
        "code": "internal_error",
    }
    assert ID.fullmatch(answer.headers["x-request-id"])
    assert "a secret detail" in caplog.text


async def test_a_mistake_while_the_answer_is_sent_is_logged(
    server: Server, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    async def broken(*_: object) -> None:
        raise ZeroDivisionError("in the middle of it")

    monkeypatch.setattr(web.Response, "write_eof", broken)
    with pytest.raises(asyncio.IncompleteReadError):
        await server.raw(b"GET /livez HTTP/1.1\r\nHost: localhost\r\n\r\n")
    monkeypatch.undo()
    assert "in the middle of it" in caplog.text
    assert (await server.get("/livez")).status == 200


async def test_an_answer_that_has_begun_gets_no_second_one_on_top() -> None:
    connection = Connection(
        cast(Any, SimpleNamespace(request_factory=None, request_handler=None)),
        loop=asyncio.get_running_loop(),
        header_timeout=1.0,
    )
    begun = cast(Any, SimpleNamespace(writer=SimpleNamespace(output_size=1)))
    with pytest.raises(ConnectionError):
        connection.handle_error(begun, 500, ZeroDivisionError())
