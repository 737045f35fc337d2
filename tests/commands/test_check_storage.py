"""The doctor's look at the database."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest

from g4f_aio.commands.check_storage import FAIL, OK, examine_database
from g4f_aio.settings import Settings, StorageSettings
from g4f_aio.storage import address as addresses
from g4f_aio.storage.address import FILE, Address
from g4f_aio.storage.engines import create_engine
from g4f_aio.storage.schema import prepare


def settings(database: str | None, data_dir: Path) -> Settings:
    storage = StorageSettings(database=database)  # type: ignore[arg-type]
    return Settings(storage=storage, data_dir=data_dir)


async def test_what_is_not_there_yet_is_not_made(tmp_path: Path) -> None:
    mark, subject, rest = await examine_database(settings(None, tmp_path))
    assert (mark, subject) == (OK, "database")
    assert "it will be made when it is needed" in rest
    assert not await asyncio.to_thread((tmp_path / FILE).exists)
    assert (await examine_database(settings("sqlite://", tmp_path)))[0] == OK


async def test_a_database_with_tables(tmp_path: Path) -> None:
    address = Address(tmp_path / "a.db")
    engine = await asyncio.to_thread(create_engine, address, 1)
    await prepare(engine, address)
    await engine.dispose()
    mark, _, rest = await examine_database(settings("sqlite:///a.db", tmp_path))
    assert (mark, "with tables as they should be" in rest) == (OK, True)


@pytest.mark.parametrize("database", ["sqlite:///bad.db", "postgresql://me:secret@127.0.0.1:9/x"])
async def test_one_that_cannot_be_used_fails_the_check(tmp_path: Path, database: str) -> None:
    await asyncio.to_thread((tmp_path / "bad.db").write_text, "no database at all" * 100)
    mark, _, rest = await examine_database(settings(database, tmp_path))
    assert mark == FAIL
    assert "see storage.database" in rest
    assert "secret" not in rest


async def test_a_driver_that_is_not_installed_is_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(addresses, "_DRIVER", "g4f_aio_no_driver")
    report = await examine_database(settings("postgresql://me:secret@127.0.0.1:9/x", tmp_path))
    assert report[0] == FAIL
    assert report[2].endswith("needs g4f_aio_no_driver: pip install g4f_aio[postgres]")
