"""CORS: pages of listed origins may call the API, and nobody else's."""

from __future__ import annotations

import pytest

from g4f_aio.server.cors import MAX_AGE
from tests.e2e.wire import Answer
from tests.server.conftest import Start
from tests.server.fakes import CHAT, STREAM, Server

LISTED = "https://app.example.com"
OTHERS = (
    "https://evil.example",
    "null",
    "https://app.example.com.evil.example",
    "http://app.example.com",
)
KEY = "your-secret-key"
GOOD = {"x-api-key": KEY}


@pytest.fixture
async def listing(start: Start) -> Server:
    """A server with a key that lists one origin."""
    return await start(cors_origin=(LISTED, "http://localhost:3000"), api_key=KEY)


def allowed(answer: Answer) -> str | None:
    """The origin whose pages may read the answer."""
    return answer.headers.get("Access-Control-Allow-Origin")


async def every_kind(server: Server, origin: str) -> list[Answer]:
    """Answers of all kinds to a page of *origin*: good, streamed, and errors of each stage."""
    headers = {"Origin": origin, **GOOD}
    return [
        await server.get("/v1/models", **headers),
        await server.get("/v1/models/", **headers),
        await server.ask("HEAD", "/v1/models", headers=headers),
        await server.get("/livez", **headers),
        await server.chat(headers=headers),
        await server.chat(STREAM, headers=headers),
        await server.chat({"messages": 1}, headers=headers),
        await server.chat({**STREAM, "model": "none"}, headers=headers),
        await server.get("/v1/models", Origin=origin),
        await server.get("/none", **headers),
        await server.ask("DELETE", "/v1/models", headers=headers),
    ]


async def test_answers_of_every_kind_may_be_read_by_a_listed_origin(listing: Server) -> None:
    answers = await every_kind(listing, LISTED)
    statuses = [200, 200, 200, 200, 200, 200, 400, 404, 401, 404, 405]
    assert [answer.status for answer in answers] == statuses
    for answer in answers:
        assert allowed(answer) == LISTED
        assert answer.headers["Vary"] == "Origin"
        assert "x-request-id" in answer.headers["Access-Control-Expose-Headers"].lower()
        assert "Access-Control-Allow-Credentials" not in answer.headers


@pytest.mark.parametrize("origin", OTHERS)
async def test_no_answer_may_be_read_by_others(listing: Server, origin: str) -> None:
    for answer in await every_kind(listing, origin):
        assert not [name for name in answer.headers if name.startswith("Access-Control")]
        assert answer.headers["Vary"] == "Origin"


async def test_caches_keep_the_answers_to_different_origins_apart(listing: Server) -> None:
    """Also those that were asked for without an origin."""
    assert (await listing.get("/v1/models", **GOOD)).headers["Vary"] == "Origin"


async def preflight(server: Server, path: str, origin: str, method: str = "POST") -> Answer:
    """What a browser asks first; it sends no key with that."""
    headers = {
        "Origin": origin,
        "Access-Control-Request-Method": method,
        "Access-Control-Request-Headers": "authorization,content-type,x-stainless-lang",
    }
    return await server.ask("OPTIONS", path, headers=headers)


@pytest.mark.parametrize(
    ("path", "method"),
    [(CHAT, "POST"), (f"{CHAT}/", "POST"), ("/v1/models", "GET"), ("/v1/models/a/b", "GET")],
)
async def test_a_listed_origin_may_send_what_sdks_send(
    listing: Server, path: str, method: str
) -> None:
    answer = await preflight(listing, path, LISTED, method)
    assert answer.status == 200
    assert allowed(answer) == LISTED
    assert answer.headers["Access-Control-Allow-Methods"] == method
    headers = answer.headers["Access-Control-Allow-Headers"].lower().split(",")
    assert {"authorization", "content-type", "x-stainless-lang"} <= set(headers)
    assert answer.headers["Access-Control-Max-Age"] == str(MAX_AGE)
    assert answer.headers["Vary"] == "Origin"
    assert "Access-Control-Allow-Credentials" not in answer.headers


@pytest.mark.parametrize("origin", OTHERS)
async def test_others_are_told_so_before_they_send_anything(listing: Server, origin: str) -> None:
    answer = await preflight(listing, CHAT, origin)
    assert answer.status == 403
    assert answer.error()["type"] == "permission_error"
    assert allowed(answer) is None
    assert answer.headers["Vary"] == "Origin"


async def test_a_method_that_a_path_has_not_is_refused_beforehand(listing: Server) -> None:
    assert (await preflight(listing, CHAT, LISTED, "PUT")).status == 403


async def test_with_no_origin_listed_nobody_is_told_anything(server: Server) -> None:
    answers = [
        await server.get("/v1/models", Origin=LISTED),
        await preflight(server, CHAT, LISTED),
        await server.get("/none", Origin=LISTED),
    ]
    assert [answer.status for answer in answers] == [200, 405, 404]
    for answer in answers:
        assert not [name for name in answer.headers if name.startswith("Access-Control")]
        assert answer.headers["Vary"] == "Origin"


@pytest.mark.parametrize("origin", [LISTED, "null", "https://any.example"])
async def test_any_origin_may_be_allowed_but_never_with_credentials(
    start: Start, origin: str
) -> None:
    server = await start(cors_origin=("*",), api_key=KEY)
    for answer in (*await every_kind(server, origin), await preflight(server, CHAT, origin)):
        assert allowed(answer) in (origin, "*")
        assert "Access-Control-Allow-Credentials" not in answer.headers
