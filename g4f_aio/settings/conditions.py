"""Conditions on the links of a chain, as the settings have them: ``error_rate < 0.2 and ttft < 3``.

A condition compares names with numbers; ``and``, ``or``, ``not`` and parentheses join comparisons. It
can do nothing else: there are no calls, no attributes and no arithmetic in it.
"""

from __future__ import annotations

import difflib
import math
import re
from collections.abc import Iterable, Mapping
from typing import Self

import attrs

from .condition_tree import (
    NAMES,
    OPERATORS,
    UNITS,
    And,
    Comparison,
    Kind,
    Name,
    Not,
    Number,
    Or,
    Tree,
    Value,
    truth,
)

#: the most characters of a condition, and how deep its parts go
LONGEST = 500
DEEPEST = 20
_WORDS = ("and", "or", "not")
#: what other languages write
_FOREIGN = {"=": "==", "<>": "!=", "&": "and", "&&": "and", "|": "or", "||": "or", "!": "not"}
_TOKEN = re.compile(
    r"""\s*(?:
        (?P<number>(?:[0-9]+(?:\.[0-9]*)?|\.[0-9]+)(?:[eE][+-]?[0-9]+)?)(?P<unit>%|[A-Za-z_]\w*)?
      | (?P<word>[A-Za-z_]\w*)
      | (?P<sign>&&|\|\||<>|[<>=!]=|[<>=!&|()])
    )""",
    re.VERBOSE,
)


@attrs.frozen
class Condition:
    """A condition as it is written, on one line, what it means, and the names in it."""

    text: str
    tree: Tree
    names: tuple[str, ...]

    @classmethod
    def parse(cls, text: str) -> Self:
        """The condition that *text* is; ValueError says what is wrong with it, and where."""
        parser = _Parser(text)
        tree = parser.whole()
        return cls(" ".join(text.split()), tree, tuple(parser.names))

    def holds(self, values: Mapping[str, Value]) -> bool:
        """Whether it is so, or is not known not to be so."""
        return truth(self.tree, values) is not False


def problem(text: str) -> str | None:
    """What is wrong with a condition: the check of a setting."""
    try:
        Condition.parse(text)
    except ValueError as error:
        return str(error)
    return None


@attrs.frozen
class _Token:
    """A piece of a condition; *at* counts characters from 1. The last one is of the kind ``end``."""

    kind: str
    text: str
    at: int
    unit: str = ""

    def __str__(self) -> str:
        return f"'{self.text}{self.unit}' at character {self.at}"


class _Parser:
    """Goes through a text from left to right, one token ahead."""

    def __init__(self, text: str) -> None:
        if len(text) > LONGEST:
            raise ValueError(f"a condition has {LONGEST} characters at most, not {len(text)}")
        self._text = text
        self._end = 0
        self._depth = 0
        #: those that it met, each once
        self.names: dict[str, None] = {}
        self._token = self._next()

    def whole(self) -> Tree:
        tree = self._either()
        if self._token.kind != "end":
            raise self._fault("expected 'and', 'or' or the end")
        return tree

    def _either(self) -> Tree:
        parts = [self._all()]
        while self._took("or"):
            parts.append(self._all())
        return parts[0] if len(parts) == 1 else Or(tuple(parts))

    def _all(self) -> Tree:
        parts = [self._one()]
        while self._took("and"):
            parts.append(self._one())
        return parts[0] if len(parts) == 1 else And(tuple(parts))

    def _one(self) -> Tree:
        self._depth += 1
        if self._depth > DEEPEST:
            raise ValueError(f"more than {DEEPEST} parts inside each other: {self._token}")
        if self._took("not"):
            tree: Tree = Not(self._one())
        elif self._took("("):
            tree = self._either()
            if not self._took(")"):
                raise self._fault("expected ')'")
        else:
            tree = self._comparison()
        self._depth -= 1
        return tree

    def _comparison(self) -> Tree:
        start = self._token
        left = self._side()
        sign = self._token.text
        if sign not in OPERATORS:
            match left:
                case Name() if left.kind is Kind.YES_NO:
                    return left
                case _:
                    raise self._fault("expected a comparison such as '<'")
        self._token = self._next()
        right = self._side()
        if self._token.text in OPERATORS:
            raise ValueError(f"a second comparison in one, {self._token}; join them with 'and'")
        found = _contradiction(left, right)
        if found is not None:
            raise ValueError(f"{found} (character {start.at})")
        return Comparison(left, sign, right)

    def _side(self) -> Number | Name:
        token = self._token
        match token.kind:
            case "number":
                side: Number | Name = _number(token)
            case "word" if token.text in NAMES:
                self.names[token.text] = None
                side = Name(token.text)
            case "word" if token.text not in _WORDS:
                raise ValueError(f"no name {token}{_near(token.text, (*NAMES, *_WORDS))}")
            case _:
                raise self._fault("expected a name or a number")
        self._token = self._next()
        return side

    def _took(self, text: str) -> bool:
        if self._token.text != text:
            return False
        self._token = self._next()
        return True

    def _next(self) -> _Token:
        found = _TOKEN.match(self._text, self._end)
        if found is None:
            rest = self._text[self._end :].lstrip()
            if not rest:
                return _Token("end", "", len(self._text) + 1)
            at = len(self._text) - len(rest) + 1
            raise ValueError(f"unexpected {rest[0]!r} at character {at}")
        self._end = found.end()
        for kind in ("number", "word", "sign"):
            if found[kind]:
                return _Token(kind, found[kind], found.start(kind) + 1, found["unit"] or "")
        raise AssertionError("a token is of one of the kinds")

    def _fault(self, expected: str) -> ValueError:
        token = self._token
        if token.kind == "end":
            return ValueError(f"{expected}, but it ends")
        if token.text in _FOREIGN:
            return ValueError(f"unexpected {token}; did you mean {_FOREIGN[token.text]}?")
        known = _WORDS if token.kind == "word" and token.text not in (*NAMES, *_WORDS) else ()
        return ValueError(f"{expected}, not {token}{_near(token.text, known)}")


def _number(token: _Token) -> Number:
    value = float(token.text)
    if math.isinf(value):
        raise ValueError(f"too large a number, {token}")
    if token.unit not in UNITS:
        known = ", ".join(filter(None, UNITS))
        raise ValueError(f"no unit {token.unit!r}: {token}; there are {known}")
    return Number(value, token.unit)


def _contradiction(left: Number | Name, right: Number | Name) -> str | None:
    """Why two sides of a comparison make no sense together; None when they do."""
    match left, right:
        case Name(), Name():
            same = left.kind is right.kind and left.kind is not Kind.YES_NO
            return None if same else f"{_measure(left)}, {_measure(right)}"
        case Name(), Number():
            return _mismatch(left, right)
        case Number(), Name():
            return _mismatch(right, left)
        case _:
            return "one side of a comparison has to be a name"


def _mismatch(name: Name, number: Number) -> str | None:
    if name.kind is Kind.YES_NO:
        return f"{_measure(name)}; write '{name}' or 'not {name}' alone"
    if number.kind is not None and number.kind is not name.kind:
        return f"{_measure(name)}, but {number} is {number.kind.value}"
    if name.kind is Kind.SHARE and number.amount > 1:
        return f"{_measure(name)}, or from 0% to 100%, so never {number}"
    return None


def _measure(name: Name) -> str:
    return f"{name} is {name.kind.value}"


def _near(word: str, known: Iterable[str]) -> str:
    close = difflib.get_close_matches(word.lower(), tuple(known), 1)
    return f"; did you mean {close[0]}?" if close else ""
