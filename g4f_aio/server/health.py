"""Whether the process lives, and whether it should get requests."""

from __future__ import annotations

from aiohttp import web

from ..core.errors import OverloadedError
from ..keys import CURRENT
from .bodies import json_response


async def livez(_: web.Request) -> web.Response:
    """``GET /livez``: the event loop answers."""
    return json_response({"status": "ok"})


async def readyz(request: web.Request) -> web.Response:
    """``GET /readyz``: ready for requests; 503 while the server is stopping."""
    if request.app[CURRENT].draining:
        raise OverloadedError("The server is stopping")
    return json_response({"status": "ready"})
