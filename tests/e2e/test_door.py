"""Who is let in, what is refused at the door, and what is said of a plug-in that is broken."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any

import aiohttp
import pytest

from tests.conftest import Upstream
from tests.e2e.conftest import KEY
from tests.e2e.gateway import Gateway, Start
from tests.e2e.wire import Answer, post, read

BROKEN = "raise RuntimeError('the engine is not installed')\n"
ODD = "class Odd:\n    pass\n"


async def raw(gateway: Gateway, request: bytes) -> tuple[int, bytes]:
    """Status and body of the answer to these very bytes."""
    reader, writer = await asyncio.open_connection("127.0.0.1", gateway.port)
    writer.write(request)
    async with asyncio.timeout(10):
        said = await reader.read()
    writer.close()
    await writer.wait_closed()
    head, _, body = said.partition(b"\r\n\r\n")
    return int(head.split()[1]), body


@pytest.mark.parametrize("host", ["evil", "evil.example:1337", "127.0.0.1.evil", "localhost.evil"])
async def test_a_page_that_calls_itself_our_name_is_refused(
    unkeyed: Gateway, client: aiohttp.ClientSession, upstream: Upstream, host: str
) -> None:
    async with client.get(f"{unkeyed.url}/v1/models", headers={"Host": host}) as response:
        answer = await read(response)
    assert answer.status == 421
    assert answer.error()["code"] == "misdirected_request"
    async with client.post(
        unkeyed.chat, json={"model": "echo"}, headers={"Host": host}
    ) as response:
        assert response.status == 421
    assert await upstream.records("echo") == []


@pytest.mark.parametrize("host", ["localhost", "LOCALHOST:80", "127.0.0.1", "[::1]:1337"])
async def test_our_own_names_are_answered(
    unkeyed: Gateway, client: aiohttp.ClientSession, host: str
) -> None:
    async with client.get(f"{unkeyed.url}/v1/models", headers={"Host": host}) as response:
        assert response.status == 200


@pytest.mark.parametrize(
    "request_",
    [
        b"GET /v1/models HTTP/1.1\r\nHost: evil:1/x?y#\r\nConnection: close\r\n\r\n",
        b"GET /v1/models HTTP/1.1\r\nHost: localhost\r\nHost: evil\r\n\r\n",
        b"GET http://evil/v1/models HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n",
        b"GET /v1/models HTTP/1.1\r\n\r\n",
        b"NONSENSE\r\n\r\n",
    ],
)
async def test_what_is_no_proper_request_is_400(unkeyed: Gateway, request_: bytes) -> None:
    status, body = await raw(unkeyed, request_)
    assert status == 400
    assert Answer(status, {}, body).error()["type"] == "invalid_request_error"


@pytest.mark.parametrize(
    ("wrong", "path", "said"),
    [
        ({"stream": "no"}, "stream", "expected a boolean"),
        ({"stream": 1}, "stream", "expected a boolean"),
        ({"max_tokens": "10"}, "max_tokens", "expected an integer"),
        ({"messages": "Hi"}, "messages", "expected"),
        ({"messages": [{"role": "user", "content": [{"type": "text"}]}]}, "messages[0]", ""),
        ({"messages": [{"role": "nobody", "content": "Hi"}]}, "messages[0].role", ""),
    ],
)
async def test_a_wrong_type_is_400_with_its_path(
    unkeyed: Gateway,
    client: aiohttp.ClientSession,
    upstream: Upstream,
    *,
    wrong: dict[str, Any],
    path: str,
    said: str,
) -> None:
    body = {"model": "echo", "messages": [{"role": "user", "content": "Hi"}], **wrong}
    async with client.post(unkeyed.chat, json=body) as response:
        answer = await read(response)
    assert answer.status == 400
    error = answer.error()
    assert error["param"] is not None
    assert error["param"].startswith(path)
    assert path in error["message"]
    assert said in error["message"]
    assert await upstream.records("echo") == []


@pytest.mark.parametrize(
    ("method", "path", "status", "code"),
    [
        ("GET", "/v1/nothing", 404, "unknown_url"),
        ("GET", "/v1/chat/completions", 405, "method_not_allowed"),
        ("POST", "/v1/models", 405, "method_not_allowed"),
        ("GET", "/v1/models/not-a-model", 404, "model_not_found"),
        ("GET", "/v1/providers/not-one", 404, "provider_not_found"),
        ("GET", "/api/not-one/models", 404, "provider_not_found"),
    ],
)
async def test_all_errors_have_the_one_shape(
    unkeyed: Gateway,
    client: aiohttp.ClientSession,
    *,
    method: str,
    path: str,
    status: int,
    code: str,
) -> None:
    async with client.request(method, f"{unkeyed.url}{path}") as response:
        answer = await read(response)
    assert answer.status == status
    assert answer.error()["code"] == code
    assert answer.headers["x-request-id"]
    assert (status == 405) is ("Allow" in answer.headers)


@pytest.mark.parametrize(
    ("data", "kind", "status"),
    [
        (b"{", "application/json", 400),
        (b"[]", "application/json", 400),
        (b"\xff", "application/json", 400),
        (b"{}", "text/plain", 415),
        (b"a=1", "application/x-www-form-urlencoded", 415),
        (b"", "application/json", 400),
    ],
)
async def test_a_body_that_is_no_request(
    unkeyed: Gateway, client: aiohttp.ClientSession, data: bytes, kind: str, status: int
) -> None:
    async with client.post(unkeyed.chat, data=data, headers={"Content-Type": kind}) as response:
        answer = await read(response)
    assert answer.status == status
    assert answer.error()["type"] == "invalid_request_error"


@pytest.mark.parametrize(
    "headers",
    [
        {"Origin": "http://evil.example"},
        {"Origin": "null"},
        {"Sec-Fetch-Site": "cross-site"},
    ],
)
async def test_a_page_of_another_site_may_not_ask(
    unkeyed: Gateway, client: aiohttp.ClientSession, upstream: Upstream, headers: dict[str, str]
) -> None:
    body = {"model": "echo", "messages": [{"role": "user", "content": "Hi"}]}
    async with client.post(unkeyed.chat, json=body, headers=headers) as response:
        answer = await read(response)
    assert answer.status == 403
    assert "Access-Control-Allow-Origin" not in answer.headers
    assert await upstream.records("echo") == []


@pytest.mark.parametrize(
    "path",
    [
        "/v1/models",
        "/v1/models/echo",
        "/v1/providers",
        "/v1/providers/work",
        "/api/work/models",
        "/openapi.json",
        "/docs",
    ],
)
async def test_nothing_is_told_without_the_key(
    keyed: Gateway, client: aiohttp.ClientSession, path: str
) -> None:
    for headers in ({}, {"Authorization": "Bearer wrong"}, {"api-key": f"{KEY}x"}):
        async with client.get(f"{keyed.url}{path}", headers=headers) as response:
            answer = await read(response)
        assert answer.status == 401
        assert answer.error()["code"] == "invalid_api_key"
    async with client.get(f"{keyed.url}{path}", headers={"g4f-api-key": KEY}) as response:
        assert response.status == 200


@pytest.mark.parametrize("path", ["/livez", "/readyz"])
async def test_its_health_is_told_to_everybody(
    keyed: Gateway, client: aiohttp.ClientSession, path: str
) -> None:
    async with client.get(f"{keyed.url}{path}") as response:
        assert response.status == 200


async def test_a_body_that_is_too_large(start: Start, client: aiohttp.ClientSession) -> None:
    gateway = start("[server]\nmax_body = 1000\n[routing]\ndetect_local = false\n")
    answer = await post(client, gateway.chat, "echo", "x" * 2000)
    assert answer.status == 413
    assert answer.error()["code"] == "request_too_large"


async def test_a_broken_plug_in_is_listed_with_its_reason(
    start: Start, tmp_path: Path, client: aiohttp.ClientSession
) -> None:
    """And it harms nobody else."""
    site = tmp_path / "site"
    for name, target, text in (("Broken", "broken_one", BROKEN), ("Odd", "odd_one:Odd", ODD)):
        information = site / f"{name.lower()}_plug_in-2.1.dist-info"
        information.mkdir(parents=True)
        (information / "METADATA").write_text(
            f"Metadata-Version: 2.1\nName: {name.lower()}-plug-in\nVersion: 2.1\n", "utf-8"
        )
        entry = f"[g4f.providers]\n{name} = {target}\n"
        (information / "entry_points.txt").write_text(entry, "utf-8")
        (site / f"{target.partition(':')[0]}.py").write_text(text, "utf-8")
    gateway = start("[routing]\ndetect_local = false\n", environ={"PYTHONPATH": str(site)})
    async with client.get(f"{gateway.url}/v1/providers") as response:
        listed = {one["id"]: one for one in (await response.json())["data"]}
    assert "RuntimeError: the engine is not installed" in listed["Broken"]["error"]
    assert "is no subclass of g4f_aio.Provider" in listed["Odd"]["error"]
    for name in ("Broken", "Odd"):
        assert listed[name]["working"] is False
        assert listed[name]["plugin"]["distribution"] == f"{name.lower()}-plug-in"
        assert listed[name]["plugin"]["version"] == "2.1"
        assert listed[name]["health"]["state"] == "broken"
    assert listed["OfflineAssistant"]["working"] is True
    answer = await post(client, gateway.chat, "Broken:any")
    assert answer.status == 502
    assert "the engine is not installed" in answer.error()["message"]
    assert (await post(client, gateway.chat, "", "Hello")).status == 200
