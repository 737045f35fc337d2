"""Vectors as numbers and as Base64."""

from __future__ import annotations

import base64
import struct

import pytest
from hypothesis import given
from hypothesis import strategies as st

from g4f_aio.dialects.vectors import checked, finite, to_base64, to_numbers

FLOATS = st.lists(st.floats(width=32, allow_nan=False, allow_infinity=False))


@given(FLOATS)
def test_there_and_back(numbers: list[float]) -> None:
    assert to_numbers(to_base64(numbers)) == numbers


def test_the_bytes_are_little_endian_floats() -> None:
    assert base64.b64decode(to_base64([1.0, -2])) == b"\x00\x00\x80?\x00\x00\x00\xc0"


@pytest.mark.parametrize("numbers", [["a"], [None], [1e300], [10**400]])
def test_what_does_not_fit_is_an_error(numbers: list[float]) -> None:
    with pytest.raises(ValueError, match="32-bit"):
        to_base64(numbers)


@pytest.mark.parametrize("text", ["AAA", "!!!!", "é", "AAAA"])
def test_what_is_no_base64_of_floats_is_an_error(text: str) -> None:
    for read in (to_numbers, checked):
        with pytest.raises(ValueError, match=r"Base64|32-bit"):
            read(text)


def test_a_good_one_stays_as_it_is() -> None:
    text = to_base64([0.5])
    assert checked(text) is text


def test_json_has_no_word_for_what_is_no_number() -> None:
    broken = base64.b64encode(struct.pack("<f", float("nan"))).decode()
    with pytest.raises(ValueError, match="not all"):
        to_numbers(broken)
    for numbers in ([float("inf")], ["a"], [None], [10**400]):
        with pytest.raises(ValueError, match="not all"):
            finite(numbers)  # type: ignore[arg-type]
    good = [1.0, 2]
    assert finite(good) is good
