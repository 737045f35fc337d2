"""Model ids and aliases into ordered candidates; the data behind the listings."""

from __future__ import annotations

from collections.abc import Sequence

from ..core.models import Capability
from ..core.operations import CompletionRequest, Request
from ..core.requests import ChatRequest
from ..settings import Settings
from .candidates import Candidate, Found, taking
from .listings import Fetch, Listings
from .registry import Registry
from .search import FALLBACK, Search

__all__ = ["FALLBACK", "REMEMBERED", "Catalog"]

#: the most answers to "who has this model?" that are kept
REMEMBERED = 1000
#: the requests for which it may supply something
_TEXTS = (ChatRequest, CompletionRequest)
#: what a request may differ in from others for which the same are found
_Key = tuple[type[Request], str, Capability, str | None, bool | None]


class Catalog(Listings):
    """The models of all providers, and who may be asked for one."""

    def __init__(self, settings: Settings, registry: Registry, fetch: Fetch) -> None:
        super().__init__(registry, fetch)
        self._settings = settings
        #: what was found for a provider, a model and what it takes, as long as nothing changes
        self._found: dict[_Key, Found] = {}
        self._found_at = self.changes

    async def candidates(self, request: Request) -> Sequence[Candidate]:
        """Who may answer, best first; at least one. GatewayError says why there is none."""
        known = self.known(request)
        if known is not None:
            return known
        found = await self._look(request)
        if found.error is not None:
            raise found.error
        return self.taking(found, request) if found.particular else found.candidates

    def known(self, request: Request) -> Sequence[Candidate] | None:
        """The same as far as it was found before; None when it was not."""
        found = self._recall(request)
        if found is None:
            return None
        return self.taking(found, request) if found.particular else found.candidates

    def taking(self, found: Found, request: Request) -> Sequence[Candidate]:
        """Those of who was *found* that take every parameter of *request*, or for whom it is supplied.

        UnsupportedError when there is none.
        """
        # what polyfills supply, they supply for chats
        emulate = isinstance(request, ChatRequest) and self._emulates(request)
        return taking(found.candidates, request, emulate=emulate)

    async def find(self, request: Request) -> Found:
        """As ``candidates``, with those who may not answer; never raises."""
        return self._recall(request) or await self._look(request)

    def _recall(self, request: Request) -> Found | None:
        if self._found_at != self.changes or len(self._found) >= REMEMBERED:
            self._found.clear()
            self._found_at = self.changes
        routing = request.routing
        if routing.api_keys:  # those of a caller are for his own request
            return None
        return self._found.get(
            (type(request), request.model, request.needs, routing.provider, routing.emulate)
        )

    async def _look(self, request: Request) -> Found:
        routing, needs = request.routing, request.needs
        emulate = self._emulates(request)
        search = Search(self, self._settings, needs, routing.api_keys, emulate=emulate)
        found = await search.find(routing.provider, request.model)
        # what changed meanwhile may not be in it
        if found.error is None and not routing.api_keys and self._found_at == self.changes:
            key = type(request), request.model, needs, routing.provider, routing.emulate
            self._found[key] = found
        return found

    def _emulates(self, request: Request) -> bool:
        """Whether the gateway may supply what a provider lacks."""
        if not isinstance(request, _TEXTS):
            return False
        wish = request.routing.emulate
        return self._settings.routing.emulate if wish is None else wish
