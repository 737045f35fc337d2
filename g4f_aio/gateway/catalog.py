"""Model ids and aliases into ordered candidates; the data behind the listings."""

from __future__ import annotations

import asyncio
import difflib
import logging
import time
from collections.abc import Awaitable, Callable, Iterator

import attrs

from ..core.errors import (
    GatewayError,
    ModelNotFoundError,
    OverloadedError,
    ProviderNotFoundError,
)
from ..core.models import ModelInfo
from ..core.requests import ChatRequest
from ..settings import ModelTarget, Settings
from .candidates import Candidate, Keys, capable, demand_usable, key_for, without_unnamed
from .registry import Entry, Registry, closest, same

#: seconds for which a list of models is taken for fresh: a fetched one, one of a server on this
#: machine, where models come and go by hand, and one that could not be had
FRESH = 600.0
FRESH_LOCAL = 30.0
FRESH_FAILURE = 30.0
#: what a client may say for "whatever is the default here"
DEFAULT = frozenset(("", "default", "auto"))
#: the most answers to "who has this model?" that are kept
REMEMBERED = 1000
#: the provider of last resort
FALLBACK = "OfflineAssistant"
_log = logging.getLogger(__name__)

Fetch = Callable[[Entry], Awaitable[tuple[ModelInfo, ...]]]


@attrs.frozen
class _Listed:
    models: tuple[ModelInfo, ...]
    until: float


class Catalog:
    """The models of all providers. *fetch* asks a provider for its list."""

    def __init__(self, settings: Settings, registry: Registry, fetch: Fetch) -> None:
        self._settings = settings
        self.registry = registry
        self._fetch = fetch
        self._listed: dict[str, _Listed] = {}
        self._fetching: dict[str, asyncio.Lock] = {}
        #: what was found for a provider and a model, as long as nothing changes
        self._found: dict[tuple[str | None, str], list[Candidate]] = {}
        self._found_at = registry.changes

    def models_of(self, entry: Entry) -> tuple[ModelInfo, ...]:
        """What is known about a provider's models now, without asking it."""
        static = entry.static_models()
        listed = self._listed.get(entry.name)
        if entry.settings.models or listed is None:
            return static
        known = {model.id for model in listed.models}
        return (*listed.models, *(model for model in static if model.id not in known))

    def offers(self, entry: Entry) -> bool:
        """Whether a listing shows it: usable, and somebody chose it or its models are known."""
        return entry.usable and (entry.chosen or bool(self.models_of(entry)))

    async def refresh(self, entry: Entry, *, force: bool = False) -> tuple[ModelInfo, ...]:
        """The models of a provider, asked anew when the list is not fresh; never raises."""
        if entry.settings.models or not entry.usable:
            return self.models_of(entry)
        lock = self._fetching.setdefault(entry.name, asyncio.Lock())
        async with lock:
            listed = self._listed.get(entry.name)
            if listed is None or force or time.monotonic() > listed.until:
                try:
                    models = await self._fetch(entry)
                    fresh = FRESH_LOCAL if entry.local else FRESH
                except GatewayError as error:
                    _log.warning("no list of models from %s: %s", entry.name, error.message)
                    models = listed.models if listed is not None else ()
                    fresh = FRESH_FAILURE
                self._listed[entry.name] = _Listed(models, time.monotonic() + fresh)
                self._found.clear()
        return self.models_of(entry)

    def forget(self, entry: Entry) -> None:
        """Drop what a provider listed: it came, or went, or is another one now."""
        self._listed.pop(entry.name, None)
        self._found.clear()

    async def refresh_chosen(self) -> None:
        """Ask every configured provider whose list is not fresh."""
        await asyncio.gather(*(self.refresh(entry) for entry in self.registry.chosen))

    async def candidates(self, request: ChatRequest) -> list[Candidate]:
        """Who may answer, best first; at least one. GatewayError says why there is none."""
        named, model, keys = request.routing.provider, request.model, request.routing.api_keys
        if self._found_at != self.registry.changes or len(self._found) >= REMEMBERED:
            self._found.clear()
            self._found_at = self.registry.changes
        found = self._found.get((named, model))
        if found is None or keys:
            found = await self._find(named, model, keys)
            if not keys:  # those of a caller are for his own request
                self._found[named, model] = found
        return capable(found, request.needs)

    async def _find(self, named: str | None, model: str, keys: Keys) -> list[Candidate]:
        if named is not None:
            found = [await self._at(await self._entry(named), model, keys)]
        else:
            found = await self._by_model(model, keys)
        found = [one for one in found if not self._ignored(one.entry)]
        if not found:
            raise OverloadedError(
                f"No provider for model {model!r} may be used: "
                "routing.ignored_providers names all that have it",
                code="no_provider_available",
            )
        return found

    async def _by_model(self, model: str, keys: Keys) -> list[Candidate]:
        routing = self._settings.routing
        if model.lower() in DEFAULT and model not in self._settings.models:
            if routing.provider:
                return [await self._at(await self._entry(routing.provider), "", keys)]
            if routing.model and routing.model.lower() not in DEFAULT:
                return await self._by_model(routing.model, keys)
            return await self._automatic(keys)
        if chain := self._settings.models.get(model):
            return await self._chain(chain, model, keys)
        if addressed := await self._addressed(model, keys, as_written=True):
            return addressed
        if routing.provider:
            # the settings name a provider: it gets the name as it is, and its 404 is passed on
            return [await self._at(await self._entry(routing.provider), model, keys)]
        return await self._search(model, keys)

    async def _chain(
        self, chain: tuple[ModelTarget, ...], model: str, keys: Keys
    ) -> list[Candidate]:
        """The links of a chain that can be used; the first one's error when none can."""
        found = []
        failures = []
        for target in chain:
            try:
                entry = await self._entry(target.provider)
                found.append(await self._at(entry, target.model or model, keys))
            except GatewayError as error:
                failures.append(error)
            keys = without_unnamed(keys)
        if not found:
            raise failures[0]
        for failure in failures:
            _log.warning("a link in the chain of %s is left out: %s", model, failure.message)
        return found

    async def _addressed(self, model: str, keys: Keys, *, as_written: bool) -> list[Candidate]:
        """``Provider`` or ``Provider:model``.

        *as_written*: only with the provider's capital letters, because Ollama's ``mistral:7b`` is
        no model of Mistral.
        """
        for provider, rest in ((model, ""), _halves(model)):
            name = self.registry.resolve(provider)
            if name is not None and (name == provider or not as_written):
                return [await self._at(await self._entry(name), rest, keys)]
        return []

    async def _search(self, model: str, keys: Keys) -> list[Candidate]:
        """Everybody who lists the model: first those known without asking, then the others."""
        if found := list(self._having(model, self.registry.chosen, keys)):
            return found
        await self.refresh_chosen()
        if found := list(self._having(model, self.registry.chosen, keys)):
            return found
        if addressed := await self._addressed(model, keys, as_written=False):
            return addressed
        everybody = await asyncio.to_thread(self.registry.load_all)
        if found := list(self._having(model, everybody, keys)):
            return found
        raise self._unknown(model, everybody)

    def _having(self, model: str, entries: tuple[Entry, ...], keys: Keys) -> Iterator[Candidate]:
        for entry in entries:
            if not entry.usable:
                continue
            for info in self.models_of(entry):
                if model == info.id or model in info.aliases:
                    yield Candidate(entry, info.id, key_for(entry.name, keys))
                    keys = without_unnamed(keys)
                    break

    def _unknown(self, model: str, entries: tuple[Entry, ...]) -> ModelNotFoundError:
        ids = [info.id for entry in entries if entry.usable for info in self.models_of(entry)]
        near = difflib.get_close_matches(model, [*self._settings.models, *ids], 3)
        hint = f" Did you mean {', '.join(near)}?" if near else " GET /v1/models lists them."
        return ModelNotFoundError(f"Model {model!r} not found.{hint}", param="model")

    async def _automatic(self, keys: Keys) -> list[Candidate]:
        """Configured providers, local servers that were found, then the built-in fallback.

        A provider that nobody chose is never in this order: a prompt goes nowhere unasked.
        """
        found = []
        chosen = [
            entry
            for entry in self.registry.chosen
            if entry.name != FALLBACK and not self._ignored(entry)
        ]
        # at once, so that one that is down does not make the others wait
        await asyncio.gather(*(self.refresh(e) for e in chosen if not self.models_of(e)))
        for entry in chosen:
            try:
                found.append(await self._at(entry, "", keys))
                keys = without_unnamed(keys)
            except ModelNotFoundError:
                continue  # a server without a model, say; it cannot answer
        if found:
            # not followed by the fallback: where a model fails, the error is the honest answer
            return found
        fallback = await self.registry.find(FALLBACK)
        if fallback is None or not fallback.usable or self._ignored(fallback):
            raise OverloadedError("No provider is configured", code="no_provider_available")
        return [await self._at(fallback, "", keys)]

    async def _at(self, entry: Entry, model: str, keys: Keys) -> Candidate:
        """A candidate at a given provider; its first model when *model* is open.

        *keys* are the caller's own, which may be what the provider lacks.
        """
        own_key = key_for(entry.name, keys)
        demand_usable(entry, own_key=own_key is not None, ignored=self._ignored(entry))
        if model.lower() in DEFAULT:
            default = self._settings.routing
            named = default.provider is not None and same(default.provider, entry.name)
            if named and default.model and default.model.lower() not in DEFAULT:
                return await self._at(entry, default.model, keys)
            models = self.models_of(entry) or await self.refresh(entry)
            for info in models:
                if info.may_be_default:
                    return Candidate(entry, info.id, own_key)
            raise ModelNotFoundError(
                f"{entry.name} lists no model for a default; name one",
                param="model",
                provider=entry.name,
            )
        for info in self.models_of(entry):
            if model in info.aliases:
                return Candidate(entry, info.id, own_key)
        return Candidate(entry, model, own_key)

    async def _entry(self, name: str) -> Entry:
        entry = await self.registry.find(name)
        if entry is None:
            near = closest(name, self.registry.names())
            hint = f" Did you mean {near}?" if near else ""
            raise ProviderNotFoundError(f"Provider {name!r} not found.{hint}", param="provider")
        return entry

    def _ignored(self, entry: Entry) -> bool:
        ignored = self._settings.routing.ignored_providers
        return any(same(name, entry.name) for name in ignored)


def _halves(model: str) -> tuple[str, str]:
    """Provider and model of ``Provider:model``; an empty provider when it is not of that form."""
    provider, colon, rest = model.partition(":")
    return (provider, rest) if colon and rest else ("", "")
