"""Engines: how SQLite and PostgreSQL are connected to."""

from __future__ import annotations

import os
import sqlite3
import time
from contextlib import closing
from importlib import import_module
from pathlib import Path

from sqlalchemy import URL, Connection, event
from sqlalchemy.engine.interfaces import DBAPIConnection
from sqlalchemy.ext.asyncio import AsyncEngine, create_async_engine
from sqlalchemy.pool import ConnectionPoolEntry

from .address import Address

#: the execution option of an engine whose transactions write
WRITES = "g4f_aio_writes"
#: seconds that SQLite waits for another process to finish its transaction
BUSY = 5.0
#: seconds until it is tried again where SQLite does not wait
TURN = 0.02
#: seconds for a connection to PostgreSQL, and for one of its answers
CONNECT = 5.0
COMMAND = 10.0
_PRAGMAS = (
    "PRAGMA journal_mode = WAL",
    # a crash of the process loses nothing; a power failure perhaps the last moments, but no more
    "PRAGMA synchronous = NORMAL",
    "PRAGMA journal_size_limit = 67108864",
)


def create_engine(address: Address, connections: int, *, foreign_keys: bool = True) -> AsyncEngine:
    """An engine for at most so many *connections*; it makes none yet, but may touch the disk."""
    if address.url is not None:
        return _postgresql(address.url, connections)
    return _sqlite(address.file, connections, foreign_keys=foreign_keys)


def _sqlite(file: Path | None, connections: int, *, foreign_keys: bool) -> AsyncEngine:
    # isolation_level None keeps the driver from beginning transactions by itself
    arguments = {"timeout": BUSY, "isolation_level": None}
    if file is None:
        engine = create_async_engine(
            "sqlite+aiosqlite://", connect_args=arguments, pool_reset_on_return=None
        )
    else:
        make_file(file)
        _keep_log(file)
        engine = create_async_engine(
            URL.create("sqlite+aiosqlite", database=str(file)),
            connect_args=arguments,
            # each transaction ends before its connection goes back
            pool_reset_on_return=None,
            pool_size=connections,
            max_overflow=0,
        )

    @event.listens_for(engine.sync_engine, "connect")
    def prepare(connection: DBAPIConnection, _: ConnectionPoolEntry) -> None:
        cursor = connection.cursor()
        for pragma in _PRAGMAS:
            cursor.execute(pragma)
        cursor.execute(f"PRAGMA foreign_keys = {'ON' if foreign_keys else 'OFF'}")
        cursor.close()

    @event.listens_for(engine.sync_engine, "begin")
    def begin(connection: Connection) -> None:
        # who reads first and then writes cannot get the lock when another wrote in between
        writes = connection.get_execution_options().get(WRITES)
        connection.exec_driver_sql("BEGIN IMMEDIATE" if writes else "BEGIN")

    return engine


def make_file(file: Path) -> None:
    """The file, which nobody else may read; what SQLite puts beside it is like it."""
    file.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    os.close(os.open(file, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600))


def _keep_log(file: Path) -> None:
    """Have a new file keep its changes in a log, as all connections want it.

    Where several processes do so at one time, SQLite lets none wait for another.
    """
    end = time.monotonic() + BUSY
    while time.monotonic() < end:
        try:
            with closing(sqlite3.connect(file, timeout=0)) as connection:
                connection.execute(_PRAGMAS[0])
        except sqlite3.Error as error:
            if getattr(error, "sqlite_errorcode", 0) & 0xFF == sqlite3.SQLITE_BUSY:
                time.sleep(TURN)
                continue
        return  # whatever else is wrong will be seen by who connects


def identity(file: Path) -> tuple[int, int] | None:
    """What a file has in common with no other that is put in its place; None while it is not there."""
    try:
        found = file.stat()
    except FileNotFoundError:
        return None
    return found.st_dev, found.st_ino


def _postgresql(url: str, connections: int) -> AsyncEngine:
    # its driver is an extra; it reads the URL itself, with all that libpq knows in one
    driver = import_module("asyncpg")

    async def connect() -> object:
        try:
            return await driver.connect(url, timeout=CONNECT, command_timeout=COMMAND)
        except (driver.PostgresError, driver.InterfaceError, ValueError) as error:
            raise ConnectionError(str(error)) from error

    return create_async_engine(
        "postgresql+asyncpg://",
        async_creator=connect,
        pool_size=connections,
        max_overflow=0,
        pool_use_lifo=True,
    )
