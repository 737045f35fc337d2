"""A database that is opened when it is needed, and recovers."""

from __future__ import annotations

import asyncio
import subprocess
import sys
from pathlib import Path

import pytest

from g4f_aio.core.errors import GatewayError
from g4f_aio.core.stores import ConversationKey, ResponseKey, StoredResponse
from g4f_aio.storage import storage as module
from g4f_aio.storage.address import Address
from tests.storage.conftest import Begin
from tests.storage.test_conversations import said

KEY = ResponseKey("alice", "r1")
RESPONSE = StoredResponse(KEY, {"id": "r1", "output": []}, (), "P")


async def test_nothing_is_there_before_it_is_needed(begin: Begin, tmp_path: Path) -> None:
    file = tmp_path / "data" / "test.sqlite3"
    storage = await begin(Address(file))
    assert not await asyncio.to_thread(file.parent.exists)
    await storage.open()
    mode = (await asyncio.to_thread(file.stat)).st_mode
    assert mode & 0o777 == 0o600
    assert (await asyncio.to_thread(file.parent.stat)).st_mode & 0o777 == 0o700


def test_a_server_that_keeps_nothing_does_not_import_it() -> None:
    program = (
        "import sys, g4f_aio.app;"
        "print({'sqlalchemy', 'aiosqlite', 'alembic', 'asyncpg', 'sqlite3'} & set(sys.modules))"
    )
    done = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=True
    )
    assert done.stdout.strip() == "set()"


async def test_many_may_be_the_first(begin: Begin) -> None:
    storage = await begin(Address())
    found = await asyncio.gather(*(storage.open() for _ in range(5)))
    assert all(one is found[0] for one in found)


async def test_the_first_may_leave(begin: Begin) -> None:
    storage = await begin(Address())
    async with asyncio.TaskGroup() as group:
        task = group.create_task(storage.open())
        await asyncio.sleep(0)
        task.cancel()
    await storage.open()


async def test_all_that_waits_is_written_at_the_end(begin: Begin, lasting: Address) -> None:
    storage = await begin(lasting)
    async with storage.running():
        stores = await storage.open()
        async with asyncio.TaskGroup() as group:
            writers = [group.create_task(stores.responses.put(RESPONSE))]
            await asyncio.sleep(0)
            for writer in writers:
                writer.cancel()
        key = ConversationKey("alice", "", "c1")
        stores.conversations.put_state(key, await stores.conversations.get(key), "P", {"a": 1})
    again = await (await begin(lasting)).open()
    assert await again.responses.get(KEY) == RESPONSE
    assert (await again.conversations.get(key)).states == {"P": {"a": 1}}


async def test_two_processes_may_use_one(begin: Begin, lasting: Address) -> None:
    storages = [await begin(lasting) for _ in range(2)]
    first, second = await asyncio.gather(*(one.open() for one in storages))
    await asyncio.gather(
        *(
            one.responses.put(StoredResponse(ResponseKey("a", f"r{n}"), {}, (), str(number)))
            for n in range(10)
            for number, one in enumerate((first, second))
        )
    )
    for n in range(10):
        key = ResponseKey("a", f"r{n}")
        assert await first.responses.get(key) == await second.responses.get(key) is not None
    name = ConversationKey("alice", "", "c1")
    before = await first.conversations.get(name)
    await asyncio.gather(
        *(
            one.conversations.put(name, before, said(str(n), str(n)), "P")
            for n in range(5)
            for one in (first, second)
        )
    )
    kept = (await second.conversations.get(name)).messages
    assert len({message.text for message in kept}) == 1
    assert len(kept) == 2


async def test_one_that_cannot_be_opened_is_tried_again(
    begin: Begin,
    tmp_path: Path,
    caplog: pytest.LogCaptureFixture,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    obstacle = tmp_path / "data"
    await asyncio.to_thread(obstacle.write_text, "not a folder")
    storage = await begin(Address(obstacle / "test.sqlite3"))
    for _ in range(2):
        with pytest.raises(GatewayError) as caught:
            await storage.open()
        assert (caught.value.status, caught.value.code) == (503, "storage_unavailable")
        assert str(obstacle) not in caught.value.message
    assert caplog.text.count("cannot open the database") == 1
    assert str(obstacle) in caplog.text
    monkeypatch.setattr(module, "SILENCE", 0)
    storage.begin()
    with pytest.raises(GatewayError):
        await storage.open()
    assert caplog.text.count("cannot open the database") == 2
    await asyncio.to_thread(obstacle.unlink)
    await storage.open()


async def test_a_server_that_is_not_there_is_told_in_the_log(
    begin: Begin, caplog: pytest.LogCaptureFixture
) -> None:
    storage = await begin(Address(url="postgresql://me:secret@127.0.0.1:9/name"))
    with pytest.raises(GatewayError) as caught:
        await storage.open()
    assert caught.value.status == 503
    assert "PostgreSQL at 127.0.0.1:9" in caplog.text
    assert "secret" not in caplog.text


async def test_a_file_that_is_no_database(begin: Begin, tmp_path: Path) -> None:
    file = tmp_path / "test.sqlite3"
    await asyncio.to_thread(file.write_text, "no database at all" * 100)
    with pytest.raises(GatewayError) as caught:
        await (await begin(Address(file))).open()
    assert caught.value.status == 503


async def test_after_the_end_it_cannot_be_opened(begin: Begin) -> None:
    storage = await begin(Address())
    async with storage.running():
        pass
    with pytest.raises(GatewayError, match="stopping"):
        await storage.open()
