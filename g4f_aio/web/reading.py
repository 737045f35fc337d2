"""The pages that a search found, read at the same time."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable
from typing import Final

import attrs

from ..core.errors import GatewayError
from ..core.fetch import Fetch, Fetched
from ..core.web_search import Hit
from .page_text import LONGEST, text_of_html, tidy

#: bytes of a page; a larger one is not read
PAGE: Final = 2**20
_HTML = ("text/html", "application/xhtml+xml")


@attrs.frozen
class Source:
    """A page that is put before a request, and what is said there, or found of it."""

    url: str
    title: str
    text: str


async def read_pages(
    hits: Iterable[Hit], fetch: Fetch, places: asyncio.Semaphore, seconds: float
) -> tuple[Source, ...]:
    """The sources in the order of *hits*; those of which nothing is known are left out.

    A page that cannot be had within *seconds*, or has no text, is known by the words that the search
    engine showed of it. Each page that is being read takes one of *places*.
    """

    async def read(hit: Hit) -> Source:
        text = ""
        try:
            async with asyncio.timeout(seconds), places:
                page = await fetch(hit.url, limit=PAGE)
                text = await asyncio.to_thread(text_of, page)
        except (GatewayError, TimeoutError):
            pass  # one page of several, and the engine's words of it are known
        return Source(hit.url, hit.title, text or text_of_html(hit.snippet))

    async with asyncio.TaskGroup() as group:
        tasks = [group.create_task(read(hit)) for hit in hits]
    return tuple(source for task in tasks if (source := task.result()).text)


def text_of(page: Fetched) -> str:
    """The text of a page; empty where it is no text."""
    if page.media_type not in _HTML and not page.media_type.startswith("text/"):
        return ""
    text = page.data.decode(page.charset or "utf-8", "replace")
    if page.media_type in _HTML:
        return text_of_html(text)
    return tidy(text[:LONGEST])
