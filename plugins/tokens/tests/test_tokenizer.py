"""Counts as OpenAI publishes them."""

from __future__ import annotations

import pytest
from g4f_aio_tokens import Tokenizer
from g4f_aio_tokens.tokenizer import encoding_of

from g4f_aio.core.messages import Message, Role, TextPart
from g4f_aio.core.request_tokens import prompt_of
from g4f_aio.core.requests import ChatRequest
from g4f_aio.gateway.tokenizing import TokenCounter

#: of OpenAI's cookbook, "How to count tokens with tiktoken"
JARGON: tuple[tuple[Role, str | None, str], ...] = (
    (
        "system",
        None,
        """You are a helpful, pattern-following assistant that translates corporate jargon into \
plain English.""",
    ),
    ("system", "example_user", "New synergies will help drive top-line growth."),
    ("system", "example_assistant", "Things working well together will increase revenue."),
    (
        "system",
        "example_user",
        """Let's circle back when we have more bandwidth to touch base on opportunities for \
increased leverage.""",
    ),
    (
        "system",
        "example_assistant",
        "Let's talk later when we're less busy about how to do better.",
    ),
    (
        "user",
        None,
        "This late pivot means we don't have time to boil the ocean for the client deliverable.",
    ),
)


@pytest.fixture(scope="module")
def tokenizer() -> Tokenizer:
    """One for all tests, as it takes a while."""
    return Tokenizer()


@pytest.mark.parametrize(
    ("text", "cl100k", "o200k"),
    [
        ("tiktoken is great!", 6, 6),
        ("antidisestablishmentarianism", 6, 6),
        ("2 + 2 = 4", 7, 7),
        ("お誕生日おめでとう", 9, 8),
        ("", 0, 0),
    ],
)
def test_the_published_examples(tokenizer: Tokenizer, text: str, cl100k: int, o200k: int) -> None:
    assert tokenizer.count([text], "gpt-4") == cl100k
    assert tokenizer.count([text], "gpt-4o") == o200k
    assert tokenizer.count([text, text], "gpt-4o") == 2 * o200k


@pytest.mark.parametrize(
    ("model", "tokens"), [("gpt-3.5-turbo", 129), ("gpt-4-0613", 129), ("gpt-4o", 124)]
)
def test_a_prompt_has_as_many_tokens_as_openais_api_says(
    tokenizer: Tokenizer, model: str, tokens: int
) -> None:
    messages = tuple(Message(role, (TextPart(text),), name) for role, name, text in JARGON)
    prompt = prompt_of(ChatRequest(model, messages))
    assert tokenizer.count(prompt.texts, model) + prompt.tokens == tokens


@pytest.mark.parametrize(
    ("model", "name"),
    [
        ("gpt-4", "cl100k_base"),
        ("gpt-4-0613", "cl100k_base"),
        ("gpt-3.5-turbo", "cl100k_base"),
        ("openai/gpt-4", "cl100k_base"),
        ("GPT-4:free", "cl100k_base"),
        ("ft:gpt-4-0613:acme::1", "cl100k_base"),
        ("gpt-4o-mini", "o200k_base"),
        ("ft:gpt-4o:acme::1", "o200k_base"),
        ("gpt-5", "o200k_base"),
        ("o3", "o200k_base"),
        ("openai/gpt-oss-120b", "o200k_base"),
        ("claude-sonnet-4", "o200k_base"),
        ("gpt2", "o200k_base"),
        ("", "o200k_base"),
    ],
)
def test_the_encoding_of_a_model(model: str, name: str) -> None:
    assert encoding_of(model) == name


@pytest.mark.parametrize("unit", ["a", " ", "^", "漢", "\ud800"])
def test_a_long_run_of_one_character_is_nothing_special(tokenizer: Tokenizer, unit: str) -> None:
    """In one piece the engine's patterns run out of stack at some of them."""
    tokens = tokenizer.count([unit * 200_000], "gpt-4o")
    assert 1_000 < tokens <= 600_000


async def test_the_gateway_finds_it() -> None:
    counter = TokenCounter("g4f_aio_tokens")
    assert counter.able
    assert await counter.count(["tiktoken is great!"], "gpt-4o") == 6
