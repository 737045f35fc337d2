from __future__ import annotations

import pytest

from g4f_aio.core.provider import ProviderFacts
from g4f_aio.providers.assistant.gateway_facts import GatewayFacts
from g4f_aio.providers.assistant.question import Question, one_line
from g4f_aio.providers.assistant.replies import INTRODUCTION, cannot, small_talk
from g4f_aio.providers.assistant.ways import WAYS


def talk(text: str, *, first: bool = True) -> str | None:
    return small_talk(Question(text, one_line(text), first=first))


def facts(*models: str) -> GatewayFacts:
    some = ProviderFacts(
        name="Ollama",
        label="Ollama",
        description="",
        configured=True,
        missing=None,
        error=None,
        local=True,
        models=models,
    )
    return GatewayFacts("0.1.0", "http://127.0.0.1:1337", (some,), "OfflineAssistant")


@pytest.mark.parametrize(
    "text",
    ["Hello", "Hi there!", "hey assistant", "Guten Morgen", "Say hello", "Hello, how are you?"],
)
def test_a_greeting_is_returned_with_what_there_is_to_ask(text: str) -> None:
    found = talk(text)
    assert found is not None
    assert found.startswith("Hello. Ask me for example:\n\n- How do I add a provider?")


@pytest.mark.parametrize(
    "text",
    ["Who are you?", "what can you do", "help", "Are you an AI?", "Wer bist du?", "", "?!", "\0"],
)
def test_about_itself_it_says_what_it_is(text: str) -> None:
    found = talk(text, first=False)
    assert found is not None
    assert found.startswith(f"{INTRODUCTION}\n\nAsk me for example:")


def test_it_does_not_say_so_twice_in_the_first_answer() -> None:
    assert "language model" not in (talk("who are you?") or "")


def test_a_test_is_answered_as_one() -> None:
    assert "the gateway works" in (talk("Say this is a test!") or "")


@pytest.mark.parametrize("text", ["thanks", "Thank you very much!", "ok, danke", "bye"])
def test_thanks(text: str) -> None:
    assert talk(text) == "You are welcome."


@pytest.mark.parametrize(
    "text",
    [
        "hello world program in c",
        "hi what is 2+2",
        "hello can you write a poem",
        "great wall of china",
        "thank you for explaining the settings",
        "how are providers chosen",
        "test my provider",
        "x" * 10_000,
    ],
)
def test_what_is_a_question_is_no_small_talk(text: str) -> None:
    assert talk(text) is None


def test_the_last_word_names_the_ways_to_a_model() -> None:
    for nobody in (None, facts()):
        answer = cannot(nobody)
        assert answer.startswith("I cannot answer that")
        assert answer.endswith(WAYS)


def test_where_there_are_models_it_names_them_instead() -> None:
    answer = cannot(facts("a", "b", "c", "d", "e", "f"))
    assert "`model` set to one of `a`, `b`, `c`, `d`, `e`." in answer
    assert "OPENAI_API_KEY" not in answer
