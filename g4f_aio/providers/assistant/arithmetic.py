"""Arithmetic in words: finds the expression in a question and has the calculator compute it."""

from __future__ import annotations

import re

from .calculator import CONSTANTS, FUNCTIONS, CalculatorError, Expression
from .decimals import equation
from .question import Question

TOOL = "Tool: calculator (exact fractions; ≈ marks a rounded result)"

_ASKED = re.compile(
    r"(?:what(?:'s| is| are)?|whats|calculate|compute|evaluate|solve|work out|how much is"
    r"|was (?:ist|sind|ergibt)|wie ?viel (?:ist|sind)|berechne|rechne(?: aus)?)[: ]+"
)
_CONNECTED = re.compile(r"(?:and|then|now|und|dann|jetzt)[, ]+")
_ANSWER = re.compile(r"[ ]*(?:=|equals?|is|ergibt|ist)$")
_THOUSANDS = re.compile(r"(?<![\d.,])\d{1,3}(?:,\d{3})+(?![\d,])")
_NUMBER = r"\d+(?:\.\d+)?"
_WORDS: tuple[tuple[re.Pattern[str], str], ...] = tuple(
    (re.compile(pattern), replacement)
    for pattern, replacement in (
        (r"\b(?:to the power of|hoch)\b", "**"),
        (rf"({_NUMBER}) ?(?:%|percent|per cent|prozent) (?:of|von) ", r"(\1/100)*"),
        (r"\b(?:the )?(?:square root|quadratwurzel|wurzel) (of|aus|von)\b", r"sqrt \1"),
        (rf"\b([a-z]+[0-9]*) (?:of|aus|von) ({_NUMBER})", r"\1(\2)"),
        (r"\b(?:multiplied by|times|mal)\b", "*"),
        (r"\b(?:divided by|over|geteilt durch|durch)\b", "/"),
        (r"\b(?:modulo|mod)\b", "%"),
        (r"\bplus\b", "+"),
        (r"\bminus\b", "-"),
        (r"\bsquared\b", "**2"),
        (r"\bcubed\b", "**3"),
        (r"\bdoubled\b", "*2"),
        (r"\bhalved\b", "/2"),
        (r"(\d+) ?!", r"factorial(\1)"),
        (r"(\d+) factorial\b", r"factorial(\1)"),
        (r"\^", "**"),
        ("[\u00d7\u00b7\u22c5\u2217]", "*"),
        ("[\u00f7\u2215]", "/"),
        ("[\u2212\u2013]", "-"),
        ("√", "sqrt"),
        ("π", "pi"),
    )
)
_NUMERALS = dict(
    zip(
        re.findall(r"\w+", "zero one two three four five six seven eight nine ten eleven twelve"),
        map(str, range(13)),
        strict=True,
    )
) | {"twenty": "20", "hundred": "100", "thousand": "1000", "million": "1000000"}
_NUMERAL = re.compile(rf"\b(?:{'|'.join(_NUMERALS)})\b")
_TOKEN = re.compile(
    r" *(?:(?P<number>(?:\d+\.?\d*|\.\d+)(?:e[+-]?\d+)?(?![\d.]))"
    r"|(?P<name>[a-z][a-z0-9]*)|(?P<sign>\*\*|//|[-+*/%(),]))"
)
#: how an expression begins that goes on from something
_SIGNS = "+-*/%"
_RESULT = re.compile(r"[=≈] (-?\d+(?:\.\d+)?(?:e[+-]?\d+)?)\n+" + re.escape(TOOL))


def arithmetic(question: Question) -> str | None:
    """The answer to a question that is arithmetic; None when it is not."""
    line = question.line
    connected = _CONNECTED.match(line)
    said = line[connected.end() :] if connected else line
    asked = _ASKED.match(said)
    shown = _commas(_ANSWER.sub("", said[asked.end() :] if asked else said))
    expression = _expression(shown)
    if expression is None:
        return None
    if expression[0] in _SIGNS:
        result = _RESULT.search(question.previous[-1000:])
        # "plus 5" goes on from the last result, "-5 + 3" is a question of its own
        goes_on = connected is not None or shown[0] not in "+-" or not _computes(expression)
        if result is not None and goes_on:
            return _follow_up(result[1], expression)
        if expression[0] in "*/%":
            return None
    return _computed(shown, expression, insist=asked is not None)


def _follow_up(number: str, expression: str) -> str | None:
    """``and times two``: goes on from the result that the last answer gave."""
    whole = f"({number}) {expression}" if number.startswith("-") else f"{number} {expression}"
    return _computed(whole, whole, insist=False)


def _computes(expression: str) -> bool:
    try:
        return Expression.parse(expression).computes
    except CalculatorError:
        return False


def _computed(shown: str, expression: str, *, insist: bool) -> str | None:
    """The result, or why there is none; None when it does not look like arithmetic at all."""
    try:
        parsed = Expression.parse(expression)
    except CalculatorError as error:
        looks_so = insist or any(sign in expression for sign in "*/(")
        return f"{_cut(shown)}: {error}.\n\n{TOOL}" if looks_so else None
    if not parsed.computes:
        return None
    try:
        return f"{equation(shown, parsed.value())}\n\n{TOOL}"
    except CalculatorError as error:
        return f"{_cut(shown)}: {error}.\n\n{TOOL}"


def _commas(said: str) -> str:
    """Numbers without separators of thousands, and with a point for their decimals."""
    if "," not in said or any(name in said for name in FUNCTIONS):
        return said
    said = _THOUSANDS.sub(lambda match: match[0].replace(",", ""), said)
    return re.sub(r"(?<=\d),(?=\d)", ".", said)


def _expression(said: str) -> str | None:
    """The words as an expression of known tokens only; None when there is any other."""
    said = _NUMERAL.sub(lambda match: _NUMERALS[match[0]], said)
    for pattern, replacement in _WORDS:
        said = pattern.sub(replacement, said)
    tokens: list[str] = []
    position, said = 0, said.rstrip()
    while position < len(said):
        match = _TOKEN.match(said, position)
        if match is None:
            return None
        position = match.end()
        number, name, sign = match.group("number", "name", "sign")
        if name is not None and name not in FUNCTIONS and name not in CONSTANTS:
            return None
        joined = tokens and (tokens[-1] == ")" or tokens[-1][0].isdigit())
        if joined and (name is not None or sign == "("):
            tokens.append("*")
        tokens.append(
            number.lstrip("0") or "0" if number and number.isdigit() else match[0].strip()
        )
    return " ".join(tokens) if tokens else None


def _cut(shown: str) -> str:
    return shown if len(shown) <= 60 else shown[:59] + "…"  # noqa: PLR2004
