"""One connection to an upstream: a request goes out, its answer comes in."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

from ..core.deadline import Deadline
from ..core.outbox import JoinedTransport, Outbox
from .http_answer import AnswerParser, TransportError

#: unread bytes from which on the upstream is made to wait; event loops read up to 256 KiB at once
READ_LIMIT = 128 * 2**10
#: a larger body goes out in pieces of this size, no faster than the upstream takes them
PIECE = 64 * 2**10
_REFUSED = 400


class Connection(asyncio.Protocol):
    """An HTTP/1.1 connection, for one request at a time.

    Opened by giving it to the event loop as a protocol; *lost* is called when it is closed, whoever
    closed it. After a failure, or when the answer was not read to its end, it is of no use any
    more: ``abort`` it. *outbox* is that of all connections.
    """

    __slots__ = (
        "_clogged",
        "_loop",
        "_lost",
        "_outbox",
        "_paused",
        "_sent",
        "_waiter",
        "answer",
        "busy",
        "deadline",
        "gone",
        "idle_since",
        "made",
        "transport",
    )

    transport: JoinedTransport

    def __init__(self, lost: Callable[[Connection], None], outbox: Outbox | None = None) -> None:
        self._loop = asyncio.get_running_loop()
        self._lost = lost
        self._outbox = outbox or Outbox()
        self.answer = AnswerParser(self._go_on)
        #: for who waits for something of this connection
        self.deadline = Deadline()
        #: a request is under way
        self.busy = False
        #: closed or about to be
        self.gone = False
        self.idle_since = 0.0
        #: it was open
        self.made = False
        self._waiter: asyncio.Future[None] | None = None
        self._sent = True
        self._clogged = False
        self._paused = False

    async def ask(self, method: str, head: bytes, body: bytes | None) -> None:
        """Send a request and wait for the head of its answer; TransportError when none comes."""
        answer = self.answer
        answer.begin(method)
        self.busy = True
        if self.gone:
            answer.end()
        if body is None or len(body) <= PIECE:
            self.transport.write(head + body if body else head)
        else:
            await self._send(head, body)
        while not answer.status:
            if answer.error is not None:
                raise answer.error
            await self.arrival()

    def arrival(self) -> asyncio.Future[None]:
        """For who has to wait: it is done when something happens."""
        self._waiter = waiter = self._loop.create_future()
        return waiter

    async def read(self) -> bytes:
        """Some of the body; empty at its end. TransportError when it has no proper end."""
        while (data := self.answer.take()) is None:
            await self.arrival()
        return data

    @property
    def silent(self) -> bool:
        """Whether no byte of the answer came yet; for who did not take any."""
        return not self.answer.unread

    @property
    def reusable(self) -> bool:
        """Whether another request may follow: this one and its answer are through."""
        answer = self.answer
        return (
            answer.reusable
            and answer.complete
            and not answer.pieces
            and self._sent
            and not self.gone
        )

    def rest(self) -> None:
        """Nothing may come until the next request."""
        self.busy = False
        self.idle_since = self._loop.time()

    def upgrade(self, transport: asyncio.BaseTransport) -> None:
        """From now on speak through *transport*, to somebody else: a proxy opened the way."""
        self.transport = self._outbox.transport(transport)
        self.answer = AnswerParser(self._go_on)
        self.busy = False

    def abort(self) -> None:
        """Close it at once."""
        self.gone = True
        if self.made:
            self.transport.abort()

    # what the event loop calls

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """It is open."""
        self.transport = self._outbox.transport(transport)
        self.made = True

    def data_received(self, data: bytes) -> None:
        """Parse what arrived and wake who waits for it."""
        if not self.busy:
            # nobody asked: a farewell such as 408, or junk
            self.abort()
            return
        answer = self.answer
        try:
            answer.feed(data)
        except TransportError as error:
            self._fail(error)
            self.abort()
        if answer.unread >= READ_LIMIT and not self._paused and not self.gone:
            self._paused = True
            self.transport.pause_reading()
        # as _wake does
        waiter = self._waiter
        if waiter is not None and not waiter.done():
            waiter.set_result(None)

    def eof_received(self) -> None:
        """The upstream will send nothing more."""
        self._end(cut=False)
        self.abort()

    def connection_lost(self, exc: Exception | None) -> None:
        """It is closed."""
        self._end(cut=exc is not None)
        # a TLS transport does not know by itself that it is closed
        self.transport.abort()
        self.deadline.close()
        self._lost(self)

    def pause_writing(self) -> None:
        """The upstream takes its time to read."""
        self._clogged = True

    def resume_writing(self) -> None:
        """It goes on."""
        self._clogged = False
        self._wake()

    def _end(self, *, cut: bool) -> None:
        self.gone = True
        if self.busy:
            try:
                self.answer.end(cut=cut)
            except TransportError as error:
                self._fail(error)
        self._wake()

    def _fail(self, error: TransportError) -> None:
        """Nothing more will come."""
        self.answer.error = error
        self.busy = False

    async def _send(self, head: bytes, body: bytes) -> None:
        """Send a large request, as far as the upstream wants it."""
        self._sent = False
        self.transport.write(head)
        view = memoryview(body)
        for start in range(0, len(body), PIECE):
            while self._clogged and not self._unwanted():
                await self.arrival()
            if self._unwanted():
                return
            self.transport.write(view[start : start + PIECE])
        self._sent = True

    def _unwanted(self) -> bool:
        """Whether the rest of a request would be sent in vain: it was refused before its end."""
        answer = self.answer
        return self.gone or answer.complete or answer.status >= _REFUSED

    def _go_on(self) -> None:
        """Everything that came was taken: there may come more."""
        if self._paused:
            self._paused = False
            if not self.gone:
                self.transport.resume_reading()

    def _wake(self) -> None:
        waiter = self._waiter
        if waiter is not None and not waiter.done():
            waiter.set_result(None)
