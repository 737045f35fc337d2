"""HTTP/1.1 answers out of the bytes of a connection; no I/O."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import NoReturn

from httptools import HttpParserError, HttpParserUpgrade, HttpResponseParser
from multidict import CIMultiDict, CIMultiDictProxy

#: bytes that may come without being body: of headers, of chunk sizes, of trailers
HEAD_LIMIT = 64 * 2**10
#: the most, more or less, that is taken at once: it may be copied several times on its way
BATCH = 64 * 2**10
_BODILESS = (204, 304)
_SWITCHING = 101
_VERSIONS = ("1.1", "1.0")
_NO_HEADERS: CIMultiDictProxy[str] = CIMultiDictProxy(CIMultiDict())


class TransportError(Exception):
    """What an upstream did wrong, as the rest of a sentence that begins with its name."""


class _Stop(Exception):  # noqa: N818  (nothing is wrong)
    """Ends the parsing of what does not belong to the answer."""


class AnswerParser:
    """One answer after the other; ``begin`` each. Interim ones (1xx) are skipped.

    *status* is 0 until the head is there. *complete*: nothing more belongs to this answer; *reusable*:
    another one may follow it on its connection. *pieces*: what came of the body and was not taken;
    *unread*: how many bytes came since all was taken, the head and sizes of chunks included; when
    they had been more than a ``BATCH``, *emptied* is called at the end of that. *error*: what went
    wrong, for who takes.
    """

    __slots__ = (
        "_bodiless",
        "_emptied",
        "_fault",
        "_feed",
        "_fields",
        "_http",
        "complete",
        "error",
        "headers",
        "on_body",
        "pieces",
        "reusable",
        "status",
        "unread",
    )

    def __init__(self, emptied: Callable[[], None] | None = None) -> None:
        self._emptied = emptied or _nothing
        self.error: TransportError | None = None
        self.pieces: list[bytes] = []
        # no function of ours in between: a burst of tokens has one call for each
        self.on_body = self.pieces.append
        self._http = HttpResponseParser(self)
        # both are unambiguous, and there are servers that do so
        self._http.set_dangerous_leniencies(
            lenient_optional_cr_before_lf=True, lenient_spaces_after_chunk_size=True
        )
        self._feed = self._http.feed_data
        self._fields: list[tuple[bytes, bytes]] = []
        self._fault: str | None = None
        self.begin("GET")

    def begin(self, method: str) -> None:
        """The next answer will be one to a request with this method."""
        self.status = 0
        self.headers: Mapping[str, str] = _NO_HEADERS
        self.complete = False
        self.reusable = False
        self.unread = 0
        self._fields.clear()
        self._bodiless = method == "HEAD"

    def feed(self, data: bytes) -> None:
        """Take what arrived; TransportError when it is not HTTP."""
        self.unread += len(data)
        try:
            self._feed(data)
        except (HttpParserError, HttpParserUpgrade) as error:
            # more than the answer: that harms only who would come next
            self.reusable = False
            if not self.complete:
                raise TransportError(self._fault or f"sent what is not HTTP ({error})") from None
        if self.unread > HEAD_LIMIT and not self.pieces and not self.complete:
            raise TransportError(f"sent headers of more than {HEAD_LIMIT} bytes")

    def end(self, *, cut: bool = False) -> None:
        """The connection ended; TransportError when the answer did not end before.

        An answer without a length ends here, unless the connection was *cut*.
        """
        if self.complete:
            return
        if not self.status:
            raise TransportError("hung up before it answered")
        if cut or self._has_length():
            raise TransportError("hung up in the middle of its answer")
        self.complete = True

    def take(self) -> bytes | None:
        """Some of the body; empty at its end, None as long as there is nothing.

        TransportError when it has no proper end.
        """
        pieces = self.pieces
        if pieces:
            if self.unread > BATCH:
                return self._take_some(BATCH)
            data = b"".join(pieces)
            pieces.clear()
            self.unread = 0
            return data
        if self.error is not None:
            raise self.error
        return b"" if self.complete else None

    @property
    def spent(self) -> bool:
        """Whether the answer ended and all of it was taken."""
        return self.complete and not self.pieces

    def _take_some(self, size: int) -> bytes:
        """Hardly more than *size* bytes: the pieces with which that is reached."""
        pieces = self.pieces
        count = 0
        for piece in pieces:
            count += 1
            size -= len(piece)
            if size <= 0:
                break
        data = b"".join(pieces[:count])
        del pieces[:count]
        if not pieces:
            self.unread = 0
            self._emptied()
        return data

    def _has_length(self) -> bool:
        """Whether the answer says itself where it ends."""
        headers = self.headers
        return (
            self.reusable
            or self.status in _BODILESS
            or "Transfer-Encoding" in headers
            or "Content-Length" in headers
        )

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
        if version not in _VERSIONS or status < 100 or status == _SWITCHING:  # noqa: PLR2004
            self._refuse(f"sent what is not HTTP (status {status} of version {version})")
        if self.unread > HEAD_LIMIT and _size(self._fields) > HEAD_LIMIT:
            self._refuse(f"sent headers of more than {HEAD_LIMIT} bytes")
        if status < 200:  # noqa: PLR2004
            self._fields.clear()
            return
        headers = CIMultiDict(
            [(name.decode("latin-1"), value.decode("latin-1")) for name, value in self._fields]
        )
        coding = headers.get("Transfer-Encoding")
        if coding is not None and coding.strip().lower() != "chunked":
            self._refuse(f"sent its answer in the transfer coding {coding[:40]!r}")
        self.headers = CIMultiDictProxy(headers)
        self.status = status
        if self._bodiless:
            self.complete = True
            raise _Stop
        self.reusable = http.should_keep_alive()

    def on_message_complete(self) -> None:
        """An answer ends, and maybe an interim one."""
        if self.status:
            self.complete = True

    def _refuse(self, fault: str) -> NoReturn:
        """End the parsing; ``feed`` says why."""
        self._fault = fault
        raise _Stop


def _nothing() -> None:
    pass


def _size(fields: list[tuple[bytes, bytes]]) -> int:
    return sum(len(name) + len(value) for name, value in fields)
