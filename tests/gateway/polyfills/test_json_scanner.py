"""JSON is read as it comes, and what is none is found out."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from g4f_aio.gateway.polyfills.json_scanner import DEEPEST, JsonScanner
from tests.gateway.polyfills.pieces import CUTS, cut
from tests.gateway.polyfills.test_json_answer import VALUES


def scanned(pieces: list[str]) -> tuple[str, str]:
    """The value at the beginning, and the rest."""
    scanner = JsonScanner()
    said = ""
    for at, piece in enumerate(pieces):
        found, used = scanner.feed(piece)
        said += found
        if scanner.done:
            return said, piece[used:] + "".join(pieces[at + 1 :])
    raise ValueError("it is not complete")


@given(
    st.lists(VALUES | st.floats(allow_nan=False, allow_infinity=False)),
    st.sampled_from([None, 1]),
    st.text(max_size=3),
    CUTS,
)
def test_a_value_ends_where_it_ends(
    value: list[Any], indent: int | None, rest: str, cuts: list[float]
) -> None:
    written = json.dumps({"v": value}, indent=indent)
    assert scanned(cut(written + rest, cuts)) == (written, rest)


@given(st.text('{}[]",:\\u01tfalsenr \n-.e', max_size=12))
def test_nothing_else_is_taken_for_json(text: str) -> None:
    text = "{" + text
    try:
        _, end = json.JSONDecoder(strict=False).raw_decode(text)
    except ValueError:
        with pytest.raises(ValueError, match=r"\S"):
            scanned([text])
    else:
        found, rest = scanned([text])
        assert (json.loads(found), rest) == (json.loads(text[:end], strict=False), text[end:])


def test_line_ends_in_strings_are_escaped() -> None:
    found, _ = scanned(['{"a": "x\ny\t"}'])
    assert json.loads(found) == {"a": "x\ny\t"}


@pytest.mark.parametrize("text", ["[" * (DEEPEST + 1), '{"a": 1' + "0" * 200])
def test_what_has_no_end_is_given_up(text: str) -> None:
    with pytest.raises(ValueError, match=r"nested too deep|overlong"):
        scanned([text])


@pytest.mark.parametrize(
    "text",
    [
        '{"a": "\\x"}',
        '{"a": "\\u12g4"}',
        '{"a": 1]',
        "}",
        '{"a": }',
        '{"a" 1}',
        '{"a": 1,}',
        "[1 2]",
        "{,}",
        '{"a": 01}',
        '{"a": nul}',
        "x",
        "7 ",
    ],
)
def test_every_fault_is_found(text: str) -> None:
    with pytest.raises(ValueError, match=r"\S"):
        scanned([text])
