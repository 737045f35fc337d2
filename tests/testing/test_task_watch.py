"""Tasks that outlive the code that started them are found and cancelled."""

from __future__ import annotations

import asyncio
from contextvars import copy_context

import pytest

from g4f_aio.testing.task_watch import TaskWatch

tasks: set[asyncio.Task[None]] = set()


@pytest.fixture(autouse=True)
def _forget() -> None:
    tasks.clear()


async def linger(seconds: float) -> None:
    """Take a while."""
    await asyncio.sleep(seconds)


async def start(watch: TaskWatch, seconds: float) -> None:
    """Start a task and leave it alone."""
    watch.begin()
    tasks.add(asyncio.ensure_future(linger(seconds)))


async def started(watch: TaskWatch, seconds: float) -> None:
    """As ``start``, in a task of its own, so that nothing else is watched."""
    await asyncio.get_running_loop().create_task(start(watch, seconds), context=copy_context())


async def test_a_task_that_stays_is_named_and_cancelled() -> None:
    with TaskWatch() as watch:
        await started(watch, 60)
        assert await watch.leaked() == ["linger"]
        assert [task.cancelled() for task in tasks] == [True]
        assert await watch.leaked() == []


async def test_a_task_that_ends_soon_is_no_leak() -> None:
    with TaskWatch() as watch:
        await started(watch, 0.05)
        assert await watch.leaked() == []


async def test_tasks_of_others_are_not_watched() -> None:
    with TaskWatch() as watch:
        await started(watch, 0)
        task = asyncio.ensure_future(linger(60))
        assert await watch.leaked() == []
        task.cancel()


async def test_a_task_factory_that_is_there_is_used_and_stays() -> None:
    made = []

    def factory(loop, coro, **rest):  # type: ignore[no-untyped-def]  # its type is asyncio's own affair
        made.append(coro.__qualname__)
        return asyncio.Task(coro, loop=loop, **rest)

    loop = asyncio.get_running_loop()
    loop.set_task_factory(factory)
    with TaskWatch() as watch:
        await started(watch, 60)
        assert await watch.leaked() == ["linger"]
    assert made == ["start", "linger"]
    assert loop.get_task_factory() is factory
    loop.set_task_factory(None)
