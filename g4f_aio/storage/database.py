"""One database: what reads and writes in it, each as a transaction of its own."""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Awaitable, Callable
from contextlib import suppress
from functools import partial
from typing import TypeVar

from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from ..core.errors import GatewayError
from .engines import WRITES
from .failures import passes, reason, unavailable
from .lane import Lane

T = TypeVar("T")
#: what is done in a transaction
Job = Callable[[AsyncConnection], Awaitable[T]]

#: connections that read at one time; one more writes
READERS = 2
#: transactions that may wait
WAITING = 1000
#: seconds for a transaction, and for all that wait when the server stops
LONGEST = 20.0
FAREWELL = 10.0
#: seconds for which nobody tries again after a failure, and between two lines about it in the log
REST = 5.0
SILENCE = 60.0
_log = logging.getLogger(__name__)


class Database:
    """Transactions, in tasks that are never cancelled: those that write one after the other.

    *engine* has a connection for each. With *single* there is only one in all, for SQLite in memory.
    *ready* comes before each that writes.
    """

    def __init__(
        self,
        engine: AsyncEngine,
        *,
        single: bool,
        ready: Callable[[], Awaitable[None]] | None = None,
    ) -> None:
        self._ready = ready
        writing = engine
        if engine.dialect.name == "postgresql":
            # all that one job reads is of one moment, as it always is with SQLite
            engine = engine.execution_options(isolation_level="REPEATABLE READ")
        self._engine = engine
        self._writing = writing.execution_options(**{WRITES: True})
        self._writer = Lane(1, WAITING)
        self._readers = self._writer if single else Lane(READERS, WAITING)
        self._failed: float | None = None
        self._failure: Exception | None = None
        self._told = -SILENCE
        self._complained = False

    @property
    def dialect(self) -> str:
        """``sqlite`` or ``postgresql``."""
        return self._engine.dialect.name

    def start(self, tasks: asyncio.TaskGroup) -> None:
        """Begin to work."""
        for lane in {self._writer, self._readers}:
            lane.start(tasks)

    async def read(self, job: Job[T]) -> T:
        """What a transaction finds that only reads. GatewayError when the database cannot be used."""
        return await self._readers.run(partial(self._perform, self._engine, job))

    async def write(self, job: Job[T]) -> T:
        """What a transaction gives that writes; it is done even when the caller is cancelled."""
        return await self._writer.run(partial(self._perform, self._writing, job))

    def post(self, job: Job[object]) -> None:
        """Have something written for which nobody waits; what fails is logged."""

        async def perform() -> None:
            with suppress(GatewayError):  # it is in the log
                await self._perform(self._writing, job)

        if not self._writer.post(perform):
            self._note(OSError("too many transactions wait"))

    def check(self) -> None:
        """GatewayError while it rests from a failure: what costs money better waits."""
        if self._failed is None or self._failure is None:
            return
        if time.monotonic() - self._failed < REST:
            raise unavailable(self._failure)

    async def close(self) -> None:
        """Finish what waits, and disconnect."""
        try:
            async with asyncio.timeout(LONGEST):
                lost = await self._writer.close(FAREWELL)
                lost += 0 if self._readers is self._writer else await self._readers.close(FAREWELL)
                if lost:
                    _log.error("%d transactions of the database were given up", lost)
                await self._engine.dispose()
        except TimeoutError:
            _log.error("the database did not let go of its connections")

    async def _perform(self, engine: AsyncEngine, job: Job[T]) -> T:
        try:
            async with asyncio.timeout(LONGEST):
                if self._ready is not None and engine is self._writing:
                    await self._ready()
                try:
                    found = await _transaction(engine, job)
                except Exception as error:
                    if not passes(error):
                        raise
                    found = await _transaction(engine, job)
        except Exception as error:
            if reason(error) is None:
                raise
            self._note(error)
            raise unavailable(error) from None
        if self._failed is not None:
            self._failed = self._failure = None
            if self._complained:
                self._complained = False
                _log.warning("the database works again")
        return found

    def _note(self, error: Exception) -> None:
        now = time.monotonic()
        self._failed, self._failure = now, error
        if now - self._told >= SILENCE:
            self._told, self._complained = now, True
            _log.error("the database cannot be used: %s", reason(error))


async def _transaction(engine: AsyncEngine, job: Job[T]) -> T:
    async with engine.begin() as connection:
        return await job(connection)
