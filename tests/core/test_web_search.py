"""What a search finds."""

from __future__ import annotations

from g4f_aio.core.web_search import Hit


def test_a_hit_is_an_address_and_perhaps_no_more() -> None:
    assert (Hit("https://a.example").title, Hit("https://a.example").snippet) == ("", "")
