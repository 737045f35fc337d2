"""The OpenAPI 3.1 document of the server."""

from __future__ import annotations

from aiohttp import web

from .bodies import json_response


async def document(_: web.Request) -> web.Response:
    return json_response({})
