"""What every test may use: a watch on blocking calls, and an upstream in a process of its own."""

from __future__ import annotations

import asyncio
import contextlib
import gc
import http.client
import json
import subprocess
import sys
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

import attrs
import hypothesis
import pytest
from aiohttp import web
from aiohttp.test_utils import TestServer
from blockbuster import BlockBuster, blockbuster_ctx

from g4f_aio.providers.pool import Pool
from g4f_aio.providers.upstream import create_session
from tests.patience import PATIENCE

SERVER = Path(__file__).with_name("upstream_server.py")

# pytest --hypothesis-profile=ci looks longer, and elsewhere each time
hypothesis.settings.register_profile(
    "fast", max_examples=30, derandomize=True, deadline=None, database=None
)
hypothesis.settings.register_profile("ci", max_examples=500, deadline=None, database=None)
hypothesis.settings.load_profile("fast")


@pytest.hookimpl(wrapper=True, tryfirst=True)
def pytest_collection() -> Iterator[None]:
    """Keep the garbage collector away from the tests themselves: ten thousand never go away.

    Walking through them took a third of the time until the first test ran, and half a second
    whenever a test, or the server that it runs, collects what it left.
    """
    gc.disable()
    try:
        return (yield)
    finally:
        gc.enable()
        gc.collect()
        gc.freeze()


@pytest.fixture(scope="module", autouse=True)
def _no_blocking() -> Iterator[BlockBuster]:
    """A blocking call on the event loop fails the test.

    Watching begins with each module, as it takes longer to begin than most tests take to run.
    """
    with blockbuster_ctx() as watch:
        # coverage.py locks its data for a moment at the first line of each file
        for function in watch.functions.values():
            function.can_block_in("coverage/collector.py", {"lock_data"})
            function.can_block_in("tests/patience.py", {"_now"})
            # PostgreSQL's driver looks for passwords and certificates in the home folder
            function.can_block_in("asyncpg/connect_utils.py", {"_parse_connect_dsn_and_args"})
        yield watch


@pytest.fixture(autouse=True)
def _no_tokenizer(monkeypatch: pytest.MonkeyPatch) -> None:
    """Tokens are estimated, whatever is installed."""
    monkeypatch.setattr("g4f_aio.app.TOKENIZER", None)


@attrs.frozen
class Upstream:
    """A running ``upstream_server.py``.

    *base_url* is that of its API; connecting to *full* hangs. *root* has the records.
    """

    base_url: str
    root: str
    full: str

    def fetch_records(self, model: str | None = None) -> list[dict[str, Any]]:
        """The requests it got, oldest first; those for *model* only."""
        found: list[dict[str, Any]] = self._ask("GET")["exchanges"]
        return [one for one in found if model is None or (one["body"] or {}).get("model") == model]

    async def records(self, model: str | None = None) -> list[dict[str, Any]]:
        """As ``fetch_records``, on the event loop."""
        return await asyncio.to_thread(self.fetch_records, model)

    async def closed(self, model: str | None = None, *, within: float = PATIENCE) -> dict[str, Any]:
        """The last request for *model*, once its connection was closed by us.

        Its ``closed_at`` compares with ``time.monotonic()``.
        """
        until = time.monotonic() + within
        while time.monotonic() < until:
            found = await self.records(model)
            if found and found[-1]["closed_at"] is not None:
                return found[-1]
            await asyncio.sleep(0.01)
        raise AssertionError(f"the connection for {model} is still open after {within} s")

    def forget(self) -> None:
        """Drop all records."""
        self._ask("DELETE")

    def _ask(self, method: str) -> Any:
        connection = http.client.HTTPConnection(self.root.removeprefix("http://"), timeout=PATIENCE)
        with contextlib.closing(connection):
            connection.request(method, "/_record")
            return json.load(connection.getresponse())


@pytest.fixture(scope="session")
def upstream_process() -> Iterator[Upstream]:
    """The fake upstream; one for all tests, in a process of its own."""
    command = [sys.executable, str(SERVER), "--port", "0", "--with-parent"]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as process:
        assert process.stdin is not None
        assert process.stdout is not None
        yield Upstream(**json.loads(process.stdout.readline()))
        process.stdin.close()
        process.wait(PATIENCE)


@pytest.fixture
def upstream(upstream_process: Upstream) -> Upstream:
    """The fake upstream, with no records of earlier tests."""
    upstream_process.forget()
    return upstream_process


@pytest.fixture
async def session() -> AsyncIterator[Pool]:
    """A way out for providers, as the application has it."""
    async with create_session() as session:
        yield session


@attrs.frozen
class Fake:
    """A small server on this machine, and the requests it got."""

    root: str
    requests: list[web.Request] = attrs.field(factory=list)

    @property
    def paths(self) -> list[str]:
        """What was asked for, in order."""
        return [request.path for request in self.requests]


Serve = Callable[[Mapping[str, object]], Awaitable[Fake]]


@pytest.fixture
def serve(aiohttp_server: Callable[[web.Application], Awaitable[TestServer]]) -> Serve:
    """Start a server with these answers by path: JSON, or a handler; 404 for all others."""

    async def start(answers: Mapping[str, object]) -> Fake:
        async def answer(request: web.Request) -> web.StreamResponse:
            fake.requests.append(request)
            await request.read()
            found = answers.get(request.path)
            if callable(found):
                response: web.StreamResponse = await found(request)
                return response
            return web.json_response(found, status=404 if found is None else 200)

        app = web.Application()
        app.router.add_route("*", "/{path:.*}", answer)
        fake = Fake(str((await aiohttp_server(app)).make_url("")).rstrip("/"))
        return fake

    return start
