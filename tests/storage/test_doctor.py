"""A look at a database."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest

from g4f_aio.storage.address import Address
from g4f_aio.storage.doctor import examine
from g4f_aio.storage.engines import WRITES, create_engine
from g4f_aio.storage.schema import prepare
from g4f_aio.storage.storage import UnopenedError
from g4f_aio.storage.tables import HEAD, version
from tests.storage.test_schema import at


async def test_how_a_database_is(schema: str) -> None:
    address = Address(url=schema)
    assert (await examine(address)).endswith("still without tables")
    await at(address, "0001")
    assert "with older tables (0001)" in await examine(address)
    engine = await asyncio.to_thread(create_engine, address, 1)
    await prepare(engine, address)
    assert f"with tables as they should be ({HEAD})" in await examine(address)
    async with engine.execution_options(**{WRITES: True}).begin() as connection:
        await connection.execute(version.update().values(version_num="9999"))
    await engine.dispose()
    with pytest.raises(UnopenedError, match="newer version"):
        await examine(address)


async def test_what_is_not_there_cannot_be_used(tmp_path: Path) -> None:
    with pytest.raises(UnopenedError):
        await examine(Address(url="postgresql://127.0.0.1:9/name"))
    file = tmp_path / "a"
    await asyncio.to_thread(file.write_text, "no database at all" * 100)
    with pytest.raises(UnopenedError, match="not a database"):
        await examine(Address(file))
