"""JSON with halves of characters in it is read, written and mended; what is no JSON is refused."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from g4f_aio.dialects.json_text import Joiner, dumps, loads


@pytest.mark.parametrize(
    ("data", "value"),
    [
        (b'{"a": [1, "\xc3\xa9"]}', {"a": [1, "é"]}),
        (b'"\\ud83d\\ude00"', "😀"),
        (b'"\\ud83d"', "\ud83d"),
        (b'["\\uDE00", 1.50, null]', ["\ude00", 1.5, None]),
    ],
)
def test_json_is_read(data: bytes, value: object) -> None:
    assert loads(data) == value


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"{",
        b"NaN",
        b'["\\ud83d", NaN]',
        b'["\\ud83d", -Infinity]',
        b'["\\ud83d"',
        b'["\\ud83", "\xff"]',
        b'["\\ud83d", "\xff"]',
        b"[" * 100_000 + b'"\\ud83d"' + b"]" * 100_000,
    ],
)
def test_what_is_no_json_is_refused(data: bytes) -> None:
    with pytest.raises(ValueError):  # noqa: PT011  (of several kinds)
        loads(data)


@pytest.mark.parametrize(
    ("value", "data"),
    [
        ({"a": "é"}, '{"a":"é"}'.encode()),
        ({"a": ["\ud83d", "é", None]}, b'{"a":["\\ud83d","\\u00e9",null]}'),
        (2**70, b"1180591620717411303424"),
    ],
)
def test_json_is_written(value: object, data: bytes) -> None:
    assert dumps(value) == data


@given(st.text(st.characters()))
def test_any_text_comes_back(text: str) -> None:
    # two halves that meet are one character
    whole = text.encode("utf-16-le", "surrogatepass").decode("utf-16-le", "surrogatepass")
    assert loads(dumps(text)) == whole


def test_halves_are_joined_within_the_text_they_belong_to() -> None:
    joiner = Joiner()
    assert joiner.feed("a\ud83d", "x") == "a"
    assert joiner.feed("b", "y") == "b"
    assert joiner.feed("", "x") == ""
    assert joiner.feed("\ude00c", "x") == "😀c"
    assert joiner.feed("d", "x") == "d"


@pytest.mark.parametrize(
    ("pieces", "text"),
    [
        (["\ude00"], "\ufffd"),
        (["\ud83d", "x"], "\ufffdx"),
        (["\ud83d\ud83d", "\ude00"], "\ufffd😀"),
        (["é\ud83d\ude00"], "é😀"),
    ],
)
def test_a_half_that_stays_alone_is_replaced(pieces: list[str], text: str) -> None:
    joiner = Joiner()
    assert "".join(joiner.feed(piece, 0) for piece in pieces) == text


@given(st.text(), st.lists(st.integers(0, 50)))
def test_a_text_cut_between_its_utf_16_units_comes_out_whole(text: str, places: list[int]) -> None:
    units = text.encode("utf-16-le")
    ends = sorted({place * 2 % (len(units) + 2) for place in places})
    joiner = Joiner()
    found = "".join(
        joiner.feed(units[begin:end].decode("utf-16-le", "surrogatepass"), 0)
        for begin, end in zip([0, *ends], [*ends, len(units)], strict=True)
    )
    assert found == text
