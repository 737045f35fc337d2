"""What search engines find is read with care."""

from __future__ import annotations

from typing import Any

import pytest

from g4f_aio.core.web_search import Hit
from g4f_aio.web.hits import SNIPPET, TITLE, hits_of, one_line


def found(*results: Any, limit: int = 9) -> list[str]:
    """The URLs among what an engine says."""
    return [hit.url for hit in hits_of(results, "url", "content", limit)]


def test_a_hit_has_its_address_title_and_snippet() -> None:
    result = {"url": "https://a.example/x?y=1", "title": " A\n b ", "content": "c\u200b d"}
    assert hits_of([result], "url", "content", 1) == (Hit("https://a.example/x?y=1", "A b", "c d"),)


def test_each_page_comes_once_and_no_more_than_asked_for() -> None:
    results = [{"url": f"https://{name}.example"} for name in "aabcd"]
    assert found(*results, limit=3) == [f"https://{name}.example" for name in "abc"]


@pytest.mark.parametrize(
    "url",
    [
        "javascript:alert(1)",
        "file:///etc/passwd",
        "",
        None,
        1,
        "https://a b",
        'https://a"b',
        "https://a\nb",
        "https://a<b",
        f"https://{'a' * 2048}",
    ],
)
def test_what_is_no_page_of_the_web_is_left_out(url: object) -> None:
    assert found({"url": url}, "text", None, {"url": "HTTP://a.example"}) == ["HTTP://a.example"]


def test_titles_and_snippets_are_bounded_and_may_be_missing() -> None:
    (long, none) = hits_of(
        [
            {"url": "http://a", "title": "t" * 9999, "content": "s" * 9999},
            {"url": "http://b", "title": None, "content": 5},
        ],
        "url",
        "content",
        2,
    )
    assert (len(long.title), len(long.snippet)) == (TITLE, SNIPPET)
    assert (none.title, none.snippet) == ("", "")


def test_a_line_has_nothing_that_nobody_sees() -> None:
    assert one_line("a\r\n\tb\u202ec\x00\U000e0041") == "a bc"
