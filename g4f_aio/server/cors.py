"""CORS for listed origins, through aiohttp-cors and around its holes.

aiohttp-cors sends no ``Vary: Origin``, leaves errors of unknown URLs without headers, and with
``*`` and credentials reflects any origin; so credentials are never allowed here.
"""

from __future__ import annotations

import aiohttp_cors
from aiohttp import hdrs, web

#: seconds for which a browser may remember a preflight
MAX_AGE = 600
_ALLOW = "Access-Control-Allow-Origin"


def add_cors(app: web.Application, origins: tuple[str, ...]) -> None:
    """Let pages of *origins* call every route of *app*."""
    app.on_response_prepare.append(_vary)
    options = aiohttp_cors.ResourceOptions(  # type: ignore[no-untyped-call]
        allow_credentials=False, expose_headers="*", allow_headers="*", max_age=MAX_AGE
    )
    cors = aiohttp_cors.setup(app, defaults=dict.fromkeys(origins, options))
    for resource in tuple(app.router.resources()):
        cors.add(resource)
        for route in tuple(resource):
            if route.method not in ("OPTIONS", "HEAD"):
                cors.add(route)

    async def unknown(request: web.Request, response: web.StreamResponse) -> None:
        """A page may read, too, that there is no such URL or method."""
        origin = request.headers.get("Origin")
        if origin is None or _ALLOW in response.headers or request.method == "OPTIONS":
            return
        if origin in origins or "*" in origins:
            response.headers["Access-Control-Expose-Headers"] = ",".join(response.headers)
            response.headers[_ALLOW] = origin

    app.on_response_prepare.append(unknown)


async def _vary(_: web.Request, response: web.StreamResponse) -> None:
    """Caches must keep the answers to different origins apart."""
    response.headers[hdrs.VARY] = "Origin"
