"""Server-sent events: splitting a byte stream into whole events, and reading one.

https://html.spec.whatwg.org/multipage/server-sent-events.html#parsing-an-event-stream
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from ..core.errors import UpstreamError

_BOM = b"\xef\xbb\xbf"
#: the end of a line and the blank line after it; CRLF is one line end, and so is a lone CR
_BOUNDARY = re.compile(rb"\n\n|[\r\n]\r\n?")
#: how that may look at the end of a stream's piece, and how many bytes must follow: a CR at the
#: very end may be half of a CRLF
_ENDINGS = ((b"\n\n", 0), (b"\n\r\n", 0), (b"\r\r\n", 0), (b"\r\r", 1), (b"\n\r", 1))
_LINE = re.compile(rb"\r\n|\n|\r")


class FrameSplitter:
    """Cuts what arrives in arbitrary pieces after the last whole event.

    Nothing is changed, not even line ends and comments: the pieces handed out, joined, are what
    was fed (less a byte order mark at the very start).
    """

    def __init__(self, limit: int = 16 * 2**20) -> None:
        self._limit = limit
        self._parts: list[bytes] = []
        self._size = 0
        self._started = False

    def feed(self, data: bytes) -> bytes:
        """All whole events so far, in one piece; empty when there is none.

        UpstreamError when more than the limit is held back for a single event.
        """
        if not self._started:
            data = self._start(data)
        if not self._parts and data.endswith(b"\n\n"):
            return data
        # a boundary may begin in what is held back: look at its last two bytes again
        overlap = self._tail(2)
        end = _last_boundary(overlap + data) - len(overlap)
        if end < 0 or not (end or overlap):
            self._hold(data)
            return b""
        whole = b"".join((*self._parts, data[:end]))
        self._parts.clear()
        self._size = 0
        if end < len(data):
            self._hold(data[end:])
        return whole

    def close(self) -> bytes:
        """What is left at the end: an event whose blank line was forgotten, or a torn one."""
        rest = b"".join(self._parts)
        self._parts.clear()
        return rest + b"\n\n" if rest.strip() else b""

    def _start(self, data: bytes) -> bytes:
        data = b"".join((*self._parts, data))
        self._parts.clear()
        self._size = 0
        if len(data) < len(_BOM) and _BOM.startswith(data):
            self._hold(data)
            return b""
        self._started = True
        return data.removeprefix(_BOM)

    def _hold(self, data: bytes) -> None:
        if not data:
            return
        self._parts.append(data)
        self._size += len(data)
        if self._size > self._limit:
            raise UpstreamError(f"an event of the upstream exceeds {self._limit} bytes")

    def _tail(self, length: int) -> bytes:
        tail = b""
        for part in reversed(self._parts):
            tail = part[-length:] + tail
            if len(tail) >= length:
                break
        return tail[-length:]


def _last_boundary(data: bytes) -> int:
    """The position after the last blank line, or 0."""
    end = 0
    for mark, more in _ENDINGS if b"\r" in data else _ENDINGS[:1]:
        at = data.rfind(mark, 0, len(data) - more)
        if at >= 0:
            end = max(end, at + len(mark))
    return end


def split(frames: bytes) -> Iterator[tuple[bytes, bytes]]:
    """Each event in whole *frames*: its own bytes, blank line included, and its data."""
    if b"\r" in frames:
        yield from _split_by_any(frames)
        return
    *events, rest = frames.split(b"\n\n")
    for lines in events:
        frame = lines + b"\n\n"
        simple = lines.startswith(b"data: ") and b"\n" not in lines
        yield frame, lines[6:] if simple else data_of(frame)
    if rest:
        yield rest, data_of(rest)


def _split_by_any(frames: bytes) -> Iterator[tuple[bytes, bytes]]:
    """As ``split``, whatever ends the lines."""
    start = 0
    for boundary in _BOUNDARY.finditer(frames):
        frame = frames[start : boundary.end()]
        start = boundary.end()
        yield frame, data_of(frame)
    if start < len(frames):
        yield frames[start:], data_of(frames[start:])


def data_of(frame: bytes) -> bytes:
    """The data of one event; empty for a comment."""
    simple = frame.startswith(b"data: ") and frame.endswith(b"\n\n")
    # a further line end inside means further lines
    if simple and frame.find(b"\n") == len(frame) - 2 and b"\r" not in frame:
        return frame[6:-2]
    found = []
    for line in _LINE.split(frame):
        name, _, value = line.partition(b":")
        if name == b"data":
            found.append(value.removeprefix(b" "))
    return b"\n".join(found)


def event(data: bytes) -> bytes:
    """One event; each line of *data* on a line of its own."""
    return b"data: " + data.replace(b"\n", b"\ndata: ") + b"\n\n"


def with_data(frame: bytes, data: bytes, new: bytes) -> bytes:
    """A frame with *new* for its *data*; nothing else of it changes where the data is one line."""
    return event(new) if b"\n" in data else frame.replace(data, new, 1)


def comment(text: str) -> bytes:
    """A comment; every line end in *text* becomes a space."""
    return b": " + b" ".join(text.encode(errors="replace").split()) + b"\n\n"


DONE = event(b"[DONE]")
KEEP_ALIVE = comment("keep-alive")
