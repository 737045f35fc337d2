"""The text of pages: what a reader sees, however broken or hostile the page is."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from g4f_aio.web.page_text import ARTICLE, LONGEST, text_of_html, tidy

LONG = "words of an article " * (ARTICLE // 20 + 1)


@pytest.mark.parametrize(
    ("page", "text"),
    [
        ("<p>a</p><p>b<br>c</p>", "a\nb\nc"),
        ("<p>a\n  b</p>\n\n\n<div><div>c</div></div>", "a b\nc"),
        ("<ul><li>one<li>two</ul>", "one\ntwo"),
        ("<table><tr><td>a<td>b<tr><td>c</table>", "a b\nc"),
        ("<pre>a = 1\nb = 2</pre>", "a = 1\nb = 2"),
        ("R&amp;D &lt;b&gt; &#233;&#xe9;&nbsp;x", "R&D <b> éé x"),
        ("a<b>b</b>c <i>d</i>", "abc d"),
        ("<script>if (a < b) { x = '<p>no</p>' }</script>yes<STYLE>p{}</Style >!", "yes!"),
        ("<title>t</title><svg><text>s</text></svg><select><option>o</select>x", "x"),
        ("<!-- <script> -->a<!-- b --->c<!---->", "ac"),
        ('<a title="x > y" href=/>link</a>', "link"),
        ('<a title="unbalanced>link</a>', "link"),
        ("1 < 2 and 3 > 2", "1 < 2 and 3 > 2"),
        ("<?xml version='1.0'?><!DOCTYPE html><p>x", "x"),
        ("</p>x</>y", "xy"),
        ("a\u200b\u202eb\U000e0041c\x00", "abc"),
        ("x<script>never closed <p>no", "x"),
        ("x<button>never closed <p>yes", "xnever closed\nyes"),
        ("x<!-- never closed <p>no", "x"),
        ("&#99999999999999999999; &#x110000; &bogus;", "\ufffd \ufffd &bogus;"),
        ("", ""),
    ],
)
def test_the_text_is_what_a_reader_sees(page: str, text: str) -> None:
    assert text_of_html(page) == text


def test_an_article_stands_for_the_page() -> None:
    page = f"<div>Log in</div><nav>Menu</nav><article><h1>A</h1><p>{LONG}</article><p>More"
    assert text_of_html(page) == f"A\n{LONG.strip()}"


def test_a_page_without_an_article_is_all_but_what_is_around_it() -> None:
    page = f"<nav>Menu</nav><main></main><p>{LONG}<aside>Ads</aside><footer>Imprint</footer>"
    assert text_of_html(page) == LONG.strip()


def test_a_menu_that_never_ends_does_not_swallow_the_page() -> None:
    assert text_of_html(f"<nav>Menu<p>{LONG}") == f"Menu\n{LONG.strip()}"


@pytest.mark.parametrize(
    "piece",
    [
        *("<!--", "<a ", "<a '", '<a "', "<script>", "<button>", "</", "<", "<svg></s", " \n"),
        *("&", "<p", "<svg></svg ", "&#9", "x", "<nav>", "<div>\n</div>", "<button></x"),
    ],
)
def test_no_page_costs_more_than_its_length(piece: str) -> None:
    """With anything that is not linear this would take many seconds."""
    assert len(text_of_html(piece * (2**18 // len(piece)))) <= LONGEST + len(piece)


def test_a_long_number_is_no_entity() -> None:
    assert text_of_html(f"&#{'9' * 9999};&#x{'f' * 9999};") == "\ufffd\ufffd"


@given(st.text(alphabet="<>/!-'\"& \nabp=#;x") | st.text())
def test_any_text_is_a_page(page: str) -> None:
    text = text_of_html(page)
    assert text == text.strip()
    assert "\n\n" not in text


@given(st.text())
def test_tidying_twice_changes_nothing(text: str) -> None:
    assert tidy(tidy(text)) == tidy(text)
