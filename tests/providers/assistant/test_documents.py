from __future__ import annotations

import asyncio
import threading
from collections.abc import Sequence

import pytest

from g4f_aio.providers.assistant.documents import Documentation, package_documents
from g4f_aio.providers.assistant.matchers import Fts5, Matcher, WordCounts, matcher
from g4f_aio.providers.assistant.passages import Document, Passage

DOCUMENTS = (
    Document("a.md", "# Apples\nHow to grow apple trees.\n# Pears\nPears need sun."),
    Document("b.md", "# Plums\nPlum trees need water.\n# Cherries\nBirds like cherries."),
)


async def found(question: str, index: type[Fts5 | WordCounts] = Fts5) -> list[str]:
    source = Documentation(load=lambda: DOCUMENTS, index=index)
    return [f"{p.document}:{p.first_line}-{p.last_line}" for p in await source.search(question)]


@pytest.mark.parametrize("index", [Fts5, WordCounts])
async def test_the_passage_that_answers_comes_first(index: type[Fts5 | WordCounts]) -> None:
    assert (await found("How do I grow apples?", index))[0] == "a.md:1-2"
    assert (await found("which trees need water", index))[0] == "b.md:1-2"
    assert (await found("birds", index)) == ["b.md:3-4"]


@pytest.mark.parametrize("index", [Fts5, WordCounts])
@pytest.mark.parametrize(
    "question",
    ["What is the capital of France?", "", "the", "grow rich by magic spells", '"* OR NEAR('],
)
async def test_what_the_documents_do_not_cover_is_not_answered(
    question: str, index: type[Fts5 | WordCounts]
) -> None:
    assert await found(question, index) == []


async def test_the_index_is_built_once_in_a_worker_thread_when_it_is_first_needed() -> None:
    threads: list[threading.Thread] = []

    def index(passages: Sequence[Passage]) -> Matcher:
        threads.append(threading.current_thread())
        return matcher(passages)

    source = Documentation(load=lambda: DOCUMENTS, index=index)
    assert await source.search("") == ()
    assert threads == []
    answers = await asyncio.gather(*(source.search("plum trees") for _ in range(8)))
    assert len(threads) == 1
    assert threads[0] is not threading.main_thread()
    assert len(set(answers)) == 1


async def test_long_questions_and_strange_characters_are_no_trouble() -> None:
    async with asyncio.timeout(5):
        assert await found("plum " * 200_000) == ["b.md:1-2"]
        assert await found("\0\ud800\u202e" * 100_000) == []


def test_the_package_brings_its_documentation() -> None:
    documents = package_documents()
    assert [document.name for document in documents] == [
        "docs/api.md",
        "docs/index.md",
        "docs/plugins.md",
        "docs/providers.md",
        "docs/running.md",
        "docs/troubleshooting.md",
    ]
    assert all(document.text.startswith("# ") for document in documents)


ANSWERED = [
    ("How do I add a provider?", "docs/providers.md", "Add a provider"),
    ("how can I add a new provider to the gateway", "docs/providers.md", "Add a provider"),
    ("Wie füge ich einen Anbieter hinzu?", "docs/providers.md", "Add a provider"),
    ("How do I write a provider plug-in?", "docs/plugins.md", "Write a provider plug-in"),
    ("how do I write a plugin", "docs/plugins.md", "Write a provider plug-in"),
    ("how do I install a plugin", "docs/plugins.md", "Install a plug-in"),
    (
        "Which environment variable holds the Groq key?",
        "docs/providers.md",
        "Hosted APIs and their keys",
    ),
    ("How does fall-back work?", "docs/providers.md", "Fall-back: when a provider fails"),
    ("why is my provider not used?", "docs/providers.md", "Why a provider is not used"),
    ("Which provider answers my request?", "docs/providers.md", "Which provider answers"),
    ("how do I define a model alias", "docs/providers.md", "Model aliases and chains"),
    ("how do I run it with systemd?", "docs/running.md", "systemd"),
    ("How do I put the gateway behind nginx?", "docs/running.md", "Behind nginx"),
    ("How do I change the port?", "docs/running.md", "Start the server"),
    ("Where is the settings file?", "docs/running.md", "The settings file gateway.toml"),
    ("how do I set an API key for the server", "docs/running.md", "A key for the server"),
    ("what does exit code 78 mean", "docs/running.md", "Exit codes"),
    ("what happens on SIGHUP?", "docs/running.md", "Signals: SIGTERM stops, SIGHUP reloads"),
    ("how does a stream end?", "docs/api.md", "How a stream ends"),
    ("what are the response headers", "docs/api.md", "Response headers"),
    (
        "What does status 421 mean?",
        "docs/troubleshooting.md",
        "421: misdirected request, wrong Host",
    ),
    ("my api key is rejected", "docs/troubleshooting.md", "401: invalid API key"),
    (
        "address already in use",
        "docs/troubleshooting.md",
        "The port is taken: address already in use",
    ),
    ("What is g4f_aio?", "docs/index.md", "What g4f_aio is"),
]
NOT_ANSWERED = [
    "What is the capital of France?",
    "Who is the president of the United States?",
    "Tell me a joke",
    "Write a poem about keys",
    "write a story about a server in the woods",
    "What's the weather in Berlin today?",
    "Translate 'good morning' to Spanish",
    "Write a python function that reverses a string",
    "Explain quantum mechanics",
    "how do I center a div",
    "start a business",
    "run a marathon",
    "open the door",
    "write an essay about model trains",
    "Schreibe ein Gedicht",
]


FILES = {document.name: document.text.splitlines() for document in package_documents()}


@pytest.fixture(scope="module")
def documentation() -> Documentation:
    return Documentation()


@pytest.mark.parametrize(("question", "file", "heading"), ANSWERED)
async def test_the_documentation_answers_with_the_right_passage(
    documentation: Documentation, question: str, file: str, heading: str
) -> None:
    best = (await documentation.search(question))[0]
    assert (best.document, best.heading) == (file, heading)


@pytest.mark.parametrize("question", NOT_ANSWERED)
async def test_the_documentation_does_not_answer_what_it_does_not_know(
    documentation: Documentation, question: str
) -> None:
    assert await documentation.search(question) == ()


async def test_a_citation_points_at_the_quoted_lines(documentation: Documentation) -> None:
    for question, *_ in ANSWERED:
        for passage in await documentation.search(question):
            lines = FILES[passage.document][passage.first_line - 1 : passage.last_line]
            assert "\n".join(lines).endswith(passage.text)
