"""A deadline cancels what waits too long, and only that."""

from __future__ import annotations

import asyncio

import pytest

from g4f_aio.core.deadline import Deadline


async def wait(deadline: Deadline, limit: float, seconds: float) -> str:
    deadline.set(deadline.now() + limit)
    try:
        await asyncio.sleep(seconds)
    except asyncio.CancelledError:
        if deadline.passed():
            return "late"
        raise
    finally:
        deadline.clear()
    return "in time"


async def test_what_takes_too_long_is_cancelled_and_the_task_goes_on() -> None:
    deadline = Deadline()
    assert await wait(deadline, 0.01, 10) == "late"
    assert await wait(deadline, 10, 0) == "in time"
    assert await wait(deadline, 0.01, 10) == "late"
    deadline.close()


async def test_time_between_two_waits_does_not_count() -> None:
    deadline = Deadline()
    assert await wait(deadline, 0.02, 0) == "in time"
    await asyncio.sleep(0.05)
    assert await wait(deadline, 0.02, 0) == "in time"
    deadline.close()


async def test_a_later_time_is_kept_though_the_timer_was_set_for_an_earlier_one() -> None:
    deadline = Deadline()
    assert await wait(deadline, 0.01, 0) == "in time"
    assert await wait(deadline, 10, 0.03) == "in time"
    deadline.close()


async def test_an_earlier_time_moves_the_timer_forward() -> None:
    deadline = Deadline()
    assert await wait(deadline, 10, 0) == "in time"
    assert await wait(deadline, 0.01, 10) == "late"
    deadline.close()


async def test_being_cancelled_by_somebody_else_is_not_its_doing() -> None:
    deadline = Deadline()
    task = asyncio.ensure_future(wait(deadline, 10, 10))
    await asyncio.sleep(0)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    deadline.close()


async def test_being_cancelled_by_both_is_a_cancellation() -> None:
    deadline = Deadline()
    loop = asyncio.get_running_loop()
    task = asyncio.ensure_future(wait(deadline, 0.01, 10))
    loop.call_later(0.01, task.cancel)
    with pytest.raises(asyncio.CancelledError):
        await task
    assert task.cancelled()
    deadline.close()


async def test_one_that_rested_is_for_whichever_task_waits_next() -> None:
    deadline = Deadline()
    for _ in range(2):
        assert await asyncio.ensure_future(wait(deadline, 0.02, 0)) == "in time"
        deadline.rest()
        assert await asyncio.ensure_future(wait(deadline, 0.01, 10)) == "late"
        deadline.rest()
    assert await wait(deadline, 10, 0.03) == "in time"
    deadline.close()


async def test_a_closed_one_cancels_nobody() -> None:
    deadline = Deadline()
    deadline.set(deadline.now() + 0.01)
    deadline.close()
    await asyncio.sleep(0.03)
    assert not deadline.passed()
