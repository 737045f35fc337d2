"""What a condition in a chain is made of, and when it holds.

What a name stands for is looked up when the condition is asked. A value that is not known makes its
comparison unknown, and that spreads as far as it decides anything.
"""

from __future__ import annotations

import enum
import operator
from collections.abc import Callable, Mapping

import attrs

#: what a name stands for; None while it is not known
Value = float | bool | None


class Kind(enum.Enum):
    """What a name or a number measures; the value says it to people."""

    SHARE = "a share from 0 to 1"
    SECONDS = "a number of seconds"
    NUMBER = "a number"
    YES_NO = "yes or no"


#: what a condition can ask for
NAMES = {
    "success_rate": Kind.SHARE,
    "error_rate": Kind.SHARE,
    "ttft": Kind.SECONDS,
    "ttft_p90": Kind.SECONDS,
    "speed": Kind.NUMBER,
    "calls": Kind.NUMBER,
    "running": Kind.NUMBER,
    "quota_wait": Kind.SECONDS,
    "resting": Kind.YES_NO,
    "open": Kind.YES_NO,
    "hour": Kind.NUMBER,
    "weekday": Kind.NUMBER,
}
#: what may follow a number at once: what it then measures, and what one of it is worth
UNITS: dict[str, tuple[Kind | None, float]] = {
    "": (None, 1),
    "s": (Kind.SECONDS, 1),
    "ms": (Kind.SECONDS, 0.001),
    "%": (Kind.SHARE, 0.01),
}
OPERATORS: dict[str, Callable[[float, float], bool]] = {
    "<": operator.lt,
    "<=": operator.le,
    ">": operator.gt,
    ">=": operator.ge,
    "==": operator.eq,
    "!=": operator.ne,
}


@attrs.frozen
class Number:
    """A number as it is written; *amount* is what it means."""

    value: float
    unit: str = ""

    @property
    def kind(self) -> Kind | None:
        """What it measures; None when it says nothing about that."""
        return UNITS[self.unit][0]

    @property
    def amount(self) -> float:
        """The value in seconds, or as a share of 1, or just as it is."""
        return self.value * UNITS[self.unit][1]

    def __str__(self) -> str:
        return f"{self.value!r}".removesuffix(".0") + self.unit


@attrs.frozen
class Name:
    """Something that is looked up; alone it is a condition when it is one of yes or no."""

    name: str

    @property
    def kind(self) -> Kind:
        """What it measures."""
        return NAMES[self.name]

    def __str__(self) -> str:
        return self.name


@attrs.frozen
class Comparison:
    """Two sides, at least one of which is a name."""

    left: Number | Name
    operator: str
    right: Number | Name

    def __str__(self) -> str:
        return f"{self.left} {self.operator} {self.right}"


@attrs.frozen
class Not:
    """The contrary of its part."""

    part: Tree

    def __str__(self) -> str:
        return f"not {_inner(self.part)}"


@attrs.frozen
class And:
    """Two or more parts that all have to hold."""

    parts: tuple[Tree, ...]

    def __str__(self) -> str:
        return " and ".join(map(_inner, self.parts))


@attrs.frozen
class Or:
    """Two or more parts, one of which has to hold."""

    parts: tuple[Tree, ...]

    def __str__(self) -> str:
        return " or ".join(map(_inner, self.parts))


Tree = Name | Comparison | Not | And | Or


def truth(tree: Tree, values: Mapping[str, Value]) -> bool | None:
    """Whether *tree* is so; None when that depends on what is not known."""
    match tree:
        case Name(name):
            value = values[name]
            return None if value is None else bool(value)
        case Comparison(left, sign, right):
            one, other = _amount(left, values), _amount(right, values)
            return None if one is None or other is None else OPERATORS[sign](one, other)
        case Not(part):
            found = truth(part, values)
            return None if found is None else not found
        case And(parts):
            answers = [truth(part, values) for part in parts]
            return False if False in answers else None if None in answers else True
        case Or(parts):
            answers = [truth(part, values) for part in parts]
            return True if True in answers else None if None in answers else False


def _amount(side: Number | Name, values: Mapping[str, Value]) -> float | None:
    match side:
        case Number():
            return side.amount
        case Name(name):
            return values[name]


def _inner(part: Tree) -> str:
    """A part inside another one; parentheses keep it together."""
    match part:
        case And() | Or():
            return f"({part})"
        case _:
            return str(part)
