"""What can be seen of the server: everybody who takes note of finished requests, put together."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from functools import partial
from importlib import import_module
from types import ModuleType

from aiohttp import web

from .. import __version__
from ..core.record import Observer
from ..gateway.request_log import RequestLog
from ..keys import CURRENT, LEDGER, REQUESTS
from ..settings import Settings, SettingsError, checks
from .backend.followers import FOLLOWERS, Followers
from .counters import Counters
from .metrics import COUNTERS, watch_loop
from .summary import Summary


def add_sight(app: web.Application) -> None:
    """Have the requests of *app* counted and remembered, and logged and traced where that is set.

    SettingsError when spans are wanted and the packages for them are not installed.
    """
    settings = app[CURRENT].settings
    spans = _spans(settings)
    counters = app[COUNTERS] = Counters()
    requests = app[REQUESTS] = RequestLog(settings.server.request_log)
    followers = app[FOLLOWERS] = Followers()
    observers: list[Observer] = [counters, requests, followers]
    if settings.server.access_log:
        observers.append(Summary())
    for observer in observers:
        app[LEDGER].tell(observer)
    app.on_shutdown.append(followers.close)
    app.cleanup_ctx.append(partial(_sight_ctx, spans))


async def _sight_ctx(spans: ModuleType | None, app: web.Application) -> AsyncIterator[None]:
    """What runs beside the requests."""
    server = app[CURRENT].settings.server
    sender = None
    async with asyncio.TaskGroup() as group:
        tasks = [group.create_task(watch_loop(app[COUNTERS].late))]
        if spans is not None:
            headers = checks.header_pairs(server.otlp_headers or "")
            sender = await asyncio.to_thread(
                spans.Spans, server.otlp_endpoint, headers, __version__
            )
            app[LEDGER].tell(sender)
            tasks.append(group.create_task(sender.run()))
        yield
        for task in tasks:
            task.cancel()
    if sender is not None:
        await sender.aclose()


def _spans(settings: Settings) -> ModuleType | None:
    """The module that sends spans, if the settings want that; nobody else pays for importing it."""
    if settings.server.otlp_endpoint is None:
        return None
    try:
        return import_module(".spans", __package__)
    except ImportError as error:
        problem = f"server.otlp_endpoint: needs OpenTelemetry: pip install g4f_aio[otel] ({error})"
        raise SettingsError((problem,), settings.config) from None
