"""SearXNG, a search engine over others that anybody can run.

https://docs.searxng.org/dev/search_api
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, ClassVar
from urllib.parse import urlencode

import attrs

from ..core.errors import UpstreamError, UpstreamTimeoutError
from ..core.provider import HttpClient
from ..core.web_search import Hit
from .failures import failed
from .hits import hits_of

_OK = 200
_HEADERS = {"Accept": "application/json"}
#: what a status means for whoever runs the instance
_WHY = {
    403: "gives no JSON: its settings.yml must list json in search.formats",
    429: "takes no more searches just now (429): see its limiter",
}
#: engines that are named in an error
_NAMED = 5


@attrs.frozen
class SearXNG:
    """The instance at *url*, which the operator has set; *http* is the way to it."""

    name: ClassVar[str] = "SearXNG"

    url: str
    http: HttpClient = attrs.field(repr=False)

    async def __call__(self, query: str, limit: int) -> tuple[Hit, ...]:
        """What its JSON API finds (``core.web_search.Search``)."""
        asked = urlencode({"q": query, "format": "json"})
        try:
            async with self.http.get(
                f"{self.url.rstrip('/')}/search?{asked}", headers=_HEADERS
            ) as response:
                status = response.status
                answer = await response.json() if status == _OK else None
        except UpstreamTimeoutError as error:
            raise UpstreamTimeoutError(
                f"The web search failed: {error.message}", code="search_timeout", param="web_search"
            ) from None
        except UpstreamError as error:
            # the client names the instance in all of its errors
            what = error.message.removeprefix(self.name).removeprefix(":").strip()
            raise failed(self.name, what) from None
        if status != _OK:
            raise failed(self.name, _WHY.get(status, f"answered with status {status}"))
        return self._hits(answer, limit)

    def _hits(self, answer: Any, limit: int) -> tuple[Hit, ...]:
        match answer:
            case {"results": list(results)}:
                found = hits_of(results, "url", "content", limit)
            case _:
                raise failed(self.name, "sent JSON without results")
        silent = answer.get("unresponsive_engines")
        if not found and silent and isinstance(silent, list):
            raise failed(self.name, f"got no answer from its engines ({_told(silent)})")
        return found


def _told(engines: Iterable[Any]) -> str:
    """The engines that did not answer, and why, as far as it is told."""
    said = (": ".join(map(str, one)) if isinstance(one, list) else str(one) for one in engines)
    return ", ".join(list(said)[:_NAMED])
