"""The limits of a key, and of the whole gateway, as clients meet them."""

from __future__ import annotations

import asyncio
import time
from typing import Any

import aiohttp
import openai
import pytest

from tests.conftest import Upstream
from tests.e2e.gateway import Gateway, Start
from tests.e2e.test_reloading import reload
from tests.e2e.waiting import until
from tests.e2e.wire import post

HELLO: Any = [{"role": "user", "content": "Hello"}]
SETTINGS = """
[server]
{server}

[routing]
provider = "work"
detect_local = false

[providers.work]
type = "openai-compatible"
base_url = "{base_url}"
models = ["echo"]

[keys.alice]
key = "alice-key"
{limits}

[keys.bob]
key = "bob-key"
"""


def settings(upstream: Upstream, limits: str = "", server: str = "") -> str:
    """A settings file."""
    return SETTINGS.format(base_url=upstream.base_url, limits=limits, server=server)


class Wire:
    """What OpenAI's client sends and gets, and when."""

    def __init__(self, gateway: Gateway, key: str = "alice-key", **options: Any) -> None:
        self.sent: list[float] = []
        self.answers: list[tuple[float, Any]] = []
        hooks: Any = {"request": [self._request], "response": [self._response]}
        self.http = openai.DefaultHttpxClient(event_hooks=hooks)
        self.sdk = openai.OpenAI(
            base_url=gateway.v1, api_key=key, http_client=self.http, timeout=20, **options
        )

    def ask(self, model: str = "echo", **fields: Any) -> Any:
        """One chat."""
        return self.sdk.chat.completions.create(model=model, messages=HELLO, **fields)

    def _request(self, _: object) -> None:
        self.sent.append(time.monotonic())

    def _response(self, response: Any) -> None:
        self.answers.append((time.monotonic(), response))


def test_who_is_over_his_limit_is_told_when_to_come_again(start: Start, upstream: Upstream) -> None:
    wire = Wire(start(settings(upstream, "requests_per_minute = 2")), max_retries=0)
    for _ in range(2):
        assert wire.ask().choices[0].message.content == "Hello"
    with pytest.raises(openai.RateLimitError, match="'alice' may use 2 requests") as caught:
        wire.ask()
    assert caught.value.code == "rate_limit_exceeded"
    headers = caught.value.response.headers
    assert headers["x-ratelimit-limit-requests"] == "2"
    assert headers["x-ratelimit-remaining-requests"] == "0"
    assert 20 <= int(headers["retry-after"]) <= 30
    assert len(upstream.fetch_records("echo")) == 2
    wire.http.close()


def test_openais_client_waits_as_long_as_it_is_told(start: Start, upstream: Upstream) -> None:
    """And then it is let in: the time is exact."""
    wire = Wire(start(settings(upstream, "tokens_per_minute = 1200")), max_retries=2)
    wire.ask("words-1215", max_tokens=1190)
    answer = wire.ask("echo", max_tokens=20)
    assert answer.choices[0].message.content == "Hello"
    assert [answer.status_code for _, answer in wire.answers] == [200, 429, 200]
    (_, _), (told_at, refused), (_, _) = wire.answers
    wait = int(refused.headers["retry-after-ms"]) / 1000
    assert 0.2 < wait < 3
    assert wire.sent[2] - told_at >= wait
    assert "1200 tokens in a minute" in refused.read().decode()
    wire.http.close()


def test_openais_client_does_not_try_what_can_never_be(start: Start, upstream: Upstream) -> None:
    wire = Wire(start(settings(upstream, "tokens_per_minute = 100")), max_retries=2)
    with pytest.raises(openai.RateLimitError, match="too large for key 'alice'"):
        wire.ask(max_tokens=101)
    assert len(wire.sent) == 1
    wire.http.close()


def test_what_one_key_uses_leaves_the_others_alone(start: Start, upstream: Upstream) -> None:
    gateway = start(settings(upstream, "requests_per_minute = 1"))
    alice, bob = Wire(gateway, max_retries=0), Wire(gateway, "bob-key", max_retries=0)
    alice.ask()
    with pytest.raises(openai.RateLimitError):
        alice.ask()
    for _ in range(3):
        assert bob.ask().choices[0].message.content == "Hello"
    assert not [name for _, one in bob.answers for name in one.headers if "ratelimit" in name]
    alice.http.close()
    bob.http.close()


async def left(client: aiohttp.ClientSession, gateway: Gateway, what: str = "tokens") -> int:
    """How much of Alice's limit is left."""
    headers = {"x-api-key": "alice-key"}
    async with client.get(f"{gateway.v1}/models", headers=headers) as response:
        return int(response.headers[f"x-ratelimit-remaining-{what}"])


async def test_a_stream_that_is_left_gives_back_what_it_did_not_use(
    start: Start, upstream: Upstream, client: aiohttp.ClientSession
) -> None:
    """By itself it would be 50 tokens in three seconds."""
    gateway = start(settings(upstream, "tokens_per_minute = 1000"))
    body = {"model": "paced-20-500", "messages": HELLO, "stream": True, "max_tokens": 900}
    headers = {"x-api-key": "alice-key"}
    async with client.post(gateway.chat, json=body, headers=headers) as response:
        assert int(response.headers["x-ratelimit-remaining-tokens"]) < 100
        await response.content.readuntil(b" w3")
        refused = await post(client, gateway.chat, "echo", key="alice-key", max_tokens=800)
        assert refused.status == 429
        response.close()
    async with asyncio.timeout(3):
        while await left(client, gateway) < 800:  # noqa: ASYNC110
            await asyncio.sleep(0.01)
    assert (await post(client, gateway.chat, "echo", key="alice-key", max_tokens=700)).status == 200


async def test_limits_change_while_requests_run(
    start: Start, upstream: Upstream, client: aiohttp.ClientSession
) -> None:
    """What was used stays used."""
    gateway = start(settings(upstream, "requests_per_minute = 2"))

    async def ask() -> int:
        return (await post(client, gateway.chat, "echo", key="alice-key")).status

    async with asyncio.TaskGroup() as group:
        stream = group.create_task(
            post(client, gateway.chat, "paced-50-60", key="alice-key", stream=True)
        )
        await until(lambda: bool(upstream.fetch_records()))
        assert [await ask(), await ask()] == [200, 429]
        more = settings(upstream, "requests_per_minute = 3")
        await asyncio.to_thread(reload, gateway, more, "settings reloaded")
        assert [await ask(), await ask()] == [200, 429]
        assert not stream.done()
        unlimited = settings(upstream)
        await asyncio.to_thread(reload, gateway, unlimited, "settings reloaded", 2)
        assert [await ask() for _ in range(5)] == [200] * 5
    assert stream.result().done
    assert stream.result().headers["x-ratelimit-limit-requests"] == "2"


async def test_too_many_at_one_time_are_told_to_come_again(
    start: Start, upstream: Upstream, client: aiohttp.ClientSession
) -> None:
    """OpenAI's client does, and is answered then."""
    gateway = start(settings(upstream, server="max_requests = 1\nqueue = 0"))
    async with asyncio.TaskGroup() as group:
        stream = group.create_task(
            post(client, gateway.chat, "paced-20-80", key="bob-key", stream=True)
        )
        await until(lambda: bool(upstream.fetch_records("paced-20-80")))
        refused = await post(client, gateway.chat, "echo", key="bob-key")
        assert refused.status == 503
        assert refused.error()["code"] == "overloaded"
        assert 1 <= int(refused.headers["retry-after"]) <= 2
        async with client.get(f"{gateway.url}/readyz") as ready:
            assert ready.status == 200
        wire = Wire(gateway, "bob-key", max_retries=3)
        answer = await asyncio.to_thread(wire.ask)
        assert answer.choices[0].message.content == "Hello"
        assert [one.status_code for _, one in wire.answers][-1] == 200
        wire.http.close()
    assert stream.result().done
