"""The server under test: the real application behind real connections, with providers of our own."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable
from contextlib import AsyncExitStack, asynccontextmanager
from functools import partial
from typing import Any, Protocol

import aiohttp
import attrs
import pytest
from aiohttp import web

from g4f_aio.app import create_app
from g4f_aio.core.outbox import Outbox
from g4f_aio.gateway.registry import Entry, Registry
from g4f_aio.server.protocol import Connection
from g4f_aio.settings import RoutingSettings, Settings
from tests.patience import PATIENCE
from tests.server.fakes import Script, Server, entry


class Start(Protocol):
    """Starts a server: with these providers (or a whole registry), and these settings of ``[server]``."""

    def __call__(
        self,
        *entries: Entry,
        settings: Settings = ...,
        registry: Registry | None = ...,
        **server: Any,
    ) -> Awaitable[Server]:
        """It serves until the test is over."""


#: nothing on this machine is looked for, and what fails is not tried again a second later
QUIET = Settings(routing=RoutingSettings(detect_local=False, retries=0))


@asynccontextmanager
async def starting() -> AsyncIterator[Start]:
    """What starts servers; they all end with it."""
    async with AsyncExitStack() as stack:

        async def begin(
            *entries: Entry,
            settings: Settings = QUIET,
            registry: Registry | None = None,
            **server: Any,
        ) -> Server:
            return await stack.enter_async_context(running(entries, settings, registry, **server))

        yield begin


@pytest.fixture
async def start() -> AsyncIterator[Start]:
    """Start servers for one test."""
    async with starting() as begin:
        yield begin


@pytest.fixture
async def server(start: Start) -> Server:
    """A server with one provider, ``script``, and no key."""
    return await start()


@asynccontextmanager
async def running(
    entries: tuple[Entry, ...],
    settings: Settings,
    registry: Registry | None = None,
    **server: Any,
) -> AsyncIterator[Server]:
    """The application as it is served, on a free port."""
    settings = attrs.evolve(settings, server=attrs.evolve(settings.server, **server))
    if registry is None:
        registry = Registry.of(*(entries or (entry(Script()),)), settings=settings)
    app = create_app(settings, registry)
    runner = web.AppRunner(app, handler_cancellation=True, shutdown_timeout=0.2)
    await runner.setup()
    assert runner.server is not None
    loop = asyncio.get_running_loop()
    connection = partial(
        Connection,
        runner.server,
        loop=loop,
        header_timeout=settings.server.header_timeout,
        outbox=Outbox(),
        keepalive_timeout=75.0,
        access_log=None,
    )
    listener = await loop.create_server(connection, "127.0.0.1", 0)
    host, port = listener.sockets[0].getsockname()
    try:
        async with aiohttp.ClientSession(timeout=aiohttp.ClientTimeout(total=PATIENCE)) as client:
            yield Server(app, f"{host}:{port}", client)
    finally:
        listener.close()
        await runner.cleanup()
