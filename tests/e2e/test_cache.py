"""The response cache as clients meet it: off unless asked for, a stream replayed as a stream."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import aiohttp
import openai
import pytest

from tests.conftest import Upstream
from tests.e2e.gateway import Gateway, running
from tests.e2e.wire import post

SETTINGS = """
[server]
api_key = "{key}"
[keys.alice]
key = "alice-key"
[routing]
provider = "work"
retries = 0
detect_local = false
[providers.work]
type = "openai-compatible"
base_url = "{base_url}"
"""
KEY = "the-key"


@pytest.fixture(scope="module")
def gateway(
    upstream_process: Upstream, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Gateway]:
    """A gateway whose cache is on by default."""
    settings = SETTINGS.format(key=KEY, base_url=upstream_process.base_url)
    with running(tmp_path_factory.mktemp("cache"), settings, "--cache") as started:
        yield started


@pytest.fixture
async def sdk(gateway: Gateway) -> AsyncIterator[openai.AsyncOpenAI]:
    """The official client."""
    async with openai.AsyncOpenAI(api_key=KEY, base_url=f"{gateway.url}/v1") as client:
        yield client


async def test_a_stream_is_replayed_byte_for_byte(
    gateway: Gateway, client: aiohttp.ClientSession, upstream: Upstream
) -> None:
    answers = [await post(client, gateway.chat, "words-5", key=KEY, stream=True) for _ in range(3)]
    assert [answer.headers["x-cache"] for answer in answers] == ["miss", "hit", "hit"]
    assert all(answer.done for answer in answers)
    assert len({answer.body for answer in answers}) == 1
    assert {answer.headers["x-provider"] for answer in answers} == {"work"}
    assert len(await upstream.records("words-5")) == 1


async def test_the_client_library_notices_nothing(
    sdk: openai.AsyncOpenAI, upstream: Upstream
) -> None:
    found = [
        await sdk.chat.completions.create(
            model="words-4", messages=[{"role": "user", "content": "Again"}]
        )
        for _ in range(2)
    ]
    assert found[0] == found[1]
    assert found[1].usage is not None
    assert len(await upstream.records("words-4")) == 1


async def test_a_request_may_have_its_own_wish(
    gateway: Gateway, client: aiohttp.ClientSession, upstream: Upstream
) -> None:
    for _ in range(2):
        answer = await post(client, gateway.chat, "words-6", key=KEY, cache=False)
        assert "x-cache" not in answer.headers
    records = await upstream.records("words-6")
    assert len(records) == 2
    assert "cache" not in records[0]["body"]


async def test_one_key_never_gets_what_another_one_asked(
    gateway: Gateway, client: aiohttp.ClientSession
) -> None:
    found = [
        (await post(client, gateway.chat, "words-7", key=key)).headers["x-cache"]
        for key in (KEY, "alice-key", "alice-key")
    ]
    assert found == ["miss", "miss", "hit"]


async def test_equal_requests_at_one_time_are_one_call(
    gateway: Gateway, client: aiohttp.ClientSession, upstream: Upstream
) -> None:
    asking = (post(client, gateway.chat, "slow-token-300", key=KEY, stream=True) for _ in range(8))
    answers = await asyncio.gather(*asking)
    assert all(answer.done for answer in answers)
    assert len({answer.body for answer in answers}) == 1
    assert sorted(answer.headers["x-cache"] for answer in answers) == ["miss", *["shared"] * 7]
    assert len(await upstream.records("slow-token-300")) == 1


async def test_an_answer_that_is_cut_is_never_replayed(
    gateway: Gateway, client: aiohttp.ClientSession, upstream: Upstream
) -> None:
    for number in (1, 2):
        answer = await post(client, gateway.chat, "cut-between-events", key=KEY, stream=True)
        assert answer.headers["x-cache"] == "miss"
        assert "error" in answer.chunks()[-1]
        assert not answer.done
        assert len(await upstream.records("cut-between-events")) == number


async def test_it_is_off_unless_somebody_asks_for_it(
    tmp_path: Path, client: aiohttp.ClientSession, upstream: Upstream
) -> None:
    settings = SETTINGS.format(key=KEY, base_url=upstream.base_url)
    with running(tmp_path, settings) as gateway:
        for _ in range(2):
            answer = await post(client, gateway.chat, "words-3", key=KEY)
            assert "x-cache" not in answer.headers
        assert len(await upstream.records("words-3")) == 2
        found = [
            (await post(client, gateway.chat, "words-3", key=KEY, cache=True)).headers["x-cache"]
            for _ in range(2)
        ]
        assert found == ["miss", "hit"]
        answer = await post(client, gateway.chat, "words-3", key=KEY, cache="yes")
        assert answer.status == 400
        assert answer.error()["param"] == "cache"
