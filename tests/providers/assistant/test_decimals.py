from __future__ import annotations

from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from g4f_aio.providers.assistant.decimals import Number, decimal, equation


@pytest.mark.parametrize(
    ("value", "digits", "exact"),
    [
        (Fraction(0), "0", True),
        (Fraction(-42), "-42", True),
        (Fraction(1, 8), "0.125", True),
        (Fraction(-1, 40), "-0.025", True),
        (Fraction(578, 10), "57.8", True),
        (Fraction(1, 3), "0.333333333333333", False),
        (Fraction(2) ** 100, "1267650600228229401496703205376", True),
        (Fraction(10**400, 3), "3.33333333333333e+399", False),
        (Fraction(-1, 3 * 10**400), "-3.33333333333333e-401", False),
        (Fraction(1, 2**1200), "5.8077137562175e-362", False),
        (Fraction(1, 3 * 10**320), "3.33333333333333e-321", False),
        (0.1 + 0.2, "0.3", False),
        (1e300, "1e+300", False),
    ],
)
def test_exact_digits_where_they_end_and_rounded_ones_where_not(
    value: Number, digits: str, exact: object
) -> None:
    assert decimal(value) == (digits, exact)


@given(st.decimals(allow_nan=False, allow_infinity=False, places=9))
def test_exact_digits_say_the_same_number(value: object) -> None:
    fraction = Fraction(str(value))
    digits, exact = decimal(fraction)
    assert exact
    assert Fraction(digits) == fraction


def test_an_equation_says_whether_it_is_exact() -> None:
    assert equation("1/4", Fraction(1, 4)) == "1/4 = 0.25"
    assert equation("1/3", Fraction(1, 3)) == "1/3 ≈ 0.333333333333333"
