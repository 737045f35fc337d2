"""Answers from documents: the passages that fit a question, quoted with their place."""

from __future__ import annotations

import asyncio
import math
import re
import threading
import unicodedata
from collections.abc import Callable, Iterable
from importlib import resources
from typing import Protocol

import attrs

from .matchers import Matcher, matcher
from .passages import Document, Passage, passages

#: so much of a question is read
QUESTION_LIMIT = 2000
_WORDS_LIMIT = 24
#: a passage answers when it has this share of what the question's words say
RELEVANT = 0.6
#: a further passage is quoted when it is nearly as good as the best
_FURTHER = 0.8
_WORD = re.compile(r"[^\W_]{2,40}")
_STOP_WORDS = frozenset(
    """
    about after again all also am an and another any anybody anyone anything are as at be because been
    before being but by can cannot could did do does doing don for from get gets getting give go got had
    happen happens has have having he help her here him his how however if in into is it its itself just
    know let like ll look make makes many may me mean means might more most much must my need needs no
    not now of off on one only or other our out over own please put re really say see shall she should
    show so some somebody someone something such tell than thank thanks that the their them then there
    these they thing things this those to too try under until up us use used using ve very want was way
    we well were what when where whether which while who whom whose why will wish with within without
    would you your yours explain describe possible exactly right
    aber als am auch auf aus bei bin bis bitte das dass dem den der des die dies diese dieser du ein eine
    einem einen einer es für gibt habe haben hat ich im ist ja kann kein keine man mein meine mich mir
    mit muss nach nicht noch nur oder sich sie sind um und uns von vom was welche wenn wer wie wieso
    warum will wird wo zu zum zur
    """.split()
)
#: German words of this field, for questions in German about documents in English
_GERMAN = {
    "anbieter": "provider",
    "anfrage": "request",
    "anschließen": "connect",
    "antwort": "answer",
    "adresse": "address",
    "dienst": "service",
    "einstellung": "settings",
    "einstellungen": "settings",
    "fehler": "error",
    "hinzufügen": "add",
    "füge": "add",
    "installieren": "install",
    "lokal": "local",
    "modell": "model",
    "modelle": "models",
    "schlüssel": "key",
    "schreibe": "write",
    "schreiben": "write",
    "starte": "start",
    "starten": "start",
    "umgebungsvariable": "environment",
    "verbinde": "connect",
    "verbinden": "connect",
}


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
        return tuple(found[position] for position in _relevant(words, index, len(found)))

    def _index(self) -> tuple[tuple[Passage, ...], Matcher]:
        with self._lock:
            if self._built is None:
                found = tuple(passage for file in self.load() for passage in passages(file))
                self._built = found, self.index(found)
            return self._built


def content_words(question: str) -> tuple[str, ...]:
    """The words of a question that say what it is about, each once."""
    text = unicodedata.normalize("NFKC", question[:QUESTION_LIMIT]).lower()
    text = text.replace("plug-in", "plugin").replace("'", " ").replace("’", " ")
    words = (word for word in _WORD.findall(text) if word not in _STOP_WORDS)
    return tuple(dict.fromkeys(_GERMAN.get(word, word) for word in words))[:_WORDS_LIMIT]


def _relevant(words: tuple[str, ...], index: Matcher, total: int) -> list[int]:
    """The positions of the passages that say enough about *words*, best first."""
    share: dict[int, float] = {}
    score: dict[int, float] = {}
    whole = 0.0
    for word in words:
        matches = index.matches(word)
        # a word that no document has says most: the question is about something else
        rarity = math.log(1 + (total - len(matches) + 0.5) / (len(matches) + 0.5))
        whole += rarity
        for position, weight in matches.items():
            share[position] = share.get(position, 0.0) + rarity
            score[position] = score.get(position, 0.0) + weight
    good = {at: score[at] * share[at] for at in share if share[at] >= RELEVANT * whole}
    if not good:
        return []
    enough = max(good.values()) * _FURTHER
    ranked = sorted(good, key=lambda at: (-good[at], at))
    return [at for at in ranked if good[at] >= enough]
