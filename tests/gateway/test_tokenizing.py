"""A tokenizer that is installed counts: not before it is needed, and never on the event loop."""

from __future__ import annotations

import asyncio
import logging
import sys
import threading
from typing import Any

import pytest

from g4f_aio import ChatRequest, Message, TextPart
from g4f_aio.core.request_tokens import FRAME, REPLY
from g4f_aio.gateway import tokenizing
from g4f_aio.gateway.tokenizing import TokenCounter
from tests.gateway.conftest import Install

#: one token for each word, ten for a model that is called large
SOURCE = """
    import threading

    threads = []

    class Tokenizer:
        def count(self, texts, model):
            threads.append(threading.get_ident())
            return sum(len(text.split()) for text in texts) * (10 if model == "large" else 1)
"""
HELLO = ChatRequest("m", (Message("user", (TextPart("Hello big world"),)),))


@pytest.fixture
def counter(install: Install) -> TokenCounter:
    """With that tokenizer."""
    install("words", SOURCE)
    return TokenCounter("words")


async def test_it_counts_by_the_model(counter: TokenCounter) -> None:
    assert await counter.count(["one two", "three"], "small") == 3
    assert await counter.count(["one two", "three"], "large") == 30
    assert await counter.count([], "large") == 0


async def test_a_request_has_its_frame_as_well(counter: TokenCounter) -> None:
    assert await counter.prompt(HELLO, "small") == 3 + FRAME + REPLY


async def test_it_is_loaded_when_it_is_needed_and_works_in_a_thread(counter: TokenCounter) -> None:
    assert counter.able
    assert "words" not in sys.modules
    await counter.count(["one"], "small")
    module: Any = sys.modules["words"]
    assert module.threads
    assert threading.get_ident() not in module.threads


@pytest.mark.parametrize("module", [None, "nothing_that_is_installed"])
async def test_without_one_an_estimate_must_do(module: str | None) -> None:
    counter = TokenCounter(module)
    assert not counter.able
    assert await counter.count(["one"], "small") is None
    assert await counter.prompt(HELLO, "small") is None


@pytest.mark.parametrize(
    "source", ["import nothing_like_it", "x = 1", "class Tokenizer:\n    count = None"]
)
async def test_one_that_is_broken_is_told_of_once(
    install: Install, caplog: pytest.LogCaptureFixture, source: str
) -> None:
    await asyncio.to_thread(install, "broken", source)
    counter = TokenCounter("broken")
    for _ in range(2):
        assert await counter.count(["one"], "small") is None
    assert not counter.able
    assert [record.levelno for record in caplog.records] == [logging.ERROR]


async def test_too_much_text_is_left_to_the_estimate(
    counter: TokenCounter, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(tokenizing, "LARGEST", 10)
    assert await counter.count(["12345", "123456"], "small") is None
    assert await counter.count(["12345", "12345"], "small") == 2


def test_who_reports_nothing_is_remembered_until_he_does() -> None:
    counter = TokenCounter()
    assert not counter.is_silent("a", "m")
    counter.remember("a", "m", silent=True)
    assert counter.is_silent("a", "m")
    assert not counter.is_silent("a", "n")
    counter.remember("a", "m", silent=False)
    assert not counter.is_silent("a", "m")


def test_not_everybody_can_be_remembered(monkeypatch: pytest.MonkeyPatch) -> None:
    """The names of models come from clients."""
    monkeypatch.setattr(tokenizing, "REMEMBERED", 2)
    counter = TokenCounter()
    for model in "xyz":
        counter.remember("a", model, silent=True)
    assert [counter.is_silent("a", model) for model in "xyz"] == [True, True, False]
