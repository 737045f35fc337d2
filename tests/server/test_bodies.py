"""Request bodies: only JSON, only so much, only in time; and never an error of ours."""

from __future__ import annotations

import asyncio
import gzip
import io
import json
import logging
from collections.abc import AsyncIterator

import pytest

from g4f_aio.server.bodies import json_response
from tests.server.conftest import Start
from tests.server.fakes import CHAT, HELLO, Record, Script, Server, entry

BODY = json.dumps(HELLO).encode()
JSON = {"Content-Type": "application/json"}
HEAD = (
    b"POST /v1/chat/completions HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n"
)


async def pieces(*data: bytes) -> AsyncIterator[bytes]:
    """A body whose length nobody declares."""
    for piece in data:
        yield piece


@pytest.mark.parametrize(
    "kind",
    [
        "application/json",
        "application/json; charset=utf-8",
        "Application/JSON",
        "application/json;a=b",
    ],
)
async def test_json_is_taken_as_it_is_declared(server: Server, kind: str) -> None:
    assert (await server.ask("POST", CHAT, headers={"Content-Type": kind}, data=BODY)).status == 200


@pytest.mark.parametrize(
    "kind",
    [
        "", "text/plain", "text/json", "application/x-www-form-urlencoded", "multipart/form-data",
        "multipart/form-data; boundary=x", "application/jsonp", "application/json-seq",
        "application/octet-stream", "text/plain; application/json", "json", ";", "\udcff",
    ],
)  # fmt: skip
async def test_another_content_type_is_refused(start: Start, kind: str) -> None:
    record = Record()
    server = await start(entry(Script(record=record)))
    head = b"POST /v1/chat/completions HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n"
    declared = b"Content-Type: " + kind.encode("utf-8", "surrogateescape") + b"\r\n"
    length = b"Content-Length: %d\r\n\r\n" % len(BODY)
    answer = await server.raw(head + declared + length + BODY)
    assert answer.status == 415
    error = answer.error()
    assert error["code"] == "unsupported_media_type"
    assert "application/json" in error["message"]
    assert not record.requests


@pytest.mark.parametrize("excess", [1, 10_000])
async def test_a_declared_length_beyond_the_limit_is_refused(start: Start, excess: int) -> None:
    server = await start(max_body=len(BODY))
    assert (await server.ask("POST", CHAT, headers=JSON, data=BODY)).status == 200
    answer = await server.ask("POST", CHAT, headers=JSON, data=BODY + b" " * excess)
    assert answer.status == 413
    error = answer.error()
    assert error["code"] == "request_too_large"
    assert "server.max_body" in error["message"]
    assert answer.headers["x-should-retry"] == "false"


async def test_it_is_refused_before_it_is_sent(start: Start) -> None:
    server = await start(max_body=100)
    answer = await server.raw(HEAD + b"Content-Length: 101\r\n\r\n")
    assert answer.status == 413


async def test_a_body_in_chunks_is_refused_as_soon_as_it_exceeds_the_limit(start: Start) -> None:
    server = await start(max_body=len(BODY))
    good = await server.ask("POST", CHAT, headers=JSON, data=pieces(BODY[:9], BODY[9:]))
    assert good.status == 200
    answer = await server.ask("POST", CHAT, headers=JSON, data=pieces(BODY, b" " * 100))
    assert answer.status == 413
    assert answer.error()["code"] == "request_too_large"


async def test_a_compressed_body_is_taken(server: Server) -> None:
    headers = {**JSON, "Content-Encoding": "gzip"}
    answer = await server.ask("POST", CHAT, headers=headers, data=gzip.compress(BODY))
    assert answer.status == 200


async def test_the_limit_is_for_what_a_compressed_body_becomes(start: Start) -> None:
    server = await start(max_body=2**20)
    bomb = gzip.compress(b" " * 50 * 2**20)
    assert len(bomb) < 2**17
    answer = await server.ask("POST", CHAT, headers={**JSON, "Content-Encoding": "gzip"}, data=bomb)
    assert answer.status == 413


async def test_a_broken_compression_is_the_clients_mistake(
    server: Server, caplog: pytest.LogCaptureFixture
) -> None:
    headers = {**JSON, "Content-Encoding": "gzip"}
    answer = await server.ask("POST", CHAT, headers=headers, data=BODY)
    assert answer.status == 400
    assert answer.error()["message"].startswith("The body cannot be read: ")
    await asyncio.sleep(0.01)
    told = [record for record in caplog.records if record.levelno >= logging.WARNING]
    assert not [record for record in told if record.name != "g4f_aio.gateway.watchdog"]


async def test_broken_chunks_are_the_clients_mistake(server: Server) -> None:
    answer = await server.raw(HEAD + b"Transfer-Encoding: chunked\r\n\r\nzz\r\n{}")
    assert answer.status == 400
    answer.error()


@pytest.mark.parametrize("length", [b"Content-Length: 50\r\n", b"Transfer-Encoding: chunked\r\n"])
async def test_a_body_that_does_not_come_is_not_waited_for(start: Start, length: bytes) -> None:
    server = await start(body_timeout=0.1)
    answer = await server.raw(HEAD + length + b"\r\n")
    assert answer.status == 408
    error = answer.error()
    assert error["code"] == "request_timeout"
    assert "0.1 s" in error["message"]


async def test_a_body_that_comes_in_pieces_is_waited_for(start: Start) -> None:
    server = await start(body_timeout=2.0)
    reader, writer = await server.connect()
    writer.write(HEAD + b"Connection: close\r\nContent-Length: %d\r\n\r\n" % len(BODY))
    for at in range(0, len(BODY), 16):
        writer.write(BODY[at : at + 16])
        await asyncio.sleep(0.005)
    assert (await reader.read()).startswith(b"HTTP/1.1 200 ")
    writer.close()


async def test_a_client_that_leaves_in_the_middle_of_its_body_leaves_no_trace(
    start: Start, caplog: pytest.LogCaptureFixture
) -> None:
    record = Record()
    server = await start(entry(Script(record=record)))
    _, writer = await server.connect()
    writer.write(HEAD + b'Content-Length: 500\r\n\r\n{"messages": [')
    await asyncio.sleep(0.05)
    writer.close()
    await asyncio.sleep(0.05)
    assert not record.requests
    told = [record for record in caplog.records if record.levelno >= logging.WARNING]
    assert not [record for record in told if record.name != "g4f_aio.gateway.watchdog"]


@pytest.mark.parametrize(
    "body",
    [
        b"", b" ", b"{", b"nonsense", b'{"messages": [}', b"[]", b'"text"', b"1", b"null", b"true",
        b"{'messages': []}", b'{"messages": NaN}', b'{"temperature": Infinity}', b"\xff\xfe{\x00}\x00",
        b'{"messages": [{"role": "user", "content": "\xff"}]}',
        b'{"messages": [{"role": "user", "content": "\\ud800"}]}',
        b'{"messages": [{"role": "user", "content": "a\nb"}]}',
        b'{"messages": ' + b"[" * 100_000, b'{"a":' * 100_000, b"[" * 1_000 + b"]" * 1_000,
        b'{"messages": ' + b"[" * 900 + b"]" * 900 + b"}", b"{} {}", BODY + b"x", b"\x00",
        b"{" + b",".join(b'"k%d": 1' % n for n in range(100_000)) + b"}",
        b'{"n": 1' + b"0" * 5_000 + b', "messages": []}',
        b'{"temperature": 1e999, "messages": []}',
        b"\xef\xbb\xbf" + BODY,
    ],
    ids=lambda body: repr(body[:30]),
)  # fmt: skip
async def test_what_is_no_json_object_with_messages_is_the_clients_mistake(
    server: Server, body: bytes
) -> None:
    answer = await server.ask("POST", CHAT, headers=JSON, data=io.BytesIO(body))
    assert answer.status == 400
    assert answer.error()["type"] == "invalid_request_error"


async def test_of_a_key_that_is_there_twice_the_last_counts(start: Start) -> None:
    """As in every JSON reader; and the same goes for what is sent upstream."""
    record = Record()
    server = await start(entry(Script(record=record)))
    body = BODY[:-1] + b', "user": "a", "user": "b"}'
    assert (await server.ask("POST", CHAT, headers=JSON, data=body)).status == 200
    assert record.requests[0].options["user"] == "b"


def test_a_json_response_says_so() -> None:
    response = json_response({"ä": 1}, 201)
    assert (response.status, response.content_type) == (201, "application/json")
    assert response.body == '{"ä":1}'.encode()
