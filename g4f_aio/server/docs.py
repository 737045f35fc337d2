"""The documentation, served from the package: no CDN, no script, nothing from the network."""

from __future__ import annotations

import asyncio
from pathlib import Path

import aiofiles
from aiohttp import web

from ..core.errors import BadRequestError
from .description import DESCRIPTION
from .html_pages import text_page

#: the pages and what links to them say; as files they are ``docs/NAME.md``
PAGES = {
    "index": "Introduction",
    "running": "Running it",
    "providers": "Providers",
    "plugins": "Plug-ins",
    "api": "API",
    "troubleshooting": "Troubleshooting",
}
_FOLDER = Path(__file__).parent.parent / "docs"
_HEADERS = {
    "Content-Security-Policy": "default-src 'none'; style-src 'unsafe-inline'; "
    "base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
    "Referrer-Policy": "no-referrer",
}


async def document(request: web.Request) -> web.Response:
    """``GET /openapi.json``."""
    description = request.app[DESCRIPTION]
    body = await asyncio.to_thread(lambda: description.json)
    return web.Response(body=body, content_type="application/json")


async def index(request: web.Request) -> web.Response:
    """``GET /docs``: the API for people, and the way to the other pages."""
    description = request.app[DESCRIPTION]
    return _html(await asyncio.to_thread(lambda: description.html))


async def page(request: web.Request) -> web.Response:
    """``GET /docs/{page}``."""
    name = request.match_info["page"]
    if name not in PAGES:
        raise BadRequestError(
            f"No page {name!r}; there are: {', '.join(PAGES)}", status=404, code="unknown_url"
        )
    async with aiofiles.open(_FOLDER / f"{name}.md", encoding="utf-8") as file:
        text = await file.read()
    return _html(await asyncio.to_thread(text_page, text, name, PAGES))


def _html(text: str) -> web.Response:
    return web.Response(text=text, content_type="text/html", headers=_HEADERS)
