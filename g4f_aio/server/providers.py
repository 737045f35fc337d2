"""Listings of providers."""

from __future__ import annotations

import asyncio
from typing import Any

from aiohttp import web

from ..core.errors import ProviderNotFoundError
from ..core.models import Capability
from ..gateway.gateway import Gateway
from ..gateway.health import Health
from ..gateway.registry import Entry
from ..keys import GATEWAY
from .bodies import json_response


async def list_providers(request: web.Request) -> web.Response:
    """``GET /v1/providers``: all of them, the broken ones with their reason."""
    gateway = request.app[GATEWAY]
    entries = await asyncio.to_thread(gateway.now.registry.load_all)
    data = [provider_object(entry, gateway) for entry in entries]
    return json_response({"object": "list", "data": data})


async def get_provider(request: web.Request) -> web.Response:
    """``GET /v1/providers/{provider}``."""
    gateway = request.app[GATEWAY]
    name = request.match_info["provider"]
    entry = await gateway.now.registry.find(name)
    if entry is None:
        raise ProviderNotFoundError(f"Provider {name!r} not found", param="provider")
    return json_response(provider_object(entry, gateway))


def provider_object(entry: Entry, gateway: Gateway) -> dict[str, Any]:
    """A provider on the wire; ``working`` says that a request to it can be tried."""
    provider = entry.provider
    health = gateway.health.of(entry.name, local=entry.local)
    models = gateway.now.catalog.models_of(entry)
    can = {m.id: entry.capabilities if m.capabilities is None else m.capabilities for m in models}
    return {
        "provider": entry.name,
        "id": entry.name,
        "object": "provider",
        "created": 0,
        "label": (provider.label if provider is not None else "") or entry.name,
        "description": provider.description if provider is not None else "",
        "url": provider.url if provider is not None else None,
        "models": list(can),
        "image_models": [model for model, flags in can.items() if Capability.IMAGE in flags],
        "vision_models": [model for model, flags in can.items() if Capability.VISION in flags],
        "working": gateway.now.catalog.offers(entry),
        "configured": entry.chosen and entry.usable,
        "auth": provider is not None and provider.key == "required",
        "stream": Capability.STREAM in entry.capabilities,
        "capabilities": list(entry.capabilities.names),
        "missing": _missing(entry, gateway),
        "error": entry.error,
        "plugin": {
            "type": entry.plugin,
            "distribution": entry.distribution,
            "version": entry.version,
        },
        "health": {
            **health_object(health),
            **({"state": "broken"} if entry.error is not None else {}),
            "models": {
                model: health_object(standing.model)
                for (name, model), standing in gateway.health.standings().items()
                if name == entry.name and standing.model.calls
            },
        },
    }


def health_object(health: Health) -> dict[str, Any]:
    """How the last calls of a provider, or of one of its models, went, on the wire."""
    return {
        "state": health.state,
        "last_ok": health.last_ok,
        "last_error": health.last_error,
        "success_rate": health.success_rate,
        "ttft_ms": None if health.ttft is None else round(health.ttft * 1000),
        "tokens_per_s": None if health.speed is None else round(health.speed, 1),
    }


def _missing(entry: Entry, gateway: Gateway) -> str | None:
    """What a provider lacks; a local server may just not be running."""
    if entry.usable and not gateway.now.catalog.offers(entry):
        return "a server that runs: none was found on this machine"
    return entry.missing
