"""The pages that a search found, read at the same time."""

from __future__ import annotations

import asyncio
import re
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
_META = re.compile(rb"""<meta[^<>]{0,200}?charset\s*=\s*["']?([\w:.-]{1,40})""", re.IGNORECASE)
#: bytes within which a page says how it is encoded
_EARLY = 2048
#: encodings of pages; Python knows others that are none
_CHARSETS = re.compile(
    r"utf-?8|utf-?16\w{0,2}|us-ascii|(iso-?8859|windows|cp|koi8|euc|mac|big5|gb|shift)[\w-]*|sjis",
    re.IGNORECASE,
)


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
    if page.media_type in _HTML:
        return text_of_html(_decoded(page))
    if page.media_type.startswith("text/"):
        return tidy(_decoded(page)[:LONGEST])
    return ""


def _decoded(page: Fetched) -> str:
    said = page.charset or ""
    if not said and page.media_type in _HTML:
        found = _META.search(page.data, 0, _EARLY)
        said = found[1].decode("ascii") if found else ""
    charset = said if _CHARSETS.fullmatch(said) else "utf-8"
    # browsers take the one for the other, too
    if charset.lower() in ("iso-8859-1", "us-ascii"):
        charset = "cp1252"
    try:
        return page.data.decode(charset, "replace")
    except LookupError:
        return page.data.decode("utf-8", "replace")
