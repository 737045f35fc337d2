"""What search engines find, read with care."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from ..core.web_search import Hit

#: characters of a URL, of a title and of a snippet
URL, TITLE, SNIPPET = 2048, 200, 1000


def hits_of(results: Iterable[Any], url: str, snippet: str, limit: int) -> tuple[Hit, ...]:
    """The first *limit* pages among *results*, each once; *url* and *snippet* name their fields."""
    found: dict[str, Hit] = {}
    for result in results:
        if len(found) == limit:
            break
        if not isinstance(result, dict):
            continue
        address = result.get(url)
        if isinstance(address, str) and _is_page(address) and address not in found:
            title, words = one_line(result.get("title")), one_line(result.get(snippet))
            found[address] = Hit(address, title[:TITLE], words[:SNIPPET])
    return tuple(found.values())


def one_line(text: object) -> str:
    """A text without line breaks and characters that show nothing; empty for what is no text."""
    if not isinstance(text, str):
        return ""
    return "".join(char for char in " ".join(text.split()) if char.isprintable())


def _is_page(url: str) -> bool:
    web = url.lower().startswith(("http://", "https://"))
    return web and len(url) <= URL and url.isprintable() and not set(url) & set(' <>"')
