"""The body of an answer from the web: unpacked, and never larger than it may be."""

from __future__ import annotations

import zlib

from ..core.errors import BadRequestError, UpstreamError

#: the most bytes that one step of unpacking gives
PIECE = 256 * 2**10
#: how many times its packed size something may have, once it is larger than this many bytes
RATIO, RATIO_FROM = 20, 2**20
#: what of codings can be undone here
ACCEPTED = "gzip, deflate"
#: a header of gzip or zlib, whichever there is
_ANY = zlib.MAX_WBITS + 32
_RAW = -zlib.MAX_WBITS
_METHOD_MASK, _DEFLATED, _GZIP = 0x0F, 8, 0x1F


class Body:
    """Takes the pieces of a body as they come. *limit* is in bytes, of what is unpacked."""

    def __init__(self, coding: str | None, limit: int) -> None:
        name = (coding or "").strip().lower()
        if name not in ("", "identity", "gzip", "x-gzip", "deflate"):
            raise UpstreamError(
                "what is at this URL comes packed in an unknown way", code="fetch_failed"
            )
        self._packed = name not in ("", "identity")
        self._inflate: zlib._Decompress | None = None
        self._limit = limit
        self._pieces: list[bytes] = []
        #: bytes that came, and bytes that they are unpacked
        self.came = 0
        self.size = 0

    def feed(self, data: bytes) -> None:
        """More of it; BadRequestError when it is too large, UpstreamError when it makes no sense."""
        self.came += len(data)
        if not self._packed:
            self._add(data)
            return
        if self._inflate is None:
            if not data:
                return
            bare = data[0] != _GZIP and data[0] & _METHOD_MASK != _DEFLATED
            self._inflate = zlib.decompressobj(_RAW if bare else _ANY)
        while data:
            if self._inflate.eof:  # gzip may have several members
                self._inflate = zlib.decompressobj(_ANY)
            try:
                self._add(self._inflate.decompress(data, PIECE))
            except zlib.error:
                raise UpstreamError(
                    "what is at this URL cannot be unpacked", code="fetch_failed"
                ) from None
            data = self._inflate.unconsumed_tail or self._inflate.unused_data
            if self.size > max(RATIO_FROM, RATIO * self.came):
                raise too_large(f"packed {RATIO} times smaller than it is")

    def close(self) -> bytes:
        """All of it; UpstreamError when its end is missing."""
        if self._inflate is not None and not self._inflate.eof:
            raise UpstreamError("what is at this URL is broken off", code="fetch_failed")
        return b"".join(self._pieces)

    def _add(self, data: bytes) -> None:
        self.size += len(data)
        if self.size > self._limit:
            raise too_large(f"larger than {self._limit} bytes")
        self._pieces.append(data)


def too_large(how: str) -> BadRequestError:
    """The error for what is more than may be fetched."""
    return BadRequestError(f"what is at this URL is {how}", code="file_too_large")
