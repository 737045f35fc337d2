"""Few calls at one time to find out how somebody is, and those who wait for that."""

from __future__ import annotations

import asyncio

import pytest

from g4f_aio.gateway import trials as module
from g4f_aio.gateway.breaker import IN_A_ROW, Breaker
from g4f_aio.gateway.trials import Trials
from tests.gateway.actors import LONG
from tests.patience import until


def more() -> bool:
    """There is always one to spare."""
    return True


def no_more() -> bool:
    """There is none."""
    return False


async def crowd(trials: Trials, count: int) -> list[asyncio.Task[bool]]:
    """So many that wait for a place in this order, after all places were taken."""
    while trials.under_way < IN_A_ROW:
        assert await trials.enter(LONG, no_more)
    tasks = [asyncio.ensure_future(trials.enter(LONG, no_more)) for _ in range(count)]
    await until(lambda: trials.in_line == count)
    return tasks


async def stop(*tasks: asyncio.Task[bool]) -> None:
    """They give up."""
    for task in tasks:
        task.cancel()
    await asyncio.wait(tasks)


async def test_as_many_may_go_as_would_open_the_breaker() -> None:
    trials = Trials(Breaker())
    (last,) = await crowd(trials, 1)
    assert trials.under_way == IN_A_ROW
    trials.leave()
    assert await last
    assert (trials.under_way, trials.in_line) == (IN_A_ROW, 0)


async def test_each_failure_leaves_room_for_one_less_but_one_may_always_go() -> None:
    breaker = Breaker()
    trials = Trials(breaker)
    tasks = await crowd(trials, 2)
    for failures in range(1, IN_A_ROW):
        breaker.failed(0.0)
        trials.leave()
        assert trials.under_way == IN_A_ROW - failures
    trials.leave()
    assert await tasks[0]
    breaker.failed(0.0)
    assert breaker.is_open
    trials.leave()
    assert await tasks[1], "it is for others to look whether it is open"


@pytest.mark.parametrize("well", [True, False])
async def test_once_it_is_known_nobody_waits_any_more(*, well: bool) -> None:
    trials = Trials(Breaker())
    tasks = await crowd(trials, 20)
    trials.end(well=well)
    assert await asyncio.gather(*tasks) == [well] * 20
    assert (trials.under_way, trials.in_line) == (IN_A_ROW + 20 * well, 0)


async def test_who_waits_for_too_long_gives_up() -> None:
    trials = Trials(Breaker())
    waits = await crowd(trials, 1)
    assert not await trials.enter(0.001, more)
    assert (trials.under_way, trials.in_line) == (IN_A_ROW, 1)
    await stop(*waits)


async def test_while_nothing_is_heard_a_few_more_may_go(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "PATIENCE", 0.0)
    trials = Trials(Breaker())
    waits = await crowd(trials, 3)
    for _ in range(IN_A_ROW):
        assert await trials.enter(LONG, more)
    assert not await trials.enter(0.001, more)
    assert (trials.under_way, trials.in_line) == (2 * IN_A_ROW, 3)
    await stop(*waits)


async def test_unless_there_are_none_to_spare(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "PATIENCE", 0.0)
    trials = Trials(Breaker())
    waits = await crowd(trials, 1)
    assert not await trials.enter(0.001, no_more)
    trials.leave()
    assert await waits[0]


async def test_who_gives_up_leaves_the_line() -> None:
    trials = Trials(Breaker())
    first, second, third = await crowd(trials, 3)
    await stop(second)
    assert trials.in_line == 2
    trials.leave()
    trials.leave()
    assert await first
    assert await third
    assert trials.under_way == IN_A_ROW


async def test_so_does_who_gives_up_in_the_moment_of_his_turn() -> None:
    trials = Trials(Breaker())
    first, second = await crowd(trials, 2)
    trials.leave()
    await stop(first)
    assert first.cancelled()
    assert await second
    assert trials.under_way == IN_A_ROW
    ill = Trials(Breaker())
    (first,) = await crowd(ill, 1)
    ill.end(well=False)
    await stop(first)
    assert ill.under_way == IN_A_ROW
