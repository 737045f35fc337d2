"""The words of a question that say what it is about."""

from __future__ import annotations

import re
import unicodedata

#: so much of a question is read
QUESTION_LIMIT = 2000
_WORDS_LIMIT = 24
_WORD = re.compile(r"[^\W_]{2,40}")
_ANY_WORD = re.compile(r"[^\W_]+")
_ENDINGS = re.compile(r"(?<=\w{3})(?:ings?|ed|es|s|ers?)$")
_HYPHENED = re.compile(r"\b(plug|fall)-(ins?|backs?)\b", re.IGNORECASE)
#: said of everything here, so they tell nothing where there are other words
_IMPLIED = frozenset(("gateway", "g4f", "aio"))
_STOP_WORDS = frozenset(
    re.findall(
        r"\w+",
        """
    about after again all also am an and another any anybody anyone anything are as at be because been
    before being but by can cannot could did do does doing don for from get gets getting give go got had
    happen happens has have having he help her here him his how however if in into is it its itself just
    know let like ll look make makes many may me mean means might more most much must my need needs no
    not now of off on one only or our out over own please put re really say see shall she should
    show so some somebody someone something such tell than thank thanks that the their them then there
    these they thing things this those to too try under until up us ve very want was way
    we well were what when where whether which while who whom whose why will wish with within without
    would you your yours explain describe possible exactly right new support supports supported hinzu please
    aber als am auch auf aus bei bin bis bitte das dass dem den der des die dies diese dieser du ein eine
    einem einen einer es für gibt habe haben hat ich im ist ja kann kein keine man mein meine mich mir
    mit muss nach nicht noch nur oder sich sie sind um und uns von vom was welche wenn wer wie wieso
    warum will wird wo zu zum zur
    """,
    )
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


def searchable(text: str) -> str:
    """*text* with the spellings that people mix up made one."""
    return _HYPHENED.sub(r"\1\2", text.replace("\u2019", "'"))


def stems(text: str) -> list[str]:
    """Its words without the commonest English endings."""
    return [_ENDINGS.sub("", word) for word in _ANY_WORD.findall(searchable(text).lower())]


def content_words(question: str) -> tuple[str, ...]:
    """The words of a question that say what it is about, each once."""
    text = unicodedata.normalize("NFKC", question[:QUESTION_LIMIT]).lower()
    text = searchable(text).replace("'", " ")
    found = (word for word in _WORD.findall(text) if word not in _STOP_WORDS)
    words = tuple(dict.fromkeys(_GERMAN.get(word, word) for word in found))[:_WORDS_LIMIT]
    return tuple(word for word in words if word not in _IMPLIED) or words
