"""Which models each provider has: asked for, kept for a while, and never waited for without need."""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Awaitable, Callable

import attrs

from ..core.errors import GatewayError
from ..core.models import ModelInfo
from .registry import Entry, Registry

#: seconds for which a list of models is taken for fresh: a fetched one, one of a server on this
#: machine, where models come and go by hand, and one that could not be had
FRESH = 600.0
FRESH_LOCAL = 30.0
FRESH_FAILURE = 30.0
_log = logging.getLogger(__name__)

Fetch = Callable[[Entry], Awaitable[tuple[ModelInfo, ...]]]


@attrs.frozen
class _Listed:
    models: tuple[ModelInfo, ...]
    until: float


class Listings:
    """The models of the providers in *registry*. *fetch* asks a provider for its list."""

    def __init__(self, registry: Registry, fetch: Fetch) -> None:
        self.registry = registry
        self._fetch = fetch
        self._listed: dict[str, _Listed] = {}
        self._fetching: dict[str, asyncio.Lock] = {}
        self._changes = 0

    @property
    def changes(self) -> tuple[int, int]:
        """Another value as soon as a provider or a model comes or goes."""
        return (self.registry.changes, self._changes)

    def models_of(self, entry: Entry) -> tuple[ModelInfo, ...]:
        """What is known about a provider's models now, without asking it."""
        static = entry.static_models()
        listed = self._listed.get(entry.name)
        if entry.settings.models or listed is None:
            return static
        known = {model.id for model in listed.models}
        return (*listed.models, *(model for model in static if model.id not in known))

    def model(self, entry: Entry, name: str) -> ModelInfo | None:
        """The model that a provider calls *name*, or that answers to it; None when none is known."""
        models = self.models_of(entry)
        for info in models:
            if info.id == name:
                return info
        return next((info for info in models if name in info.aliases), None)

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
                if listed is None or listed.models != models:
                    self._changes += 1
        return self.models_of(entry)

    def forget(self, entry: Entry) -> None:
        """Drop what a provider listed: it came, or went, or is another one now."""
        self._listed.pop(entry.name, None)
        self._changes += 1

    async def refresh_chosen(self) -> None:
        """Ask every configured provider whose list is not fresh."""
        await asyncio.gather(*(self.refresh(entry) for entry in self.registry.chosen))
