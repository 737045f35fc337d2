"""Which passages a word occurs in, and how much that says: by SQLite's FTS5, or by counting."""

from __future__ import annotations

import sqlite3
import threading
import weakref
from collections import Counter
from collections.abc import Sequence
from typing import Protocol

import attrs

from .passages import Passage
from .words import searchable, stems

#: a word in a heading counts like so many in the text
_HEADING_WEIGHT = 4.0


class Matcher(Protocol):
    """An index over a fixed sequence of passages."""

    def matches(self, word: str) -> dict[int, float]:
        """The passages with *word* in any of its forms, by position, and the weight in each."""


def matcher(passages: Sequence[Passage]) -> Matcher:
    """FTS5 where this machine's SQLite has it, otherwise the counting of words."""
    try:
        return Fts5(passages)
    except sqlite3.OperationalError:
        return WordCounts(passages)


class Fts5:
    """Full-text search in memory: bm25 over stemmed words."""

    def __init__(self, passages: Sequence[Passage]) -> None:
        """Build the index; sqlite3.OperationalError when there is no FTS5."""
        self._connection = sqlite3.connect(":memory:", check_same_thread=False)
        weakref.finalize(self, self._connection.close)
        self._lock = threading.Lock()
        self._connection.execute(
            "CREATE VIRTUAL TABLE passages"
            " USING fts5(heading, body, tokenize = 'porter unicode61 remove_diacritics 2')"
        )
        self._connection.executemany(
            "INSERT INTO passages (rowid, heading, body) VALUES (?, ?, ?)",
            (
                (position, searchable(passage.heading), searchable(passage.text))
                for position, passage in enumerate(passages, start=1)
            ),
        )
        self._connection.commit()

    def matches(self, word: str) -> dict[int, float]:
        """See ``Matcher``."""
        quoted = '"' + word.replace('"', '""').replace("\0", "") + '"'
        with self._lock:
            found = self._connection.execute(
                "SELECT rowid, -bm25(passages, ?, 1.0) FROM passages WHERE passages MATCH ?",
                (_HEADING_WEIGHT, quoted),
            ).fetchall()
        return {rowid - 1: weight for rowid, weight in found}


@attrs.frozen
class WordCounts:
    """A plain count of words, with the commonest English endings taken off."""

    passages: Sequence[Passage]
    _counts: tuple[Counter[str], ...] = attrs.field(init=False)

    @_counts.default
    def _count(self) -> tuple[Counter[str], ...]:
        counts = []
        for passage in self.passages:
            counter = Counter(stems(passage.text))
            for stem in stems(passage.heading):
                counter[stem] += int(_HEADING_WEIGHT)
            counts.append(counter)
        return tuple(counts)

    def matches(self, word: str) -> dict[int, float]:
        """See ``Matcher``."""
        stem = " ".join(stems(word))
        return {
            position: counter[stem] / (counter[stem] + 1)
            for position, counter in enumerate(self._counts)
            if counter[stem]
        }
