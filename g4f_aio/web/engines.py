"""The search engines that there are, and which of them is asked."""

from __future__ import annotations

import asyncio
from concurrent.futures import ThreadPoolExecutor
from importlib.util import find_spec

from ..core.errors import UnsupportedError
from ..core.provider import HttpClient
from ..core.web_search import Search
from .ddgs_engine import Ddgs
from .searxng import SearXNG

#: searches of the library at one time; further ones wait
THREADS = 8
#: pages that are read at one time by all requests together
PAGES = 32
_INSTALL = "pip install g4f_aio[search]"


class Engines:
    """What all searches of this process share. ``close`` must follow."""

    def __init__(self) -> None:
        self._threads = ThreadPoolExecutor(THREADS, "web_search")
        self.places = asyncio.Semaphore(PAGES)

    async def choose(
        self, engine: str, searxng: str | None, http: HttpClient, seconds: float, proxy: str | None
    ) -> Search:
        """The one that the settings name as *engine*, or else the first that there is.

        *searxng* is the URL of an instance and *http* the way to it; *seconds* and *proxy* are for
        the library. UnsupportedError says what is missing.
        """
        if engine == "off":
            raise _unsupported("web search is switched off here (setting search.engine)")
        if searxng and engine != "ddgs":
            return SearXNG(searxng, http)
        if await asyncio.to_thread(find_spec, "ddgs") is not None:
            return Ddgs(self._threads, seconds, proxy)
        if engine == "ddgs":
            raise _unsupported(f"the search engine ddgs is not installed here: {_INSTALL}")
        raise _unsupported(
            f"nothing here can search the web: {_INSTALL}, or set search.searxng to the URL of a"
            " SearXNG instance"
        )

    def close(self) -> None:
        """There will be no more searches; those under way are not waited for."""
        self._threads.shutdown(wait=False, cancel_futures=True)


def _unsupported(what: str) -> UnsupportedError:
    return UnsupportedError(f"$.web_search: {what}", param="web_search")
