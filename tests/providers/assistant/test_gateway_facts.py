from __future__ import annotations

import attrs
import pytest

from g4f_aio.core.provider import ProviderFacts
from g4f_aio.providers.assistant.gateway_facts import (
    TOOL,
    GatewayFacts,
    gateway_answer,
    is_about_gateway,
)
from g4f_aio.providers.assistant.question import Question, one_line
from g4f_aio.providers.assistant.ways import WAYS


def provider(
    name: str,
    *models: str,
    missing: str | None = None,
    error: str | None = None,
    local: bool = False,
    label: str = "",
) -> ProviderFacts:
    return ProviderFacts(
        name=name,
        label=label or name,
        description=f"What {name} is",
        configured=missing is None and error is None,
        missing=missing,
        error=error,
        local=local,
        models=models,
        url="https://example.com" if missing else None,
    )


OWN = provider("OfflineAssistant", "offline-assistant", local=True)
PROVIDERS = (
    provider("OpenAI", missing="an API key: set OPENAI_API_KEY", label="OpenAI API"),
    provider("openai-compatible", missing="base_url", label="OpenAI-compatible server"),
    provider("Ollama", "llama3.2", "qwen3", local=True),
    provider("LMStudio", local=True, label="LM Studio"),
    provider("LlamaCpp", local=True, label="llama.cpp server"),
    provider("work", "llama3.2"),
    provider("acme", error="acme:Acme cannot be imported: ImportError: no"),
    OWN,
)
FACTS = GatewayFacts("0.1.0", "http://127.0.0.1:1337", PROVIDERS, "OfflineAssistant")
BARE = attrs.evolve(FACTS, providers=(PROVIDERS[0], OWN))


def answer(text: str, facts: GatewayFacts = FACTS) -> str | None:
    found = gateway_answer(Question(text, one_line(text)), facts)
    if found is None:
        return None
    assert found.endswith(f"\n\n{TOOL}")
    return found.removesuffix(f"\n\n{TOOL}")


class Live:
    """A gateway's facts as a provider gets them."""

    version = "1.2.3"
    address = "http://127.0.0.1:1337/"

    async def providers(self) -> tuple[ProviderFacts, ...]:
        return PROVIDERS


async def test_the_facts_are_taken_from_the_gateway() -> None:
    taken = await GatewayFacts.of(Live(), "OfflineAssistant")
    assert taken == attrs.evolve(FACTS, version="1.2.3")


def test_its_models_are_those_of_others_each_once() -> None:
    assert FACTS.models == ("llama3.2", "qwen3")
    assert BARE.models == ()


@pytest.mark.parametrize(
    "text",
    [
        "Which models do I have?",
        "which models are available",
        "list models",
        "Show me all the models",
        "What models can I use?",
        "which model should I use?",
        "Welche Modelle gibt es?",
    ],
)
def test_the_models_there_are(text: str) -> None:
    assert answer(text) == (
        "These models are ready:\n\n- Ollama: 2 models: llama3.2, qwen3\n- work: 1 model: llama3.2\n\n"
        "All of them: `curl http://127.0.0.1:1337/v1/models`"
    )


def test_where_there_is_no_model_the_ways_to_one() -> None:
    found = answer("which models do I have?", BARE)
    assert found is not None
    assert found.startswith(
        "No provider with a language model is ready: only this assistant answers."
    )
    assert found.endswith(WAYS)


@pytest.mark.parametrize(
    "text", ["list providers", "Which providers are broken?", "Welche Anbieter gibt es"]
)
def test_the_providers_by_how_they_stand(text: str) -> None:
    assert answer(text) == (
        "Providers that are ready:\n\n"
        "- Ollama: 2 models: llama3.2, qwen3\n- work: 1 model: llama3.2\n"
        "- OfflineAssistant: 1 model: offline-assistant\n\n"
        "Broken:\n\n- acme: acme:Acme cannot be imported: ImportError: no\n\n"
        "Nothing is known of their models; are they running? LMStudio, LlamaCpp\n\n"
        "Not ready: OpenAI, openai-compatible. Ask “What is missing?” for the reasons."
    )


def test_what_is_missing_for_everyone() -> None:
    assert answer("What's missing?") == (
        "These providers are not ready, and this is why:\n\n- OpenAI: an API key: set OPENAI_API_KEY.\n"
        "- openai-compatible: base_url.\n- acme: acme:Acme cannot be imported: ImportError: no"
    )
    assert answer("what is missing", attrs.evolve(FACTS, providers=(OWN,))) == (
        "Nothing: every provider this gateway knows is ready."
    )


@pytest.mark.parametrize(
    "text",
    ["What is missing for OpenAI?", "Why is openai not working", "Is the OpenAI API connected?"],
)
def test_what_one_provider_lacks(text: str) -> None:
    assert answer(text) == (
        "OpenAI: not ready: it needs an API key: set OPENAI_API_KEY. Its site: https://example.com"
    )


def test_a_provider_that_is_ready_comes_with_a_test_call() -> None:
    found = answer("Is Ollama running?")
    assert found is not None
    assert found.startswith(
        "Ollama: ready, with 2 models: llama3.2, qwen3. A test call:\n\n```sh\ncurl "
    )
    assert "http://127.0.0.1:1337/api/Ollama/chat/completions" in found
    assert '"model": "llama3.2"' in found


def test_a_local_server_without_models_may_not_be_running() -> None:
    for text in ("is LM Studio running?", "is lmstudio up"):
        found = answer(text)
        assert found is not None
        assert found.startswith("LMStudio: no models of it are known: it is not running")
    for text in ("is llama-server running", "is llama.cpp up?", "is llamacpp there"):
        assert (answer(text) or "").startswith("LlamaCpp: no models")


def test_a_broken_one_comes_with_its_reason() -> None:
    assert answer("why does acme not work?") == (
        "acme: broken. acme:Acme cannot be imported: ImportError: no"
    )


def test_a_name_that_is_a_word_like_any_other_is_meant_when_it_stands_alone() -> None:
    found = answer("is work running?")
    assert found is not None
    assert found.startswith("work: ready, with 1 model: llama3.2.")


def test_one_that_is_switched_off_is_said_to_be() -> None:
    off = attrs.evolve(provider("Groq"), configured=False)
    assert answer("is groq ready", attrs.evolve(FACTS, providers=(off,))) == (
        "Groq: not ready: it is switched off in the settings."
    )


def test_the_longest_name_is_meant() -> None:
    found = answer("is openai-compatible configured?")
    assert found is not None
    assert found.startswith("openai-compatible: not ready")
    assert "OPENAI_API_KEY" not in found


def test_what_a_provider_is() -> None:
    found = answer("What is OpenAI?")
    assert found is not None
    assert found.startswith("OpenAI API: What OpenAI is\n\nOpenAI: not ready")


def test_a_long_list_of_models_is_cut() -> None:
    many = provider("big", *(f"m{number}" for number in range(300)))
    found = answer("list models", attrs.evolve(FACTS, providers=(many,)))
    assert found is not None
    assert "big: 300 models: m0, m1," in found
    assert "m19 and 280 more" in found


@pytest.mark.parametrize(
    "text", ["what is your address?", "Which is the base URL?", "what is the api url"]
)
def test_the_address(text: str) -> None:
    assert answer(text) == (
        "This gateway answers at http://127.0.0.1:1337; "
        "the base URL for OpenAI clients is http://127.0.0.1:1337/v1"
    )


def test_the_version() -> None:
    assert answer("Which version is this?") == "This is g4f_aio 0.1.0."


@pytest.mark.parametrize(
    "text",
    [
        "",
        "How does fall-back work?",  # a provider is called "work"
        "Write a poem about OpenAI working late",
        "How do I add a provider?",
        "what is a model",
        "How do I change the port?",
        "What is the capital of France?",
    ],
)
def test_other_questions_are_left_to_others(text: str) -> None:
    assert answer(text) is None


def test_some_questions_can_only_be_meant_for_the_gateway() -> None:
    assert is_about_gateway(Question("", "which models do i have"))
    assert not is_about_gateway(Question("", "what is the capital of france"))
