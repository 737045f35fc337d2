"""``ddgs``, a library that asks public search engines; it comes with the extra ``search``.

https://github.com/deedy5/ddgs
"""

from __future__ import annotations

import asyncio
import logging
import math
from concurrent.futures import Executor
from importlib import import_module
from typing import Any, ClassVar

import attrs

from ..core.web_search import Hit
from .failures import failed
from .hits import hits_of

#: what it says when everything works and nothing is found
_NOTHING = "No results found."
#: these log queries
_TALKATIVE = ("ddgs", "primp")


@attrs.frozen
class Ddgs:
    """The library, which blocks: each search runs on one of *threads*, and is loaded there.

    *seconds* bound what it waits for one engine. *proxy* is the URL of an HTTP proxy.
    """

    name: ClassVar[str] = "ddgs"

    threads: Executor = attrs.field(repr=False)
    seconds: float
    proxy: str | None = attrs.field(default=None, repr=False)

    async def __call__(self, query: str, limit: int) -> tuple[Hit, ...]:
        """What its engines find (``core.web_search.Search``)."""
        loop = asyncio.get_running_loop()
        return await loop.run_in_executor(self.threads, self._search, query, limit)

    def _search(self, query: str, limit: int) -> tuple[Hit, ...]:
        for name in _TALKATIVE:
            logging.getLogger(name).setLevel(logging.WARNING)
        try:
            library: Any = import_module("ddgs")
            engine = library.DDGS(proxy=self.proxy, timeout=math.ceil(self.seconds))
            # more than are wanted: some may be no pages
            found = engine.text(query, max_results=2 * limit)
        except Exception as error:  # noqa: BLE001  (whatever it was, the search failed)
            if str(error) == _NOTHING:
                return ()
            # its errors may quote the query and the proxy
            raise failed(self.name, f"raised {type(error).__name__}") from None
        return hits_of(found, "href", "body", limit)
