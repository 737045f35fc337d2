"""One state of the settings, and what calls of providers may use under it."""

from __future__ import annotations

import attrs

from ..core.fetch import Fetch
from ..core.operations import Request
from ..core.provider import CallContext, Facts, Timeouts
from ..core.requests import NO_ROUTING, Routing
from ..providers.pool import Pool
from ..providers.upstream import Client
from ..settings import Settings
from .catalog import Catalog
from .registry import Entry, Registry


@attrs.frozen(eq=False)
class Snapshot:
    """One state of the settings; a request keeps the one it began with.

    *session* is the way out to providers, *fetch* that to what is named by URL.
    """

    settings: Settings
    registry: Registry
    catalog: Catalog
    facts: Facts
    session: Pool
    fetch: Fetch | None = None
    #: contexts of calls for which the caller wants nothing special
    _contexts: dict[tuple[str, bool, str | None], tuple[Entry, CallContext]] = attrs.field(
        factory=dict, repr=False
    )

    def known_context(
        self, entry: Entry, request: Request, credential: str | None
    ) -> CallContext | None:
        """The context of a call that wants nothing special, if there was one before."""
        routing = request.routing
        if routing is not NO_ROUTING and not (routing.proxy is None and routing.timeout is None):
            return None
        known = self._contexts.get((entry.name, request.stream, credential))
        return known[1] if known is not None and known[0] is entry else None

    def context(
        self,
        entry: Entry,
        *,
        routing: Routing = NO_ROUTING,
        streamed: bool = False,
        credential: str | None = None,
        own: bool = False,
    ) -> CallContext:
        """What one call of *entry* may use; *own* says that the *credential* is the caller's."""
        plain = not own and routing.proxy is None and routing.timeout is None
        key = (entry.name, streamed, credential)
        if plain:
            known = self._contexts.get(key)
            if known is not None and known[0] is entry:
                return known[1]
        timeouts = self.timeouts(entry, routing)
        upstream = self.settings.upstream
        context = CallContext(
            http=Client(
                self.session,
                entry.name,
                timeouts.connect,
                timeouts.headers if streamed else timeouts.total,
                upstream.max_event,
                routing.proxy or upstream.proxy,
            ),
            provider=entry.name,
            credential=credential if entry.takes_key else None,
            own_credential=own,
            timeouts=timeouts,
            facts=self.facts,
            fetch=self.fetch,
        )
        if plain:
            self._contexts[key] = (entry, context)
        return context

    def timeouts(self, entry: Entry, routing: Routing = NO_ROUTING) -> Timeouts:
        """How long a call of *entry* may wait."""
        table, default = entry.settings, self.settings.upstream
        found = Timeouts(
            table.connect_timeout or default.connect_timeout,
            table.headers_timeout or default.headers_timeout,
            table.first_token_timeout or default.first_token_timeout,
            table.stream_timeout or default.stream_timeout,
            table.timeout or default.timeout,
        )
        if routing.timeout is not None and routing.timeout < found.total:
            return attrs.evolve(found, total=routing.timeout)
        return found
