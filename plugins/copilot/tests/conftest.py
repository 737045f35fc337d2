"""What the tests share: the fake service in a process of its own, and calls of the provider."""

from __future__ import annotations

import asyncio
import http.client
import json
import subprocess
import sys
from collections.abc import AsyncIterator, Iterator
from contextlib import aclosing, closing
from pathlib import Path
from typing import Any

import attrs
import pytest
from blockbuster import BlockBuster, blockbuster_ctx
from g4f_aio_copilot import Copilot

from g4f_aio import CallContext, ChatRequest, Event, Message, TextPart, Timeouts
from g4f_aio.providers.upstream import Client, create_session

SERVER = Path(__file__).with_name("copilot_server.py")
#: seconds until a test gives up
PATIENCE = 60.0
#: times that no test waits for, unless it means to
TIMEOUTS = Timeouts(connect=10, headers=10)


@pytest.fixture(scope="module", autouse=True)
def _no_blocking() -> Iterator[BlockBuster]:
    """A blocking call on the event loop fails the test."""
    with blockbuster_ctx() as watch:
        yield watch


@attrs.frozen
class Service:
    """The running fake."""

    root: str

    def records(self, path: str = "") -> list[dict[str, Any]]:
        """The requests it got, oldest first; those for *path* only."""
        found: list[dict[str, Any]] = self._ask("GET")
        return [one for one in found if path in ("", one["path"])]

    def forget(self) -> None:
        """Drop all records."""
        self._ask("DELETE")

    async def last(self, path: str = "/c/api/chat") -> dict[str, Any]:
        """The last request for *path*."""
        return (await asyncio.to_thread(self.records, path))[-1]

    async def closed(self, path: str = "/c/api/chat") -> float:
        """When the client closed the connection of the last request, in ``time.monotonic()``."""
        return float((await self.told(path, "closed_at"))["closed_at"])

    async def told(self, path: str, what: str) -> dict[str, Any]:
        """The last request for *path*, as soon as it has *what*."""
        async with asyncio.timeout(PATIENCE):
            while True:
                found = await asyncio.to_thread(self.records, path)
                if found and found[-1][what] is not None:
                    return found[-1]
                await asyncio.sleep(0.01)

    def _ask(self, method: str) -> Any:
        address = self.root.removeprefix("http://")
        with closing(http.client.HTTPConnection(address, timeout=5)) as connection:
            connection.request(method, "/_record")
            return json.load(connection.getresponse())


@pytest.fixture(scope="session")
def service_process() -> Iterator[Service]:
    """The fake; one for all tests."""
    with subprocess.Popen(  # noqa: S603  (our own fake)
        [sys.executable, str(SERVER)], stdin=subprocess.PIPE, stdout=subprocess.PIPE
    ) as process:
        assert process.stdin is not None
        assert process.stdout is not None
        yield Service(**json.loads(process.stdout.readline()))
        process.stdin.close()
        process.wait(PATIENCE)


@pytest.fixture
async def service(service_process: Service) -> Service:
    """The fake, with no records of earlier tests."""
    await asyncio.to_thread(service_process.forget)
    return service_process


@attrs.frozen
class Caller:
    """Calls the provider as a gateway would."""

    client: Client
    service: Service

    def context(self, credential: str | None = "good-token-1234", **changes: Any) -> CallContext:
        """What a call may use; *changes* are fields of it."""
        made = CallContext(self.client, "Copilot", credential, timeouts=TIMEOUTS)
        return attrs.evolve(made, **changes)

    def provider(self, **settings: Any) -> Copilot:
        """The provider, in front of the fake."""
        return Copilot(**({"base_url": self.service.root} | settings))

    async def ask(
        self,
        prompt: str,
        *,
        context: CallContext | None = None,
        provider: Copilot | None = None,
        model: str = "Copilot",
        **fields: Any,
    ) -> list[Event]:
        """The events of an answer."""
        request = ask_for(prompt, model=model, **fields)
        found: list[Event] = []
        call = (provider or self.provider()).chat(request, context or self.context())
        async with asyncio.timeout(PATIENCE), aclosing(call) as events:
            async for event in events:
                found.append(event)  # noqa: PERF401  (what came before an error is wanted too)
        return found


def ask_for(prompt: str, **fields: Any) -> ChatRequest:
    """A request with one message of the user."""
    given: dict[str, Any] = {
        "model": "Copilot",
        "messages": (Message("user", (TextPart(prompt),)),),
        "stream": True,
    }
    return ChatRequest(**(given | fields))


@pytest.fixture
async def caller(service: Service) -> AsyncIterator[Caller]:
    """Calls the provider, whose way out is the gateway's own."""
    async with create_session() as pool:
        yield Caller(Client(pool, "Copilot", 10, 10, 2**20), service)
