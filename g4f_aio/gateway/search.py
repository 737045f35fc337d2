"""One look for those who may answer a request: by its words, the settings and the lists of models."""

from __future__ import annotations

import asyncio
import difflib
import logging
from collections.abc import Iterable
from typing import TYPE_CHECKING

import attrs

from ..core.errors import (
    GatewayError,
    ModelNotFoundError,
    OverloadedError,
    ProviderNotFoundError,
)
from ..core.lazy import LazyModule
from ..core.models import Capability
from ..settings import ModelTarget, Settings
from .candidates import (
    Candidate,
    Found,
    Keys,
    LeftOut,
    capabilities_of,
    capable,
    demand_usable,
    incapable,
    key_for,
    showing,
    without_unnamed,
)
from .listings import Listings
from .registry import Entry, closest, same

if TYPE_CHECKING:
    from ..settings import conditions
else:  # few chains have any
    conditions = LazyModule("..settings.conditions", __package__)

#: what a client may say for "whatever is the default here"
DEFAULT = frozenset(("", "default", "auto"))
_NOTHING = Capability.NONE
#: the provider of last resort
FALLBACK = "OfflineAssistant"
_log = logging.getLogger(__name__)


class Search:
    """Looks once. *needs* is what the answer takes, *keys* are the caller's own credentials.

    *emulate*: whether the gateway may supply what a provider lacks.
    """

    def __init__(
        self,
        listings: Listings,
        settings: Settings,
        needs: Capability,
        keys: Keys,
        *,
        emulate: bool = False,
    ) -> None:
        self._listings = listings
        self._registry = listings.registry
        self._settings = settings
        self._needs = needs
        self._emulate = emulate
        self._keys = keys
        self._left_out: list[LeftOut] = []
        self._rule = ""
        self._anybody = False

    async def find(self, named: str | None, model: str) -> Found:
        """Who may answer a request for *model* that names the provider *named*, or none; never raises."""
        found: list[Candidate] = []
        error: GatewayError | None = None
        try:
            if named is not None:
                self._rule = "the request names the provider"
                found = await self._only(named, model)
            else:
                found = await self._by_model(model)
            captions = self._settings.routing.caption_model is not None
            able = capable(found, self._needs, emulate=self._emulate, captions=captions)
        except GatewayError as caught:
            able = []
            error = caught
        asked = set(map(id, able))
        self._left_out += (
            LeftOut(one.entry.name, one.model, incapable(one, self._needs))
            for one in found
            if id(one) not in asked
        )
        particular = any(one.ignores for one in able)
        shown = showing(able, self._needs)
        return Found(shown, tuple(self._left_out), self._rule, self._anybody, error, particular)

    async def _by_model(self, model: str) -> list[Candidate]:
        routing = self._settings.routing
        if model.lower() in DEFAULT and model not in self._settings.models:
            # that is a model for chats
            chats = Capability.CHAT in self._needs
            if chats and routing.model and routing.model.lower() not in DEFAULT:
                found = await self._by_model(routing.model)
                self._rule = f"routing.model is {routing.model}; {self._rule}"
                return found
            if routing.provider:
                self._rule = "routing.provider"
                return await self._only(routing.provider, "")
            return await self._automatic()
        if chain := self._settings.models.get(model):
            return await self._chain(chain, model)
        if addressed := await self._addressed(model, as_written=True):
            return addressed
        if routing.provider:
            # the settings name a provider: it gets the name as it is, and its 404 is passed on
            self._rule = "routing.provider"
            return await self._only(routing.provider, model)
        return await self._listed(model)

    async def _only(self, provider: str, model: str) -> list[Candidate]:
        """The one at a provider that was named."""
        try:
            return [await self._at(await self._entry(provider), model)]
        except GatewayError as error:
            self._left_out.append(LeftOut(provider, model, error))
            raise

    async def _chain(self, chain: tuple[ModelTarget, ...], model: str) -> list[Candidate]:
        """The links of a chain that can be used; the first one's error when none can."""
        self._rule = f"the chain of {model} in the settings"
        found = []
        for target in chain:
            wanted = target.model or model
            try:
                one = await self._at(await self._entry(target.provider), wanted)
                when = None if target.when is None else conditions.Condition.parse(target.when)
                found.append(attrs.evolve(one, when=when))
            except GatewayError as error:
                self._left_out.append(LeftOut(target.provider, wanted, error))
            self._keys = without_unnamed(self._keys)
        if not found:
            raise self._left_out[0].error
        for left in self._left_out:
            _log.warning("a link in the chain of %s is left out: %s", model, left.error.message)
        return found

    async def _addressed(self, model: str, *, as_written: bool) -> list[Candidate]:
        """``Provider`` or ``Provider:model``.

        *as_written*: only with the provider's capital letters, because Ollama's ``mistral:7b`` is
        no model of Mistral.
        """
        for provider, rest in ((model, ""), _halves(model)):
            name = self._registry.resolve(provider)
            if name is not None and (name == provider or not as_written):
                self._rule = "the model names the provider"
                return await self._only(name, rest)
        return []

    async def _listed(self, model: str) -> list[Candidate]:
        """Everybody who lists the model: first those known without asking, then the others."""
        self._rule = "the providers that list the model"
        self._anybody = True
        if found := self._having(model, self._registry.chosen):
            return found
        await self._listings.refresh_chosen()
        if found := self._having(model, self._registry.chosen):
            return found
        if addressed := await self._addressed(model, as_written=False):
            self._anybody = False
            return addressed
        everybody = await asyncio.to_thread(self._registry.load_all)
        if found := self._having(model, everybody):
            return found
        raise self._unknown(model, everybody)

    def _having(self, model: str, entries: Iterable[Entry]) -> list[Candidate]:
        found = []
        self._left_out.clear()
        for entry in entries:
            info = self._listings.model(entry, model)
            if info is None:
                continue
            try:
                demand_usable(entry, own_key=False, ignored=self._ignored(entry))
            except GatewayError as error:
                self._left_out.append(LeftOut(entry.name, info.id, error))
                continue
            found.append(Candidate(entry, info.id, key_for(entry.name, self._keys), info=info))
            self._keys = without_unnamed(self._keys)
        return found

    def _unknown(self, model: str, entries: Iterable[Entry]) -> GatewayError:
        """The error for a model that nobody has, or nobody who may be asked."""
        usable = {entry.name: entry for entry in entries if entry.usable}
        if any(left.provider in usable for left in self._left_out):
            return OverloadedError(
                f"No provider for model {model!r} may be used: "
                "routing.ignored_providers names all that have it",
                code="no_provider_available",
            )
        ids = [info.id for entry in usable.values() for info in self._listings.models_of(entry)]
        known = {one.lower(): one for one in (*self._settings.models, *ids)}
        near = difflib.get_close_matches(model.lower(), known, 3)
        hint = "GET /v1/models lists them."
        if self._left_out:
            hint = f"{self._left_out[0].error.message}."
        elif near:
            hint = f"Did you mean {', '.join(known[one] for one in near)}?"
        return ModelNotFoundError(f"Model {model!r} not found. {hint}", param="model")

    async def _automatic(self) -> list[Candidate]:
        """Configured providers, local servers that were found, then the built-in fallback.

        A provider that nobody chose is never in this order: a prompt goes nowhere unasked.
        """
        self._rule = "automatic choice"
        self._anybody = True
        chosen = [entry for entry in self._registry.chosen if entry.name != FALLBACK]
        asked = [entry for entry in chosen if not self._ignored(entry)]
        # at once, so that one that is down does not make the others wait
        refresh = self._listings.refresh
        await asyncio.gather(*(refresh(e) for e in asked if not self._listings.models_of(e)))
        found = []
        for entry in chosen:
            try:
                found.append(attrs.evolve(await self._at(entry, ""), automatic=True))
                self._keys = without_unnamed(self._keys)
            except (ModelNotFoundError, ProviderNotFoundError) as error:
                # a server without a model, say; or one that is ignored
                self._left_out.append(LeftOut(entry.name, "", error))
        if found:
            # not followed by the fallback: where a model fails, the error is the honest answer
            return found
        if Capability.CHAT not in self._needs and self._left_out:
            raise self._left_out[0].error
        fallback = await self._registry.find(FALLBACK)
        if fallback is None or not fallback.usable or self._ignored(fallback):
            raise OverloadedError("No provider is configured", code="no_provider_available")
        self._rule = "automatic choice; nobody else is configured"
        return [await self._at(fallback, "")]

    async def _at(self, entry: Entry, model: str) -> Candidate:
        """A candidate at a given provider; where *model* is open, its first one that will do.

        The caller's own key may be what the provider lacks.
        """
        own_key = key_for(entry.name, self._keys)
        demand_usable(entry, own_key=own_key is not None, ignored=self._ignored(entry))
        model = model if model.lower() not in DEFAULT else self._default_of(entry)
        if model:
            info = self._listings.model(entry, model)
            return Candidate(entry, info.id if info is not None else model, own_key, info=info)
        models = self._listings.models_of(entry) or await self._listings.refresh(entry)
        fit = [info for info in models if info.may_be_default]
        if Capability.CHAT not in self._needs and self._needs in entry.capabilities:
            # one of which nothing is known is for chats, most likely
            fit = [info for info in models if self._needs in (info.capabilities or _NOTHING)]
        fit.sort(key=lambda info: self._needs not in capabilities_of(entry, info))
        if not fit:
            raise ModelNotFoundError(
                f"{entry.name} lists no model for a default; name one",
                param="model",
                provider=entry.name,
            )
        return Candidate(entry, fit[0].id, own_key, info=fit[0])

    def _default_of(self, entry: Entry) -> str:
        """The model that the settings or its class name for a provider; empty when none is named."""
        if Capability.CHAT not in self._needs:
            return "" if entry.provider is None else entry.provider.defaults.get(self._needs, "")
        default = self._settings.routing
        if default.provider is None or not same(default.provider, entry.name):
            return ""
        model = default.model or ""
        return "" if model.lower() in DEFAULT or model in self._settings.models else model

    async def _entry(self, name: str) -> Entry:
        entry = await self._registry.find(name)
        if entry is None:
            near = closest(name, self._registry.names())
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
