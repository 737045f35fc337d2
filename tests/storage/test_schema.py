"""Tables are made, brought up to date, or refused."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from sqlalchemy import Connection, inspect, text
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from g4f_aio.core.errors import GatewayError
from g4f_aio.storage.address import Address
from g4f_aio.storage.engines import WRITES, create_engine
from g4f_aio.storage.migrate import history, upgrade
from g4f_aio.storage.schema import prepare, version_of
from g4f_aio.storage.tables import HEAD, metadata, version
from tests.storage.conftest import Begin


@pytest.fixture(params=["file", "postgresql"])
def fresh(request: pytest.FixtureRequest, tmp_path: Path) -> Address:
    """A database without tables."""
    if request.param == "file":
        return Address(tmp_path / "test.sqlite3")
    return Address(url=request.getfixturevalue("schema"))


@asynccontextmanager
async def engine_for(address: Address) -> AsyncIterator[AsyncEngine]:
    engine = await asyncio.to_thread(create_engine, address, 1)
    try:
        yield engine
    finally:
        await engine.dispose()


@asynccontextmanager
async def writing(address: Address) -> AsyncIterator[AsyncConnection]:
    async with engine_for(address) as engine:
        options = {WRITES: True}
        async with engine.execution_options(**options).begin() as connection:
            yield connection


async def at(address: Address, target: str) -> None:
    """Run the migrations up to *target*."""
    script = await asyncio.to_thread(history)
    async with writing(address) as connection:
        await connection.run_sync(upgrade, script, target)


def differences(connection: Connection) -> list[Any]:
    context = MigrationContext.configure(
        connection,
        opts={
            "version_table": version.name,
            "compare_type": True,
            "compare_server_default": True,
        },
    )
    return list(compare_metadata(context, metadata))


def shape(connection: Connection) -> dict[str, Any]:
    """What a comparison does not look at: keys, with their names."""
    seen = inspect(connection)
    return {
        name: (
            seen.get_pk_constraint(name),
            sorted(map(str, seen.get_unique_constraints(name))),
            sorted(map(str, seen.get_foreign_keys(name))),
        )
        for name in sorted(seen.get_table_names())
        if name != version.name
    }


async def test_all_migrations_make_the_very_tables_that_are_made_at_once(
    fresh: Address, tmp_path: Path
) -> None:
    await at(fresh, "head")
    async with engine_for(fresh) as engine, engine.connect() as connection:
        assert await connection.run_sync(version_of) == HEAD
        assert await connection.run_sync(differences) == []
        migrated = await connection.run_sync(shape)
        dialect = connection.dialect.name
    if dialect != "sqlite":
        return
    direct = Address(tmp_path / "direct.sqlite3")
    async with engine_for(direct) as engine:
        await prepare(engine, direct)
        async with engine.connect() as connection:
            assert await connection.run_sync(shape) == migrated


async def test_new_tables_are_the_newest(fresh: Address) -> None:
    async with engine_for(fresh) as engine:
        for _ in range(2):
            await prepare(engine, fresh)
            async with engine.connect() as connection:
                assert await connection.run_sync(version_of) == HEAD
                assert await connection.run_sync(differences) == []


async def test_an_older_database_is_brought_up_to_date_with_all_that_is_in_it(
    fresh: Address, begin: Begin
) -> None:
    await at(fresh, "0001")
    async with writing(fresh) as connection:
        await connection.execute(
            text(
                "INSERT INTO conversations"
                " (owner, id, provider, created, used, revision, size)"
                " VALUES ('alice', 'c1', '', 1e9, 1e12, 1, 0)"
            )
        )
    stores = await (await begin(fresh)).open()
    assert await stores.conversations.began("alice", "c1") == 1e9
    assert not await stores.responses.known("r1")
    async with engine_for(fresh) as engine, engine.connect() as connection:
        assert await connection.run_sync(version_of) == HEAD


async def test_several_processes_may_do_it_at_one_time(fresh: Address) -> None:
    async def one() -> None:
        async with engine_for(fresh) as engine:
            await prepare(engine, fresh)

    await asyncio.gather(*(one() for _ in range(4)))


async def test_several_processes_may_bring_it_up_to_date_at_one_time(
    fresh: Address, begin: Begin
) -> None:
    await at(fresh, "0001")
    storages = [await begin(fresh) for _ in range(3)]
    await asyncio.gather(*(storage.open() for storage in storages))


async def test_a_newer_database_is_refused(
    fresh: Address, begin: Begin, caplog: pytest.LogCaptureFixture
) -> None:
    async with engine_for(fresh) as engine:
        await prepare(engine, fresh)
        async with engine.execution_options(**{WRITES: True}).begin() as connection:
            await connection.execute(version.update().values(version_num="9999"))
    with pytest.raises(GatewayError):
        await (await begin(fresh)).open()
    assert "is of a newer version: its tables are at '9999'" in caplog.text
    assert "update g4f_aio" in caplog.text


async def test_somebody_else_s_tables_are_left_alone(
    fresh: Address, begin: Begin, caplog: pytest.LogCaptureFixture
) -> None:
    async with writing(fresh) as connection:
        await connection.execute(text("CREATE TABLE responses (theirs TEXT)"))
    with pytest.raises(GatewayError):
        await (await begin(fresh)).open()
    assert "it has tables of somebody else: responses" in caplog.text
