"""The application: the only module that knows every part."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncIterator
from contextlib import suppress
from functools import partial
from typing import TYPE_CHECKING

from aiohttp import web

from . import __version__
from .core.lazy import LazyModule
from .core.record import Ledger
from .files.lazy import LazyFetcher
from .gateway.gateway import Gateway
from .gateway.limits import MemoryQuotas
from .gateway.plugins import find_plugins
from .gateway.registry import Registry
from .gateway.tokenizing import MODULE as TOKENIZER
from .gateway.tokenizing import TokenCounter
from .gateway.watchdog import Watchdog
from .keys import (
    CURRENT,
    FETCH,
    GATEWAY,
    LEDGER,
    QUOTAS,
    STORAGE,
    TURNSTILE,
    Current,
)
from .providers.upstream import create_session
from .server.access import Doorman
from .server.admission import turnstile_for
from .server.answers import ANSWERS, Answers, answers_ctx
from .server.description import DESCRIPTION, Description
from .server.middlewares import ACCESS, DOORMAN, boundary
from .server.routes import add_routes
from .server.sight import add_sight
from .server.web_search import WEB_SEARCH, WebSearch, web_search_ctx
from .settings import Settings, SettingsError, address_of, environment, load
from .storage.limits import Keeping, Limits
from .storage.storage import DatabaseStorage

if TYPE_CHECKING:
    from .server import cors
else:  # few servers are for web pages
    cors = LazyModule(".server.cors", __package__)

#: seconds between two looks at what has changed: local servers, lists of models
REFRESH = 60.0
_log = logging.getLogger(__name__)


def create_app(
    settings: Settings | None = None, registry: Registry | None = None
) -> web.Application:
    """The whole server as an application, to run or to embed.

    *settings* default to those of the environment and the settings file, *registry* to every
    installed provider; SettingsError when they cannot be used.
    """
    settings = load({}, environment()) if settings is None else settings
    registry = build_registry(settings) if registry is None else registry
    app = web.Application(middlewares=[boundary], client_max_size=settings.server.max_body)
    app[CURRENT] = Current(settings)
    app[FETCH] = LazyFetcher(settings.fetch)
    app[DOORMAN] = Doorman(settings)
    app[ANSWERS] = Answers()
    app[LEDGER] = Ledger()
    app[STORAGE] = storage = build_storage(settings)
    app[QUOTAS] = MemoryQuotas()
    app[TURNSTILE] = turnstile_for(settings)
    app[WEB_SEARCH] = WebSearch()
    app[DESCRIPTION] = Description()
    app[ACCESS] = add_routes(app)
    add_sight(app)
    if settings.server.cors_origin:
        cors.add_cors(app, settings.server.cors_origin)
    app.cleanup_ctx.append(partial(storage_ctx, storage))
    app.cleanup_ctx.append(partial(gateway_ctx, registry))
    app.cleanup_ctx.append(watchdog_ctx)
    app.cleanup_ctx.append(web_search_ctx)
    app.cleanup_ctx.append(answers_ctx)
    app.cleanup_ctx.append(background_ctx)
    return app


def build_registry(settings: Settings) -> Registry:
    """The providers that *settings* ask for; SettingsError names what is wrong in their tables."""
    registry = Registry(settings, find_plugins())
    if problems := registry.unknown_names():
        raise SettingsError(problems, settings.config)
    return registry


def build_storage(settings: Settings) -> DatabaseStorage:
    """Where the settings want things to be kept; SettingsError when that takes a missing package."""
    wanted = settings.storage
    address = address_of(settings)
    if lacking := address.lacking():
        raise SettingsError((f"storage.database: {lacking}",), settings.config)
    room = wanted.room_per_key
    limits = Limits(
        Keeping.days(wanted.conversation_days, wanted.max_conversations, room),
        Keeping.days(wanted.response_days, wanted.max_responses, room),
    )
    return DatabaseStorage(address, limits)


def reload_app(app: web.Application, settings: Settings, registry: Registry) -> None:
    """Go by new settings from now on; requests in flight keep the old ones."""
    app[CURRENT].settings = settings
    app[DOORMAN].apply(settings)
    app[FETCH].apply(settings.fetch)
    app[TURNSTILE].limit = settings.server.max_requests
    app[TURNSTILE].waiting = settings.server.queue
    app[GATEWAY].reload(settings, registry)
    app[CURRENT].changed.set()


async def storage_ctx(storage: DatabaseStorage, app: web.Application) -> AsyncIterator[None]:
    """The storage. One that somebody chose is opened at once, so that the log tells what is wrong."""
    async with storage.running():
        if app[CURRENT].settings.storage.database is not None:
            storage.begin()
        yield


async def gateway_ctx(registry: Registry, app: web.Application) -> AsyncIterator[None]:
    """The gateway and its way out."""
    settings = app[CURRENT].settings
    async with create_session() as session, asyncio.TaskGroup() as tasks:
        gateway = app[GATEWAY] = Gateway(
            settings, registry, session, __version__, tasks, app[FETCH]
        )
        gateway.desk.tokens = TokenCounter(TOKENIZER)
        yield
        gateway.close()


async def watchdog_ctx(app: web.Application) -> AsyncIterator[None]:
    """A watch on the providers that block the event loop."""
    gateway = app[GATEWAY]

    guard = gateway.desk.guard
    watchdog = Watchdog(
        asyncio.get_running_loop(),
        lambda: gateway.now.registry.loaded,
        gateway.quarantine.strike,
        lambda: guard.running > 0,
    )
    guard.begun = watchdog.attend
    watchdog.start()
    yield
    watchdog.stop()


async def background_ctx(app: web.Application) -> AsyncIterator[None]:
    """What happens beside the requests: nothing of it delays the start."""
    async with asyncio.TaskGroup() as group:
        task = group.create_task(_refresh(app))
        yield
        task.cancel()


async def _refresh(app: web.Application) -> None:
    """Look for local servers and fetch lists of models, again and again; at once after a reload."""
    gateway, current = app[GATEWAY], app[CURRENT]
    while True:
        current.changed.clear()
        try:
            if current.settings.routing.detect_local:
                await gateway.detect()
            await gateway.now.catalog.refresh_chosen()
        except Exception:  # noqa: BLE001  (logged; the next look may succeed)
            _log.exception("the look at the providers failed")
        with suppress(TimeoutError):
            async with asyncio.timeout(REFRESH):
                await current.changed.wait()
