"""The connections of the whole process to all upstreams."""

from __future__ import annotations

import asyncio
import ssl
from collections import defaultdict
from functools import lru_cache
from types import TracebackType
from typing import Self

from ..core.outbox import Outbox
from .dialer import Dialer
from .http_request import target_of
from .origin import Origin
from .transport import Connection

#: how many targets are remembered
TARGETS = 1024


class Pool:
    """Keeps idle connections for *keep_alive* seconds; there is no limit to their number.

    An asynchronous context: leaving it closes everything. *tls* is the context for ``https``, by
    default one with the system's certificates.
    """

    def __init__(self, keep_alive: float = 60.0, tls: ssl.SSLContext | None = None) -> None:
        self._keep_alive = keep_alive
        self._dialer = Dialer(tls)
        self._outbox = Outbox()
        self._idle: defaultdict[Origin, list[Connection]] = defaultdict(list)
        #: every connection that is open, with where it leads to
        self._open: dict[Connection, Origin] = {}
        self._sweeper: asyncio.TimerHandle | None = None
        self._closed = False
        self._none_open: asyncio.Future[None] | None = None
        self.target = lru_cache(TARGETS)(target_of)

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        await self.close()

    def take(self, origin: Origin) -> Connection:
        """The idle connection that was used last, or a new one, to be opened."""
        idle = self._idle.get(origin)
        while idle:
            connection = idle.pop()
            if not connection.gone:
                return connection
        return self.make()

    def make(self) -> Connection:
        """A new connection, to be opened."""
        return Connection(self._lost, self._outbox)

    async def open(self, connection: Connection, origin: Origin) -> None:
        """Open a new connection; OSError when that cannot be."""
        if self._closed:
            raise OSError("the gateway is stopping")
        self._open[connection] = origin
        try:
            await self._dialer.dial(origin, connection)
        except BaseException:
            # event loops do not always say that a connection is closed that was hardly open
            self._lost(connection)
            raise
        if connection.gone:
            # The pool was closed meanwhile. And not before: uvloop loses track of a socket that is
            # closed while it opens.
            connection.abort()

    def give_back(self, connection: Connection) -> None:
        """Keep a connection for the next request if it is fit for one, else close it."""
        if not connection.reusable:
            connection.abort()
            return
        connection.rest()
        self._idle[self._open[connection]].append(connection)
        if self._sweeper is None:
            self._sweep_after(self._keep_alive)

    async def close(self) -> None:
        """Close all connections, the busy ones too, and wait until they are closed."""
        self._closed = True
        if self._sweeper is not None:
            self._sweeper.cancel()
            self._sweeper = None
        for connection in self._open:
            connection.abort()
        self._idle.clear()
        if self._open:
            self._none_open = asyncio.get_running_loop().create_future()
            await self._none_open

    def _sweep_after(self, seconds: float) -> None:
        self._sweeper = asyncio.get_running_loop().call_later(seconds, self._sweep)

    def _sweep(self) -> None:
        """Close what was idle for long, and look again when the next one will have been."""
        self._sweeper = None
        now = asyncio.get_running_loop().time()
        oldest = now
        for origin, idle in list(self._idle.items()):
            # in the order in which they became idle
            while idle and (idle[0].gone or idle[0].idle_since + self._keep_alive <= now):
                idle.pop(0).abort()
            if idle:
                oldest = min(oldest, idle[0].idle_since)
            else:
                del self._idle[origin]
        if self._idle:
            self._sweep_after(oldest + self._keep_alive - now)

    def _lost(self, connection: Connection) -> None:
        """A connection is closed."""
        origin = self._open.pop(connection, None)
        idle = None if origin is None else self._idle.get(origin)
        if idle and connection in idle:
            idle.remove(connection)
        if not self._open and self._none_open is not None and not self._none_open.done():
            self._none_open.set_result(None)
