from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from g4f_aio.providers.assistant.words import QUESTION_LIMIT, content_words, searchable, stems


@pytest.mark.parametrize(
    ("question", "words"),
    [
        ("How do I add a provider?", ("add", "provider")),
        ("How do I add a Provider to the gateway, provider?", ("add", "provider")),
        ("What is g4f_aio?", ("g4f", "aio")),
        ("Wie füge ich einen Anbieter hinzu?", ("add", "provider")),
        ("write a plug-in", ("write", "plugin")),
        ("ＡＰＩ key", ("api", "key")),  # noqa: RUF001  (NFKC makes it ASCII)
        ('a b c ? * " ( ) AND OR NEAR/2', ("near",)),
        ("", ()),
        ("the of and", ()),
        ("\0\ud800", ()),
    ],
)
def test_the_words_that_say_what_a_question_is_about(question: str, words: tuple[str, ...]) -> None:
    assert content_words(question) == words


@given(st.text())
def test_whatever_is_asked_the_words_are_few_and_plain(question: str) -> None:
    words = content_words(question * 100)
    assert len(words) <= 24
    assert all(2 <= len(word) <= 40 and word.isalnum() for word in words)


def test_only_the_beginning_of_a_long_question_counts() -> None:
    assert content_words("x " * QUESTION_LIMIT + "provider") == ()


def test_spellings_that_people_mix_up_are_one() -> None:
    assert searchable("Plug-ins and fall-back") == "Plugins and fallback"


def test_forms_of_a_word_have_one_stem() -> None:
    assert stems("Add adds adding added") == ["add"] * 4
