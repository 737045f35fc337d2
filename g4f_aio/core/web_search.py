"""Search of the web, as a protocol."""

from __future__ import annotations

from typing import Protocol

import attrs


@attrs.frozen
class Hit:
    """A page that a search engine found, and the few words that it shows of it."""

    url: str
    title: str = ""
    snippet: str = ""


class Search(Protocol):
    """A search engine."""

    @property
    def name(self) -> str:
        """What errors call it."""

    async def __call__(self, query: str, limit: int) -> tuple[Hit, ...]:
        """The best *limit* hits, or fewer; none where there are none.

        UpstreamError when it fails, UpstreamTimeoutError when it takes too long.
        """
