"""A look at a database that changes nothing in it."""

from __future__ import annotations

import asyncio
from importlib import import_module

from .address import Address
from .engines import create_engine
from .failures import reason, unavailable
from .schema import version_of
from .storage import UnopenedError
from .tables import HEAD

#: seconds for all of it
PATIENCE = 15.0


async def examine(address: Address) -> str:
    """How the database is, in words. UnopenedError when it cannot be used."""
    engine = await asyncio.to_thread(create_engine, address, 1)
    try:
        async with asyncio.timeout(PATIENCE), engine.connect() as connection:
            found = await connection.run_sync(version_of)
        if found not in (None, HEAD):
            migrate = await asyncio.to_thread(import_module, ".migrate", __package__)
            migrate.check(await asyncio.to_thread(migrate.history), found)
    except Exception as error:
        why = reason(error)
        if why is None:
            raise
        raise UnopenedError(why, unavailable(error)) from None
    finally:
        await engine.dispose()
    if found is None:
        return f"{address}, still without tables"
    if found != HEAD:
        return f"{address}, with older tables ({found}); the server will bring them up to {HEAD}"
    return f"{address}, with tables as they should be ({HEAD})"
