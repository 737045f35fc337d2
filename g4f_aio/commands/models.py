"""``g4f-aio models``: which models can be asked for and who has them, or who would answer one."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Mapping, Sequence

from ..core.messages import Message, TextPart
from ..core.requests import ChatRequest, Routing
from ..gateway.conditions import shown
from ..gateway.explain import Explanation, Prospect, explain
from ..gateway.gateway import Gateway
from ..gateway.registry import Entry, Registry
from ..settings import Settings
from .workbench import Terminal, choose, open_gateway, open_registry, open_settings


def run(flags: Mapping[str, object], names: Sequence[str]) -> int:
    """List the models, asking configured providers (or those of these *names*) for theirs.

    With the flag ``explain``, tell who would answer a request for that model instead.
    """
    flags = dict(flags)
    model = flags.pop("explain", None)
    settings, terminal = open_settings(flags, logging.WARNING)
    if model is not None:
        return _explain(str(model), names, settings, terminal)
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


def _explain(model: str, names: Sequence[str], settings: Settings, terminal: Terminal) -> int:
    """Print what would become of a request for *model*; 1 when nobody would answer."""
    if len(names) > 1:
        terminal.complain("a request names one provider at most")
        return 1
    routing = Routing(provider=names[0] if names else None)
    request = ChatRequest(model, (Message("user", (TextPart("Hello"),)),), routing=routing)
    found = asyncio.run(_prospects(settings, open_registry(settings), request))
    terminal.say(found.rule)
    if found.prospects:
        rows = [
            (p.asked.replace("_", " "), p.provider, p.model, ", ".join(p.suppliable), _why(p))
            for p in found.prospects
        ]
        terminal.table([("ASKED", "PROVIDER", "MODEL", "SUPPLIED", "WHY"), *rows])
    if found.error is None:
        return 0
    terminal.complain(found.error.message)
    return 1


async def _prospects(settings: Settings, registry: Registry, request: ChatRequest) -> Explanation:
    async with open_gateway(settings, registry) as gateway:
        catalog, desk = gateway.now.catalog, gateway.desk
        await catalog.refresh_chosen()  # as the server does when it starts
        return await explain(request, catalog, desk)


def _why(prospect: Prospect) -> str:
    """What speaks for a place in the order, or against one."""
    if prospect.why or prospect.when is None:
        return prospect.why
    return f"when {prospect.when} ({shown(prospect.values)})"
