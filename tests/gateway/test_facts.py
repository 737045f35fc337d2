"""What the providers that answer about this gateway get to know."""

from __future__ import annotations

from pathlib import Path

import pytest

from g4f_aio import ModelInfo, Provider
from g4f_aio.core.provider import ProviderFacts
from g4f_aio.gateway.catalog import Catalog
from g4f_aio.gateway.facts import GatewayFacts
from g4f_aio.gateway.registry import Entry, Registry
from g4f_aio.providers.local_servers import Ollama
from g4f_aio.providers.offline_assistant import OfflineAssistant
from g4f_aio.providers.openai_presets import OpenAI
from g4f_aio.settings import ProviderSettings, ServerSettings, Settings


def entry(name: str, provider: Provider, *, chosen: bool = False, models: str = "") -> Entry:
    """A provider of that name."""
    table = ProviderSettings(name, models=tuple(models.split()))
    return Entry(name, name, "d", "1", table, provider, chosen=chosen)


async def nothing(_: Entry) -> tuple[ModelInfo, ...]:
    """A list of models that is empty."""
    return ()


async def facts_of(*entries: Entry) -> dict[str, ProviderFacts]:
    """The facts about these providers by name."""
    catalog = Catalog(Settings(), Registry.of(*entries), nothing)
    known = await GatewayFacts(Settings(), catalog, "1.2.3").providers()
    return {one.name: one for one in known}


@pytest.mark.parametrize(
    ("server", "address"),
    [
        (ServerSettings(), "http://127.0.0.1:1337"),
        (ServerSettings(host="::1", port=80), "http://[::1]:80"),
        (ServerSettings(ssl_certfile=Path("c.pem")), "https://127.0.0.1:1337"),
    ],
)
def test_the_address_is_where_it_listens(server: ServerSettings, address: str) -> None:
    settings = Settings(server=server)
    facts = GatewayFacts(settings, Catalog(settings, Registry.of(), nothing), "1.2.3")
    assert facts.address == address
    assert facts.version == "1.2.3"


async def test_a_provider_that_can_answer_is_configured() -> None:
    found = await facts_of(
        entry("OfflineAssistant", OfflineAssistant()),
        entry("Ollama", Ollama(), chosen=True, models="llama3:8b"),
    )
    assert found["OfflineAssistant"].configured
    assert found["OfflineAssistant"].models == ("offline-assistant",)
    ollama = found["Ollama"]
    assert (ollama.configured, ollama.missing, ollama.local) == (True, None, True)
    assert ollama.models == ("llama3:8b",)
    assert (ollama.label, ollama.url) == ("Ollama", "https://ollama.com")


async def test_a_provider_without_its_key_lacks_it() -> None:
    openai = (await facts_of(entry("OpenAI", OpenAI())))["OpenAI"]
    assert not openai.configured
    assert "OPENAI_API_KEY" in str(openai.missing)


async def test_a_local_server_that_was_not_found_lacks_being_started() -> None:
    ollama = (await facts_of(entry("Ollama", Ollama())))["Ollama"]
    assert not ollama.configured
    assert "to be started on this machine" in str(ollama.missing)


async def test_a_broken_plugin_says_why() -> None:
    broken = Entry("bad", "bad", "d", "1", ProviderSettings("bad"), error="no module named x")
    fact = (await facts_of(broken))["bad"]
    assert (fact.configured, fact.error, fact.label) == (False, "no module named x", "bad")
    assert fact.missing is None
