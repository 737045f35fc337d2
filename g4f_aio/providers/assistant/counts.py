"""Counts of the characters, words and lines of a text."""

from __future__ import annotations

import re

from ...core.tokens import estimate_tokens
from .payload import payload
from .question import Question

_THING = r"(?:words?|characters?|chars?|letters?|lines?|bytes?|tokens?|wörter|zeichen|zeilen)"
_COUNT = re.compile(
    rf"\s*(?:please )?(?:count|zähle|how many|wie viele)(?: the| die)? {_THING}"
    rf"(?:(?:,|,? and|,? und) (?:the )?{_THING})*"
    r"(?: (?:are|does|do|is|has|have|there|sind|hat))*"
    r"(?: (?:in|of|von))?(?: (?:the|this|following|der|das|die|dieser|dieses|dem|diesem|folgenden))*"
    r"(?: (?:text|string|sentence|phrase|word|satz|wort))?(?: (?:have|has|contain|contains))?"
    r"[^\S\n]*+(?::|\n|(?=[\"'“„`«]))",
    re.IGNORECASE,
)
_OCCURS = re.compile(
    r"(?:how many(?: times)?|wie viele|wie oft)(?: does| do| is| are| the| letters?| kommt)*"
    r" [\"'“„`]?(?P<letter>[^\W_])[\"'”“`]?(?:'?s)?"
    r"(?: (?:are|is|occur|occurs|appear|appears|there|sind))*"
    r" (?:in|im wort)(?: the)?(?: word| text)? [\"'“„`]?(?P<text>[^\W_]+)[\"'”“`]?(?: vor)?"
)


def counts(question: Question) -> str | None:
    """The answer to a request to count; None when it is none."""
    match = _OCCURS.fullmatch(question.line)
    if match is not None:
        letter, word = match["letter"], match["text"]
        found = word.count(letter)
        times = "once" if found == 1 else f"{found} times"
        return f"“{letter}” occurs {times} in “{word}”.\n\nTool: counts (letters, ignoring case)"
    match = _COUNT.match(question.text)
    if match is None:
        return None
    text = payload(match, question.text)
    if not text.strip():
        return None
    size = len(text.encode("utf-8", "surrogatepass"))
    letters = sum(1 for character in text if not character.isspace())
    figures = (
        (len(text.split()), "word"),
        (len(text), "character"),
        (letters, "character without blanks"),
        (len(text.splitlines()), "line"),
        (size, "UTF-8 byte"),
    )
    lines = [_counted(count, noun) for count, noun in figures]
    lines.append(f"about {estimate_tokens(text)} tokens (an estimate)")
    return "\n".join(f"- {line}" for line in lines) + "\n\nTool: counts"


def _counted(count: int, noun: str) -> str:
    if count == 1:
        return f"1 {noun}"
    first, blank, rest = noun.partition(" without")
    return f"{count} {first}s{blank}{rest}"
