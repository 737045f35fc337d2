"""The application as a whole: how it is put together, reloaded and taken apart."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import attrs
import pytest
from aiohttp import web
from aiohttp.test_utils import TestClient, TestServer

from g4f_aio import app as app_module
from g4f_aio.app import build_registry, create_app, reload_app
from g4f_aio.core.events import Finish, TextDelta
from g4f_aio.gateway.gateway import Gateway
from g4f_aio.gateway.registry import Registry
from g4f_aio.keys import CURRENT, GATEWAY
from g4f_aio.providers.openai_compatible import OpenAICompatible
from g4f_aio.settings import ProviderSettings, ServerSettings, Settings, SettingsError
from tests.conftest import Upstream
from tests.server.conftest import QUIET, Start, starting
from tests.server.fakes import HELLO, STREAM, Record, Script, Server, entry


@pytest.fixture
async def start() -> AsyncIterator[Start]:
    """Start servers for one test."""
    async with starting() as begin:
        yield begin


async def listed(server: Server, model: str) -> bool:
    """Whether a model comes to be listed in time."""
    for _ in range(200):
        if model.encode() in (await server.get("/v1/models")).body:
            return True
        await asyncio.sleep(0.01)
    return False


def with_server(settings: Settings, **server: Any) -> Settings:
    """The same settings, but for these of ``[server]``."""
    return attrs.evolve(settings, server=attrs.evolve(settings.server, **server))


@pytest.fixture
def settings_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Settings of a file and of the environment."""
    file = tmp_path / "gateway.toml"
    file.write_text("[server]\nmax_body = 4711\n[routing]\ndetect_local = false\n", "utf-8")
    monkeypatch.setenv("G4F_CONFIG", str(file))
    monkeypatch.setenv("G4F_API_KEY", "your-secret-key")


@pytest.mark.usefixtures("settings_file")
async def test_without_arguments_it_goes_by_the_environment_and_the_settings_file() -> None:
    app = await asyncio.to_thread(create_app)
    assert app[CURRENT].settings.server.max_body == 4711
    async with TestClient(TestServer(app)) as client:
        assert (await client.get("/v1/models")).status == 401
        answer = await client.get("/v1/models", headers={"x-api-key": "your-secret-key"})
        ids = [one["id"] for one in (await answer.json())["data"]]
        assert "OfflineAssistant" in ids


async def test_wrong_settings_are_said_before_it_starts() -> None:
    table = ProviderSettings(type="openai-compatibel")
    with pytest.raises(SettingsError, match="did you mean 'openai-compatible'"):
        await asyncio.to_thread(create_app, attrs.evolve(QUIET, providers={"work": table}))


def test_a_registry_has_every_installed_provider() -> None:
    assert {"OpenAI", "Ollama", "OfflineAssistant"} <= set(build_registry(QUIET).names())


async def test_it_can_be_a_part_of_another_application() -> None:
    """A program that embeds it decides on the address."""
    outer = web.Application()
    outer.add_subapp("/gateway", create_app(QUIET, Registry.of(entry(Script()))))
    async with TestClient(TestServer(outer)) as client:
        assert (await client.get("/gateway/livez")).status == 200
        answer = await client.post("/gateway/v1/chat/completions", json=HELLO)
        assert answer.status == 200


async def test_a_reload_replaces_key_providers_and_limits(start: Start) -> None:
    server = await start(api_key="old-key")
    new = with_server(QUIET, api_key="new-key")
    reload_app(server.app, new, Registry.of(entry(Script(), "other"), settings=new))
    assert (await server.get("/v1/models", **{"x-api-key": "old-key"})).status == 401
    listed = (await server.get("/v1/providers", **{"x-api-key": "new-key"})).json()["data"]
    assert [one["id"] for one in listed] == ["other"]
    assert server.app[CURRENT].settings is new


async def test_a_request_in_flight_is_not_disturbed_by_a_reload(start: Start) -> None:
    record = Record()
    steps = (TextDelta("One"), 0.2, TextDelta(" two"), Finish())
    server = await start(entry(Script(steps=steps, record=record)))
    async with asyncio.TaskGroup() as group:
        asking = group.create_task(server.chat(STREAM))
        await record.begun.wait()
        reload_app(server.app, QUIET, Registry.of(entry(None, error="gone"), settings=QUIET))
        assert (await server.chat()).status == 503
    assert asking.result().done
    assert asking.result().text() == "One two"


async def test_upstreams_are_asked_for_their_models_without_delaying_the_start(
    start: Start, upstream: Upstream
) -> None:
    work = entry(OpenAICompatible(base_url=upstream.base_url), "work")
    hangs = entry(OpenAICompatible(base_url=upstream.full), "hangs")
    async with asyncio.timeout(5):
        server = await start(work, hangs)
    assert await listed(server, "gpt-4o-mini")


async def test_after_a_reload_they_are_asked_at_once(start: Start, upstream: Upstream) -> None:
    """And local servers are looked for: what was found belongs to the old settings."""
    server = await start()
    work = entry(OpenAICompatible(base_url=upstream.base_url), "work")
    await asyncio.sleep(0.05)
    reload_app(server.app, QUIET, Registry.of(work, settings=QUIET))
    assert await listed(server, "gpt-4o-mini")


@pytest.mark.parametrize("wanted", [True, False])
async def test_local_servers_are_looked_for_again_and_again_if_they_are_wanted(
    start: Start,
    monkeypatch: pytest.MonkeyPatch,
    wanted: bool,  # noqa: FBT001
) -> None:
    looks = []

    async def look(self: Gateway, *_: object) -> None:
        looks.append(self)

    monkeypatch.setattr(Gateway, "detect", look)
    monkeypatch.setattr(app_module, "REFRESH", 0.02)
    routing = attrs.evolve(QUIET.routing, detect_local=wanted)
    await start(settings=attrs.evolve(QUIET, routing=routing))
    await asyncio.sleep(0.2)
    assert (len(looks) > 2) is wanted


async def test_a_look_that_fails_is_logged_and_the_next_one_follows(
    start: Start, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    looks = []

    async def look(self: Gateway, *_: object) -> None:
        looks.append(self)
        raise ZeroDivisionError("in the look")

    monkeypatch.setattr(Gateway, "detect", look)
    monkeypatch.setattr(app_module, "REFRESH", 0.02)
    server = await start(settings=Settings())
    await asyncio.sleep(0.1)
    assert len(looks) > 1
    assert "in the look" in caplog.text
    assert (await server.get("/livez")).status == 200


async def test_it_leaves_nothing_behind(upstream: Upstream) -> None:
    """Neither tasks nor connections."""
    before = asyncio.all_tasks()
    work = entry(OpenAICompatible(base_url=upstream.base_url), "work")
    app = create_app(QUIET, Registry.of(work))
    runner = web.AppRunner(app, handler_cancellation=True)
    await runner.setup()
    assert len(asyncio.all_tasks()) > len(before)
    assert GATEWAY in app
    await runner.cleanup()
    await asyncio.sleep(0.05)
    assert asyncio.all_tasks() == before


def test_a_server_for_everybody_is_made_as_any_other() -> None:
    """Whether it may listen is asked where it does."""
    settings = attrs.evolve(QUIET, server=ServerSettings(host="::"))
    assert create_app(settings, Registry.of(entry(Script())))[CURRENT].settings is settings
