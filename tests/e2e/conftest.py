"""Running gateways in front of the fake upstream, one for each configuration that tests share."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator, Sequence
from contextlib import ExitStack
from pathlib import Path

import aiohttp
import openai
import pytest

from tests.conftest import Upstream
from tests.e2e.clients import World, between
from tests.e2e.gateway import Gateway, Start, running

#: the gateway's own key, and its key for the upstream
KEY = "your-secret-key"
UPSTREAM_KEY = "sk-upstream-5310"

KEYED = """
[server]
api_key = "{key}"

[routing]
provider = "work"
detect_local = false
retries = 0

[providers.work]
type = "openai-compatible"
base_url = "{upstream.base_url}"
api_key = "{upstream_key}"
models = ["gpt-4o-mini", "vendor/model:free", "{{odd}} name"]

[providers.hasty]
type = "openai-compatible"
base_url = "{upstream.base_url}"
models = ["echo"]
headers_timeout = 0.2
first_token_timeout = 0.3
stream_timeout = 0.4

[providers.brief]
type = "openai-compatible"
base_url = "{upstream.base_url}"
models = ["echo"]
timeout = 0.5

[providers.full]
type = "openai-compatible"
base_url = "{upstream.full}"
models = ["echo"]
connect_timeout = 0.2

[providers.gone]
type = "openai-compatible"
base_url = "http://127.0.0.1:9/v1"
models = ["echo"]

[providers.refused]
type = "openai-compatible"
base_url = "{upstream.base_url}"
api_key = "wrong-5310"
models = ["echo"]
"""

OPEN = """
[routing]
detect_local = false

[providers.Copilot]
type = "openai-compatible"
base_url = "{upstream.base_url}"
"""


@pytest.fixture(scope="module", autouse=True)
def _no_blocking() -> None:
    """Nothing of ours runs on this process's event loop, so a test may block it."""


@pytest.fixture(scope="session")
def keyed(
    upstream_process: Upstream, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Gateway]:
    """A gateway with a key and a default provider; others of its providers fail.

    Each call is made once. All tests share it: a model that fails five times in a row is left alone,
    so a test that needs failures has names of its own for them (``status-500@its-name``).
    """
    settings = KEYED.format(upstream=upstream_process, key=KEY, upstream_key=UPSTREAM_KEY)
    with running(tmp_path_factory.mktemp("keyed"), settings) as gateway:
        yield gateway


@pytest.fixture(scope="session")
def unkeyed(
    upstream_process: Upstream, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Gateway]:
    """A gateway without a key, and with one provider, which is asked for its models."""
    settings = OPEN.format(upstream=upstream_process)
    with running(tmp_path_factory.mktemp("open"), settings) as gateway:
        yield gateway


@pytest.fixture(scope="session")
def world(upstream_process: Upstream, tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    """A gateway before upstreams of every kind, for clients and what is built on them."""
    with between(upstream_process, tmp_path_factory.mktemp("world")) as found:
        yield found


@pytest.fixture
def start(tmp_path: Path) -> Iterator[Start]:
    """Start a gateway for one test: ``start(settings, *flags, environ=…, command=…)``."""
    with ExitStack() as stack:

        def begin(
            settings: str = "",
            *words: str,
            environ: dict[str, str] | None = None,
            command: Sequence[str] = (),
        ) -> Gateway:
            return stack.enter_context(
                running(tmp_path, settings, *words, environ=environ, command=command)
            )

        yield begin


@pytest.fixture
async def client() -> AsyncIterator[aiohttp.ClientSession]:
    """A client with no limits of its own."""
    async with aiohttp.ClientSession(
        connector=aiohttp.TCPConnector(limit=0), timeout=aiohttp.ClientTimeout(total=30)
    ) as session:
        yield session


@pytest.fixture
def sdk(keyed: Gateway) -> Iterator[openai.OpenAI]:
    """OpenAI's client, which does not try again."""
    with openai.OpenAI(base_url=keyed.v1, api_key=KEY, max_retries=0, timeout=20) as made:
        yield made


@pytest.fixture
async def async_sdk(keyed: Gateway) -> AsyncIterator[openai.AsyncOpenAI]:
    """As ``sdk``, asynchronous."""
    async with openai.AsyncOpenAI(
        base_url=keyed.v1, api_key=KEY, max_retries=0, timeout=20
    ) as made:
        yield made
