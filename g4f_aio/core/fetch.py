"""Files of the web that a request names: how they are got, as a protocol."""

from __future__ import annotations

from typing import Protocol

import attrs


@attrs.frozen
class Fetched:
    """A file of the web.

    *url* is where it was in the end, *media_type* what its first bytes and, for text, its headers
    say it is (``image/png``, ``text/html`` …). *charset* is that of text, by the name of Python's codec;
    None for what is no text.
    """

    url: str
    media_type: str
    data: bytes = attrs.field(repr=False)
    charset: str | None = None


class Fetch(Protocol):
    """The one way to a URL that a request, an answer or a page of the web names."""

    async def __call__(self, url: str, *, limit: int) -> Fetched:
        """What is at *url*, of *limit* bytes at most.

        BadRequestError when it may not be fetched or is too large, UpstreamError when it cannot be.
        """
