"""Local servers are found, and lost, without anybody's doing."""

from __future__ import annotations

import asyncio
import logging
import socket
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from typing import TYPE_CHECKING

import attrs
import pytest
from aiohttp import web

from g4f_aio.gateway.detect import WITHIN, detect
from g4f_aio.gateway.gateway import Gateway
from g4f_aio.gateway.plugins import find_plugins
from g4f_aio.gateway.registry import Entry, Registry
from g4f_aio.providers.local_servers import LocalServer
from g4f_aio.providers.pool import Pool
from g4f_aio.settings import ProviderSettings, RoutingSettings, ServerSettings, Settings
from g4f_aio.settings.secret import SecretStr

if TYPE_CHECKING:
    from tests.conftest import Fake

Serve = Callable[[Mapping[str, object]], Awaitable["Fake"]]


async def llama_cpp(_: web.Request) -> web.Response:
    """``GET /health`` of llama-server."""
    return web.json_response({"status": "ok"}, headers={"Server": "llama.cpp"})


#: what each server says of itself
MARKS: dict[str, dict[str, object]] = {
    "Ollama": {"/api/version": {"version": "0.12.6"}, "/api/tags": {"models": [{"name": "m:8b"}]}},
    "LlamaCpp": {"/health": llama_cpp, "/v1/models": {"data": [{"id": "m.gguf"}]}},
    "LMStudio": {
        "/api/v1/models": {
            "models": [{"type": "llm", "key": "m", "max_context_length": 4096}],
        }
    },
    "vLLM": {
        "/version": {"version": "0.11.0"},
        "/v1/models": {"data": [{"id": "m", "owned_by": "vllm", "max_model_len": 4096}]},
    },
    "LocalAI": {
        "/.well-known/localai.json": {"version": "v3.6.0", "endpoints": {"models": "/v1/models"}},
        "/v1/models": {"data": [{"id": "m"}]},
    },
}


def free_port() -> int:
    """A port that nobody listens on."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        port: int = server.getsockname()[1]
        return port


def nowhere() -> dict[str, str]:
    """An address for each server at which nobody answers, so that no real one is asked."""
    return {name: f"http://127.0.0.1:{free_port()}/v1" for name in MARKS}


async def registry_of(settings: Settings) -> Registry:
    """A registry of everything installed."""
    return await asyncio.to_thread(lambda: Registry(settings, find_plugins()))


@pytest.fixture
async def registry() -> Registry:
    """A registry for a machine where nothing is configured."""
    return await registry_of(Settings())


def names(entries: tuple[Entry, ...]) -> list[str]:
    """The names of entries."""
    return [entry.name for entry in entries]


def moved(entry: Entry, base_url: str) -> Entry:
    """The same provider at another address."""
    assert entry.provider is not None
    return attrs.evolve(entry, provider=attrs.evolve(entry.provider, base_url=base_url))  # type: ignore[call-arg]


async def test_on_a_machine_without_any_nothing_changes(registry: Registry, session: Pool) -> None:
    assert await detect(registry, Settings(), session, nowhere()) == ()
    assert registry.chosen == ()


@pytest.mark.parametrize("name", MARKS)
async def test_each_kind_is_found_where_it_is(
    name: str,
    registry: Registry,
    session: Pool,
    serve: Serve,
    caplog: pytest.LogCaptureFixture,
) -> None:
    caplog.set_level(logging.INFO)
    fake = await serve(MARKS[name])
    address = f"{fake.root}/v1"
    found = await detect(registry, Settings(), session, nowhere() | {name: address})
    assert names(found) == names(registry.chosen) == [name]
    assert isinstance(found[0].provider, LocalServer)
    assert found[0].provider.base_url == address
    assert f"found {name} at {address}" in caplog.text


async def test_all_of_them_on_one_port_are_told_apart(
    registry: Registry, session: Pool, serve: Serve
) -> None:
    for name, marks in MARKS.items():
        fake = await serve(marks)
        address = f"{fake.root}/v1"
        await detect(registry, Settings(), session, dict.fromkeys(MARKS, address))
        assert names(registry.chosen) == [name]
        gone = await detect(registry, Settings(), session, nowhere())
        assert names(gone) == [name]


async def test_a_look_sends_no_key_no_prompt_and_follows_no_redirect(
    registry: Registry, session: Pool, serve: Serve
) -> None:
    elsewhere = await serve(MARKS["Ollama"])

    async def redirect(request: web.Request) -> web.Response:
        raise web.HTTPFound(f"{elsewhere.root}{request.path}")

    paths = [path for marks in MARKS.values() for path in marks]
    fake = await serve(dict.fromkeys(paths, redirect))
    addresses = dict.fromkeys(MARKS, f"{fake.root}/v1")
    assert await detect(registry, Settings(), session, addresses) == ()
    assert fake.requests
    assert elsewhere.requests == []
    for request in fake.requests:
        assert request.method == "GET"
        assert not request.can_read_body
        assert "authorization" not in request.headers


async def test_one_that_is_gone_is_no_longer_chosen_and_comes_back(
    registry: Registry, session: Pool, serve: Serve
) -> None:
    marks = dict(MARKS["Ollama"])
    fake = await serve(marks)
    addresses = nowhere() | {"Ollama": f"{fake.root}/v1"}
    await detect(registry, Settings(), session, addresses)
    assert await detect(registry, Settings(), session, addresses) == ()
    del marks["/api/version"]
    lost = await detect(registry, Settings(), session, addresses)
    assert [(entry.name, entry.chosen) for entry in lost] == [("Ollama", False)]
    assert registry.chosen == ()
    marks["/api/version"] = {"version": "0.13.0"}
    assert names(await detect(registry, Settings(), session, addresses)) == ["Ollama"]


async def test_one_that_is_busy_stays_what_it_was_and_holds_nobody_up(
    registry: Registry, session: Pool, serve: Serve
) -> None:
    busy = False

    async def version(_: web.Request) -> web.Response:
        await asyncio.sleep(WITHIN * 3 if busy else 0)
        return web.json_response({"version": "0.12.6"})

    fake = await serve({"/api/version": version})
    addresses = nowhere() | {"Ollama": f"{fake.root}/v1"}
    await detect(registry, Settings(), session, addresses)
    busy = True
    begin = time.monotonic()
    assert await detect(registry, Settings(), session, addresses) == ()
    assert time.monotonic() - begin < WITHIN * 2
    assert names(registry.chosen) == ["Ollama"]


@pytest.fixture
async def gibberish() -> AsyncIterator[str]:
    """The address of a server that does not speak HTTP."""

    async def talk(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(b"220 mail.example ESMTP ready\r\n")
        await writer.drain()
        await reader.read(100)
        writer.close()

    async with await asyncio.start_server(talk, "127.0.0.1", 0) as server:
        yield f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}/v1"


async def test_what_speaks_no_http_is_none_of_them(
    registry: Registry, session: Pool, gibberish: str
) -> None:
    assert await detect(registry, Settings(), session, dict.fromkeys(MARKS, gibberish)) == ()


@pytest.mark.parametrize(
    "settings",
    [
        Settings(providers={"Ollama": ProviderSettings("Ollama", enabled=False)}),
        Settings(routing=RoutingSettings(ignored_providers=("ollama",))),
        Settings(disabled_plugins=("Ollama",)),
    ],
    ids=["switched off", "ignored", "disabled"],
)
async def test_what_the_settings_do_not_want_is_not_looked_for(
    settings: Settings, session: Pool, serve: Serve
) -> None:
    fake = await serve(MARKS["Ollama"])
    registry = await registry_of(settings)
    addresses = nowhere() | {"Ollama": f"{fake.root}/v1"}
    assert await detect(registry, settings, session, addresses) == ()
    assert fake.requests == []


async def test_a_broken_plugin_finds_nothing(
    registry: Registry, session: Pool, serve: Serve
) -> None:
    fake = await serve(MARKS["Ollama"])
    broken = Entry("Ollama", "Ollama", "g4f_aio", "1", ProviderSettings("Ollama"), error="broken")
    registry.add(broken)
    addresses = nowhere() | {"Ollama": f"{fake.root}/v1"}
    assert await detect(registry, Settings(), session, addresses) == ()
    assert registry.get("Ollama") is broken


@pytest.mark.parametrize("host", ["127.0.0.1", "localhost", "[::1]"])
async def test_a_server_that_is_configured_is_not_found_a_second_time(
    host: str, session: Pool, serve: Serve
) -> None:
    fake = await serve(MARKS["vLLM"])
    address = f"{fake.root}/v1"
    options = {"base_url": address.replace("127.0.0.1", host)}
    table = ProviderSettings("openai-compatible", options=options)
    settings = Settings(providers={"work": table})
    registry = await registry_of(settings)
    assert await detect(registry, settings, session, nowhere() | {"vLLM": address}) == ()
    assert fake.requests == []
    assert names(registry.chosen) == ["work"]


async def test_one_that_is_chosen_by_its_key_is_left_alone(session: Pool) -> None:
    settings = Settings(environment_keys={"OLLAMA_API_KEY": SecretStr("k")})
    registry = await registry_of(settings)
    assert await detect(registry, settings, session, nowhere()) == ()
    assert names(registry.chosen) == ["Ollama"]


async def test_this_program_does_not_look_at_itself(
    registry: Registry, session: Pool, serve: Serve
) -> None:
    fake = await serve(MARKS["LocalAI"])
    port = int(fake.root.rpartition(":")[2])
    settings = Settings(server=ServerSettings(port=port))
    await detect(registry, settings, session, nowhere() | {"LocalAI": f"{fake.root}/v1"})
    assert fake.requests == []


async def test_those_of_the_settings_stay_before_those_that_are_found(
    session: Pool, serve: Serve
) -> None:
    options = {"base_url": "http://192.0.2.1/v1"}
    settings = Settings(providers={"work": ProviderSettings("openai-compatible", options=options)})
    registry = await registry_of(settings)
    fake = await serve(MARKS["Ollama"])
    await detect(registry, settings, session, nowhere() | {"Ollama": f"{fake.root}/v1"})
    assert names(registry.chosen) == ["work", "Ollama"]


async def test_the_gateway_knows_the_models_of_a_server_as_soon_as_it_is_found(
    registry: Registry, session: Pool, serve: Serve
) -> None:
    gateway = Gateway(Settings(), registry, session)
    ollama = registry.get("Ollama")
    assert ollama is not None
    # asked in vain before: that must not stand in the way
    await gateway.now.catalog.refresh(
        moved(ollama, f"http://127.0.0.1:{free_port()}/v1"), force=True
    )
    fake = await serve(MARKS["Ollama"])
    await gateway.detect(nowhere() | {"Ollama": f"{fake.root}/v1"})
    (found,) = registry.chosen
    assert [model.id for model in gateway.now.catalog.models_of(found)] == ["m:8b"]
