"""So many at one time, and a line that neither grows nor waits for ever."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from g4f_aio import OverloadedError
from g4f_aio.gateway.turnstile import Turnstile

LONG = 60.0


class Visitors:
    """Tasks that stand in line, each for a name."""

    def __init__(self, turnstile: Turnstile, group: asyncio.TaskGroup) -> None:
        self.turnstile = turnstile
        self.group = group
        self.inside: list[str] = []
        self.tasks: dict[str, asyncio.Task[None]] = {}

    def come(self, *names: str) -> None:
        """They come, one after the other."""
        self.tasks |= {name: self.group.create_task(self._enter(name)) for name in names}

    async def _enter(self, name: str) -> None:
        await self.turnstile.enter(LONG)
        self.inside.append(name)


async def settled() -> None:
    """Whoever can go on has done so."""
    for _ in range(5):
        await asyncio.sleep(0)


async def test_so_many_get_in_at_once() -> None:
    turnstile = Turnstile(2, 0, "p")
    await turnstile.enter(0)
    await turnstile.enter(0)
    assert turnstile.inside == 2
    assert not turnstile.try_enter()
    turnstile.leave()
    assert turnstile.try_enter()


async def test_without_patience_the_next_is_turned_away() -> None:
    turnstile = Turnstile(1, 10, "acme")
    await turnstile.enter(0)
    with pytest.raises(OverloadedError, match=r"^acme answers 1 requests just now") as caught:
        await turnstile.enter(0)
    assert caught.value.status == 503
    assert caught.value.retry_after is not None
    assert 1 <= caught.value.retry_after <= 2
    assert (turnstile.inside, turnstile.in_line) == (1, 0)


async def test_those_in_line_get_in_one_by_one_and_in_order() -> None:
    turnstile = Turnstile(1, 10, "p")
    await turnstile.enter(0)
    async with asyncio.TaskGroup() as group:
        visitors = Visitors(turnstile, group)
        visitors.come("a", "b", "c")
        await settled()
        assert (turnstile.in_line, visitors.inside) == (3, [])
        turnstile.leave()
        assert not turnstile.try_enter(), "nobody jumps the queue"
        await settled()
        assert visitors.inside == ["a"]
        turnstile.leave()
        turnstile.leave()
    assert visitors.inside == ["a", "b", "c"]
    turnstile.leave()
    assert (turnstile.inside, turnstile.in_line) == (0, 0)


async def test_a_line_that_is_long_enough_takes_nobody_more() -> None:
    turnstile = Turnstile(1, 2, "p")
    await turnstile.enter(0)
    async with asyncio.TaskGroup() as group:
        visitors = Visitors(turnstile, group)
        visitors.come("a", "b")
        await settled()
        with pytest.raises(OverloadedError, match="as many wait as may"):
            await turnstile.enter(LONG)
        for _ in range(3):
            turnstile.leave()


async def test_nobody_waits_for_longer_than_he_has_patience() -> None:
    turnstile = Turnstile(1, 2, "p")
    await turnstile.enter(0)
    with pytest.raises(OverloadedError, match=r"nobody left within 0\.01 s") as caught:
        await turnstile.enter(0.01)
    assert caught.value.retry_after is not None
    assert (turnstile.inside, turnstile.in_line) == (1, 0)


async def test_who_goes_away_leaves_the_line() -> None:
    turnstile = Turnstile(1, 10, "p")
    await turnstile.enter(0)
    async with asyncio.TaskGroup() as group:
        visitors = Visitors(turnstile, group)
        visitors.come("a", "b")
        await settled()
        visitors.tasks["a"].cancel()
        await settled()
        assert visitors.tasks["a"].cancelled()
        assert turnstile.in_line == 1
        turnstile.leave()
    assert visitors.inside == ["b"]
    assert turnstile.inside == 1


@pytest.mark.parametrize("leaves_first", [True, False])
async def test_who_goes_away_as_his_turn_comes_keeps_nobody_waiting(*, leaves_first: bool) -> None:
    turnstile = Turnstile(1, 10, "p")
    await turnstile.enter(0)
    async with asyncio.TaskGroup() as group:
        visitors = Visitors(turnstile, group)
        visitors.come("a", "b")
        await settled()
        steps: list[Callable[[], object]] = [turnstile.leave, visitors.tasks["a"].cancel]
        for step in steps if leaves_first else reversed(steps):
            step()
    assert visitors.tasks["a"].cancelled()
    assert visitors.inside == ["b"]
    assert (turnstile.inside, turnstile.in_line) == (1, 0)


async def test_who_runs_out_of_patience_as_his_turn_comes_keeps_nobody_waiting() -> None:
    turnstile = Turnstile(1, 10, "p")
    await turnstile.enter(0)
    loop = asyncio.get_running_loop()
    end = loop.time() + 0.05

    def be_busy() -> None:
        while loop.time() < end:
            pass

    async with asyncio.TaskGroup() as group:
        visitors = Visitors(turnstile, group)
        loop.call_soon(be_busy)
        loop.call_at(end - 0.03, turnstile.leave)
        loop.call_soon(visitors.come, "b")
        with pytest.raises(OverloadedError):
            await turnstile.enter(0.03)  # which runs out while the loop is busy, as that timer does
    assert visitors.inside == ["b"]
    assert (turnstile.inside, turnstile.in_line) == (1, 0)


async def test_a_new_limit_holds_from_the_next_one_on() -> None:
    turnstile = Turnstile(2, 10, "p")
    await turnstile.enter(0)
    await turnstile.enter(0)
    turnstile.limit = 1
    turnstile.leave()
    assert not turnstile.try_enter()
    async with asyncio.TaskGroup() as group:
        visitors = Visitors(turnstile, group)
        visitors.come("a", "b", "c")
        await settled()
        turnstile.limit = 3
        turnstile.leave()
    assert visitors.inside == ["a", "b", "c"]


@settings(max_examples=200)
@given(
    limit=st.integers(1, 3),
    steps=st.lists(
        st.tuples(st.sampled_from(["come", "come", "leave", "cancel", "wait"]), st.integers(0, 9)),
        max_size=60,
    ),
)
async def test_however_they_come_and_go_none_is_lost_and_no_place_is(
    limit: int, steps: list[tuple[str, int]]
) -> None:
    turnstile = Turnstile(limit, 5, "p")
    tasks: list[asyncio.Task[None]] = []
    most = held = 0

    async def visit() -> None:
        nonlocal most, held
        await turnstile.enter(LONG)
        held += 1
        most = max(most, turnstile.inside)

    for step, which in steps:
        match step:
            case "come":
                tasks.append(asyncio.ensure_future(visit()))
            case "leave" if held:
                held -= 1
                turnstile.leave()
            case "cancel" if tasks:
                tasks[-1 - which % len(tasks)].cancel()
            case "wait":
                await settled()
            case _:
                pass
    await settled()
    while held:
        held -= 1
        turnstile.leave()
        await settled()
    results = await asyncio.gather(*tasks, return_exceptions=True)
    assert {type(result) for result in results} <= {
        type(None),
        OverloadedError,
        asyncio.CancelledError,
    }
    assert most <= limit
    assert (turnstile.inside, turnstile.in_line) == (0, 0)
