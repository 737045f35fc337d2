from __future__ import annotations

import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from g4f_aio.core.tokens import TokenCount, clip_to_tokens, estimate_tokens


@pytest.mark.parametrize(
    ("text", "tokens"),
    [
        ("", 0),
        ("a", 1),
        ("abcd", 1),
        ("abcde", 2),
        ("ä" * 4, 2),
        ("🙂", 1),
        ("今日は良い天気", 7),
        ("안녕하세요", 5),
        ("abcd今日", 3),
        ("\ud800", 1),
        ("\0\0\0\0", 1),
    ],
)
def test_a_quarter_of_the_bytes_and_one_for_each_wide_character(text: str, tokens: int) -> None:
    assert estimate_tokens(text) == tokens


@given(st.lists(st.text()))
def test_pieces_count_as_much_as_the_whole(pieces: list[str]) -> None:
    count = TokenCount()
    for piece in pieces:
        count = count.plus(piece)
    assert count.tokens == estimate_tokens("".join(pieces))


def test_a_megabyte_takes_no_time_to_speak_of() -> None:
    begin = time.perf_counter()
    assert estimate_tokens("x" * 2**20) == 2**18
    assert estimate_tokens("漢a" * 2**19) == 2**19 + 2**17
    assert time.perf_counter() - begin < 2


@given(st.text(), st.text())
def test_a_longer_text_never_has_fewer_tokens(text: str, more: str) -> None:
    assert estimate_tokens(text) <= estimate_tokens(text + more)


@given(st.text(), st.integers(min_value=-1, max_value=20))
def test_clipping_keeps_the_longest_beginning_that_fits(text: str, limit: int) -> None:
    clipped = clip_to_tokens(text, limit)
    assert text.startswith(clipped)
    assert estimate_tokens(clipped) <= max(limit, 0)
    if clipped != text:
        assert limit <= 0 or estimate_tokens(text[: len(clipped) + 1]) > limit
