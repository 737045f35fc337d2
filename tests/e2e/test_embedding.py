"""The server inside another program: the documented lines, and ``create_app`` in a loop of theirs."""

from __future__ import annotations

import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path

import aiohttp
import pytest

from tests.conftest import Upstream
from tests.e2e.gateway import PATIENCE, Gateway, running, surroundings
from tests.e2e.wire import post

SETTINGS = """
[routing]
detect_local = false

[providers.Copilot]
type = "openai-compatible"
base_url = "{base_url}"
"""
#: as in the public documentation, but for the port and what is not there yet
DOCUMENTED = """
from g4f_aio import run_api, AppConfig

# Configure the application
AppConfig.set_config(
    g4f_api_key="your-secret-key",
    provider="Copilot",
    model="gpt-4o-mini",
    timeout=300
)

# Start the server
run_api(host="0.0.0.0", port=0, debug=True)
"""
RUNTIME = """
from g4f_aio import AppConfig, run_api

AppConfig.set_config(
    g4f_api_key="secret-key",
    provider="Copilot",
    model="gpt-4o",
    proxy="http://proxy.example.com:8080",
    timeout=300,
    ignored_providers=["SomeProvider"],
)
run_api(port=0)
"""
CREATED = """
import asyncio, signal
from aiohttp import web
from g4f_aio import create_app

async def main():
    mine = web.Application()
    mine.router.add_get("/mine", lambda request: web.Response(text="mine"))
    mine.add_subapp("/llm", create_app())
    runner = web.AppRunner(mine, handler_cancellation=True)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    print("listens on http://127.0.0.1:%d" % runner.addresses[0][1], flush=True)
    stop = asyncio.Event()
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, stop.set)
    await stop.wait()
    await runner.cleanup()

asyncio.run(main())
"""
Run = Callable[[str], Gateway]


@pytest.fixture
def run(tmp_path: Path, upstream: Upstream) -> Iterator[Run]:
    """Run a program that serves."""
    settings = SETTINGS.format(base_url=upstream.base_url)
    with ExitStack() as stack:

        def start(program: str) -> Gateway:
            command = (sys.executable, "-c", program)
            return stack.enter_context(running(tmp_path, settings, command=command))

        yield start


async def test_the_documented_program(
    run: Run, client: aiohttp.ClientSession, upstream: Upstream
) -> None:
    gateway = run(DOCUMENTED)
    assert "0.0.0.0" in gateway.log.text  # noqa: S104
    assert (await post(client, gateway.chat, "gpt-4o")).status == 401
    answer = await post(client, gateway.chat, "", key="your-secret-key")
    assert answer.json()["provider"] == "Copilot"
    assert answer.json()["model"] == "gpt-4o-mini"
    assert (await upstream.records("gpt-4o-mini"))[0]["body"]["model"] == "gpt-4o-mini"


async def test_the_documented_runtime_configuration(
    run: Run, client: aiohttp.ClientSession
) -> None:
    """A provider on this machine is called without the proxy."""
    gateway = run(RUNTIME)
    answer = await post(client, gateway.chat, "", key="secret-key", stream=True)
    assert answer.done
    assert answer.headers["x-model"] == "gpt-4o"


async def test_a_program_that_serves_reloads_as_well(
    run: Run, client: aiohttp.ClientSession
) -> None:
    """What the program said stays stronger than the file."""
    gateway = run(DOCUMENTED)
    more = '[server]\napi_key = "of-the-file"\n[models.mine]\n'
    more += 'providers = [{ provider = "Copilot", model = "words-2" }]\n'
    gateway.config.write_text(gateway.config.read_text("utf-8") + more, "utf-8")
    gateway.signal(signal.SIGHUP)
    gateway.log.wait("settings reloaded")
    answer = await post(client, gateway.chat, "mine", key="your-secret-key")
    assert answer.json()["choices"][0]["message"]["content"] == "w0 w1"


@pytest.mark.parametrize(
    ("line", "said"),
    [
        ('AppConfig.set_config(g4f_api_kye="x")', "did you mean g4f_api_key?"),
        ('AppConfig.set_config(timeout="soon")\nrun_api(port=0)', "upstream.timeout"),
        ('run_api(host="0.0.0.0")', "--g4f-api-key"),
    ],
)
def test_a_mistake_is_an_exception_that_names_it(tmp_path: Path, line: str, said: str) -> None:
    program = f"from g4f_aio import AppConfig, run_api\n{line}\n"
    done = subprocess.run(
        [sys.executable, "-c", program],
        env=surroundings(tmp_path),
        capture_output=True,
        text=True,
        timeout=PATIENCE,
        check=False,
    )
    assert done.returncode == 1
    assert said in done.stderr


async def test_an_application_inside_another(run: Run, client: aiohttp.ClientSession) -> None:
    program = run(CREATED)
    async with client.get(f"{program.url}/mine") as response:
        assert await response.text() == "mine"
    chat = f"{program.url}/llm/v1/chat/completions"
    answer = await post(client, chat, "gpt-4o", stream=True)
    assert answer.done
    assert answer.text() == "one two three"
    wrong = await post(client, chat, "not-a-model")
    assert wrong.error()["code"] == "model_not_found"
