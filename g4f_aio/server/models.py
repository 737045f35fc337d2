"""Listings of models."""

from __future__ import annotations

import asyncio
from typing import Any

from aiohttp import web

from ..core.errors import ModelNotFoundError, ProviderNotFoundError
from ..core.models import Capability, ModelInfo
from ..gateway.catalog import Catalog
from ..gateway.limits import ModelNames
from ..gateway.registry import Entry
from ..keys import GATEWAY, VISIT
from .bodies import json_response
from .errors import VERSION
from .messages_models import model_entry, model_page


async def list_models(request: web.Request) -> web.Response:
    """``GET /v1/models``: every model once, then one entry for each provider.

    A key that may not ask for all of them sees those that it may ask for by the names listed. Clients
    of Anthropic's API get them in its shape.
    """
    listed = await _all(request)
    if VERSION in request.headers:
        return json_response(model_page(listed, request.query))
    return json_response({"object": "list", "data": listed})


async def get_model(request: web.Request) -> web.Response:
    """``GET /v1/models/{id}``."""
    wanted = request.match_info["id"]
    for entry in await _all(request):
        if entry["id"] == wanted:
            return json_response(model_entry(entry) if VERSION in request.headers else entry)
    raise ModelNotFoundError(f"Model {wanted!r} not found", param="model")


async def list_provider_models(request: web.Request) -> web.Response:
    """``GET /api/{provider}/models``; asks the provider when its list is not fresh."""
    name = request.match_info["provider"]
    catalog = request.app[GATEWAY].now.catalog
    entry = await catalog.registry.find(name)
    if entry is None:
        raise ProviderNotFoundError(f"Provider {name!r} not found", param="provider")
    models = await catalog.refresh(entry)
    allowed = _allowed(request)
    data = [
        model_object(model, entry)
        for model in models
        if allowed is None or f"{entry.name}:{model.id}" in allowed
    ]
    return json_response({"object": "list", "data": data})


def model_object(model: ModelInfo, entry: Entry) -> dict[str, Any]:
    """A model of one provider on the wire."""
    found = {
        "id": model.id,
        "object": "model",
        "created": model.created,
        "owned_by": model.owned_by or _label(entry),
        **_kinds(entry.capabilities if model.capabilities is None else model.capabilities),
        "provider": False,
    }
    if model.context_length is not None:
        found["context_length"] = model.context_length
    if model.not_a_language_model:
        found["not_a_language_model"] = True
    return found


async def _all(request: web.Request) -> list[dict[str, Any]]:
    gateway = request.app[GATEWAY]
    catalog = gateway.now.catalog
    entries = await asyncio.to_thread(catalog.registry.load_all)
    offered = [entry for entry in entries if catalog.offers(entry)]
    found: dict[str, dict[str, Any]] = {}
    for alias, chain in gateway.now.settings.models.items():
        names = [target.provider for target in chain]
        found[alias] = {
            "id": alias,
            "object": "model",
            "created": 0,
            "owned_by": "g4f_aio",
            **_kinds(_of_chain(names, catalog)),
            "provider": False,
            "providers": names,
        }
    for entry in offered:
        for model in catalog.models_of(entry):
            known = found.setdefault(model.id, model_object(model, entry) | {"providers": []})
            if entry.name not in known["providers"]:
                known["providers"].append(entry.name)
    for entry in offered:
        kinds = _kinds(entry.capabilities)
        found.setdefault(
            entry.name,
            {
                "id": entry.name,
                "object": "model",
                "created": 0,
                "owned_by": _label(entry),
                **kinds,
                "provider": True,
                "providers": [entry.name],
            },
        )
    allowed = _allowed(request)
    return [one for name, one in found.items() if allowed is None or name in allowed]


def _allowed(request: web.Request) -> ModelNames | None:
    """The models that the caller may ask for; None when he may for all of them."""
    limits = request[VISIT].caller.limits
    return None if limits is None else limits.models


def _of_chain(names: list[str], catalog: Catalog) -> Capability:
    """What the providers of an alias can do between them."""
    can = Capability.NONE
    for name in names:
        entry = catalog.registry.get(name)
        if entry is not None:
            can |= entry.capabilities
    return can


def _kinds(can: Capability) -> dict[str, bool]:
    return {
        "image": Capability.IMAGE in can,
        "vision": Capability.VISION in can,
        "audio": Capability.SPEECH in can or Capability.AUDIO_OUTPUT in can,
        "video": Capability.VIDEO in can,
    }


def _label(entry: Entry) -> str:
    return (entry.provider.label if entry.provider is not None else "") or entry.name
