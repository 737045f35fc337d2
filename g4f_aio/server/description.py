"""The description of the API, for programs and for people."""

from __future__ import annotations

from functools import cached_property
from typing import TYPE_CHECKING

import orjson
from aiohttp import web

from ..core.lazy import LazyModule

if TYPE_CHECKING:
    from . import docs, html_pages, openapi
else:
    docs = LazyModule(".docs", __package__)
    html_pages = LazyModule(".html_pages", __package__)
    openapi = LazyModule(".openapi", __package__)


class Description:
    """The OpenAPI document, made once and only when somebody asks for it, which is for a thread."""

    @cached_property
    def json(self) -> bytes:
        """The document itself."""
        return orjson.dumps(openapi.openapi_document())

    @cached_property
    def html(self) -> str:
        """A page that shows it."""
        return html_pages.api_page(openapi.openapi_document(), docs.PAGES)


DESCRIPTION = web.AppKey("DESCRIPTION", Description)
