"""The way out: one request, its answer as it comes, and every way in which that goes wrong."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from typing import TYPE_CHECKING

import orjson
import pytest
from aiohttp import web

from g4f_aio import BadRequestError, UpstreamError, UpstreamTimeoutError
from g4f_aio.providers.pool import Pool
from g4f_aio.providers.upstream import Client
from tests.patience import Stopwatch
from tests.providers.asked import chat, frames

if TYPE_CHECKING:
    from tests.conftest import Fake, Upstream

Serve = Callable[[Mapping[str, object]], Awaitable["Fake"]]


# requests


async def test_a_request_says_what_it_is_told_and_little_else(
    client: Client, upstream: Upstream
) -> None:
    url = f"{upstream.base_url}/chat/completions"
    async with client.post(url, json=chat("echo"), headers={"X-Own": "yes"}) as response:
        await response.read()
    (record,) = await upstream.records()
    assert record["method"] == "POST"
    assert record["body"] == chat("echo")
    assert record["headers"]["x-own"] == "yes"
    assert record["headers"]["content-type"] == "application/json"
    usual = {"host", "user-agent", "accept", "accept-encoding", "content-type", "content-length"}
    assert set(record["headers"]) <= usual | {"x-own"}


async def test_what_is_nested_too_deeply_to_be_sent_is_the_clients_mistake(client: Client) -> None:
    deep = orjson.loads(b"[" * 900 + b"]" * 900)
    with pytest.raises(BadRequestError, match="nested too deeply"):
        client.post("http://127.0.0.1:9", json={"arguments": deep})
    with pytest.raises(TypeError, match="not JSON serializable"):
        client.post("http://127.0.0.1:9", json={"arguments": object()})


async def test_bytes_go_out_as_they_are(client: Client, serve: Serve) -> None:
    async def answer(request: web.Request) -> web.Response:
        return web.json_response([request.method, (await request.read()).decode("latin-1")])

    fake = await serve({"/x": answer})
    async with client.request("PUT", f"{fake.root}/x", data=b"\x00\xff") as response:
        assert await response.json() == ["PUT", "\x00\xff"]


async def test_a_large_body_goes_out_whole(client: Client, serve: Serve) -> None:
    async def answer(request: web.Request) -> web.Response:
        return web.json_response(len(await request.read()))

    fake = await serve({"/x": answer})
    # aiohttp's server takes one MiB
    async with client.post(f"{fake.root}/x", data=b"x" * 1_000_000) as response:
        assert await response.json() == 1_000_000


async def test_headers_of_the_answer_are_found_in_any_case_of_letters(
    client: Client, upstream: Upstream
) -> None:
    async with client.get(f"{upstream.base_url}/models") as response:
        assert response.status == 200
        assert response.headers["CONTENT-TYPE"] == response.headers["content-type"]
        assert (await response.json())["object"] == "list"


async def test_a_redirect_is_an_answer_and_not_an_order(client: Client, upstream: Upstream) -> None:
    url = f"{upstream.base_url}/chat/completions"
    async with client.post(url, json=chat("redirect")) as response:
        assert response.status == 307
        assert response.headers["location"].startswith("http://127.0.0.1:1/")


async def test_cookies_are_not_kept(client: Client, serve: Serve) -> None:
    async def answer(_: web.Request) -> web.Response:
        response = web.Response()
        response.set_cookie("session", "1")
        return response

    fake = await serve({"/x": answer})
    for _ in range(2):
        async with client.get(f"{fake.root}/x") as response:
            await response.read()
    assert all("cookie" not in request.headers for request in fake.requests)


async def test_a_proxy_is_not_asked_for_what_is_on_this_machine(
    session: Pool, upstream: Upstream
) -> None:
    client = Client(session, "acme", 5.0, 5.0, 2**20, proxy="http://127.0.0.1:1")
    async with client.get(f"{upstream.base_url}/models") as response:
        assert response.status == 200


async def test_a_proxy_is_asked_for_everything_else(session: Pool, serve: Serve) -> None:
    async def answer(request: web.Request) -> web.Response:
        return web.Response(text=f"{request.headers['host']} {request.path}")

    fake = await serve({"/v1/models": answer})
    proxy = fake.root.replace("http://", "http://user:secret@")
    client = Client(session, "acme", 5.0, 5.0, 2**20, proxy=proxy)
    assert "secret" not in repr(client)
    async with client.get("http://upstream.example/v1/models") as response:
        assert await response.read() == b"upstream.example /v1/models"
    (request,) = fake.requests
    assert request.headers["proxy-authorization"].startswith("Basic ")


# what goes wrong


@pytest.mark.parametrize("model", ["cut-before-headers", "cut-before-headers@reset"])
async def test_an_upstream_that_hangs_up_at_once_is_an_error(
    client: Client, upstream: Upstream, model: str
) -> None:
    with pytest.raises(UpstreamError, match=r"^acme hung up before it answered") as caught:
        await frames(client, upstream, model)
    assert caught.value.provider == "acme"


@pytest.mark.parametrize(
    "model",
    [
        "cut-before-token",
        "cut-mid-event",
        "cut-mid-event@reset",
        "cut-between-events",
        "cut-after-finish",
        "bad-chunk",
    ],
)
async def test_a_body_that_is_cut_is_an_error(
    client: Client, upstream: Upstream, model: str
) -> None:
    with pytest.raises(UpstreamError, match=r"^acme ") as caught:
        await frames(client, upstream, model)
    assert caught.value.status == 502


async def test_so_is_half_a_body(client: Client, upstream: Upstream) -> None:
    url = f"{upstream.base_url}/chat/completions"
    async with client.post(url, json=chat("cut-mid-event", stream=False)) as response:
        with pytest.raises(UpstreamError, match=r"^acme "):
            await response.read()


async def test_where_nobody_listens_is_said(client: Client) -> None:
    message = r"^acme: cannot connect to http://127\.0\.0\.1:1: .*(refused|Connect call failed)"
    with pytest.raises(UpstreamError, match=message):
        async with client.get("http://127.0.0.1:1/v1/models?key=secret"):
            pass


@pytest.fixture
async def gibberish() -> AsyncIterator[str]:
    """The address of a server that does not speak HTTP."""

    async def talk(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(b"220 mail.example ESMTP ready\r\n")
        await writer.drain()
        await reader.read(100)
        writer.close()

    async with await asyncio.start_server(talk, "127.0.0.1", 0) as server:
        yield f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"


async def test_what_speaks_no_tls_is_said(client: Client, gibberish: str) -> None:
    url = gibberish.replace("http://", "https://")
    with pytest.raises(UpstreamError, match=r"^acme: cannot connect to https://127\.0\.0\.1:\d+: "):
        async with client.get(f"{url}/v1/models"):
            pass


async def test_what_speaks_no_http_is_an_error(client: Client, gibberish: str) -> None:
    with pytest.raises(UpstreamError, match=r"^acme "):
        async with client.get(f"{gibberish}/v1/models"):
            pass


async def test_a_connection_is_not_waited_for_for_ever(session: Pool, upstream: Upstream) -> None:
    client = Client(session, "acme", 0.1, 5.0, 2**20)
    watch = Stopwatch()
    with pytest.raises(UpstreamTimeoutError, match=r"acme: no connection within 0\.1 s"):
        async with client.get(f"{upstream.full}/models"):
            pass
    assert watch.seconds < 1


async def test_nor_is_an_answer(session: Pool, upstream: Upstream) -> None:
    client = Client(session, "acme", 5.0, 0.1, 2**20)
    with pytest.raises(UpstreamTimeoutError, match=r"did not begin to answer within 0\.1 s"):
        await frames(client, upstream, "hang-headers")
    await upstream.closed("hang-headers")


async def test_who_gives_up_closes_the_connection(client: Client, upstream: Upstream) -> None:
    async with asyncio.TaskGroup() as group:
        task = group.create_task(frames(client, upstream, "hang-headers"))
        await asyncio.sleep(0.1)
        left = time.monotonic()
        task.cancel()
    assert (await upstream.closed("hang-headers"))["closed_at"] - left < 0.25


# connections


async def test_a_connection_is_used_again_after_a_whole_answer(
    client: Client, upstream: Upstream
) -> None:
    for model in ("words-3", "burst-50", "words-3"):
        await frames(client, upstream, model)
    assert len({record["connection"] for record in await upstream.records()}) == 1


async def test_a_connection_with_an_unread_answer_is_not(
    client: Client, upstream: Upstream
) -> None:
    url = f"{upstream.base_url}/chat/completions"
    async with client.post(url, json=chat("paced-20-100")) as response:
        async for _ in response.frames():
            break
    record = await upstream.closed("paced-20-100")
    await frames(client, upstream, "words-3")
    assert (await upstream.records("words-3"))[0]["connection"] != record["connection"]


async def test_many_at_a_time_do_not_wait_for_each_other(
    client: Client, upstream: Upstream
) -> None:
    watch = Stopwatch()
    found = await asyncio.gather(*(frames(client, upstream, "slow-token-200") for _ in range(150)))
    assert len(found) == 150
    assert watch.seconds < 3
