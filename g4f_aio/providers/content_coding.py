"""Content-Encoding: what an upstream compressed although nobody asked for it."""

from __future__ import annotations

import zlib

from .http_answer import TransportError

#: the most that one call gives, however well the data is compressed
PIECE = 256 * 2**10
_GZIP = zlib.MAX_WBITS + 16
_RAW = -zlib.MAX_WBITS
_METHOD_MASK = 0x0F
_DEFLATED = 8


class Inflater:
    """gzip or deflate, piece by piece: ``feed``, then ``take`` until it gives nothing."""

    def __init__(self, coding: str) -> None:
        self._coding = coding
        self._rest = b""
        self._begun = False
        self._inflate = zlib.decompressobj(_GZIP)

    def feed(self, data: bytes) -> None:
        """More of the compressed data."""
        if not self._begun and data:
            self._begun = True
            if self._coding == "deflate":
                # meant to have zlib's header, but some servers leave it away
                bare = data[0] & _METHOD_MASK != _DEFLATED
                self._inflate = zlib.decompressobj(_RAW if bare else zlib.MAX_WBITS)
        self._rest = self._rest + data if self._rest else data

    def take(self) -> bytes:
        """At most ``PIECE`` bytes; TransportError when the data makes no sense."""
        while self._rest:
            if self._inflate.eof:
                if self._coding != "gzip":
                    raise TransportError(f"sent malformed {self._coding}")
                self._inflate = zlib.decompressobj(_GZIP)
            try:
                data = self._inflate.decompress(self._rest, PIECE)
            except zlib.error:
                raise TransportError(f"sent malformed {self._coding}") from None
            # gzip may have several members
            self._rest = self._inflate.unconsumed_tail or self._inflate.unused_data
            if data:
                return data
        return b""

    def close(self) -> None:
        """The data ended; TransportError when it was cut."""
        if self._begun and not self._inflate.eof:
            raise TransportError("hung up in the middle of its answer")


def inflater_of(coding: str | None) -> Inflater | None:
    """What undoes a Content-Encoding, None for what needs nothing; TransportError for others."""
    match (coding or "").strip().lower():
        case "" | "identity":
            return None
        case "gzip" | "x-gzip":
            return Inflater("gzip")
        case "deflate":
            return Inflater("deflate")
        case other:
            raise TransportError(f"sent its answer in the coding {other[:40]!r}, not asked for")
