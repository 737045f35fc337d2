"""URLs that somebody else names: which may be asked for at all, and where they lead on to.

They are read once, here, by the library that sends the request; a second one might read them
differently.
"""

from __future__ import annotations

from yarl import URL

from ..core.errors import BadRequestError

#: the longest URL, in characters
LONGEST = 2048


def blocked(why: str) -> BadRequestError:
    """The error for a URL that may not be fetched."""
    return BadRequestError(f"this URL may not be fetched: {why}", code="url_blocked")


def link(text: str) -> URL:
    """A URL to fetch, without its fragment; BadRequestError when it may not be fetched."""
    try:
        return _read(text)
    except ValueError as problem:
        raise blocked(f"it {problem}") from None


def led_on(url: URL, location: str) -> URL:
    """Where a redirect from *url* leads to; BadRequestError when that may not be fetched."""
    try:
        found = _read(location, url)
    except ValueError as problem:
        raise blocked(f"it leads on to one that {problem}") from None
    if url.scheme == "https" and found.scheme == "http":
        raise blocked("it leads on from https to http")
    return found


def _read(text: str, base: URL | None = None) -> URL:
    """The URL; ValueError says what is wrong with it."""
    if len(text) > LONGEST:
        raise ValueError(f"has more than {LONGEST} characters")
    # other programs take a backslash for a slash
    if not text.isprintable() or "\\" in text:
        raise ValueError("has a line break or another character in it that no URL has")
    try:
        url = URL(text) if base is None else base.join(URL(text))
        host, port = url.raw_host, url.port
    except ValueError:
        raise ValueError("is malformed") from None
    if url.scheme not in ("http", "https"):
        raise ValueError("does not begin with https:// or http://")
    if not host or not port:
        raise ValueError("names no host")
    if "@" in url.raw_authority:
        raise ValueError("holds a user or a password")
    return url.with_fragment(None)
