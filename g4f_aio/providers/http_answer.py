"""HTTP/1.1 answers out of the bytes of a connection; no I/O."""

from __future__ import annotations

from collections.abc import Mapping

from httptools import HttpParserError, HttpParserUpgrade, HttpResponseParser
from multidict import CIMultiDict, CIMultiDictProxy

#: bytes that may come without being body: of headers, of chunk sizes, of trailers
HEAD_LIMIT = 64 * 2**10
_BODILESS = (204, 304)
_SWITCHING = 101
_NO_HEADERS: CIMultiDictProxy[str] = CIMultiDictProxy(CIMultiDict())


class TransportError(Exception):
    """What an upstream did wrong, as the rest of a sentence that begins with its name."""


class _Stop(Exception):  # noqa: N818  (nothing is wrong)
    """Ends the parsing of what does not belong to the answer."""


class AnswerParser:
    """One answer after the other; ``begin`` each. Interim ones (1xx) are skipped.

    *status* is 0 until the head is there. *complete*: nothing more belongs to this answer; *reusable*:
    another one may follow it on its connection.
    """

    __slots__ = (
        "_bodiless",
        "_fault",
        "_fields",
        "_http",
        "_overhead",
        "_pieces",
        "_until_eof",
        "complete",
        "headers",
        "on_body",
        "reusable",
        "status",
    )

    def __init__(self) -> None:
        self._pieces: list[bytes] = []
        # no function of ours in between: a burst of tokens has one call for each
        self.on_body = self._pieces.append
        self._http = HttpResponseParser(self)
        # both are unambiguous, and there are servers that do so
        self._http.set_dangerous_leniencies(
            lenient_optional_cr_before_lf=True, lenient_spaces_after_chunk_size=True
        )
        self.begin("GET")

    def begin(self, method: str) -> None:
        """The next answer will be one to a request with this method."""
        self.status = 0
        self.headers: Mapping[str, str] = _NO_HEADERS
        self.complete = False
        self.reusable = False
        self._fields: list[tuple[bytes, bytes]] = []
        self._bodiless = method == "HEAD"
        self._until_eof = False
        self._overhead = 0
        self._fault: str | None = None

    def feed(self, data: bytes) -> None:
        """Take what arrived; TransportError when it is not HTTP."""
        pieces = len(self._pieces)
        self._overhead += len(data)
        try:
            self._http.feed_data(data)
        except (HttpParserError, HttpParserUpgrade) as error:
            # more than the answer: that harms only who would come next
            self.reusable = False
            if not self.complete:
                raise TransportError(self._fault or f"sent what is not HTTP ({error})") from None
        if self._fault is not None:
            raise TransportError(self._fault)
        if self.complete or len(self._pieces) > pieces:
            self._overhead = 0
        elif self._overhead > HEAD_LIMIT:
            raise TransportError(f"sent headers of more than {HEAD_LIMIT} bytes")

    def end(self, *, cut: bool = False) -> None:
        """The connection ended; TransportError when the answer did not end before.

        An answer without a length ends here, unless the connection was *cut*.
        """
        if self.complete:
            return
        if self._until_eof and not cut:
            self.complete = True
        elif self.status:
            raise TransportError("hung up in the middle of its answer")
        else:
            raise TransportError("hung up before it answered")

    def take(self) -> bytes:
        """The body that came since the last call."""
        pieces = self._pieces
        if not pieces:
            return b""
        data = pieces[0] if len(pieces) == 1 else b"".join(pieces)
        pieces.clear()
        return data

    def take_some(self, size: int) -> bytes:
        """As ``take``, but hardly more than *size* bytes: the pieces with which that is reached."""
        pieces = self._pieces
        count = 0
        for piece in pieces:
            count += 1
            size -= len(piece)
            if size <= 0:
                break
        data = b"".join(pieces[:count])
        del pieces[:count]
        return data

    @property
    def empty(self) -> bool:
        """Whether there is nothing to take."""
        return not self._pieces

    @property
    def spent(self) -> bool:
        """Whether the answer ended and all of it was taken."""
        return self.complete and not self._pieces

    # what the parser calls

    def on_message_begin(self) -> None:
        """An answer begins, and maybe one that nobody asked for."""
        if self.complete:
            raise _Stop

    def on_header(self, name: bytes, value: bytes) -> None:
        """A header, or a trailer."""
        self._fields.append((name, value))

    def on_headers_complete(self) -> None:
        """The head is there."""
        http = self._http
        status = http.get_status_code()
        version = http.get_http_version()
        if version not in ("1.1", "1.0") or status < 100 or status == _SWITCHING:  # noqa: PLR2004
            self._fault = f"sent what is not HTTP (status {status} of version {version})"
            return
        if self._overhead > HEAD_LIMIT and _size(self._fields) > HEAD_LIMIT:
            self._fault = f"sent headers of more than {HEAD_LIMIT} bytes"
            return
        if status < 200:  # noqa: PLR2004
            self._fields.clear()
            return
        headers = CIMultiDict(
            [(name.decode("latin-1"), value.decode("latin-1")) for name, value in self._fields]
        )
        coding = headers.get("Transfer-Encoding")
        if coding is not None and coding.strip().lower() != "chunked":
            self._fault = f"sent its answer in the transfer coding {coding[:40]!r}"
            return
        self.headers = CIMultiDictProxy(headers)
        self.status = status
        if self._bodiless:
            self.complete = True
            raise _Stop
        self.reusable = http.should_keep_alive()
        self._until_eof = (
            not self.reusable
            and coding is None
            and status not in _BODILESS
            and "Content-Length" not in headers
        )

    def on_message_complete(self) -> None:
        """An answer ends, and maybe an interim one."""
        if self.status:
            self.complete = True


def _size(fields: list[tuple[bytes, bytes]]) -> int:
    return sum(len(name) + len(value) for name, value in fields)
