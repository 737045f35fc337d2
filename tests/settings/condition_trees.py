"""Conditions of every shape, and values for the names in them."""

from __future__ import annotations

from typing import Any

from hypothesis import strategies as st

from g4f_aio.settings.condition_tree import (
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
)

_FLAGS = [Name(name) for name, kind in NAMES.items() if kind is Kind.YES_NO]
_MEASURES = [Name(name) for name, kind in NAMES.items() if kind is not Kind.YES_NO]


@st.composite
def _numbers(draw: st.DrawFn, name: Name) -> Number:
    """A number that can be compared with *name*."""
    unit = draw(st.sampled_from([unit for unit in UNITS if UNITS[unit][0] in (None, name.kind)]))
    most = {"%": 100.0, "": 1.0}.get(unit) if name.kind is Kind.SHARE else None
    return Number(draw(st.floats(0, most, allow_infinity=False, allow_nan=False)), unit)


@st.composite
def _comparisons(draw: st.DrawFn) -> Comparison:
    name = draw(st.sampled_from(_MEASURES))
    alike = [other for other in _MEASURES if other.kind is name.kind]
    other: Number | Name = draw(_numbers(name) | st.sampled_from(alike))
    sign = draw(st.sampled_from([*OPERATORS]))
    return Comparison(name, sign, other) if draw(st.booleans()) else Comparison(other, sign, name)


def _larger(parts: st.SearchStrategy[Tree]) -> st.SearchStrategy[Tree]:
    several = st.lists(parts, min_size=2, max_size=3).map(tuple)
    return parts.map(Not) | several.map(And) | several.map(Or)


def trees() -> st.SearchStrategy[Tree]:
    """Trees that make sense, not too deep to be written."""
    leaves: st.SearchStrategy[Tree] = _comparisons() | st.sampled_from(_FLAGS)
    return st.recursive(leaves, _larger, max_leaves=6)


def values(*, unknown: bool) -> st.SearchStrategy[dict[str, Any]]:
    """A value for every name, or perhaps none where some may be *unknown*."""
    numbers: st.SearchStrategy[Any] = st.floats(0, 100)
    return st.fixed_dictionaries(
        {
            name: (st.booleans() if kind is Kind.YES_NO else numbers)
            | (st.none() if unknown else st.nothing())
            for name, kind in NAMES.items()
        }
    )
