from __future__ import annotations

import asyncio
import threading
import time

import attrs
import pytest
from hypothesis import given
from hypothesis import strategies as st

from g4f_aio.core.provider import Facts, ProviderFacts
from g4f_aio.providers.assistant.arithmetic import TOOL as CALCULATOR
from g4f_aio.providers.assistant.assistant import Assistant, quoted
from g4f_aio.providers.assistant.gateway_facts import TOOL as FACTS
from g4f_aio.providers.assistant.passages import Passage
from g4f_aio.providers.assistant.question import Question, one_line
from g4f_aio.providers.assistant.replies import INTRODUCTION, NO_FACTS, cannot

ASSISTANT = Assistant()


@attrs.frozen
class Gateway:
    """Facts of a gateway with one local server."""

    version: str = "0.1.0"
    address: str = "http://127.0.0.1:1337"

    async def providers(self) -> tuple[ProviderFacts, ...]:
        return (
            ProviderFacts(
                name="Ollama",
                label="Ollama",
                description="",
                configured=True,
                missing=None,
                error=None,
                local=True,
                models=("llama3.2",),
            ),
        )


async def ask(
    text: str, facts: Facts | None = None, *, first: bool = False, assistant: Assistant = ASSISTANT
) -> str:
    question = Question(text, one_line(text), first=first)
    return await assistant.answer(question, facts, "OfflineAssistant")


async def test_the_first_answer_of_a_chat_begins_with_what_it_is() -> None:
    assert (await ask("1+1", first=True)).startswith(f"{INTRODUCTION}\n\n1+1 = 2\n\n{CALCULATOR}")
    assert await ask("1+1") == f"1+1 = 2\n\n{CALCULATOR}"


async def test_how_to_add_a_provider_is_quoted_with_its_place() -> None:
    answer = await ask("How do I add a provider?")
    assert answer.startswith("The documentation says:\n\nThree ways")
    assert "OPENAI_API_KEY" in answer
    last = answer.splitlines()[-1]
    assert last.startswith("Source: docs/providers.md, lines ")
    assert last.endswith('"Add a provider"')


async def test_facts_about_the_gateway() -> None:
    assert "Ollama: 1 model: llama3.2" in await ask("Which models do I have?", Gateway())


async def test_without_facts_it_says_where_to_ask() -> None:
    assert await ask("Which models do I have?") == NO_FACTS


async def test_how_to_connect_something_is_told_by_the_facts_and_the_documentation() -> None:
    answer = await ask("How do I connect Ollama?", Gateway())
    assert answer.startswith("Ollama: ready")
    assert FACTS in answer
    assert "Source: docs/providers.md" in answer


async def test_what_it_does_not_know_it_says() -> None:
    assert await ask("What is the capital of France?") == cannot(None)
    assert "`llama3.2`" in await ask("What is the capital of France?", Gateway())


async def test_another_source_of_documents_can_take_the_place() -> None:
    passage = Passage("notes.md", "France", 3, 4, "Paris is the capital.")

    class Notes:
        async def search(self, question: str) -> tuple[Passage, ...]:
            return (passage,) if "France" in question else ()

    other = Assistant(documents=Notes())
    answer = await ask("What is the capital of France?", assistant=other)
    assert answer == quoted((passage,))
    assert answer.endswith('Paris is the capital.\n\nSource: notes.md, lines 3-4 "France"')


async def test_two_passages_are_quoted_apart() -> None:
    first = Passage("a.md", "A", 1, 2, "One.")
    second = Passage("b.md", "B", 3, 4, "Two.")
    assert quoted((first, second)) == (
        'The documentation says:\n\nOne.\n\nSource: a.md, lines 1-2 "A"\n\n---\n\n'
        'Two.\n\nSource: b.md, lines 3-4 "B"'
    )


async def test_the_tools_work_in_a_thread_of_their_own() -> None:
    threads: list[threading.Thread] = []

    def tool(_: Question) -> str | None:
        threads.append(threading.current_thread())
        return "done"

    assert await ask("anything", assistant=Assistant(tools=(tool,))) == "done"
    assert threads[0] is not threading.main_thread()


HOSTILE = {
    "a megabyte of words": "word " * 200_000,
    "a megabyte of one word": "a" * 2**20,
    "parentheses": "(" * 500_000 + ")" * 500_000,
    "a short pile of parentheses": "(" * 200 + "1" + ")" * 200,
    "brackets": "[" * 2**20,
    "quotes": '"' * 2**20,
    "blanks": " " * 2**20,
    "newlines": "\n" * 2**20,
    "NULs": "\0" * 1000 + "1+1",
    "surrogates": "\ud800" * 1000,
    "a right-to-left override": "\u202eWhat is 2+2?",
    "combining marks": "a" + "\u0301" * 100_000,
    "query syntax": '" OR NEAR(a b) * ^ - : {x y}: NOT',
    "a power tower": "9**9**9**9**9**9",
    "many operators": "1" + "+1" * 249,
    "count of spaces": "how many words are in" + " " * 400 + "?",
    "hash of much": "sha256 of " + "x" * 2**20,
    "almost a hash": "hash " + "with " * 200_000,
    "almost json": "is this valid json? " + "{" * 2**20,
    "almost base64": "encode " + "x " * 500_000 + "to base63",
    "almost a date": "how many days between " + "1 january " * 45,
    "almost a list": "list " + "models " * 70,
    "almost a greeting": "hello " * 80 + "!",
    "commas": "1," * 240,
    "digits": "1" * 499,
    "digits and points": "1." * 249,
    "numerals": "one " * 120,
    "percent": "1% of " * 80 + "2",
}


@pytest.mark.parametrize("text", HOSTILE.values(), ids=HOSTILE)
async def test_hostile_input_gets_an_answer_in_bounded_time(text: str) -> None:
    begin = time.thread_time()
    answer = await ask(text, Gateway())
    assert time.thread_time() - begin < 3
    assert 0 < len(answer) < 20_000


@given(
    st.text(),
    st.sampled_from(["", "what is ", "sha256 of ", "how many days until ", "count words: "]),
)
def test_any_text_gets_the_same_answer_twice(text: str, before: str) -> None:
    answers = [asyncio.run(ask(before + text, Gateway())) for _ in range(2)]
    assert answers[0]
    assert answers[0] == answers[1]
