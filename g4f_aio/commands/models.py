"""``g4f-aio models [--provider NAME]``: which models can be asked for, and who has them."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Mapping, Sequence

from ..gateway.gateway import Gateway
from ..gateway.registry import Entry, Registry
from ..settings import Settings
from .workbench import choose, open_gateway, open_registry, open_settings


def run(flags: Mapping[str, object], names: Sequence[str]) -> int:
    """List the models, asking configured providers (or those of these *names*) for theirs."""
    settings, terminal = open_settings(flags, logging.WARNING)
    registry = open_registry(settings)
    entries = choose(registry, names, terminal)
    if entries is None:
        return 1
    owners: dict[str, list[str]] = {}
    if not names:
        for alias, chain in settings.models.items():
            owners[alias] = [target.provider for target in chain]
    listed = asyncio.run(_list(settings, registry, entries, everybody=not names))
    for model, provider in listed:
        known = owners.setdefault(model, [])
        if provider not in known:
            known.append(provider)
    terminal.table([("MODEL", "PROVIDERS"), *((m, ", ".join(who)) for m, who in owners.items())])
    return 0


async def _list(
    settings: Settings, registry: Registry, entries: Sequence[Entry], *, everybody: bool
) -> list[tuple[str, str]]:
    """Pairs of model and provider."""
    async with open_gateway(settings, registry) as gateway:
        await asyncio.gather(
            *(_refresh(gateway, entry) for entry in entries if entry.chosen or not everybody)
        )
        catalog = gateway.now.catalog
        return [
            (model.id, entry.name)
            for entry in entries
            if catalog.offers(entry) or not everybody
            for model in catalog.models_of(entry)
        ]


async def _refresh(gateway: Gateway, entry: Entry) -> None:
    await gateway.now.catalog.refresh(entry)
