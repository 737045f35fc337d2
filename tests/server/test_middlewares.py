"""What every request passes: its id, and the boundary where errors become answers."""

from __future__ import annotations

import logging
import re

import pytest
from aiohttp import web

from g4f_aio.core.events import TextDelta
from g4f_aio.gateway.catalog import Catalog
from g4f_aio.server import middlewares
from g4f_aio.server.middlewares import new_request_id
from tests.e2e.wire import Answer
from tests.server.conftest import Start
from tests.server.fakes import CHAT, HELLO, STREAM, Record, Script, Server, entry

ID = re.compile(r"req_[0-9a-f]{24}")


async def of_every_kind(server: Server, **headers: str) -> list[Answer]:
    """Good answers, streams, and errors of each stage."""
    return [
        await server.get("/livez", **headers),
        await server.get("/v1/models", **headers),
        await server.get("/docs", **headers),
        await server.chat(headers=headers),
        await server.chat(STREAM, headers=headers),
        await server.chat({}, headers=headers),
        await server.chat({**HELLO, "model": "none"}, headers=headers),
        await server.ask("POST", CHAT, headers=headers, data=b"{}"),
        await server.get("/none", **headers),
        await server.ask("PUT", "/v1/models", headers=headers),
        await server.get("/livez", Host="evil.example", **headers),
        await server.get("/livez", Expect="nonsense", **headers),
    ]


async def test_every_answer_has_an_id_of_its_own(server: Server) -> None:
    ids = [answer.headers["x-request-id"] for answer in await of_every_kind(server)]
    assert all(ID.fullmatch(one) for one in ids)
    assert len(set(ids)) == len(ids)


async def test_every_answer_says_how_long_it_took(server: Server) -> None:
    for answer in await of_every_kind(server):
        assert 0 <= int(answer.headers["openai-processing-ms"]) < 2_000


async def test_the_time_is_that_until_the_answer_began(start: Start) -> None:
    server = await start(entry(Script(steps=(0.1, *Script().steps))))
    for body in (HELLO, STREAM):
        took = int((await server.chat(body)).headers["openai-processing-ms"])
        assert 95 <= took < 2_000


async def test_every_answer_is_of_the_type_it_says_and_from_us(server: Server) -> None:
    for answer in await of_every_kind(server):
        assert answer.headers["x-content-type-options"] == "nosniff"
        assert answer.headers["Server"] == "g4f_aio"


@pytest.mark.parametrize("given", ["a", "req_1", "A-b.c_9", "x" * 128])
async def test_a_valid_id_of_the_clients_is_kept(server: Server, given: str) -> None:
    answers = await of_every_kind(server, **{"x-request-id": given})
    # what fails before the boundary is not looked at
    assert [one.headers["x-request-id"] for one in answers[:-1]] == [given] * (len(answers) - 1)


@pytest.mark.parametrize(
    "given",
    [
        b"",
        b"x" * 129,
        b"a b",
        b"a\tb",
        b"a/b",
        b"a:b",
        b"\xc3\xa4",
        b"\xff",
        b"<x>",
        b"a,b",
        b"${x}",
    ],
)
async def test_any_other_id_is_replaced(server: Server, given: bytes) -> None:
    request = b"GET /livez HTTP/1.1\r\nHost: localhost\r\nX-Request-Id: " + given + b"\r\n\r\n"
    assert ID.fullmatch((await server.raw(request)).headers["x-request-id"])


async def test_an_id_cannot_bring_a_header_along(server: Server) -> None:
    for end in (b"\n", b"\r"):
        request = (
            b"GET /livez HTTP/1.1\r\nHost: localhost\r\nX-Request-Id: a" + end + b"X: y\r\n\r\n"
        )
        answer = await server.raw(request)
        assert "X" not in answer.headers
        assert answer.headers["x-request-id"] != "a"


async def test_the_log_lines_of_the_provider_have_the_id_too(start: Start) -> None:
    record = Record()
    server = await start(entry(Script(record=record)))
    await server.chat(headers={"x-request-id": "mine"})
    await server.chat(STREAM, headers={"x-request-id": "other"})
    assert record.ids == ["mine", "other"]


def test_new_ids_differ() -> None:
    assert len({new_request_id() for _ in range(1_000)}) == 1_000


# the boundary


@pytest.mark.parametrize(
    "path", ["/", "/v1", "/v1/none", "/v1/chat", "/docs/index/x", "/favicon.ico"]
)
async def test_an_unknown_url_is_said_to_be_one(server: Server, path: str) -> None:
    for method in ("GET", "POST", "DELETE"):
        answer = await server.ask(method, path)
        assert answer.status == 404
        error = answer.error()
        assert error["type"] == "invalid_request_error"
        assert error["code"] == "unknown_url"
        assert path in error["message"]
        assert answer.headers["x-should-retry"] == "false"


@pytest.mark.parametrize(
    ("method", "path", "allowed"),
    [
        ("GET", CHAT, {"POST"}),
        ("HEAD", f"{CHAT}/", {"POST"}),
        ("POST", "/v1/models", {"GET", "HEAD"}),
        ("DELETE", "/v1/models/small", {"GET", "HEAD"}),
        ("PATCH", "/livez", {"GET", "HEAD"}),
        ("OPTIONS", CHAT, {"POST"}),
    ],
)
async def test_another_method_is_answered_with_those_there_are(
    server: Server, method: str, path: str, allowed: set[str]
) -> None:
    answer = await server.ask(method, path)
    assert answer.status == 405
    assert set(answer.headers["Allow"].split(",")) == allowed
    if method != "HEAD":
        error = answer.error()
        assert error["type"] == "invalid_request_error"
        assert error["code"] == "method_not_allowed"


async def test_our_own_mistakes_tell_the_log_and_not_the_client(
    server: Server, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def broken(*_: object) -> bool:
        raise ZeroDivisionError("a secret detail")

    monkeypatch.setattr(Catalog, "offers", broken)
    answer = await server.get("/v1/models", **{"x-request-id": "mine"})
    assert answer.status == 500
    error = answer.error()
    assert error["type"] == "server_error"
    assert error["code"] == "internal_error"
    assert "mine" in error["message"]
    assert b"secret" not in answer.body
    assert "a secret detail" in caplog.text
    monkeypatch.undo()
    assert (await server.get("/v1/models")).status == 200


async def test_errors_of_the_server_are_logged_and_those_of_clients_are_not(
    start: Start, caplog: pytest.LogCaptureFixture
) -> None:
    server = await start(entry(Script(steps=(TextDelta("cut"),))))
    assert (await server.get("/none")).status == 404
    assert not caplog.records
    assert (await server.chat()).status == 502
    assert [record.levelno for record in caplog.records] == [logging.WARNING]


def test_there_is_one_middleware_only(server: Server) -> None:
    """Each one would cost every request."""
    assert list(server.app.middlewares) == [middlewares.boundary]
    assert isinstance(server.app, web.Application)
