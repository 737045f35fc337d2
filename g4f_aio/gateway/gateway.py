"""A request to the provider that answers it: choose, call, fall back before the first event."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Mapping

import attrs

from ..core.errors import GatewayError, UpstreamError, UpstreamTimeoutError
from ..core.events import EventStream, Started
from ..core.models import ModelInfo
from ..core.provider import CallContext, Facts, Timeouts
from ..core.requests import ChatRequest, Routing
from ..providers.pool import Pool
from ..providers.upstream import Client
from ..settings import Settings
from .call import Call, hide_secrets
from .candidates import Candidate
from .catalog import Catalog
from .detect import detect
from .facts import GatewayFacts
from .health import HealthBook
from .plugins import are_models
from .registry import Entry, Registry

#: seconds for a provider's list of models
LISTING_TIMEOUT = 10.0
_NO_ROUTING = Routing()
_log = logging.getLogger(__name__)


@attrs.frozen
class Snapshot:
    """One state of the settings; a request keeps the one it began with."""

    settings: Settings
    registry: Registry
    catalog: Catalog
    facts: Facts
    #: what a call of a provider may use, where the caller wants nothing special; by streamed or not
    contexts: dict[tuple[str, bool], CallContext] = attrs.field(factory=dict)


class Gateway:
    """All providers behind one method. *session* is the way out."""

    def __init__(
        self,
        settings: Settings,
        registry: Registry,
        session: Pool,
        version: str = "",
    ) -> None:
        self._session = session
        self._version = version
        self.health = HealthBook()
        self.now = self._snapshot(settings, registry)

    def reload(self, settings: Settings, registry: Registry) -> None:
        """Take new settings; requests in flight go on with the old ones."""
        self.now = self._snapshot(settings, registry)

    async def chat(self, request: ChatRequest) -> EventStream:
        """The events of an answer: ``Started``, then the provider's.

        Providers are tried in order until one yields its first event; after that an error is final.
        """
        now = self.now
        candidates = await now.catalog.candidates(request)
        if len(candidates) > 1:
            candidates.sort(key=lambda one: self.health.of(one.entry.name).resting)
        last = len(candidates)
        for attempt, candidate in enumerate(candidates, 1):
            health = self.health.of(candidate.entry.name)
            call = self._call(now, candidate, request)
            began = False
            try:
                async with call:
                    while (event := await call.next()) is not None:
                        if not began:
                            began = True
                            yield Started(candidate.entry.name, candidate.model, attempt)
                        yield event
            except GatewayError as error:
                health.failed(error)
                if began or attempt == last or not error.fallback:
                    raise
                _log.warning("%s; asking %s", error.message, candidates[attempt].entry.name)
            else:
                health.succeeded(call.first_after)
                return

    async def detect(self, addresses: Mapping[str, str] | None = None) -> None:
        """Look for model servers on this machine; those that came are asked for their models."""
        now = self.now
        changed = await detect(now.registry, now.settings, self._session, addresses)
        for entry in changed:
            now.catalog.forget(entry)
        came = (entry for entry in changed if entry.chosen)
        await asyncio.gather(*(now.catalog.refresh(entry) for entry in came))

    def context(
        self,
        now: Snapshot,
        entry: Entry,
        *,
        routing: Routing = _NO_ROUTING,
        streamed: bool = False,
        own_key: str | None = None,
    ) -> CallContext:
        """What one call of *entry* may use; *own_key* is the caller's credential for it."""
        plain = own_key is None and routing.proxy is None and routing.timeout is None
        known = now.contexts.get((entry.name, streamed)) if plain else None
        if known is not None:
            return known
        timeouts = self._timeouts(now, entry, routing)
        upstream = now.settings.upstream
        takes_key = entry.provider is not None and entry.provider.key != "none"
        context = CallContext(
            http=Client(
                self._session,
                entry.name,
                timeouts.connect,
                timeouts.headers if streamed else timeouts.total,
                upstream.max_event,
                routing.proxy or upstream.proxy,
            ),
            provider=entry.name,
            credential=(own_key or entry.settings.api_key) if takes_key else None,
            own_credential=own_key is not None,
            timeouts=timeouts,
            facts=now.facts,
        )
        if plain:
            now.contexts[entry.name, streamed] = context
        return context

    def _call(self, now: Snapshot, candidate: Candidate, request: ChatRequest) -> Call:
        entry = candidate.entry
        context = self.context(
            now,
            entry,
            routing=request.routing,
            streamed=request.stream,
            own_key=candidate.own_key,
        )
        if request.model != candidate.model:
            request = attrs.evolve(request, model=candidate.model)
        return Call(entry, request, context)

    def _timeouts(self, now: Snapshot, entry: Entry, routing: Routing) -> Timeouts:
        table, default = entry.settings, now.settings.upstream
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

    def _snapshot(self, settings: Settings, registry: Registry) -> Snapshot:
        async def fetch(entry: Entry) -> tuple[ModelInfo, ...]:
            return await self._fetch(snapshot, entry)

        catalog = Catalog(settings, registry, fetch)
        facts = GatewayFacts(settings, catalog, self._version)
        snapshot = Snapshot(settings, registry, catalog, facts)
        return snapshot

    async def _fetch(self, now: Snapshot, entry: Entry) -> tuple[ModelInfo, ...]:
        """A provider's own list of models; GatewayError for whatever goes wrong."""
        if entry.provider is None:
            return ()
        context = self.context(now, entry)
        try:
            async with asyncio.timeout(LISTING_TIMEOUT):
                models = await entry.provider.fetch_models(context)
        except GatewayError as error:
            hide_secrets(error, context, entry)
            raise
        except TimeoutError:
            raise UpstreamTimeoutError(
                f"{entry.name} listed no models within {LISTING_TIMEOUT:g} s", provider=entry.name
            ) from None
        except Exception as error:
            _log.exception("provider %s raised while it listed its models", entry.name)
            raise UpstreamError(
                f"{entry.name} failed with {type(error).__name__}", provider=entry.name
            ) from error
        if not are_models(models):
            raise UpstreamError(f"{entry.name} listed no models but junk", provider=entry.name)
        return models
