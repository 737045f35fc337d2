"""A chain with conditions: away from a provider that fails, and back; and what would be asked."""

from __future__ import annotations

import signal
from pathlib import Path
from typing import Any

import aiohttp
import pytest

from tests.conftest import Upstream
from tests.e2e.gateway import Gateway, Start, run
from tests.e2e.wire import Answer, post

SETTINGS = """
[routing]
detect_local = false

[providers.first]
type = "openai-compatible"
base_url = "{base_url}"
models = ["once-500@routing"]

[providers.second]
type = "openai-compatible"
base_url = "{base_url}"
models = ["words-2"]

[models.best]
providers = [
  {{ provider = "first", model = "once-500@routing", when = "{when}" }},
  {{ provider = "second", model = "words-2" }},
]

[models.strict]
providers = [{{ provider = "second", model = "words-2", when = "calls >= 1000" }}]
"""
WHEN = "error_rate < 40%"


def settings(upstream: Upstream, when: str = WHEN) -> str:
    """A settings file with this condition on its first link."""
    return SETTINGS.format(base_url=upstream.base_url, when=when)


@pytest.fixture
def gateway(start: Start, upstream: Upstream) -> Gateway:
    """A gateway whose first provider fails the first time that it is asked."""
    return start(settings(upstream))


async def route(client: aiohttp.ClientSession, gateway: Gateway, model: str) -> dict[str, Any]:
    """What would become of a request."""
    body = {"model": model, "messages": [{"role": "user", "content": "Hello"}]}
    async with client.post(f"{gateway.v1}/route", json=body) as response:
        assert response.status == 200
        found: dict[str, Any] = await response.json()
        return found


def order(found: dict[str, Any]) -> list[tuple[str, str]]:
    """Who is asked when."""
    return [(one["provider"], one["asked"]) for one in found["candidates"]]


def asked(answer: Answer) -> list[str]:
    """The providers that were asked, in order."""
    return [one.split("/")[0].strip(' "') for one in answer.headers["x-attempts"].split(",")]


async def test_a_chain_turns_away_from_a_provider_that_fails_and_comes_back(
    gateway: Gateway, client: aiohttp.ClientSession
) -> None:
    assert order(await route(client, gateway, "best")) == [("first", "first"), ("second", "then")]

    failed = await post(client, gateway.chat, "best")
    assert (failed.status, asked(failed)) == (200, ["first", "second"])

    assert order(await route(client, gateway, "best")) == [
        ("second", "first"),
        ("first", "left_out"),
    ]
    avoided = await post(client, gateway.chat, "best")
    assert (avoided.status, asked(avoided)) == (200, ["second"])

    for _ in range(2):  # who names a provider gets it, condition or not
        named = await post(client, gateway.chat, "once-500@routing", provider="first")
        assert named.json()["provider"] == "first"

    assert order(await route(client, gateway, "best")) == [("first", "first"), ("second", "then")]
    back = await post(client, gateway.chat, "best")
    assert (back.status, asked(back)) == (200, ["first"])


async def test_what_is_explained_is_what_was_measured(
    gateway: Gateway, client: aiohttp.ClientSession
) -> None:
    await post(client, gateway.chat, "best", stream=True)
    found = await route(client, gateway, "best")
    second, first = found["candidates"]
    assert first["why"] == f"first is asked only when {WHEN} (error_rate is 1)"
    assert first["condition"] == {"when": WHEN, "values": {"error_rate": 1.0}}
    assert (first["health"]["state"], second["health"]["state"]) == ("failing", "ok")
    assert second["health"]["ttft_ms"] >= 0


async def test_to_ask_what_would_be_asked_asks_nobody(
    gateway: Gateway, client: aiohttp.ClientSession, upstream: Upstream
) -> None:
    await route(client, gateway, "best")
    assert await upstream.records() == []


async def test_where_no_condition_holds_the_answer_names_them(
    gateway: Gateway, client: aiohttp.ClientSession
) -> None:
    answer = await post(client, gateway.chat, "strict")
    assert (answer.status, answer.error()["code"]) == (503, "no_provider_available")
    assert "second is asked only when calls >= 1000 (calls is 0)" in answer.error()["message"]
    assert (await route(client, gateway, "strict"))["error"]["message"] == answer.error()["message"]


async def test_a_new_condition_is_in_force_after_a_reload_and_a_wrong_one_is_not(
    gateway: Gateway, client: aiohttp.ClientSession, upstream: Upstream
) -> None:
    gateway.config.write_text(settings(upstream, "calls > 0"), "utf-8")
    gateway.signal(signal.SIGHUP)
    gateway.log.wait("settings reloaded")
    assert asked(await post(client, gateway.chat, "best")) == ["second"]
    gateway.config.write_text(settings(upstream, "call > 0"), "utf-8")
    gateway.signal(signal.SIGHUP)
    line = gateway.log.wait("models.best.providers[0].when")
    assert "no name 'call' at character 1; did you mean calls?" in line
    assert asked(await post(client, gateway.chat, "best")) == ["second"]


def test_a_condition_that_is_none_is_a_mistake_in_the_settings(
    tmp_path: Path, upstream: Upstream
) -> None:
    (tmp_path / "gateway.toml").write_text(settings(upstream, "ttft < 3 seconds"), "utf-8")
    done = run(tmp_path)
    assert done.returncode == 78
    assert "models.best.providers[0].when: expected 'and', 'or' or the end" in done.stderr
    assert "'seconds' at character 10" in done.stderr
