"""What conditions mean: three-valued logic, compared with Python's own operators."""

from __future__ import annotations

import itertools

import pytest
from hypothesis import given
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
    Value,
    truth,
)
from tests.settings.condition_trees import trees, values

RESTING, OPEN = Name("resting"), Name("open")
ANSWERS = (True, False, None)


def reference(tree: Tree, known: dict[str, float]) -> str:
    """The same as an expression of Python."""
    match tree:
        case Name(name):
            return f"bool({known[name]!r})"
        case Comparison(left, sign, right):
            return f"({operand(left, known)} {sign} {operand(right, known)})"
        case Not(part):
            return f"(not {reference(part, known)})"
        case And(parts):
            return f"({' and '.join(reference(part, known) for part in parts)})"
        case Or(parts):
            return f"({' or '.join(reference(part, known) for part in parts)})"


def operand(side: Number | Name, known: dict[str, float]) -> str:
    """One side of a comparison."""
    match side:
        case Number():
            return repr(side.amount)
        case Name(name):
            return repr(known[name])


@given(trees(), values(unknown=False))
def test_with_everything_known_it_is_what_python_makes_of_it(
    tree: Tree, known: dict[str, float]
) -> None:
    assert truth(tree, known) is eval(reference(tree, known))  # noqa: S307  (what we wrote ourselves)


@given(trees(), values(unknown=True), st.data())
def test_what_is_decided_stays_so_whatever_turns_out_to_be_so(
    tree: Tree, known: dict[str, Value], data: st.DataObject
) -> None:
    decided = truth(tree, known)
    complete = data.draw(values(unknown=False))
    found = truth(tree, {n: complete[n] if v is None else v for n, v in known.items()})
    assert decided in (None, found)


@pytest.mark.parametrize("sign", OPERATORS)
def test_a_comparison_with_what_is_not_known_is_unknown(sign: str) -> None:
    speed, ttft = Name("speed"), Name("ttft")
    known: dict[str, Value] = {"speed": None, "ttft": 1.0, "ttft_p90": None}
    for tree in (
        Comparison(speed, sign, Number(1)),
        Comparison(Number(1), sign, speed),
        Comparison(ttft, sign, Name("ttft_p90")),
        Comparison(Name("ttft_p90"), sign, ttft),
        Not(Comparison(speed, sign, Number(1))),
    ):
        assert truth(tree, known) is None


@pytest.mark.parametrize("one", ANSWERS)
@pytest.mark.parametrize("other", ANSWERS)
def test_the_tables_of_three_valued_logic(*, one: bool | None, other: bool | None) -> None:
    known: dict[str, Value] = {"resting": one, "open": other}
    both = {one, other}
    assert truth(And((RESTING, OPEN)), known) is (
        False if False in both else None if None in both else True
    )
    assert truth(Or((RESTING, OPEN)), known) is (
        True if True in both else None if None in both else False
    )
    assert truth(Not(RESTING), known) is (None if one is None else not one)


def test_of_many_parts_each_may_decide() -> None:
    for answers in itertools.product(ANSWERS, repeat=3):
        known = dict(zip(("resting", "open", "calls"), answers, strict=True))
        parts = tuple(map(Name, known))
        assert truth(And(parts), known) is min(answers, key=(False, None, True).index)
        assert truth(Or(parts), known) is min(answers, key=(True, None, False).index)


@pytest.mark.parametrize(
    ("number", "kind", "amount"),
    [
        (Number(3), None, 3),
        (Number(3, "s"), Kind.SECONDS, 3),
        (Number(800, "ms"), Kind.SECONDS, 0.8),
        (Number(20, "%"), Kind.SHARE, 0.2),
    ],
)
def test_a_unit_says_what_a_number_means(number: Number, kind: Kind | None, amount: float) -> None:
    assert number.kind is kind
    assert number.amount == pytest.approx(amount)
    assert {number.unit for number in map(Number, (1,) * 4, UNITS)} == set(UNITS)


@pytest.mark.parametrize(
    ("tree", "text"),
    [
        (Comparison(Name("ttft"), "<", Number(3.0)), "ttft < 3"),
        (Comparison(Number(0.5), ">=", Name("error_rate")), "0.5 >= error_rate"),
        (Comparison(Name("ttft"), "<", Number(1.5, "s")), "ttft < 1.5s"),
        (And((RESTING, Or((OPEN, RESTING)))), "resting and (open or resting)"),
        (Or((And((RESTING, OPEN)), OPEN)), "(resting and open) or open"),
        (Not(And((RESTING, OPEN))), "not (resting and open)"),
        (Not(Not(RESTING)), "not not resting"),
    ],
)
def test_a_tree_is_written_as_people_do(tree: Tree, text: str) -> None:
    assert str(tree) == text


def test_every_name_measures_something() -> None:
    for name, kind in NAMES.items():
        assert Name(name).kind is kind
        assert name.isidentifier()
