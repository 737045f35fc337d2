"""A storage in memory, for tests of what uses one."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from g4f_aio.storage.address import Address
from g4f_aio.storage.limits import Keeping, Limits
from g4f_aio.storage.storage import DatabaseStorage

_MUCH = Keeping(10**9, 10**6, 10**9)


@asynccontextmanager
async def storage_in_memory() -> AsyncIterator[DatabaseStorage]:
    """An empty one, which is opened when somebody needs it."""
    storage = DatabaseStorage(Address(), Limits(_MUCH, _MUCH))
    async with storage.running():
        yield storage
