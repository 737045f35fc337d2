"""Somebody else's provider that blocks the event loop, or leaves tasks behind, or floods."""

from __future__ import annotations

import asyncio
import signal
from collections.abc import Iterator
from pathlib import Path

import aiohttp
import pytest

from tests.e2e.gateway import Gateway, running
from tests.e2e.wire import post
from tests.gateway.zoo import distribute

SETTINGS = """
[routing]
detect_local = false

[providers.sleeps]
models = ["0", "0.6"]

[providers.again]
type = "sleeps"
models = ["0", "0.6"]

[providers.leaks]
models = ["1", "3"]

[providers.floods]
models = ["lots"]
"""
SAID = "provider sleeps blocked the event loop for 0."


@pytest.fixture
def gateway(tmp_path: Path) -> Iterator[Gateway]:
    """A gateway with plug-ins that harm others."""
    distribute(tmp_path / "installed")
    environ = {"PYTHONPATH": str(tmp_path / "installed")}
    with running(tmp_path, SETTINGS, environ=environ) as gateway:
        yield gateway


async def test_who_blocks_is_named_and_others_are_served(
    gateway: Gateway, client: aiohttp.ClientSession
) -> None:
    answers = await asyncio.gather(
        *(post(client, gateway.chat, "sleeps:0.6") for _ in range(2)),
        *(post(client, gateway.chat, "OfflineAssistant:offline-assistant") for _ in range(10)),
    )
    assert {answer.status for answer in answers} == {200}
    said = await asyncio.to_thread(gateway.log.wait, SAID)
    assert "zoo.py:" in said
    assert " in slow" in said
    assert "sk-local-4711" not in gateway.log.text


async def test_who_blocks_three_times_is_not_asked_any_more_until_a_reload(
    gateway: Gateway, client: aiohttp.ClientSession
) -> None:
    for _ in range(3):
        assert (await post(client, gateway.chat, "sleeps:0.6")).status == 200
    await asyncio.to_thread(gateway.log.wait, "provider sleeps is not used for 10 minutes")
    answer = await post(client, gateway.chat, "sleeps:0")
    assert answer.status == 503
    assert "sleeps blocked the event loop 3 times" in answer.error()["message"]
    assert (await post(client, gateway.chat, "again:0")).status == 200
    gateway.signal(signal.SIGHUP)
    await asyncio.to_thread(gateway.log.wait, "settings reloaded")
    assert (await post(client, gateway.chat, "sleeps:0")).status == 200


async def test_tasks_that_are_left_are_cancelled_and_told_of(
    gateway: Gateway, client: aiohttp.ClientSession
) -> None:
    assert (await post(client, gateway.chat, "leaks:3", stream=True)).done
    said = await asyncio.to_thread(gateway.log.wait, "provider leaks left tasks running")
    assert "(endless); they are cancelled. So far it left 3" in said


async def test_a_flood_ends(gateway: Gateway, client: aiohttp.ClientSession) -> None:
    answer = await post(client, gateway.chat, "floods:lots")
    assert answer.status == 502
    assert "floods sent more than" in answer.error()["message"]
