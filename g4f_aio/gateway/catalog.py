"""Model ids and aliases into ordered candidates; the data behind the listings."""

from __future__ import annotations

import asyncio
import difflib
import logging
import time
from collections.abc import Awaitable, Callable, Iterator, Mapping

import attrs

from ..core.errors import (
    GatewayError,
    ModelNotFoundError,
    OverloadedError,
    ProviderNotFoundError,
    UnsupportedError,
    UpstreamAuthError,
    UpstreamError,
)
from ..core.models import Capability, ModelInfo
from ..core.requests import ChatRequest
from ..settings import Settings
from .registry import Entry, Registry

#: seconds for which a fetched list of models is taken for fresh
FRESH = 600.0
#: what a client may say for "whatever is the default here"
DEFAULT = frozenset(("", "default", "auto"))
#: the provider of last resort
FALLBACK = "OfflineAssistant"
_log = logging.getLogger(__name__)

Keys = Mapping[str, str]
Fetch = Callable[[Entry], Awaitable[tuple[ModelInfo, ...]]]


@attrs.frozen
class Candidate:
    """A provider that may answer, and what it calls the model."""

    entry: Entry
    model: str


@attrs.frozen
class _Listed:
    models: tuple[ModelInfo, ...]
    at: float
    error: str | None = None


class Catalog:
    """The models of all providers. *fetch* asks a provider for its list."""

    def __init__(self, settings: Settings, registry: Registry, fetch: Fetch) -> None:
        self._settings = settings
        self.registry = registry
        self._fetch = fetch
        self._listed: dict[str, _Listed] = {}
        self._fetching: dict[str, asyncio.Lock] = {}

    def models_of(self, entry: Entry) -> tuple[ModelInfo, ...]:
        """What is known about a provider's models now, without asking it."""
        static = entry.static_models()
        listed = self._listed.get(entry.name)
        if entry.settings.models or listed is None:
            return static
        known = {model.id for model in listed.models}
        return (*listed.models, *(model for model in static if model.id not in known))

    async def refresh(self, entry: Entry, *, force: bool = False) -> tuple[ModelInfo, ...]:
        """The models of a provider, asked anew when the list is not fresh; never raises."""
        if entry.settings.models or not entry.usable:
            return self.models_of(entry)
        lock = self._fetching.setdefault(entry.name, asyncio.Lock())
        async with lock:
            listed = self._listed.get(entry.name)
            now = time.monotonic()
            if listed is None or force or now - listed.at > FRESH:
                try:
                    models = await self._fetch(entry)
                    self._listed[entry.name] = _Listed(models, now)
                except GatewayError as error:
                    _log.warning("no list of models from %s: %s", entry.name, error.message)
                    kept = listed.models if listed is not None else ()
                    self._listed[entry.name] = _Listed(kept, now, error.message)
        return self.models_of(entry)

    async def refresh_chosen(self) -> None:
        """Ask every configured provider whose list is not fresh."""
        await asyncio.gather(*(self.refresh(entry) for entry in self.registry.chosen))

    async def candidates(self, request: ChatRequest) -> list[Candidate]:
        """Who may answer, best first; at least one. GatewayError says why there is none."""
        named = request.routing.provider
        model = request.model
        keys = request.routing.api_keys
        if named is not None:
            return [await self._at(self._entry(named), model, keys)]
        found = await self._by_model(model, keys)
        found = [one for one in found if not self._ignored(one.entry)]
        if not found:
            raise OverloadedError(
                f"No provider for model {model!r} may be used: "
                "routing.ignored_providers names all that have it",
                code="no_provider_available",
            )
        return _capable(found, request.needs)

    async def _by_model(self, model: str, keys: Keys) -> list[Candidate]:
        routing = self._settings.routing
        if model.lower() in DEFAULT and model not in self._settings.models:
            if routing.model and routing.provider:
                return [Candidate(self._entry(routing.provider), routing.model)]
            if routing.provider:
                return [await self._at(self._entry(routing.provider), "", keys)]
            if routing.model:
                return await self._by_model(routing.model, keys)
            return await self._automatic()
        if chain := self._settings.models.get(model):
            return [
                await self._at(self._entry(target.provider), target.model or model, keys)
                for target in chain
            ]
        if addressed := await self._addressed(model, keys):
            return addressed
        if routing.provider:
            # the settings name a provider: it gets the name as it is, and its 404 is passed on
            return [Candidate(self._entry(routing.provider), model)]
        return await self._search(model)

    async def _addressed(self, model: str, keys: Keys) -> list[Candidate]:
        """``Provider`` or ``Provider:model``."""
        if entry := self.registry.get(model):
            return [await self._at(entry, "", keys)]
        provider, colon, rest = model.partition(":")
        if colon and rest and (entry := self.registry.get(provider)):
            return [await self._at(entry, rest, keys)]
        return []

    async def _search(self, model: str) -> list[Candidate]:
        """Everybody who lists the model: first those known without asking, then the others."""
        if found := list(self._having(model, self.registry.chosen)):
            return found
        await self.refresh_chosen()
        if found := list(self._having(model, self.registry.chosen)):
            return found
        everybody = await asyncio.to_thread(self.registry.load_all)
        if found := list(self._having(model, everybody)):
            return found
        raise self._unknown(model, everybody)

    def _having(self, model: str, entries: tuple[Entry, ...]) -> Iterator[Candidate]:
        for entry in entries:
            if not entry.usable:
                continue
            for info in self.models_of(entry):
                if model == info.id or model in info.aliases:
                    yield Candidate(entry, info.id)
                    break

    def _unknown(self, model: str, entries: tuple[Entry, ...]) -> ModelNotFoundError:
        ids = [info.id for entry in entries if entry.usable for info in self.models_of(entry)]
        near = difflib.get_close_matches(model, [*self._settings.models, *ids], 3)
        hint = f" Did you mean {', '.join(near)}?" if near else " GET /v1/models lists them."
        return ModelNotFoundError(f"Model {model!r} not found.{hint}", param="model")

    async def _automatic(self) -> list[Candidate]:
        """Configured providers, local servers that were found, then the built-in fallback.

        A provider that nobody chose is never in this order: a prompt goes nowhere unasked.
        """
        found = []
        for entry in self.registry.chosen:
            if entry.name == FALLBACK or self._ignored(entry):
                continue
            try:
                found.append(await self._at(entry, "", {}))
            except ModelNotFoundError:
                continue  # a server without a model, say; it cannot answer
        if found:
            # not followed by the fallback: where a model fails, the error is the honest answer
            return found
        fallback = self.registry.get(FALLBACK)
        if fallback is None or not fallback.usable:
            raise OverloadedError("No provider is configured", code="no_provider_available")
        return [await self._at(fallback, "", {})]

    async def _at(self, entry: Entry, model: str, keys: Keys) -> Candidate:
        """A candidate at a given provider; its first model when *model* is open.

        *keys* are the caller's own, which may be what the provider lacks.
        """
        _demand_usable(entry, own_key=entry.name in keys or "" in keys)
        if model.lower() in DEFAULT:
            default = self._settings.routing
            if default.model and default.provider == entry.name:
                return Candidate(entry, default.model)
            models = self.models_of(entry) or await self.refresh(entry)
            if not models:
                raise ModelNotFoundError(
                    f"{entry.name} lists no models; name one", param="model", provider=entry.name
                )
            return Candidate(entry, models[0].id)
        for info in self.models_of(entry):
            if model in info.aliases:
                return Candidate(entry, info.id)
        return Candidate(entry, model)

    def _entry(self, name: str) -> Entry:
        entry = self.registry.get(name)
        if entry is None:
            near = difflib.get_close_matches(name, self.registry.names(), 1)
            hint = f" Did you mean {near[0]}?" if near else ""
            raise ProviderNotFoundError(f"Provider {name!r} not found.{hint}", param="provider")
        return entry

    def _ignored(self, entry: Entry) -> bool:
        return entry.name in self._settings.routing.ignored_providers


def _demand_usable(entry: Entry, *, own_key: bool) -> None:
    if entry.error is not None:
        raise UpstreamError(f"Provider {entry.name} is broken: {entry.error}", provider=entry.name)
    if not entry.settings.enabled:
        raise ProviderNotFoundError(
            f"Provider {entry.name} is switched off in the settings", param="provider"
        )
    lacks = entry.lacks(own_key=own_key)
    if lacks is not None:
        raise UpstreamAuthError(
            f"Provider {entry.name} is not configured; it needs {lacks}", provider=entry.name
        )


def _capable(found: list[Candidate], needs: Capability) -> list[Candidate]:
    """Those who can supply what the request asks for; UnsupportedError names what nobody can."""
    able = [one for one in found if needs in one.entry.capabilities]
    if able:
        return able
    lacking = needs
    for one in found:
        lacking &= ~one.entry.capabilities
    names = ", ".join((lacking or needs & ~found[0].entry.capabilities).names)
    who = ", ".join(one.entry.name for one in found)
    raise UnsupportedError(f"{who} cannot supply: {names}", param=_PARAMS.get(names))


_PARAMS = {
    "tools": "tools",
    "json_object": "response_format",
    "json_schema": "response_format",
    "vision": "messages",
    "audio_input": "messages",
    "files": "messages",
    "audio_output": "modalities",
    "several_choices": "n",
    "logprobs": "logprobs",
}
