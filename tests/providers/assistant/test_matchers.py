from __future__ import annotations

import gc
import sqlite3
import weakref
from collections.abc import Callable, Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st

from g4f_aio.providers.assistant.matchers import Fts5, Matcher, WordCounts, matcher
from g4f_aio.providers.assistant.passages import Passage

PASSAGES = (
    Passage("x", "Adding providers", 1, 2, "How it is done."),
    Passage("x", "Other things", 3, 4, "A provider, a plug-in and a key."),
    Passage("x", "Last", 5, 6, "Nothing of that."),
)
KINDS = pytest.mark.parametrize("kind", [Fts5, WordCounts])
Kind = Callable[[Sequence[Passage]], Matcher]


@KINDS
def test_a_word_is_found_in_all_its_forms(kind: Kind) -> None:
    index = kind(PASSAGES)
    assert sorted(index.matches("provider")) == [0, 1]
    assert sorted(index.matches("added")) == [0]
    assert sorted(index.matches("plugins")) == [1]
    assert index.matches("unheard") == {}


@KINDS
def test_a_word_in_the_heading_weighs_more(kind: Kind) -> None:
    weights = kind(PASSAGES).matches("provider")
    assert weights[0] > weights[1] > 0


@KINDS
def test_there_may_be_no_passages_at_all(kind: Kind) -> None:
    assert kind(()).matches("provider") == {}


@given(st.text())
def test_query_syntax_is_no_syntax_here(word: str) -> None:
    for kind in (Fts5, WordCounts):
        assert isinstance(kind(PASSAGES[:1]).matches(word), dict)


@pytest.mark.parametrize("word", ['"', "* OR a", "heading:x", "a NEAR b", "\0", "(", "-", "\ud7ff"])
def test_operators_are_looked_for_as_they_are(word: str) -> None:
    assert Fts5(PASSAGES).matches(word) == {}


def test_full_text_search_is_used_where_sqlite_has_it() -> None:
    assert isinstance(matcher(PASSAGES), Fts5)


def test_without_it_words_are_counted(monkeypatch: pytest.MonkeyPatch) -> None:
    def connect(*_: object, **__: object) -> sqlite3.Connection:
        raise sqlite3.OperationalError("no such module: fts5")

    monkeypatch.setattr(sqlite3, "connect", connect)
    assert isinstance(matcher(PASSAGES), WordCounts)


def test_the_database_is_closed_with_the_index() -> None:
    index = Fts5(PASSAGES)
    connection = index._connection
    gone = weakref.ref(index)
    del index
    gc.collect()
    assert gone() is None
    with pytest.raises(sqlite3.ProgrammingError, match="closed"):
        connection.execute("SELECT 1")
