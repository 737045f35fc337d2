from __future__ import annotations

import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from g4f_aio.core.tokens import (
    TokenCount,
    clip_to_tokens,
    estimate_tokens,
    tokens_in,
    weight_of,
)

#: what o200k_base makes of them
TEXTS = {
    "All human beings are born free and equal in dignity and rights.": 13,
    "Alle Menschen sind frei und gleich an Würde und Rechten geboren.": 14,
    "Все люди рождаются свободными и равными в своем достоинстве и правах.": 17,  # noqa: RUF001
    "人人生而自由，在尊严和权利上一律平等。": 15,  # noqa: RUF001
    "すべての人間は、生まれながらにして自由であり、": 18,
    "모든 인간은 태어날 때부터 자유로우며 그 존엄과 권리에 있어 동등하다.": 24,
    '{"id":17,"name":"user 17","active":true,"score":23.29}': 21,
    "def plus(self, text):\n    return self.tokens + len(text)\n": 14,
}


@pytest.mark.parametrize(
    ("text", "tokens"),
    [
        ("", 0),
        ("a", 1),
        ("abcde", 1),
        ("abcdef", 2),
        ("1234567", 5),
        ("ä", 1),
        ("🙂", 2),
        ("\ud800", 1),
        ("\0\0\0\0", 1),
        ("ab\n", 1),
    ],
)
def test_every_character_weighs_by_its_kind(text: str, tokens: int) -> None:
    assert estimate_tokens(text) == tokens


@pytest.mark.parametrize("text", TEXTS)
def test_it_is_near_to_what_a_tokenizer_says(text: str) -> None:
    assert 0.7 < estimate_tokens(text) / TEXTS[text] < 1.4


@given(st.text("".join(map(chr, range(128)))))
def test_plain_text_weighs_the_same_beside_other_text(text: str) -> None:
    """It has a way of its own to be counted."""
    other = TokenCount().plus("ä")
    assert other.plus(text) == TokenCount().plus(f"ä{text}")


@given(st.lists(st.text()))
def test_pieces_count_as_much_as_the_whole(pieces: list[str]) -> None:
    count = TokenCount()
    for piece in pieces:
        count = count.plus(piece)
    assert count.tokens == estimate_tokens("".join(pieces))


@given(st.lists(st.text()))
def test_weights_add_up(pieces: list[str]) -> None:
    whole = "".join(pieces)
    assert sum(map(weight_of, pieces)) == weight_of(whole)
    assert tokens_in(weight_of(whole)) == estimate_tokens(whole)


@pytest.mark.parametrize("text", TEXTS)
def test_a_long_text_counts_as_much_as_its_pieces(text: str) -> None:
    """It is counted in another way."""
    count = TokenCount()
    for _ in range(100):
        count = count.plus(text)
    assert TokenCount().plus(text * 100) == count


def test_a_megabyte_takes_no_time_to_speak_of() -> None:
    begin = time.thread_time()
    assert estimate_tokens("x" * 2**20) == 3 * 2**16
    assert estimate_tokens("漢a" * 2**19) == 2**19
    assert time.thread_time() - begin < 2


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
