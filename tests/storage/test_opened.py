"""The open database."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest

from g4f_aio.core.errors import GatewayError
from g4f_aio.core.stores import ResponseKey, StoredResponse, Stores
from g4f_aio.storage import opened as module
from g4f_aio.storage.address import Address
from g4f_aio.storage.limits import Keeping, Limits
from g4f_aio.storage.opened import open_stores
from tests.storage.conftest import GENEROUS, Clock


async def test_what_is_too_old_is_looked_for_again_and_again(
    clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "LOOK", 0.01)
    limits = Limits(GENEROUS, Keeping(100, 10, 10**6))
    async with asyncio.TaskGroup() as tasks:
        opened = await open_stores(Address(), limits, clock, tasks)
        responses = opened.stores.responses
        await responses.put(StoredResponse(ResponseKey("a", "r"), {}, (), "P"))
        assert await responses.known("r")
        clock.now += 101
        async with asyncio.timeout(10):
            while await responses.known("r"):  # noqa: ASYNC110  (nobody tells that it is gone)
                await asyncio.sleep(0.01)
        await opened.close()


async def test_in_memory_there_is_less_room(clock: Clock, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "MEMORY", 100)
    async with asyncio.TaskGroup() as tasks:
        opened = await open_stores(Address(), Limits(GENEROUS, GENEROUS), clock, tasks)
        responses = opened.stores.responses
        for name in ("r1", "r2"):
            clock.now += 1
            body = {"text": "x" * 60}
            await responses.put(StoredResponse(ResponseKey("a", name), body, (), "P"))
        assert [await responses.known(name) for name in ("r1", "r2")] == [False, True]
        await opened.close()


def remove(folder: Path, names: str = "*") -> None:
    """The files in it that have such names."""
    for file in folder.glob(names):
        file.unlink()


@pytest.mark.parametrize("names", ["*", "*.sqlite3"])  # the others are SQLite's own
@pytest.mark.parametrize("replaced", [False, True])
async def test_what_is_written_after_the_file_was_removed_is_not_lost_with_it(
    clock: Clock,
    tmp_path: Path,
    caplog: pytest.LogCaptureFixture,
    replaced: bool,  # noqa: FBT001
    names: str,
) -> None:
    address = Address(tmp_path / "a.sqlite3")
    assert address.file is not None
    limits = Limits(GENEROUS, GENEROUS)

    async def put(stores: Stores, name: str) -> None:
        await stores.responses.put(StoredResponse(ResponseKey("a", name), {}, (), "P"))

    async with asyncio.TaskGroup() as tasks:
        opened = await open_stores(address, limits, clock, tasks)
        await put(opened.stores, "before")
        await asyncio.to_thread(remove, tmp_path, names)
        if replaced:
            await asyncio.to_thread(address.file.touch)
        await put(opened.stores, "after")
        await put(opened.stores, "later")
        await opened.close()
    assert caplog.text.count("was removed or replaced") == 1
    async with asyncio.TaskGroup() as tasks:
        opened = await open_stores(address, limits, clock, tasks)
        ids = ("before", "after", "later")
        found = [await opened.stores.responses.known(one) for one in ids]
        await opened.close()
    assert found == [False, True, True]


async def test_while_another_thing_is_in_its_place_nothing_is_kept(
    clock: Clock, tmp_path: Path
) -> None:
    address = Address(tmp_path / "a.sqlite3")
    assert address.file is not None
    response = StoredResponse(ResponseKey("a", "r"), {}, (), "P")
    async with asyncio.TaskGroup() as tasks:
        opened = await open_stores(address, Limits(GENEROUS, GENEROUS), clock, tasks)
        await opened.stores.responses.put(response)
        await asyncio.to_thread(remove, tmp_path)
        await asyncio.to_thread(address.file.mkdir)
        with pytest.raises(GatewayError) as caught:
            await opened.stores.responses.put(response)
        assert caught.value.code == "storage_unavailable"
        await asyncio.to_thread(address.file.rmdir)
        await asyncio.to_thread(address.file.touch)
        await opened.stores.responses.put(response)
        assert await opened.stores.responses.known("r")
        await opened.close()
