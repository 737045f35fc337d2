"""Jobs are done to their end."""

from __future__ import annotations

import asyncio
import weakref
from collections.abc import AsyncIterator

import pytest

from g4f_aio.core.errors import OverloadedError
from g4f_aio.logs import request_id_var
from g4f_aio.storage.lane import Lane


@pytest.fixture
async def lane() -> AsyncIterator[Lane]:
    """One worker, and two may wait."""
    async with asyncio.TaskGroup() as tasks:
        made = Lane(1, 2)
        made.start(tasks)
        yield made
        await made.close(5)


async def seven() -> int:
    return 7


async def wrong() -> int:
    raise KeyError("wrong")


async def test_a_job_gives_what_it_gives(lane: Lane) -> None:
    assert await lane.run(seven) == 7
    with pytest.raises(KeyError):
        await lane.run(wrong)
    assert await lane.run(seven) == 7


async def test_no_job_is_logged_as_of_the_request_that_was_first() -> None:
    async def request() -> str:
        return request_id_var.get()

    async with asyncio.TaskGroup() as tasks:
        lane = Lane(1, 2)
        with_id = request_id_var.set("req_first")
        lane.start(tasks)
        assert await lane.run(request) == ""
        request_id_var.reset(with_id)
        await lane.close(5)


async def test_what_a_job_gave_does_not_stay_in_memory(lane: Lane) -> None:
    class Large:
        pass

    async def job() -> Large:
        return Large()

    large = weakref.ref(await lane.run(job))
    await asyncio.sleep(0)
    assert large() is None


async def test_who_is_cancelled_leaves_his_job_behind(lane: Lane) -> None:
    begun, go_on, done = asyncio.Event(), asyncio.Event(), asyncio.Event()

    async def job() -> None:
        begun.set()
        await go_on.wait()
        done.set()

    async with asyncio.TaskGroup() as group:
        task = group.create_task(lane.run(job))
        await begun.wait()
        task.cancel()
        await asyncio.wait((task,))
        assert task.cancelled()
    go_on.set()
    await lane.run(seven)
    assert done.is_set()


async def test_one_after_the_other(lane: Lane) -> None:
    told: list[str] = []

    async def job(name: str) -> None:
        told.append(f"{name} begins")
        await asyncio.sleep(0)
        told.append(f"{name} ends")

    await asyncio.gather(lane.run(lambda: job("a")), lane.run(lambda: job("b")))
    assert told == ["a begins", "a ends", "b begins", "b ends"]


async def test_only_so_many_wait(lane: Lane) -> None:
    go_on = asyncio.Event()
    async with asyncio.TaskGroup() as group:
        group.create_task(lane.run(go_on.wait))
        await asyncio.sleep(0)
        await asyncio.sleep(0)
        assert lane.post(seven)
        assert lane.post(seven)
        assert not lane.post(seven)
        with pytest.raises(OverloadedError, match="does not keep up"):
            await lane.run(seven)
        go_on.set()


async def test_what_nobody_waits_for_is_done_and_its_failure_logged(
    lane: Lane, caplog: pytest.LogCaptureFixture
) -> None:
    assert lane.post(wrong)
    await lane.run(seven)
    assert "KeyError" in caplog.text


async def test_at_the_end_what_waits_is_done() -> None:
    done: list[int] = []

    async def job() -> None:
        await asyncio.sleep(0)
        done.append(len(done))

    async with asyncio.TaskGroup() as tasks:
        lane = Lane(2, 100)
        lane.start(tasks)
        for _ in range(10):
            lane.post(job)
        assert await lane.close(5) == 0
    assert len(done) == 10
    assert not lane.post(job)
    with pytest.raises(OverloadedError) as caught:
        await lane.run(job)
    assert caught.value.code == "server_shutdown"


async def test_what_does_not_end_is_given_up() -> None:
    async with asyncio.TaskGroup() as tasks:
        lane = Lane(1, 100)
        lane.start(tasks)
        hanging = tasks.create_task(_fails(lane))
        waiting = tasks.create_task(_fails(lane))
        await asyncio.sleep(0)
        lane.post(asyncio.Event().wait)
        assert await lane.close(0) == 3
        assert await hanging
        assert await waiting


async def _fails(lane: Lane) -> bool:
    try:
        await lane.run(asyncio.Event().wait)
    except OverloadedError:
        return True
    return False
