"""What is kept outlives the process that kept it."""

from __future__ import annotations

import signal
import stat
from pathlib import Path

import aiohttp

from g4f_aio.storage.address import FILE
from tests.conftest import Upstream
from tests.e2e.gateway import Gateway, Start
from tests.e2e.wire import post

SETTINGS = """
[routing]
detect_local = false

[providers.work]
type = "openai-compatible"
base_url = "{base_url}"
"""


async def ask(client: aiohttp.ClientSession, gateway: Gateway, **fields: object) -> str:
    url = f"{gateway.v1}/responses"
    body = {"model": "work:echo", "input": "Hello", **fields}
    async with client.post(url, json=body) as response:
        assert response.status == 200, await response.text()
        found: str = (await response.json())["id"]
        return found


async def test_a_restart_forgets_nothing(
    start: Start, client: aiohttp.ClientSession, upstream: Upstream, tmp_path: Path
) -> None:
    settings = SETTINGS.format(base_url=upstream.base_url)
    first = start(settings)
    assert (await post(client, first.chat, "work:echo", "Hello")).status == 200
    assert not (tmp_path / FILE).exists()  # nobody needed it
    answer = await post(client, first.chat, "work:echo", "One", conversation_id="c1")
    assert answer.status == 200
    name = await ask(client, first)
    assert stat.S_IMODE((tmp_path / FILE).stat().st_mode) == 0o600
    first.signal(signal.SIGTERM)
    assert first.end() == 0
    assert not (tmp_path / f"{FILE}-wal").exists()

    second = start(settings)
    async with client.get(f"{second.v1}/responses/{name}") as response:
        assert response.status == 200
    await ask(client, second, previous_response_id=name)
    await post(client, second.chat, "work:echo", "Two", conversation_id="c1")
    said = (await upstream.records("echo"))[-1]["body"]["messages"]
    assert [message["role"] for message in said] == ["user", "assistant", "user"]
    async with client.delete(f"{second.v1}/conversations/c1") as response:
        assert response.status == 200


async def test_a_database_that_is_not_there_is_told_at_once_and_chats_go_on(
    start: Start, client: aiohttp.ClientSession, upstream: Upstream
) -> None:
    database = '\n[storage]\ndatabase = "postgresql://me:secret-5310@127.0.0.1:9/name"\n'
    gateway = start(SETTINGS.format(base_url=upstream.base_url) + database)
    assert "PostgreSQL at 127.0.0.1:9" in gateway.log.wait("cannot open the database")
    assert (await post(client, gateway.chat, "work:echo", "Hello")).status == 200
    refused = await post(client, gateway.chat, "work:echo", "One", conversation_id="c1")
    assert (refused.status, refused.error()["code"]) == (503, "storage_unavailable")
    async with client.post(
        f"{gateway.v1}/responses", json={"model": "work:echo", "input": "Hi", "store": False}
    ) as response:
        assert response.status == 200
    assert len(await upstream.records("echo")) == 2
    assert "secret-5310" not in gateway.log.text
