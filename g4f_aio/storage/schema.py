"""The tables of a database: made, brought up to date, or refused."""

from __future__ import annotations

import asyncio
from importlib import import_module

from sqlalchemy import Connection, bindparam, func, inspect, select
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from .address import Address
from .engines import WRITES, create_engine
from .tables import HEAD, metadata, version

#: any number will do, as long as all processes use the same
_LOCK = 0x67346661696F


class SchemaError(OSError):
    """A database that this version cannot work with."""


async def prepare(engine: AsyncEngine, address: Address) -> None:
    """Have all tables there be as they are now. SchemaError for a database that is newer.

    Several processes may do so at once: one works, and the others wait for it.
    """
    async with engine.connect() as connection:
        found = await connection.run_sync(version_of)
    if found == HEAD:
        return
    async with engine.execution_options(**{WRITES: True}).begin() as connection:
        await _lock(connection)
        found = await connection.run_sync(version_of)
        if found is None:
            await connection.run_sync(create)
            return
    await _upgrade(address)


def version_of(connection: Connection) -> str | None:
    """The name of the last migration; None for a database that has none of our tables."""
    if not inspect(connection).has_table(version.name):
        return None
    return connection.scalar(select(version.c.version_num))


def create(connection: Connection) -> None:
    """All tables at once. SchemaError when some of these names are taken."""
    taken = set(inspect(connection).get_table_names()) & set(metadata.tables)
    if taken:
        raise SchemaError(f"it has tables of somebody else: {', '.join(sorted(taken))}")
    metadata.create_all(connection, checkfirst=False)
    version.create(connection)
    connection.execute(version.insert().values(version_num=HEAD))


async def _upgrade(address: Address) -> None:
    """Run the migrations that are missing."""
    migrate = await asyncio.to_thread(import_module, ".migrate", __package__)
    script = await asyncio.to_thread(migrate.history)
    # SQLite makes some tables anew, and with foreign keys would delete what refers to the old ones
    engine = await asyncio.to_thread(create_engine, address, 1, foreign_keys=False)
    try:
        async with engine.execution_options(**{WRITES: True}).begin() as connection:
            await _lock(connection)
            found = await connection.run_sync(version_of)
            migrate.check(script, found)
            await connection.run_sync(migrate.upgrade, script)
    finally:
        await engine.dispose()


async def _lock(connection: AsyncConnection) -> None:
    """Wait for other processes that prepare the same database; SQLite's transaction is such a lock."""
    if connection.dialect.name == "postgresql":
        await connection.execute(select(func.pg_advisory_xact_lock(bindparam("lock", _LOCK))))
