"""A request to the provider that answers it: choose, call, fall back before the first event."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncGenerator, Coroutine, Mapping
from contextlib import aclosing
from types import AsyncGeneratorType

import attrs

from ..core.errors import GatewayError, UpstreamError, UpstreamTimeoutError
from ..core.events import Event, EventStream, Finish, Passthrough, Started
from ..core.models import ModelInfo
from ..core.provider import CallContext, Facts, Provider, Timeouts
from ..core.requests import ChatRequest, Routing
from ..providers.pool import Pool
from ..providers.upstream import Client
from ..settings import Settings
from .candidates import Candidate
from .catalog import Catalog
from .detect import detect
from .facts import GatewayFacts
from .health import HealthBook
from .patience import Patience
from .plugins import are_models
from .registry import Entry, Registry

#: seconds for a provider's list of models
LISTING_TIMEOUT = 10.0
#: what is shown in the place of a secret
MASK = "***"
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
            name = candidate.entry.name
            began = False
            try:
                events = self._call(now, candidate, request)
                async with aclosing(events):
                    async for event in events:
                        if not began:
                            began = True
                            yield Started(name, candidate.model, attempt)
                        yield event
            except GatewayError as error:
                self.health.of(name).failed(error)
                if began or attempt == last or not error.fallback:
                    raise
                _log.warning("%s; asking %s", error.message, candidates[attempt].entry.name)
            else:
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

    async def _call(
        self,
        now: Snapshot,
        candidate: Candidate,
        request: ChatRequest,
    ) -> EventStream:
        """The events of one provider, watched: in time, well-formed, and ending in a finish."""
        entry = candidate.entry
        provider = entry.provider
        assert provider is not None  # noqa: S101  (the catalogue offers no broken ones)
        health = self.health.of(entry.name)
        context = self.context(
            now,
            entry,
            routing=request.routing,
            streamed=request.stream,
            own_key=candidate.own_key,
        )
        if request.model != candidate.model:
            request = attrs.evolve(request, model=candidate.model)
        patience = Patience(entry.name, context.timeouts, streamed=request.stream)
        finished = False
        events = _begin(provider, request, context)
        try:
            while (event := await patience.next(events)) is not None:
                finished = _ends(event, entry.name) or finished
                yield event
        except GatewayError as error:
            _hide_secrets(error, context, entry)
            raise
        except Exception as error:  # a provider may fail in any way, and it fails alone
            _log.exception("provider %s raised", entry.name)
            raise UpstreamError(
                f"{entry.name} failed with {type(error).__name__}", provider=entry.name
            ) from error
        finally:
            patience.close()
            await _close(events, entry.name)
        if not finished:
            raise UpstreamError(
                f"{entry.name} ended its answer without a finish", provider=entry.name
            )
        health.succeeded(patience.first_after)

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
            _hide_secrets(error, context, entry)
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


def _ends(event: object, provider: str) -> bool:
    """Whether an event ends an answer; UpstreamError when it is no event at all."""
    match event:
        case Passthrough(last=last):
            return last
        case Finish():
            return True
        case _ if isinstance(event, Event):
            return False
        case _:
            kind = type(event).__name__
            raise UpstreamError(f"{provider} yielded {kind}, which is no event", provider=provider)


def _hide_secrets(error: GatewayError, context: CallContext, entry: Entry) -> None:
    """An upstream may quote what it was sent; no client and no log gets to see that."""
    for secret in (context.credential, *entry.settings.secrets()):
        if secret:
            error.message = error.message.replace(secret, MASK)


async def _close(events: EventStream, provider: str) -> None:
    """Let a provider clean up; how it fails at that changes nothing any more."""
    try:
        await events.aclose()
    except Exception:  # noqa: BLE001  (as in _call)
        _log.exception("provider %s raised when it was stopped", provider)


def _begin(provider: Provider, request: ChatRequest, context: CallContext) -> EventStream:
    """The provider's generator; UpstreamError when it returns something else."""
    try:
        events: object = provider.chat(request, context)
    except GatewayError:
        raise
    except Exception as error:  # as in _call
        _log.exception("provider %s raised", context.provider)
        raise UpstreamError(
            f"{context.provider} failed with {type(error).__name__}", provider=context.provider
        ) from error
    if isinstance(events, (AsyncGeneratorType, AsyncGenerator)):
        return events
    if isinstance(events, Coroutine):
        events.close()
    raise UpstreamError(
        f"{context.provider}.chat is no asynchronous generator", provider=context.provider
    )
