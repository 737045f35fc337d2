"""Transactions, and what becomes of them when the database fails."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import text
from sqlalchemy.exc import OperationalError
from sqlalchemy.ext.asyncio import AsyncConnection

from g4f_aio.core.errors import GatewayError
from g4f_aio.storage import database as module
from g4f_aio.storage.address import Address
from g4f_aio.storage.database import Database, Job
from g4f_aio.storage.engines import create_engine

LARGE = "x" * 4000


@asynccontextmanager
async def running(address: Address) -> AsyncIterator[Database]:
    engine = await asyncio.to_thread(create_engine, address, 3)
    database = Database(engine, single=address.in_memory)
    async with asyncio.TaskGroup() as tasks:
        database.start(tasks)
        yield database
        await database.close()


def does(statement: str, **values: Any) -> Job[Any]:
    """A job of one statement."""

    async def job(connection: AsyncConnection) -> Any:
        found = await connection.execute(text(statement), values)
        return found.scalar() if found.returns_rows else None

    return job


@pytest.fixture
async def file(tmp_path: Path) -> AsyncIterator[Database]:
    """A file with a table."""
    async with running(Address(tmp_path / "test.sqlite3")) as database:
        await database.write(does("CREATE TABLE t (said TEXT)"))
        yield database


async def test_a_transaction_is_all_or_nothing(file: Database) -> None:
    async def job(connection: AsyncConnection) -> None:
        await connection.execute(text("INSERT INTO t VALUES ('a')"))
        raise KeyError

    with pytest.raises(KeyError):
        await file.write(job)
    assert await file.read(does("SELECT count(*) FROM t")) == 0


async def test_a_mistake_of_ours_is_none_of_the_database(file: Database) -> None:
    with pytest.raises(OperationalError, match="no such table"):
        await file.write(does("INSERT INTO nowhere VALUES (1)"))
    file.check()


async def test_a_full_disk(
    file: Database, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What there is can be read; it is told once, and it works again as soon as there is room."""
    monkeypatch.setattr(module, "REST", 1000)
    await file.write(does("INSERT INTO t VALUES ('before')"))
    await file.write(does("PRAGMA max_page_count = 3"))
    for _ in range(2):
        with pytest.raises(GatewayError) as caught:
            await file.write(does("INSERT INTO t VALUES (:said)", said=LARGE * 5))
        assert (caught.value.status, caught.value.code) == (507, "storage_full")
        with pytest.raises(GatewayError) as rests:
            file.check()
        assert rests.value.status == 507
    assert caplog.text.count("the database cannot be used: database or disk is full") == 1
    file.post(does("INSERT INTO t VALUES (:said)", said=LARGE * 5))  # nobody is told
    await file.write(does("PRAGMA max_page_count = 1000"))
    assert await file.read(does("SELECT said FROM t")) == "before"
    await file.write(does("INSERT INTO t VALUES (:said)", said=LARGE * 5))
    file.check()
    assert caplog.text.count("the database works again") == 1


async def test_after_a_while_it_is_tried_again(
    file: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    await file.write(does("PRAGMA max_page_count = 3"))
    with pytest.raises(GatewayError):
        await file.write(does("INSERT INTO t VALUES (:said)", said=LARGE * 5))
    monkeypatch.setattr(module, "REST", 0)
    file.check()


async def test_who_leaves_in_the_middle_leaves_no_half(file: Database) -> None:
    begun, go_on = asyncio.Event(), asyncio.Event()

    async def job(connection: AsyncConnection) -> None:
        await connection.execute(text("INSERT INTO t VALUES ('a')"))
        begun.set()
        await go_on.wait()
        await connection.execute(text("INSERT INTO t VALUES ('b')"))

    async with asyncio.TaskGroup() as group:
        task = group.create_task(file.write(job))
        await begun.wait()
        task.cancel()
    assert await file.read(does("SELECT count(*) FROM t")) == 0
    go_on.set()
    await file.write(does("INSERT INTO t VALUES ('c')"))
    assert await file.read(does("SELECT count(*) FROM t")) == 3


async def test_too_many_wait(
    caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "WAITING", 1)
    async with running(Address()) as database:
        database.post(does("SELECT 1"))
        database.post(does("SELECT 1"))
        assert "too many transactions wait" in caplog.text
        with pytest.raises(GatewayError):
            database.check()


async def test_what_takes_too_long_is_given_up(
    file: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "LONGEST", 0.05)

    async def job(_: AsyncConnection) -> None:
        await asyncio.Event().wait()

    with pytest.raises(GatewayError) as caught:
        await file.write(job)
    assert caught.value.status == 503
    monkeypatch.setattr(module, "LONGEST", 20)
    await file.write(does("INSERT INTO t VALUES ('a')"))


async def test_a_lost_connection_is_made_again(postgresql: str) -> None:
    url = f"{postgresql}?application_name=to_be_cut"
    async with running(Address(url=url)) as database, running(Address(url=postgresql)) as other:
        assert database.dialect == "postgresql"
        for work in (database.read, database.write) * 2:
            assert await work(does("SELECT 7")) == 7
            cut = (
                "SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity"
                " WHERE application_name = 'to_be_cut'"
            )
            assert await other.read(does(cut)) > 0


async def test_a_server_that_goes_away_and_comes_back(
    postgresql: str, caplog: pytest.LogCaptureFixture
) -> None:
    """Behind a door of our own, which closes."""
    inside: set[asyncio.StreamWriter] = set()

    async def copy(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            while data := await reader.read(65536):
                writer.write(data)
                await writer.drain()
        except ConnectionError:
            pass
        writer.close()

    async def let_in(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        server_reader, server_writer = await asyncio.open_connection("127.0.0.1", 5432)
        inside.update((writer, server_writer))
        await asyncio.gather(copy(reader, server_writer), copy(server_reader, writer))

    door = await asyncio.start_server(let_in, "127.0.0.1", 0)
    port = door.sockets[0].getsockname()[1]
    url = postgresql.replace(":5432/", f":{port}/")
    async with running(Address(url=url)) as database:
        assert await database.write(does("SELECT 7")) == 7
        door.close()
        for writer in inside:
            writer.close()
        with pytest.raises(GatewayError) as caught:
            await database.write(does("SELECT 7"))
        assert caught.value.code == "storage_unavailable"
        door = await asyncio.start_server(let_in, "127.0.0.1", port)
        assert await database.write(does("SELECT 7")) == 7
        assert "the database works again" in caplog.text
    door.close()
