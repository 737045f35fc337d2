from __future__ import annotations

import pytest

from g4f_aio.providers.assistant.counts import counts
from g4f_aio.providers.assistant.question import Question, one_line


def answer(text: str) -> str | None:
    return counts(Question(text, one_line(text)))


def test_every_count_of_a_text() -> None:
    assert answer("Count the words in: grüß dich\nund Welt") == (
        "- 4 words\n- 18 characters\n- 15 characters without blanks\n- 2 lines\n- 20 UTF-8 bytes\n"
        "- about 5 tokens (an estimate)\n\nTool: counts"
    )


@pytest.mark.parametrize(
    "text",
    [
        'how many words are in "a b c"?',
        "how many characters does this text have: a b c",
        "count words, characters and lines:\na b c",
        "Wie viele Wörter hat der Satz: a b c",
        "count the letters in the phrase 'a b c'",
    ],
)
def test_the_ways_to_ask(text: str) -> None:
    found = answer(text)
    assert found is not None
    assert found.startswith("- 3 words\n- 5 characters\n- 3 characters without blanks\n- 1 line\n")


@pytest.mark.parametrize(
    ("text", "line"),
    [
        ("How many r's in strawberry?", "“r” occurs 3 times in “strawberry”."),
        ("how many r are there in the word 'Strawberry'", "“r” occurs 3 times in “strawberry”."),
        (
            "how many times does the letter s appear in Mississippi",
            "“s” occurs 4 times in “mississippi”.",
        ),
        ("how many x in exit", "“x” occurs once in “exit”."),
    ],
)
def test_how_often_a_letter_occurs(text: str, line: str) -> None:
    assert answer(text) == f"{line}\n\nTool: counts (letters, ignoring case)"


def test_a_megabyte_is_counted() -> None:
    found = answer("count words: " + "word " * 200_000)
    assert found is not None
    assert found.startswith("- 200000 words\n")


@pytest.mark.parametrize(
    "text",
    ["", "how many words do you know", "count words in:", "how many lines of code", "count to ten"],
)
def test_other_questions_are_left_to_others(text: str) -> None:
    assert answer(text) is None


@pytest.mark.parametrize("asked", ["how many words", "count the letters in the word"])
def test_blanks_without_end_take_no_time_without_end(asked: str) -> None:
    """Nothing else would run meanwhile: a pattern that is matched lets no thread go on."""
    assert answer(f"{asked}{' ' * 1_000_000}x") is None
    assert answer(f"{asked}{' ' * 1_000_000}: a b") == answer(f"{asked}: a b")
