"""Conditions as people write them, and every mistake by its place and the closest good word."""

from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from g4f_aio.settings.condition_tree import (
    NAMES,
    OPERATORS,
    And,
    Comparison,
    Name,
    Not,
    Number,
    Or,
    Tree,
)
from g4f_aio.settings.conditions import DEEPEST, LONGEST, Condition, problem
from tests.settings.condition_trees import trees

RESTING, OPEN = Name("resting"), Name("open")
CALLS = Comparison(Name("calls"), ">", Number(3))
#: what conditions are made of, and what they are not
WORDS = (
    *NAMES,
    *OPERATORS,
    "and",
    "or",
    "not",
    "(",
    ")",
    "3",
    "0.5",
    "20%",
    "3s",
    "=",
    "!",
    "&&",
    ".",
)


@given(trees())
def test_what_is_written_is_read_as_it_was(tree: Tree) -> None:
    text = str(tree)
    if len(text) <= LONGEST:
        found = Condition.parse(text)
        assert found.tree == tree
        assert set(found.names) == {word for word in re.findall(r"\w+", text) if word in NAMES}


@given(st.text() | st.lists(st.sampled_from(WORDS), max_size=12).map(" ".join))
def test_whatever_is_written_is_a_condition_or_a_value_error(text: str) -> None:
    fault = problem(text)
    if fault is not None:
        with pytest.raises(ValueError, match=re.escape(fault)):
            Condition.parse(text)
    else:
        tree = Condition.parse(text).tree
        assert Condition.parse(str(tree)).tree == tree


@pytest.mark.parametrize(
    ("text", "tree"),
    [
        ("resting", RESTING),
        ("((resting))", RESTING),
        ("not resting", Not(RESTING)),
        ("not not resting", Not(Not(RESTING))),
        ("calls>3", CALLS),
        ("  calls\t>\n3.  ", CALLS),
        ("3 < calls", Comparison(Number(3), "<", Name("calls"))),
        ("ttft<800ms", Comparison(Name("ttft"), "<", Number(800, "ms"))),
        ("error_rate <= 20%", Comparison(Name("error_rate"), "<=", Number(20, "%"))),
        ("success_rate >= .5", Comparison(Name("success_rate"), ">=", Number(0.5))),
        ("speed != 1e3", Comparison(Name("speed"), "!=", Number(1000))),
        ("quota_wait == 0", Comparison(Name("quota_wait"), "==", Number(0))),
        ("ttft < ttft_p90", Comparison(Name("ttft"), "<", Name("ttft_p90"))),
        ("resting and open and calls > 3", And((RESTING, OPEN, CALLS))),
        ("resting and (open and calls > 3)", And((RESTING, And((OPEN, CALLS))))),
        ("resting or open and calls > 3", Or((RESTING, And((OPEN, CALLS))))),
        ("(resting or open) and calls > 3", And((Or((RESTING, OPEN)), CALLS))),
        ("not resting and open", And((Not(RESTING), OPEN))),
        ("not calls > 3 or open", Or((Not(CALLS), OPEN))),
    ],
)
def test_and_binds_closer_than_or_and_not_closer_than_both(text: str, tree: Tree) -> None:
    assert Condition.parse(text).tree == tree


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("eror_rate < 0.2", "no name 'eror_rate' at character 1; did you mean error_rate?"),
        ("calls > 3 and Resting", "no name 'Resting' at character 15; did you mean resting?"),
        ("xyzzy < 1", "no name 'xyzzy' at character 1"),
        ("a.b < 1", "no name 'a' at character 1"),
        ("ttft.real < 1", "unexpected '.' at character 5"),
        ("ttft < '3'", 'unexpected "\'" at character 8'),
        ("open(1)", "expected 'and', 'or' or the end, not '(' at character 5"),
        ("", "expected a name or a number, but it ends"),
        ("  ", "expected a name or a number, but it ends"),
        ("and", "expected a name or a number, not 'and' at character 1"),
        ("ttft <", "expected a name or a number, but it ends"),
        ("ttft < not open", "expected a name or a number, not 'not' at character 8"),
        ("ttft", "expected a comparison such as '<', but it ends"),
        ("3", "expected a comparison such as '<', but it ends"),
        ("ttft calls", "expected a comparison such as '<', not 'calls' at character 6"),
        ("(ttft) < 3", "expected a comparison such as '<', not ')' at character 6"),
        ("error_rate = 0.2", "unexpected '=' at character 12; did you mean ==?"),
        ("calls <> 2", "unexpected '<>' at character 7; did you mean !=?"),
        ("resting && open", "unexpected '&&' at character 9; did you mean and?"),
        ("resting || open", "unexpected '||' at character 9; did you mean or?"),
        ("resting & open", "unexpected '&' at character 9; did you mean and?"),
        ("resting | open", "unexpected '|' at character 9; did you mean or?"),
        ("!resting", "unexpected '!' at character 1; did you mean not?"),
        (
            "resting AND open",
            "expected 'and', 'or' or the end, not 'AND' at character 9; did you mean and?",
        ),
        ("(resting", "expected ')', but it ends"),
        ("resting)", "expected 'and', 'or' or the end, not ')' at character 8"),
        ("ttft < 3 s", "expected 'and', 'or' or the end, not 's' at character 10"),
        ("ttft < 3sec", "no unit 'sec': '3sec' at character 8; there are s, ms, %"),
        ("ttft < 1e999", "too large a number, '1e999' at character 8"),
        (
            "9 <= hour < 18",
            "a second comparison in one, '<' at character 11; join them with 'and'",
        ),
        ("open or 1 < 2", "one side of a comparison has to be a name (character 9)"),
        ("ttft < speed", "ttft is a number of seconds, speed is a number (character 1)"),
        ("resting == open", "resting is yes or no, open is yes or no (character 1)"),
        (
            "resting == 1",
            "resting is yes or no; write 'resting' or 'not resting' alone (character 1)",
        ),
        (
            "3s > error_rate",
            "error_rate is a share from 0 to 1, but 3s is a number of seconds (character 1)",
        ),
        (
            "error_rate < 20",
            "error_rate is a share from 0 to 1, or from 0% to 100%, so never 20 (character 1)",
        ),
        (
            "error_rate < 120%",
            "error_rate is a share from 0 to 1, or from 0% to 100%, so never 120% (character 1)",
        ),
    ],
)
def test_a_mistake_is_told_with_its_place(text: str, message: str) -> None:
    assert problem(text) == message
    with pytest.raises(ValueError, match=re.escape(message)):
        Condition.parse(text)


def test_its_length_and_its_depth_are_bounded() -> None:
    fits = "not " * (DEEPEST - 1) + "open"
    assert problem(fits) is None
    assert (
        problem(f"not {fits}")
        == f"more than {DEEPEST} parts inside each other: 'open' at character 81"
    )
    assert "more than 20" in str(problem("(" * 400))
    many = " or ".join(["resting"] * 45)
    assert problem(many) is None
    assert len(many) < LONGEST
    assert problem(many.ljust(LONGEST + 1)) == "a condition has 500 characters at most, not 501"


def test_it_keeps_what_was_written_on_one_line_and_each_name_once() -> None:
    found = Condition.parse("\n  ttft < 3\n  and error_rate < 20%\n  and ttft > 1\n")
    assert found.text == "ttft < 3 and error_rate < 20% and ttft > 1"
    assert found.names == ("ttft", "error_rate")


@pytest.mark.parametrize(
    ("values", "holds"),
    [
        ({"error_rate": 0.1, "ttft": 1.0}, True),
        ({"error_rate": 0.3, "ttft": 1.0}, False),
        ({"error_rate": None, "ttft": 1.0}, True),
        ({"error_rate": None, "ttft": None}, True),
        ({"error_rate": None, "ttft": 5.0}, False),
    ],
)
def test_it_holds_unless_something_known_speaks_against_it(
    values: dict[str, float | None], *, holds: bool
) -> None:
    assert Condition.parse("error_rate < 20% and ttft < 3").holds(values) is holds
    assert Condition.parse("not (error_rate >= 20% or ttft >= 3)").holds(values) is holds
