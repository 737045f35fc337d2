"""Providers with lists of models, and a catalogue of them, for the tests of who is asked."""

from __future__ import annotations

import asyncio

from g4f_aio import ChatRequest, GatewayError, Message, ModelInfo, Provider, Routing, TextPart
from g4f_aio.gateway.catalog import Catalog
from g4f_aio.gateway.registry import Entry, Registry
from g4f_aio.providers.offline_assistant import OfflineAssistant
from g4f_aio.providers.openai_compatible import OpenAICompatible
from g4f_aio.settings import ModelTarget, ProviderSettings, RoutingSettings, Settings
from g4f_aio.settings.secret import SecretStr

ASSISTANT = Entry(
    "OfflineAssistant",
    "OfflineAssistant",
    "g4f_aio",
    "1",
    ProviderSettings("OfflineAssistant"),
    OfflineAssistant(),
)


def entry(
    name: str,
    *models: str,
    chosen: bool = True,
    provider: Provider | None = None,
    key: str | None = None,
) -> Entry:
    """A provider of that name; without *models* it is asked for them."""
    table = ProviderSettings(name, models=models, api_key=SecretStr(key) if key else None)
    instance = provider or OpenAICompatible(base_url="http://127.0.0.1:9/v1")
    return Entry(name, name, "d", "1", table, instance, chosen=chosen)


class Lists:
    """The lists of models that upstreams would send; counts how often each is asked."""

    def __init__(self, **models: tuple[ModelInfo | str, ...] | GatewayError) -> None:
        self.models = models
        self.asked: list[str] = []
        self.delay = 0.0

    async def __call__(self, asked: Entry) -> tuple[ModelInfo, ...]:
        self.asked.append(asked.name)
        await asyncio.sleep(self.delay)
        found = self.models.get(asked.name, ())
        if isinstance(found, GatewayError):
            raise found
        return tuple(ModelInfo(one) if isinstance(one, str) else one for one in found)


def catalog(
    *entries: Entry,
    lists: Lists | None = None,
    models: dict[str, tuple[ModelTarget, ...]] | None = None,
    **routing: object,
) -> Catalog:
    """A catalogue of these providers under these settings."""
    settings = Settings(routing=RoutingSettings(**routing), models=models or {})  # type: ignore[arg-type]
    return Catalog(settings, Registry.of(*entries, settings=settings), lists or Lists())


def request(
    model: str = "", provider: str | None = None, keys: dict[str, str] | None = None
) -> ChatRequest:
    """A question for *model*."""
    routing = Routing(provider=provider, api_keys=keys or {})
    return ChatRequest(model, (Message("user", (TextPart("Hello"),)),), routing=routing)


async def chosen(known: Catalog, asked: ChatRequest) -> list[tuple[str, str]]:
    """The candidates as provider and model."""
    return [(one.entry.name, one.model) for one in await known.candidates(asked)]


def target(provider: str, model: str | None = None) -> ModelTarget:
    """A link of a chain."""
    return ModelTarget(provider, model)
