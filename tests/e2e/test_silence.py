"""Upstreams that are silent for a while, and clients that do not read."""

from __future__ import annotations

import asyncio
import sys
from collections.abc import Iterator
from typing import Any

import aiohttp
import openai
import pytest

from tests.conftest import Upstream
from tests.e2e.gateway import Gateway, running
from tests.e2e.waiting import until
from tests.e2e.wire import post

SETTINGS = """
[server]
keep_alive = 0.2
write_timeout = 1.0

[routing]
provider = "work"
detect_local = false

[providers.work]
type = "openai-compatible"
base_url = "{base_url}"
models = ["echo"]

[providers.hasty]
type = "openai-compatible"
base_url = "{base_url}"
first_token_timeout = 0.5
"""
HELLO: Any = [{"role": "user", "content": "Hello"}]
#: a stream of some 20 MB
UNREAD = "pages-2000-10000"
COMMENT = b": keep-alive\n\n"


@pytest.fixture(scope="module")
def gateway(
    upstream_process: Upstream, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Gateway]:
    """A gateway that grows restless soon."""
    settings = SETTINGS.format(base_url=upstream_process.base_url)
    with running(tmp_path_factory.mktemp("silence"), settings) as gateway:
        yield gateway


@pytest.mark.parametrize("model", ["slow-headers-700", "slow-token-700"])
async def test_a_silent_stream_is_kept_alive(
    gateway: Gateway, client: aiohttp.ClientSession, model: str
) -> None:
    """Proxies in between would cut it off."""
    answer = await post(client, gateway.chat, model, stream=True)
    assert answer.body.count(COMMENT) >= 2
    assert answer.body.startswith(COMMENT)
    assert answer.done
    assert answer.text() == "One two three"


async def test_a_busy_stream_has_no_comments(
    gateway: Gateway, client: aiohttp.ClientSession
) -> None:
    answer = await post(client, gateway.chat, "paced-50-15", stream=True)
    assert answer.done
    assert COMMENT not in answer.body


async def test_an_answer_that_is_not_streamed_has_no_comments(
    gateway: Gateway, client: aiohttp.ClientSession
) -> None:
    answer = await post(client, gateway.chat, "slow-json-500")
    assert answer.json()["choices"][0]["message"]["content"] == "One two three"


async def test_after_a_comment_a_failure_is_an_event(
    gateway: Gateway, client: aiohttp.ClientSession
) -> None:
    """The status is out by then."""
    answer = await post(client, gateway.chat, "hasty:hang-token", stream=True)
    assert answer.status == 200
    assert answer.body.startswith(COMMENT)
    assert answer.chunks()[-1]["error"]["code"] == "provider_timeout"
    assert "[DONE]" not in answer.data()


def test_the_client_does_not_mind_comments(gateway: Gateway) -> None:
    with openai.OpenAI(base_url=gateway.v1, api_key="-", max_retries=0) as sdk:
        chunks = list(
            sdk.chat.completions.create(model="slow-token-500", messages=HELLO, stream=True)
        )
        assert "".join(chunk.choices[0].delta.content or "" for chunk in chunks) == "One two three"
        stream = sdk.chat.completions.create(model="hasty:hang-token", messages=HELLO, stream=True)
        with pytest.raises(openai.APIError, match="began no answer"):
            list(stream)


@pytest.mark.skipif(sys.platform != "linux", reason="it reads /proc")
async def test_clients_that_do_not_read_cost_little_and_are_cut_off(
    gateway: Gateway, client: aiohttp.ClientSession, upstream: Upstream
) -> None:
    """Each is sent some 20 MB; its upstream has to wait, and others are served meanwhile.

    What it cost stays visible afterwards, as freed memory is kept for later.
    """
    crowd = 20
    before = gateway.resident()
    body = {"model": UNREAD, "stream": True, "messages": HELLO}
    async with aiohttp.ClientSession(read_bufsize=2**12) as session:
        requests = [session.post(gateway.chat, json=body) for _ in range(crowd)]
        responses = await asyncio.gather(*requests)
        assert {response.status for response in responses} == {200}
        answers = await asyncio.gather(
            *(post(client, gateway.chat, "words-5", stream=True) for _ in range(20))
        )
        assert all(answer.done for answer in answers)
        await until(lambda: all(one["closed_at"] for one in upstream.fetch_records(UNREAD)))
        for response in responses:
            response.close()
    assert gateway.resident() - before < crowd * 2**20
    gateway.log.wait("read nothing for 1 s: cut off", crowd)
