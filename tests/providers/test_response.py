"""The body of an answer: whole, as it comes, by lines and by events, each with its limit."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable, Mapping
from typing import TYPE_CHECKING

import orjson
import pytest
from aiohttp import web

from g4f_aio import UpstreamError
from g4f_aio.providers import response as response_module
from g4f_aio.providers.pool import Pool
from g4f_aio.providers.upstream import Client
from tests.patience import Stopwatch
from tests.providers.asked import chat, frames

if TYPE_CHECKING:
    from tests.conftest import Fake, Upstream

Serve = Callable[[Mapping[str, object]], Awaitable["Fake"]]


async def test_a_body_comes_whole_and_as_json(client: Client, upstream: Upstream) -> None:
    url = f"{upstream.base_url}/chat/completions"
    async with client.post(url, json=chat("words-2", stream=False)) as response:
        answer = await response.json()
    assert answer["choices"][0]["message"]["content"] == "w0 w1"


async def test_an_empty_body_is_empty(client: Client, serve: Serve) -> None:
    async def answer(_: web.Request) -> web.Response:
        return web.Response(status=204)

    fake = await serve({"/x": answer})
    async with client.get(f"{fake.root}/x") as response:
        assert (response.status, await response.read()) == (204, b"")


async def test_what_is_no_json_is_an_error(client: Client, upstream: Upstream) -> None:
    url = f"{upstream.base_url}/chat/completions"
    async with client.post(url, json=chat("html")) as response:
        with pytest.raises(UpstreamError, match="acme sent malformed JSON"):
            await response.json()


async def test_a_body_has_a_limit(
    client: Client, upstream: Upstream, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(response_module, "BODY_LIMIT", 1000)
    url = f"{upstream.base_url}/chat/completions"
    async with client.post(url, json=chat("big-event-5000", stream=False)) as response:
        with pytest.raises(UpstreamError, match="acme sent more than 1000 bytes"):
            await response.read()


def streamed(*pieces: bytes) -> Callable[[web.Request], Awaitable[web.StreamResponse]]:
    """A handler that writes these pieces, one packet each."""

    async def answer(request: web.Request) -> web.StreamResponse:
        response = web.StreamResponse()
        await response.prepare(request)
        for piece in pieces:
            await response.write(piece)
            await asyncio.sleep(0.01)
        return response

    return answer


@pytest.mark.parametrize(
    ("pieces", "lines"),
    [
        ([b"one\ntwo\n"], [b"one", b"two"]),
        ([b"one\r\ntw", b"o\r\n"], [b"one", b"two"]),
        ([b"one\r", b"\ntwo"], [b"one", b"two"]),
        ([b"\n\n"], [b"", b""]),
        ([b"\xc3", b"\xa9\n"], ["é".encode()]),
        ([], []),
    ],
)
async def test_a_body_comes_by_lines(
    client: Client, serve: Serve, pieces: list[bytes], lines: list[bytes]
) -> None:
    fake = await serve({"/x": streamed(*pieces)})
    async with client.get(f"{fake.root}/x") as response:
        assert [line async for line in response.lines()] == lines


async def test_a_line_has_a_limit(session: Pool, serve: Serve) -> None:
    fake = await serve({"/x": streamed(b"x" * 500, b"x" * 600)})
    client = Client(session, "acme", 5.0, 5.0, 1000)
    async with client.get(f"{fake.root}/x") as response:
        with pytest.raises(UpstreamError, match="acme sent a line of more than 1000 bytes"):
            async for _ in response.lines():
                pass


async def test_a_body_comes_as_it_arrives(client: Client, serve: Serve) -> None:
    fake = await serve({"/x": streamed(b"one", b"two", b"three")})
    async with client.get(f"{fake.root}/x") as response:
        pieces = [piece async for piece in response.chunks()]
    assert pieces == [b"one", b"two", b"three"]


@pytest.mark.parametrize("model", ["words-20", "burst-200", "crlf", "byte-by-byte", "emoji-cut"])
async def test_events_come_whole_and_unchanged(
    client: Client, upstream: Upstream, model: str
) -> None:
    found = await frames(client, upstream, model)
    end = b"\r\n\r\n" if model == "crlf" else b"\n\n"
    assert all(frame.endswith(end) for frame in found)
    events = b"".join(found).split(end)[:-1]
    assert events[-1] == b"data: [DONE]"
    for event in events[:-1]:
        assert orjson.loads(event.removeprefix(b"data: "))["object"] == "chat.completion.chunk"


async def test_a_byte_order_mark_is_left_out(client: Client, upstream: Upstream) -> None:
    assert (await frames(client, upstream, "bom"))[0].startswith(b"data: ")


async def test_an_event_has_a_limit(session: Pool, upstream: Upstream) -> None:
    client = Client(session, "acme", 5.0, 5.0, 100_000)
    with pytest.raises(UpstreamError, match="exceeds 100000 bytes"):
        await frames(client, upstream, "big-event-2000000")


async def test_events_come_one_by_one(client: Client, upstream: Upstream) -> None:
    url = f"{upstream.base_url}/chat/completions"
    async with client.post(url, json=chat("paced-50-4")) as response:
        times = [time.monotonic() async for _ in response.frames()]
    assert times[-1] - times[0] > 0.1


async def test_of_an_answer_that_is_complete_the_end_is_waited_for_a_little(
    client: Client, upstream: Upstream
) -> None:
    url = f"{upstream.base_url}/chat/completions"
    async with client.post(url, json=chat("words-3")) as response:
        async for frame in response.frames():
            if b"[DONE]" in frame:
                break
        await response.end()
    await frames(client, upstream, "echo")
    assert len({record["connection"] for record in await upstream.records()}) == 1


async def test_but_not_for_long(
    client: Client, upstream: Upstream, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(response_module, "LINGER", 0.05)
    url = f"{upstream.base_url}/chat/completions"
    watch = Stopwatch()
    async with client.post(url, json=chat("hang-after-done")) as response:
        async for frame in response.frames():
            if b"[DONE]" in frame:
                break
        await response.end()
    assert watch.seconds < 0.5
    await upstream.closed("hang-after-done")
