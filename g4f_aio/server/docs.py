"""The documentation, served from the package: no CDN, nothing from the network."""

from __future__ import annotations

import re
from importlib.resources import files

from aiohttp import web

_NAME = re.compile(r"[a-z-]+")
_FOLDER = files("g4f_aio") / "docs"


async def index(request: web.Request) -> web.Response:
    return web.Response(text="")


async def page(request: web.Request) -> web.Response:
    return web.Response(text="")
