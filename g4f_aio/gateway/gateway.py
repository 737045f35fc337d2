"""All providers behind one method."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Mapping

from ..core.errors import GatewayError, OverloadedError, UpstreamError, UpstreamTimeoutError
from ..core.events import Events
from ..core.fetch import Fetch
from ..core.models import Capability, ModelInfo
from ..core.operations import Operation, Request
from ..core.record import RequestRecord
from ..core.requests import ChatRequest
from ..providers.pool import Pool
from ..settings import Settings
from .answering import Answering
from .cache import ResponseCache
from .call import hide_secrets
from .captions import Captions
from .catalog import Catalog
from .desk import Desk
from .detect import detect
from .facts import GatewayFacts
from .plugins import are_models
from .quarantine import Quarantine
from .registry import Entry, Registry
from .snapshot import Snapshot
from .state import HealthStore

#: seconds for a provider's list of models
LISTING_TIMEOUT = 10.0
_log = logging.getLogger(__name__)


class Gateway:
    """All providers behind one method. *session* is the way out.

    *fetch* is the way to what requests name by URL; without it providers get the URLs. *tasks* are for answers that several requests share; without them there is no response cache.
    """

    def __init__(  # noqa: PLR0917  (what it stands on, most of it the same for every request)
        self,
        settings: Settings,
        registry: Registry,
        session: Pool,
        version: str = "",
        tasks: asyncio.TaskGroup | None = None,
        fetch: Fetch | None = None,
    ) -> None:
        self._session = session
        self._version = version
        self._fetcher = fetch
        self.desk = Desk()
        self._captions = Captions(self.desk)
        self._cache = None if tasks is None else ResponseCache(self._ask, tasks)
        self.now = self._snapshot(settings, registry)

    @property
    def health(self) -> HealthStore:
        """How every provider has been doing."""
        return self.desk.health

    @property
    def quarantine(self) -> Quarantine:
        """Who is left alone for blocking the event loop."""
        return self.desk.quarantine

    def reload(self, settings: Settings, registry: Registry) -> None:
        """Take new settings; requests in flight go on with the old ones."""
        self.now = self._snapshot(settings, registry)
        self.desk.quarantine.clear()
        self.desk.credentials.keep(registry.credentials)
        if self._cache is not None:
            self._cache.clear()

    def close(self) -> None:
        """There will be no more requests."""
        self.desk.close()
        if self._cache is not None:
            self._cache.close()

    def chat(self, request: ChatRequest, record: RequestRecord | None = None) -> Events:
        """The events of an answer: ``Started``, then the provider's; *record* is filled on the way.

        Providers are tried in order until one yields its first event; after that an error is final.
        """
        if record is None:
            record = RequestRecord("", "", request.dialect, request.model)
        if self._cache is not None:
            wanted = request.routing.cache
            if wanted is None:
                wanted = self.now.settings.cache.enabled
            if wanted and request.routing.conversation_id is None:
                return self._cache.chat(request, record, self.now.settings.cache)
        return self._ask(request, record)

    def call(self, operation: Operation, record: RequestRecord | None = None) -> Events:
        """As ``chat``, for what is no chat; never out of the cache."""
        return self._ask(
            operation, record or RequestRecord("", "", operation.dialect, operation.model)
        )

    def _ask(self, request: Request, record: RequestRecord) -> Events:
        now = self.now
        if (
            now.settings.routing.caption_model is not None
            and isinstance(request, ChatRequest)
            and Capability.VISION in request.needs
        ):
            return self._captions.chat(request, record, now)
        return Answering(self.desk, now, request, record)

    async def detect(self, addresses: Mapping[str, str] | None = None) -> None:
        """Look for model servers on this machine; those that came are asked for their models."""
        now = self.now
        changed = await detect(now.registry, now.settings, self._session, addresses)
        for entry in changed:
            now.catalog.forget(entry)
        came = (entry for entry in changed if entry.chosen)
        await asyncio.gather(*(now.catalog.refresh(entry) for entry in came))

    def _snapshot(self, settings: Settings, registry: Registry) -> Snapshot:
        async def fetch(entry: Entry) -> tuple[ModelInfo, ...]:
            return await self._fetch(snapshot, entry)

        catalog = Catalog(settings, registry, fetch)
        facts = GatewayFacts(settings, catalog, self._version)
        snapshot = Snapshot(settings, registry, catalog, facts, self._session, self._fetcher)
        return snapshot

    async def _fetch(self, now: Snapshot, entry: Entry) -> tuple[ModelInfo, ...]:
        """A provider's own list of models; GatewayError for whatever goes wrong."""
        if entry.provider is None:
            return ()
        if reason := self.quarantine.reason(entry.name):
            raise OverloadedError(reason, provider=entry.name)
        context = now.context(entry, credential=self.desk.credentials.any(entry))
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
