"""SIGHUP: the settings file is read again, and no request notices."""

from __future__ import annotations

import asyncio
import signal

import aiohttp
import pytest

from tests.conftest import Upstream
from tests.e2e.gateway import Gateway, Start
from tests.e2e.waiting import until
from tests.e2e.wire import Answer, post

SETTINGS = """
[server]
api_key = "{key}"
{more}

[routing]
provider = "work"
detect_local = false

[providers.{name}]
type = "openai-compatible"
base_url = "{base_url}"
models = ["echo"]
"""
RELOADS = 200


@pytest.fixture
def gateway(start: Start, upstream: Upstream) -> Gateway:
    """A gateway that may be given other settings."""
    return start(settings(upstream))


def settings(upstream: Upstream, key: str = "first-key", more: str = "", name: str = "work") -> str:
    """A settings file."""
    return SETTINGS.format(base_url=upstream.base_url, key=key, more=more, name=name)


def reload(gateway: Gateway, text: str, line: str, count: int = 1) -> str:
    """Give it another settings file; the log line that says what came of it."""
    gateway.config.write_text(text, "utf-8")
    gateway.signal(signal.SIGHUP)
    return gateway.log.wait(line, count)


async def test_a_new_key_is_in_force(
    gateway: Gateway, upstream: Upstream, client: aiohttp.ClientSession
) -> None:
    reload(gateway, settings(upstream, "second-key"), "settings reloaded")
    assert (await post(client, gateway.chat, "echo", key="first-key")).status == 401
    assert (await post(client, gateway.chat, "echo", key="second-key")).status == 200


async def test_a_new_provider_answers(
    gateway: Gateway, upstream: Upstream, client: aiohttp.ClientSession
) -> None:
    more = f'[providers.more]\ntype = "openai-compatible"\nbase_url = "{upstream.base_url}"\n'
    reload(gateway, settings(upstream) + more, "settings reloaded")
    answer = await post(client, gateway.chat, "more:echo", key="first-key")
    assert answer.headers["x-provider"] == "more"


@pytest.mark.parametrize(
    ("wrong", "hint"),
    [
        ("[server]\nprot = 1", "server.prot: unknown setting; did you mean server.port?"),
        ("[server]\napi_key = 5", "server.api_key"),
        ("[server", "gateway.toml"),
        ('[providers.x]\ntype = "openai-compatble"', "did you mean 'openai-compatible'?"),
        (
            '[providers.x]\ntype = "openai-compatible"\nbase_ulr = "http://x"',
            "providers.x.base_ulr: unknown setting; did you mean providers.x.base_url?",
        ),
    ],
)
async def test_wrong_settings_leave_the_old_ones_in_force(
    gateway: Gateway, client: aiohttp.ClientSession, wrong: str, hint: str
) -> None:
    line = reload(gateway, wrong, "not reloaded")
    assert hint in line
    assert (await post(client, gateway.chat, "echo", key="first-key")).status == 200
    assert len(gateway.log.having("error")) == 1
    assert not gateway.log.having("settings reloaded")


async def test_a_file_that_is_gone_leaves_the_old_settings_in_force(
    start: Start, upstream: Upstream, client: aiohttp.ClientSession
) -> None:
    """Where it was named; otherwise no file is a good file, and there would be no key any more."""
    gateway = start(settings(upstream), "--config", "gateway.toml")
    gateway.config.unlink()
    gateway.signal(signal.SIGHUP)
    assert "there is no such file" in gateway.log.wait("not reloaded")
    assert (await post(client, gateway.chat, "echo")).status == 401
    assert (await post(client, gateway.chat, "echo", key="first-key")).status == 200


async def test_what_needs_a_restart_is_said(gateway: Gateway, upstream: Upstream) -> None:
    reload(gateway, settings(upstream, more="max_body = 1000\nport = 1\n"), "settings reloaded")
    warnings = gateway.log.having("changes only with a restart")
    assert [line.split()[3] for line in warnings] == ["server.max_body"]


async def test_a_stream_outlives_its_settings(
    gateway: Gateway, upstream: Upstream, client: aiohttp.ClientSession
) -> None:
    async with asyncio.TaskGroup() as group:
        task = group.create_task(
            post(client, gateway.chat, "paced-50-10", key="first-key", stream=True)
        )
        await until(lambda: bool(upstream.fetch_records()))
        text = settings(upstream, "second-key", name="other").replace('r = "work"', 'r = "other"')
        await asyncio.to_thread(reload, gateway, text, "settings reloaded")
        refused = await post(client, gateway.chat, "echo", key="first-key")
        assert refused.status == 401
        assert not task.done()
    assert task.result().done
    assert task.result().headers["x-provider"] == "work"


async def test_many_reloads_under_load_fail_no_request(
    gateway: Gateway, upstream: Upstream, client: aiohttp.ClientSession
) -> None:
    """Valid and invalid files take turns."""
    answers: list[Answer] = []
    reloading = True

    async def ask(*, stream: bool) -> None:
        while reloading:
            answers.append(
                await post(client, gateway.chat, "words-5", key="first-key", stream=stream)
            )

    def reload_often() -> None:
        for number in range(1, RELOADS // 2 + 1):
            good = settings(upstream, more=f"drain = {number}")
            reload(gateway, good, "settings reloaded", number)
            reload(gateway, "[server]\nprot = 1", "settings not reloaded", number)

    async with asyncio.TaskGroup() as group:
        for stream in (False, True, True):
            group.create_task(ask(stream=stream))
        await asyncio.to_thread(reload_often)
        reloading = False
    assert {answer.status for answer in answers} == {200}
    assert all(answer.done for answer in answers if b"data: " in answer.body)
    assert len(answers) > RELOADS
    assert len(gateway.log.having("settings reloaded")) == RELOADS // 2
    assert len(gateway.log.having("error")) == RELOADS // 2
