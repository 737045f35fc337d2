"""The open database."""

from __future__ import annotations

import asyncio

import pytest

from g4f_aio.core.stores import ResponseKey, StoredResponse
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
