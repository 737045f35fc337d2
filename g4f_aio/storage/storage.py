"""The storage of a server: a database that is opened when it is needed, and not before."""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from importlib import import_module
from typing import TYPE_CHECKING

from ..core.errors import GatewayError
from .address import Address
from .limits import Limits

if TYPE_CHECKING:
    from ..core.stores import Stores
    from .opened import Opened

#: seconds between two lines in the log about a database that cannot be opened
SILENCE = 60.0
_log = logging.getLogger(__name__)


class UnopenedError(Exception):
    """A database that cannot be opened: why, for the log, and the *answer* for clients."""

    def __init__(self, why: str, answer: GatewayError) -> None:
        super().__init__(why)
        self.answer = answer


class DatabaseStorage:
    """A ``Storage``. *clock* is Unix time in seconds; what is kept gets older by it."""

    def __init__(
        self, address: Address, limits: Limits, clock: Callable[[], float] = time.time
    ) -> None:
        self._address = address
        self._limits = limits
        self._clock = clock
        self._tasks: asyncio.TaskGroup | None = None
        self._opening: asyncio.Task[GatewayError | None] | None = None
        self._opened: Opened | None = None
        self._told = -SILENCE

    @asynccontextmanager
    async def running(self) -> AsyncIterator[None]:
        """For as long as this lasts it can be opened; at the end all that waits is written."""
        async with asyncio.TaskGroup() as tasks:
            self._tasks = tasks
            try:
                yield
            finally:
                self._tasks = None
                if self._opening is not None:
                    self._opening.cancel()
                    await asyncio.wait((self._opening,))
                if self._opened is not None:
                    await self._opened.close()

    async def open(self) -> Stores:
        """The stores. GatewayError while they cannot be had, or what is written is not kept."""
        opened = self._opened
        if opened is None:
            # not a task of whoever asks: he may leave
            error = await asyncio.shield(self._begun())
            opened = self._opened
            if opened is None:
                raise error or GatewayError("The server is stopping", status=503)
        opened.database.check()
        return opened.stores

    def begin(self) -> None:
        """Open it already; waits for nobody. What goes wrong is in the log."""
        _ = self._begun()

    def _begun(self) -> asyncio.Task[GatewayError | None]:
        if self._opening is None:
            if self._tasks is None:
                raise GatewayError("The server is stopping", status=503)
            self._opening = self._tasks.create_task(self._open(self._tasks))
        return self._opening

    async def _open(self, tasks: asyncio.TaskGroup) -> GatewayError | None:
        try:
            module = await asyncio.to_thread(import_module, ".opened", __package__)
            self._opened = await module.open_stores(self._address, self._limits, self._clock, tasks)
        except UnopenedError as error:
            self._opening = None
            now = time.monotonic()
            if now - self._told >= SILENCE:
                self._told = now
                _log.error("cannot open the database (%s): %s", self._address, error)
            return error.answer
        except Exception:  # noqa: BLE001  (logged, and answered)
            self._opening = None
            _log.exception("cannot open the database (%s)", self._address)
            return GatewayError("The gateway's database cannot be opened; its log says why")
        _log.info("the database is open: %s", self._address)
        return None
