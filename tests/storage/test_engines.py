"""How the databases are connected to."""

from __future__ import annotations

import asyncio
import sqlite3
import time
from contextlib import closing
from pathlib import Path

import pytest
from sqlalchemy import text

from g4f_aio.storage.address import Address
from g4f_aio.storage.engines import WRITES, create_engine


@pytest.mark.parametrize("keys", [True, False])
async def test_how_sqlite_is_set(tmp_path: Path, keys: bool) -> None:  # noqa: FBT001
    address = Address(tmp_path / "odd ?name#.sqlite3")
    engine = await asyncio.to_thread(create_engine, address, 1, foreign_keys=keys)
    found = {}
    async with engine.connect() as connection:
        for name in ("journal_mode", "synchronous", "foreign_keys", "busy_timeout"):
            found[name] = await connection.scalar(text(f"PRAGMA {name}"))
    await engine.dispose()
    assert found == {
        "journal_mode": "wal",
        "synchronous": 1,
        "foreign_keys": int(keys),
        "busy_timeout": 5000,
    }
    assert address.file is not None
    assert await asyncio.to_thread(address.file.exists)


def test_a_new_file_that_another_process_has_locked_is_waited_for(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = tmp_path / "a.sqlite3"
    with closing(sqlite3.connect(file, isolation_level=None)) as other:
        other.execute("CREATE TABLE t (n INTEGER)")
        other.execute("BEGIN EXCLUSIVE")
        monkeypatch.setattr(time, "sleep", lambda _: other.execute("COMMIT"))
        create_engine(Address(file), 1)
    with closing(sqlite3.connect(file)) as later:
        assert later.execute("PRAGMA journal_mode").fetchall() == [("wal",)]


async def test_who_writes_has_the_lock_from_the_beginning(tmp_path: Path) -> None:
    """Two that read first and then write would otherwise fail at one another."""
    engine = await asyncio.to_thread(create_engine, Address(tmp_path / "a.sqlite3"), 5)
    writing = engine.execution_options(**{WRITES: True})
    async with writing.begin() as connection:
        await connection.execute(text("CREATE TABLE t (n INTEGER)"))
        await connection.execute(text("INSERT INTO t VALUES (0)"))

    async def count() -> None:
        async with writing.begin() as connection:
            found = await connection.scalar(text("SELECT n FROM t"))
            await connection.execute(text("UPDATE t SET n = :n"), {"n": found + 1})

    await asyncio.gather(*(count() for _ in range(5)))
    async with engine.connect() as connection:
        assert await connection.scalar(text("SELECT n FROM t")) == 5
    await engine.dispose()


async def test_a_url_may_say_what_the_driver_knows(postgresql: str) -> None:
    url = f"{postgresql}?application_name=mine&sslmode=prefer"
    engine = await asyncio.to_thread(create_engine, Address(url=url), 1)
    async with engine.connect() as connection:
        assert await connection.scalar(text("SHOW application_name")) == "mine"
    await engine.dispose()


@pytest.mark.parametrize("rest", ["none_of_that_name", "postgres?sslmode=wrong"])
async def test_a_server_that_refuses(postgresql: str, rest: str) -> None:
    url = f"{postgresql.rpartition('/')[0]}/{rest}"
    engine = await asyncio.to_thread(create_engine, Address(url=url), 1)
    with pytest.raises(ConnectionError):
        async with engine.connect():
            pass
    await engine.dispose()
