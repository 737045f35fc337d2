"""What is written in a turn of the event loop, handed to the system at its end.

Event loops write at once. Where the other end runs on the same machine, a proxy before us or a model
server behind us, each write between two pieces of work wakes it anew, which takes longer than the
write; one after the other they wake it once. Where turns have few writes, the first does not wait:
most likely there is no other.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Iterable
from typing import Any

#: bytes of one connection from which on they do not wait, so that its protocol may be told to
LARGE = 64 * 2**10
#: connections that wait at the end of a turn, from which on the next turn will have many, too
MANY = 2
Buffer = bytes | bytearray | memoryview
_log = logging.getLogger(__name__)


class Outbox:
    """For all connections of one event loop that are to be written to together."""

    __slots__ = ("_full", "_loop", "busy", "fresh")

    def __init__(self) -> None:
        self._loop: asyncio.AbstractEventLoop | None = None
        self._full: list[JoinedTransport] = []
        #: nothing was written in this turn
        self.fresh = True
        #: the turn before had many
        self.busy = False

    def transport(self, raw: asyncio.BaseTransport) -> JoinedTransport:
        """A transport that does what *raw* does, but for the moment of its writes."""
        if self._loop is None:
            self._loop = asyncio.get_running_loop()
        return JoinedTransport(raw, self)

    def begin(self) -> None:
        """The first write of a turn."""
        assert self._loop is not None  # noqa: S101  (it was asked for a transport)
        self.fresh = False
        self._loop.call_soon(self._empty)

    def add(self, transport: JoinedTransport) -> None:
        """Something waits there for the end of the turn."""
        self._full.append(transport)

    def _empty(self) -> None:
        full, self._full = self._full, []
        self.fresh = True
        self.busy = len(full) >= MANY
        for transport in full:
            try:
                transport.flush()
            except Exception:  # noqa: BLE001  (logged; the others must not suffer for it)
                _log.exception("a connection could not be written to")
                transport.abort()


class JoinedTransport(asyncio.Transport):
    """Writes to *raw* when its outbox is emptied, or when it is closed; the rest it does at once."""

    __slots__ = ("_outbox", "_size", "_waiting", "raw")

    def __init__(self, raw: Any, outbox: Outbox) -> None:
        # its own state is that of *raw*
        self.raw = raw
        self._outbox = outbox
        self._waiting: list[bytes] = []
        self._size = 0

    def write(self, data: Buffer) -> None:
        """Write *data* soon, after all that was written before."""
        outbox = self._outbox
        if outbox.fresh:
            outbox.begin()
            if not outbox.busy:
                if not self.raw.is_closing():  # else its protocol knows, or will
                    self.raw.write(data)
                return
        if type(data) is not bytes:
            data = bytes(data)  # whoever it belongs to may change it meanwhile
        waiting = self._waiting
        if not waiting:
            outbox.add(self)
        waiting.append(data)
        self._size += len(data)
        if self._size > LARGE:
            self.flush()

    def writelines(self, list_of_data: Iterable[Buffer]) -> None:
        """The same for several."""
        for data in list_of_data:
            self.write(data)

    def flush(self) -> None:
        """Hand over what waits."""
        waiting = self._waiting
        if not waiting:
            return
        self._waiting = []
        self._size = 0
        raw = self.raw
        if not raw.is_closing():
            raw.write(waiting[0] if len(waiting) == 1 else b"".join(waiting))

    def write_eof(self) -> None:
        """Close the writing end, after all that was written."""
        self.flush()
        self.raw.write_eof()

    def close(self) -> None:
        """Close it, after all that was written."""
        self.flush()
        self.raw.close()

    def abort(self) -> None:
        """Close it at once."""
        self._waiting = []
        self._size = 0
        self.raw.abort()

    def get_write_buffer_size(self) -> int:
        """Bytes that were written and that the system did not take yet."""
        size: int = self.raw.get_write_buffer_size()
        return self._size + size

    def is_closing(self) -> bool:
        """As that of *raw*."""
        closing: bool = self.raw.is_closing()
        return closing

    def can_write_eof(self) -> bool:
        """As that of *raw*."""
        able: bool = self.raw.can_write_eof()
        return able

    def is_reading(self) -> bool:
        """As that of *raw*."""
        reading: bool = self.raw.is_reading()
        return reading

    def pause_reading(self) -> None:
        """As that of *raw*."""
        self.raw.pause_reading()

    def resume_reading(self) -> None:
        """As that of *raw*."""
        self.raw.resume_reading()

    def get_extra_info(self, name: str, default: Any = None) -> Any:
        """As that of *raw*."""
        return self.raw.get_extra_info(name, default)

    def set_write_buffer_limits(self, high: int | None = None, low: int | None = None) -> None:
        """As that of *raw*."""
        self.raw.set_write_buffer_limits(high, low)

    def get_write_buffer_limits(self) -> tuple[int, int]:
        """As that of *raw*."""
        limits: tuple[int, int] = self.raw.get_write_buffer_limits()
        return limits

    def set_protocol(self, protocol: asyncio.BaseProtocol) -> None:
        """As that of *raw*."""
        self.raw.set_protocol(protocol)

    def get_protocol(self) -> asyncio.BaseProtocol:
        """As that of *raw*."""
        protocol: asyncio.BaseProtocol = self.raw.get_protocol()
        return protocol
