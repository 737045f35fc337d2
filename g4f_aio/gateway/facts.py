"""What this gateway tells the providers that answer about it."""

from __future__ import annotations

import asyncio

import attrs

from ..core.provider import ProviderFacts
from ..settings import Settings
from .catalog import Catalog
from .registry import Entry


@attrs.frozen
class GatewayFacts:
    """What the gateway knows about itself (``core.provider.Facts``)."""

    _settings: Settings
    _catalog: Catalog
    version: str

    @property
    def address(self) -> str:
        """Where this program answers."""
        server = self._settings.server
        scheme = "https" if server.ssl_certfile else "http"
        host = f"[{server.host}]" if ":" in server.host else server.host
        return f"{scheme}://{host}:{server.port}"

    async def providers(self) -> tuple[ProviderFacts, ...]:
        """Every provider, the broken ones included."""
        entries = await asyncio.to_thread(self._catalog.registry.load_all)
        return tuple(_facts(entry, self._catalog) for entry in entries)


#: what a server lacks that nobody configured and that was not found
_UNSEEN = "to be started on this machine; it is found by itself when it runs"


def _facts(entry: Entry, catalog: Catalog) -> ProviderFacts:
    provider = entry.provider
    offered = catalog.offers(entry)
    unseen = entry.usable and entry.local and not offered
    return ProviderFacts(
        name=entry.name,
        label=provider.label if provider is not None else entry.name,
        description=provider.description if provider is not None else "",
        configured=offered,
        missing=_UNSEEN if unseen else entry.missing,
        error=entry.error,
        local=entry.local,
        models=tuple(model.id for model in catalog.models_of(entry)),
        url=provider.url if provider is not None else None,
    )
