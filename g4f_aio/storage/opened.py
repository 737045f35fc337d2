"""The open database with its stores. Importing this is what takes time and memory."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable
from pathlib import Path

import attrs
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from ..core.stores import Stores
from .address import Address
from .conversations import Conversations
from .database import READERS, Database
from .engines import create_engine, identity, make_file
from .failures import reason, unavailable
from .limits import Keeping, Limits
from .responses import Responses
from .schema import prepare
from .storage import UnopenedError

#: seconds between two looks for what is kept for too long
LOOK = 3600.0
#: seconds for the tables to be made or brought up to date
PREPARATION = 600.0
#: bytes that the things of one owner and one kind may take where they are in memory
MEMORY = 64 * 2**20
#: the identity of no file
_GONE = (-1, -1)
_log = logging.getLogger(__name__)


class Opened:
    """A database that can be used, with its *stores*. *clock* is Unix time in seconds."""

    def __init__(
        self, engine: AsyncEngine, address: Address, limits: Limits, clock: Callable[[], float]
    ) -> None:
        if address.in_memory:
            limits = Limits(_less(limits.conversations), _less(limits.responses))
        ready = None if address.file is None else Place(engine, address, address.file).ready
        self.database = Database(engine, single=address.in_memory, ready=ready)
        conversations = Conversations(self.database, limits.conversations, clock)
        responses = Responses(self.database, limits.responses, clock)
        self.stores = Stores(conversations, responses)
        self._rooms = (conversations.room, responses.room)
        self._clock = clock
        self._upkeep: asyncio.Task[None] | None = None

    def start(self, tasks: asyncio.TaskGroup) -> None:
        """Begin to work."""
        self.database.start(tasks)
        self._upkeep = tasks.create_task(self._look())

    def expire(self) -> None:
        """Have forgotten what was not used for too long; waits for nobody."""
        self.database.post(self._expire)

    async def close(self) -> None:
        """Write what waits, and end."""
        if self._upkeep is not None:
            self._upkeep.cancel()
        await self.database.close()

    async def _look(self) -> None:
        while True:
            self.expire()
            await asyncio.sleep(LOOK)

    async def _expire(self, connection: AsyncConnection) -> None:
        for room in self._rooms:
            await room.expire(connection, self._clock())


class Place:
    """Where the *file* of a database is; another may come there, or none be left."""

    def __init__(self, engine: AsyncEngine, address: Address, file: Path) -> None:
        self._engine = engine
        self._address = address
        self._file = file
        self._known: tuple[int, int] | None = None

    async def ready(self) -> None:
        """Have the file there that is written to; what is written to one that is gone is lost."""
        found = await asyncio.to_thread(identity, self._file)
        if self._known is None:
            self._known = found
        if found is not None and found == self._known:
            return
        if self._known != _GONE:
            self._known = _GONE
            _log.error("%s was removed or replaced; what was kept there is lost", self._address)
        await self._engine.dispose()
        await asyncio.to_thread(make_file, self._file)
        await prepare(self._engine, self._address)
        self._known = await asyncio.to_thread(identity, self._file)


async def open_stores(
    address: Address, limits: Limits, clock: Callable[[], float], tasks: asyncio.TaskGroup
) -> Opened:
    """Open the database at *address*, and make its tables or bring them up to date.

    UnopenedError when that is not possible.
    """
    engine = None
    try:
        engine = await asyncio.to_thread(create_engine, address, READERS + 1)
        async with asyncio.timeout(PREPARATION):
            await prepare(engine, address)
    except BaseException as error:
        if engine is not None:
            await engine.dispose()
        match error:
            case ImportError():
                raise UnopenedError(f"it needs a package: {error}", unavailable(error)) from None
            case Exception() if why := reason(error):
                raise UnopenedError(why, unavailable(error)) from None
        raise
    opened = Opened(engine, address, limits, clock)
    opened.start(tasks)
    return opened


def _less(keeping: Keeping) -> Keeping:
    return attrs.evolve(keeping, room=min(keeping.room, MEMORY))
