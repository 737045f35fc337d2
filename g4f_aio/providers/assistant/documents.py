"""Answers from documents: the passages that fit a question, quoted with their place."""

from __future__ import annotations

import asyncio
import math
import threading
from collections.abc import Callable, Iterable, Iterator
from importlib import resources
from typing import Protocol

import attrs

from .matchers import Matcher, matcher
from .passages import Document, Passage, passages
from .words import content_words, stems

#: a passage answers when it has this share of what the question's words say
RELEVANT = 0.6
#: a further passage is quoted when it is nearly as good as the best
_FURTHER = 0.8


class DocumentSource(Protocol):
    """Where passages come from."""

    async def search(self, question: str) -> tuple[Passage, ...]:
        """The passages that answer *question*, best first; none when nothing is relevant."""


def package_documents() -> tuple[Document, ...]:
    """The program's own documentation, as it is installed."""
    folder = resources.files("g4f_aio") / "docs"
    files = sorted(folder.iterdir(), key=lambda file: file.name)
    return tuple(
        Document(f"docs/{file.name}", file.read_text("utf-8"))
        for file in files
        if file.name.endswith(".md")
    )


@attrs.define
class Documentation:
    """A DocumentSource over fixed documents, indexed in memory when it is first asked.

    *load* gives the documents and *index* makes their index; both run in a worker thread.
    """

    load: Callable[[], Iterable[Document]] = package_documents
    index: Callable[[tuple[Passage, ...]], Matcher] = matcher
    _lock: threading.Lock = attrs.field(factory=threading.Lock, init=False, repr=False, eq=False)
    _built: tuple[tuple[Passage, ...], Matcher] | None = attrs.field(
        default=None, init=False, repr=False, eq=False
    )

    async def search(self, question: str) -> tuple[Passage, ...]:
        """See ``DocumentSource``."""
        return await asyncio.to_thread(self._search, question)

    def _search(self, question: str) -> tuple[Passage, ...]:
        words = content_words(question)
        if not words:
            return ()
        found, index = self._index()
        return tuple(_relevant(words, index, found))

    def _index(self) -> tuple[tuple[Passage, ...], Matcher]:
        with self._lock:
            if self._built is None:
                found = tuple(passage for file in self.load() for passage in passages(file))
                self._built = found, self.index(found)
            return self._built


def _relevant(
    words: tuple[str, ...], index: Matcher, found: tuple[Passage, ...]
) -> Iterator[Passage]:
    """The passages that say enough about *words*, best first."""
    share: dict[int, float] = {}
    score: dict[int, float] = {}
    whole = 0.0
    for word in words:
        matches = index.matches(word)
        # a word that no document has says most: the question is about something else
        rarity = math.log(1 + (len(found) - len(matches) + 0.5) / (len(matches) + 0.5))
        whole += rarity
        for at, weight in matches.items():
            share[at] = share.get(at, 0.0) + rarity
            score[at] = score.get(at, 0.0) + weight
    asked = frozenset(stems(" ".join(words)))
    good = {
        at: score[at] * share[at] * (1 + _fit(found[at].heading, asked))
        for at in share
        if share[at] >= RELEVANT * whole
    }
    enough = max(good.values(), default=0.0) * _FURTHER
    for at in sorted(good, key=lambda at: (-good[at], at)):
        if good[at] >= enough:
            yield found[at]


def _fit(heading: str, asked: frozenset[str]) -> float:
    """The share of a heading's words that the question has, too."""
    own = frozenset(stems(" ".join(content_words(heading))))
    return len(own & asked) / len(own) if own else 0.0
