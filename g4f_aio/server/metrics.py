"""``GET /metrics``: what was counted since the start and how things stand, for Prometheus."""

from __future__ import annotations

import asyncio
from importlib import import_module
from typing import TYPE_CHECKING

from aiohttp import hdrs, web

from ..core.lazy import LazyModule
from .counters import Counters, Histogram

if TYPE_CHECKING:
    from . import gauges
else:
    gauges = LazyModule(".gauges", __package__)

COUNTERS = web.AppKey("COUNTERS", Counters)
#: seconds between two looks at how late the event loop is
LOOK = 0.5


async def metrics(request: web.Request) -> web.Response:
    """``GET /metrics``, in the text format of Prometheus or, if asked for, in that of OpenMetrics."""
    counters = request.app[COUNTERS]
    accept = request.headers.get(hdrs.ACCEPT, "")
    exposition = await asyncio.to_thread(import_module, ".exposition", __package__)
    now = gauges.gauges(request.app, counters)
    body, kind = await asyncio.to_thread(exposition.render, counters, now, accept)
    return web.Response(body=body, headers={hdrs.CONTENT_TYPE: kind})


async def watch_loop(late: Histogram) -> None:
    """Note again and again by how much the event loop is late; runs until cancelled."""
    loop = asyncio.get_running_loop()
    while True:
        due = loop.time() + LOOK
        await asyncio.sleep(LOOK)
        late.observe(max(0.0, loop.time() - due))
