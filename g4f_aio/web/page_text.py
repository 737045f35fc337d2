"""The text of a page of HTML, as well as it can be told apart from what is around it.

No page may cost more time than its length: each character is looked at a few times, however the
page is broken.
"""

from __future__ import annotations

import html
import re
from collections.abc import Iterator
from typing import Literal

#: characters that are collected of a page
LONGEST = 100_000
#: characters of which an article has more, or else it is none
ARTICLE = 200
#: a tag. Texts in quotes may hold a ">", and nothing may hold a "<"
_TAG = re.compile(
    r"""<(/?)([a-zA-Z][a-zA-Z0-9:-]*+)(?:[^<>"']++|"[^"<]*+"|'[^'<]*+')*+>"""
    r"""|<(/?)([a-zA-Z][a-zA-Z0-9:-]*+)[^<>]*+>"""
    r"""|<[!?/][^<>]*+>?"""
)
#: elements whose content is no text for readers
_SKIPPED = re.compile(
    r"script|style|title|template|noscript|svg|math|iframe|object|textarea|select|button|canvas|audio"
    r"|video"
)
#: elements around the text of a page
_AROUND = frozenset(("nav", "aside", "footer", "dialog"))
_MAIN = frozenset(("main", "article"))
#: elements that begin and end a line
_BLOCKS = re.compile(
    r"address|article|aside|blockquote|body|br|caption|dd|div|d[lt]|fieldset|figcaption|figure|footer"
    r"|form|h[1-6r]|header|li|main|nav|[ou]l|p|pre|section|summary|table|tbody|tfoot|thead|tr"
)
_CELLS = frozenset(("td", "th"))
#: no character has such a number; the standard library stumbles over longer ones
_HUGE = re.compile(r"&#x?[0-9a-fA-F]{8,}+;?")
_SPACES = re.compile(r"[^\S\n]+")
_LINES = re.compile(r"\s*\n\s*")
#: what nobody sees but a model reads: controls, marks of direction, characters of no width, tags
_HIDDEN = re.compile(
    "[\x00-\x08\x0b-\x1f\x7f-\x9f\xad\u180e\u200b\u200e\u200f\u2028-\u202e\u2060-\u206f\ufeff"
    "\ud800-\udfff\U000e0000-\U000e0fff]"
)
#: where a piece of text stands
_Place = Literal["main", "around", "else"]


def tidy(text: str) -> str:
    """A text with no more space than it needs, and with nothing that nobody sees."""
    return _LINES.sub("\n", _SPACES.sub(" ", _HIDDEN.sub("", text.replace("\r", "\n")))).strip()


def text_of_html(page: str) -> str:
    """The text of *page* by lines: its article if it has one, else all but what is around it."""
    pieces: dict[tuple[_Place, ...], list[str]] = {
        ("main",): [],
        ("main", "else"): [],
        ("main", "else", "around"): [],
    }
    size = 0
    for place, text in _pieces(page):
        for places, found in pieces.items():
            if place in places:
                found.append(text)
        size += len(text)
        if size > LONGEST:
            break
    text = ""
    for found in pieces.values():
        text = tidy(html.unescape(_HUGE.sub("\ufffd", "".join(found))))
        if len(text) >= ARTICLE:
            break
    return text


def _pieces(page: str) -> Iterator[tuple[_Place, str]]:
    """The texts between the tags, and line breaks, in order, each with where it stands."""
    inside = dict.fromkeys((*_MAIN, *_AROUND, "pre"), 0)
    unclosed: set[str] = set()
    at, end = 0, len(page)
    while at < end:
        mark = page.find("<", at)
        mark = end if mark < 0 else mark
        place: _Place = "else"
        if any(inside[name] for name in _AROUND):
            place = "around"
        elif any(inside[name] for name in _MAIN):
            place = "main"
        if mark > at:
            text = page[at : min(mark, at + LONGEST)]
            yield place, text if inside["pre"] else text.replace("\n", " ").replace("\r", " ")
        if mark == end:
            return
        if page.startswith("<!--", mark):
            close = page.find("-->", mark + 4)
            at = end if close < 0 else close + 3
            continue
        tag = _TAG.match(page, mark)
        if tag is None:
            yield place, "<"
            at = mark + 1
            continue
        at = tag.end()
        name = (tag[2] or tag[4] or "").lower()
        closes = bool(tag[1] or tag[3])
        if not closes and name not in unclosed and _SKIPPED.fullmatch(name):
            content_end = _closing(page, name, at)
            if content_end is not None:
                at = content_end
            elif name in ("script", "style"):
                return
            else:
                unclosed.add(name)
        elif name in inside:
            inside[name] = max(0, inside[name] + (-1 if closes else 1))
        if _BLOCKS.fullmatch(name):
            yield place, "\n"
        elif name in _CELLS:
            yield place, " "


def _closing(page: str, name: str, at: int) -> int | None:
    """Where the tag stands that closes an element of which the content begins at *at*."""
    while (at := page.find("</", at)) >= 0:
        at += 2
        if page[at : at + len(name)].lower() == name:
            return at - 2
    return None
