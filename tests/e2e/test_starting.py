"""The first second of the gateway, and when there is none."""

from __future__ import annotations

import json
import re
import socket
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import aiohttp
import pytest

from tests.conftest import Upstream
from tests.e2e.gateway import COMMAND, Start, run
from tests.e2e.waiting import until
from tests.e2e.wire import post

#: a sitecustomize that writes down whom a process wants to reach; it hears of all that goes through
#: Python's own sockets, so the loop has to be asyncio's
EAVESDROPPER = """
import os, sys

def hear(event, arguments):
    if event in ("socket.connect", "socket.getaddrinfo", "socket.sendto", "socket.gethostbyname"):
        who = arguments[0] if event.startswith("socket.get") else arguments[1]
        with open(os.environ["HEARD"], "a") as heard:
            print(event, who, file=heard)

sys.addaudithook(hear)
"""
NO_UVLOOP = "raise ImportError('there is no uvloop here')\n"


def stubs(directory: Path, **modules: str) -> dict[str, str]:
    """An environment with modules of our own in front of the installed ones."""
    site = directory / "site"
    site.mkdir()
    for name, text in modules.items():
        (site / f"{name}.py").write_text(text, "utf-8")
    return {"PYTHONPATH": str(site)}


def test_an_open_address_needs_a_key(tmp_path: Path) -> None:
    done = run(tmp_path, "--host", "0.0.0.0", "--port", "0", command=COMMAND)  # noqa: S104
    assert done.returncode == 78
    assert "--g4f-api-key" in done.stderr
    assert "--insecure-no-auth" in done.stderr
    assert "Traceback" not in done.stderr


async def test_an_open_address_with_a_key(start: Start, client: aiohttp.ClientSession) -> None:
    gateway = start("", "--host", "0.0.0.0", environ={"G4F_API_KEY": "k-1234"})  # noqa: S104
    assert "0.0.0.0" in gateway.log.text  # noqa: S104
    async with client.get(f"{gateway.url}/v1/models") as response:
        assert response.status == 401
    async with client.get(f"{gateway.url}/v1/models", headers={"api-key": "k-1234"}) as response:
        assert response.status == 200


async def test_an_open_address_for_everybody(start: Start, client: aiohttp.ClientSession) -> None:
    gateway = start("", "--host", "0.0.0.0", "--insecure-no-auth")  # noqa: S104
    async with client.get(f"{gateway.url}/v1/models", headers={"Host": "any.where"}) as response:
        assert response.status == 200


@pytest.mark.parametrize(
    ("settings", "hint"),
    [
        ("[server]\nprot = 1\n", "server.prot: unknown setting; did you mean server.port?"),
        ("[sever]\nport = 1\n", "did you mean server?"),
        ('[server]\nport = "1"\n', "server.port"),
        ('[providers.gorq]\napi_key = "k"\n', "did you mean 'Groq'?"),
        ('[providers.Groq]\napi_kye = "sk-secret"\n', "did you mean providers.Groq.api_key?"),
        ("[server\n", "gateway.toml"),
    ],
)
def test_a_mistake_in_the_settings_is_named(tmp_path: Path, settings: str, hint: str) -> None:
    (tmp_path / "gateway.toml").write_text(settings, "utf-8")
    done = run(tmp_path, "--port", "0")
    assert done.returncode == 78, done.stderr
    assert hint in done.stderr
    assert "sk-secret" not in done.stderr
    assert "Traceback" not in done.stderr


def test_all_mistakes_are_named_at_once(tmp_path: Path) -> None:
    (tmp_path / "gateway.toml").write_text("[server]\nprot = 1\ndrain = -1\n", "utf-8")
    done = run(tmp_path, "--port", "99999999", environ={"G4F_TIMEOUT": "soon"})
    assert done.returncode == 78
    for name in ("server.prot", "server.drain", "server.port", "upstream.timeout"):
        assert name in done.stderr


def test_a_port_that_is_taken(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        done = run(tmp_path, "--port", str(port))
    assert done.returncode == 1
    assert f"cannot listen on 127.0.0.1 port {port}: " in done.stderr
    assert "in use" in done.stderr
    assert "Traceback" not in done.stderr


def test_an_address_of_another_machine(tmp_path: Path) -> None:
    done = run(tmp_path, "--host", "192.0.2.1", "--port", "0", "--g4f-api-key", "k-1234")
    assert done.returncode == 1
    assert "cannot listen on 192.0.2.1" in done.stderr
    assert "Traceback" not in done.stderr


async def test_it_starts_with_nothing_at_all(start: Start, client: aiohttp.ClientSession) -> None:
    """No file, no key, no network; and it says what it is."""
    gateway = start(command=COMMAND)
    answer = await post(client, gateway.chat, "", "How do I add a provider?")
    assert answer.status == 200
    assert answer.json()["provider"] == "OfflineAssistant"
    assert "providers" in answer.json()["choices"][0]["message"]["content"]
    streamed = await post(client, gateway.chat, "", "How do I add a provider?", stream=True)
    assert streamed.done
    assert streamed.text() == answer.json()["choices"][0]["message"]["content"]


async def test_it_is_there_within_a_second_or_two(start: Start) -> None:
    """Half a second is the goal. A machine that is slow or busy is so for others as well."""

    def lasts(run: Callable[[], object]) -> float:
        before = time.monotonic()
        run()
        return time.monotonic() - before

    def others() -> object:
        return subprocess.run([sys.executable, "-c", "import aiohttp"], check=True)

    for _ in range(5):
        measure = max(0.2, lasts(others))
        if lasts(lambda: start(command=COMMAND)) < 15 * measure:
            return
    pytest.fail("it takes too long")


async def test_nothing_is_fetched_from_the_network(
    start: Start, tmp_path: Path, client: aiohttp.ClientSession
) -> None:
    """By itself it only looks for model servers on this machine."""
    heard = tmp_path / "heard"
    environ = stubs(tmp_path, sitecustomize=EAVESDROPPER, uvloop=NO_UVLOOP)
    gateway = start("", environ={**environ, "HEARD": str(heard)})
    async with client.get(f"{gateway.url}/v1/providers") as response:  # imports all of them
        assert response.status == 200
    assert (await post(client, gateway.chat, "OfflineAssistant", "Hello")).status == 200
    await until(heard.exists)
    for line in heard.read_text("utf-8").splitlines():
        assert re.search(r" (\('|)(127\.0\.0\.1|::1)\b", line), line


async def test_without_that_look_nobody_is_asked_at_all(
    start: Start, tmp_path: Path, client: aiohttp.ClientSession
) -> None:
    heard = tmp_path / "heard"
    environ = stubs(tmp_path, sitecustomize=EAVESDROPPER, uvloop=NO_UVLOOP)
    gateway = start("[routing]\ndetect_local = false\n", environ={**environ, "HEARD": str(heard)})
    assert (await post(client, gateway.chat, "", "Hello")).status == 200
    async with client.get(f"{gateway.url}/v1/models") as response:
        assert response.status == 200
    assert not heard.exists() or heard.read_text("utf-8") == ""


async def test_it_works_without_uvloop(
    start: Start, tmp_path: Path, upstream: Upstream, client: aiohttp.ClientSession
) -> None:
    settings = f'[providers.work]\ntype = "openai-compatible"\nbase_url = "{upstream.base_url}"\n'
    gateway = start(settings, "--debug", environ=stubs(tmp_path, uvloop=NO_UVLOOP))
    answer = await post(client, gateway.chat, "work:words-50", stream=True)
    assert answer.done
    assert answer.text().endswith(" w49")
    assert (await post(client, gateway.chat, "work:echo")).status == 200
    assert (await post(client, gateway.chat, "work:cut-before-headers")).status == 502
    assert "Using selector" in gateway.log.text  # which asyncio says, and uvloop does not


def test_the_version(tmp_path: Path) -> None:
    done = run(tmp_path, "--version", command=COMMAND)
    assert done.returncode == 0
    assert done.stdout.startswith("g4f-aio ")


def test_the_api_is_described(tmp_path: Path) -> None:
    done = run(tmp_path, "openapi")
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout)["openapi"].startswith("3.1")
