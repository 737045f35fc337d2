"""Many requests that one provider fails in the same moment, and how the next one fares."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import aclosing, asynccontextmanager

import attrs
import pytest

from g4f_aio import ChatRequest, Finish, GatewayError, Routing, TextDelta, UpstreamError
from g4f_aio.core.events import Started, Status
from g4f_aio.core.record import RequestRecord
from g4f_aio.gateway import fallback as module
from g4f_aio.gateway import trials as trials_module
from g4f_aio.gateway.answering import Answering
from g4f_aio.gateway.breaker import COOLDOWN, IN_A_ROW
from g4f_aio.gateway.budget import RetryBudget
from g4f_aio.gateway.health import FRESH
from g4f_aio.settings import RoutingSettings
from tests.gateway.actors import LONG, Stage, Step, Theatre, says, stage
from tests.patience import until

BROKEN = UpstreamError("a broke", provider="a")
MANY = 200


@pytest.fixture(autouse=True)
def _no_pauses(monkeypatch: pytest.MonkeyPatch) -> None:
    """Further tries are made at once."""

    class Dice:
        @staticmethod
        def uniform(least: float, _most: float) -> float:
            return least

    monkeypatch.setattr(module, "_random", Dice())


@attrs.define
class Crowd:
    """Requests that the provider ``a`` has all failed in the same moment."""

    play: Theatre
    tasks: list[asyncio.Task[str]]

    @property
    def in_line(self) -> int:
        """How many wait for what becomes of those that ``b`` got."""
        found = self.play.standing("b").trials
        return 0 if found is None else found.in_line

    async def settle(self, calls: int, in_line: int) -> None:
        """``b`` has got so many calls, and so many requests wait for them."""
        await until(lambda: (self.play.calls[1], self.in_line) == (calls, in_line))

    async def results(self) -> Counter[str]:
        """The texts, the messages of the errors, or ``left``, and how often each came."""
        await asyncio.wait(self.tasks)
        return Counter(map(_result, self.tasks))


def _result(task: asyncio.Task[str]) -> str:
    if task.cancelled():
        return "left"
    match task.exception():
        case None:
            return task.result()
        case GatewayError() as error:
            return error.message
        case other:
            raise other


@asynccontextmanager
async def crowd(
    play: Theatre, fail: asyncio.Event, *, count: int = MANY, stream: bool = True
) -> AsyncIterator[Crowd]:
    """So many requests, of which ``a`` fails all as soon as it has got them."""
    tasks = [asyncio.ensure_future(play.text(stream=stream)) for _ in range(count)]
    try:
        await until(lambda: play.calls[0] == count)
        fail.set()
        yield Crowd(play, tasks)
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.wait(tasks)
    play.demand_quiet()


def theatre(*others: tuple[Step, ...] | Stage, **more: object) -> tuple[Theatre, asyncio.Event]:
    """``a``, which fails when the event is set, and *others*."""
    fail = asyncio.Event()
    stages = [one if isinstance(one, Stage) else stage(one) for one in others]
    return Theatre(stage((fail, BROKEN)), *stages, **more), fail  # type: ignore[arg-type]


# all are ill


@pytest.mark.parametrize(("count", "stream"), [(MANY, True), (MANY, False), (1000, True)])
async def test_when_all_are_ill_each_gets_but_a_few_calls(count: int, *, stream: bool) -> None:
    fail_b, fail_c = asyncio.Event(), asyncio.Event()
    play, fail = theatre(
        (fail_b, UpstreamError("b broke")), (fail_c, UpstreamError("c broke")), (BROKEN,)
    )
    async with crowd(play, fail, count=count, stream=stream) as requests:
        await requests.settle(IN_A_ROW, count - IN_A_ROW)
        fail_b.set()
        await until(lambda: play.calls[2] == IN_A_ROW)
        fail_c.set()
        results = await requests.results()
    assert play.calls == [count] + [IN_A_ROW] * 3
    assert sum(play.calls) <= 1.2 * count
    assert results == {"a broke": count}


async def test_an_error_is_that_of_the_last_one_that_was_asked() -> None:
    fail_b = asyncio.Event()
    play, fail = theatre((fail_b, UpstreamError("b broke")))
    async with crowd(play, fail) as requests:
        await requests.settle(IN_A_ROW, MANY - IN_A_ROW)
        fail_b.set()
        assert await requests.results() == {"a broke": MANY - IN_A_ROW, "b broke": IN_A_ROW}


async def test_one_that_is_tried_again_after_it_was_left_alone_gets_one_call() -> None:
    go = asyncio.Event()
    play, fail = theatre((go, *says("Hello")))
    standing = play.standing("b")
    for _ in range(IN_A_ROW):
        standing.failed(BROKEN, standing.begin())
    play.clock.advance(COOLDOWN)
    async with crowd(play, fail, count=20) as requests:
        await requests.settle(1, 0)
        await until(lambda: sum(task.done() for task in requests.tasks) == 19)
        go.set()
        assert await requests.results() == {"a broke": 19, "Hello": 1}


# the next one is well


@pytest.mark.parametrize("stream", [True, False])
async def test_as_soon_as_one_call_gets_content_all_others_go(*, stream: bool) -> None:
    """A notice of what the provider does is none; and nobody waits for the end."""
    go, rest = asyncio.Event(), asyncio.Event()
    slow = (Status("thinking"), rest, *says("Hello"))
    first = (Status("thinking"), go, TextDelta("Hel"), rest, TextDelta("lo"), Finish())
    play, fail = theatre(stage(first, *[slow] * (IN_A_ROW - 1), says("Hello")))
    async with crowd(play, fail, stream=stream) as requests:
        await requests.settle(IN_A_ROW, MANY - IN_A_ROW)
        go.set()
        await until(lambda: sum(task.done() for task in requests.tasks) == MANY - IN_A_ROW)
        assert play.standing("b").model.running == IN_A_ROW
        rest.set()
        assert await requests.results() == {"Hello": MANY}
    assert play.calls == [MANY, MANY]


async def test_who_is_known_to_be_well_is_not_waited_for() -> None:
    go = asyncio.Event()
    play, fail = theatre((go, *says("Hello")))
    standing = play.standing("b")
    standing.begin()
    standing.succeeded(0.1, None)
    play.clock.advance(FRESH - 1)
    async with crowd(play, fail) as requests:
        await requests.settle(MANY, 0)
        go.set()
        assert await requests.results() == {"Hello": MANY}


@pytest.mark.parametrize("known", ["too long ago", "it failed since"])
async def test_but_who_was_well_once_is(known: str) -> None:
    go = asyncio.Event()
    play, fail = theatre((go, *says("Hello")))
    standing = play.standing("b")
    standing.begin()
    standing.succeeded(0.1, None)
    room = IN_A_ROW
    if known == "too long ago":
        play.clock.advance(FRESH)
    else:
        standing.failed(BROKEN, standing.begin())
        room -= 1
    async with crowd(play, fail) as requests:
        await requests.settle(room, MANY - room)
        go.set()
        assert await requests.results() == {"Hello": MANY}


async def test_a_first_choice_is_not_held_up() -> None:
    go = asyncio.Event()
    play = Theatre(stage((go, *says("Hello"))))
    tasks = [asyncio.ensure_future(play.text()) for _ in range(MANY)]
    await until(lambda: play.calls == [MANY])
    go.set()
    assert await asyncio.gather(*tasks) == ["Hello"] * MANY


async def test_a_word_to_such_a_one_is_one_to_all() -> None:
    """Whoever gets an answer first tells."""
    go, never = asyncio.Event(), asyncio.Event()
    play, fail = theatre(stage(*[(never,)] * IN_A_ROW, (go, *says("Hello")), says("Hello")))
    async with crowd(play, fail, count=20) as requests:
        await requests.settle(IN_A_ROW, 15)
        chosen = ChatRequest("m", (), routing=Routing(provider="b"))
        record = RequestRecord("", "", "", "")
        async with aclosing(Answering(play.desk, play.gateway.now, chosen, record)) as events:
            first = asyncio.ensure_future(anext(events))
            await until(lambda: play.calls[1] == IN_A_ROW + 1)
            go.set()
            assert await first == Started("b", "m", 1)
        await until(lambda: sum(task.done() for task in requests.tasks) == 15)


async def test_who_is_tried_out_is_not_hedged() -> None:
    play, fail = theatre(
        says("Hello"), says("Hi"), routing=RoutingSettings(hedge=True, hedge_share=1.0)
    )
    fail.set()
    standing = play.standing("b")
    for _ in range(50):
        standing.begin()
        standing.succeeded(LONG, None)
    for advance, hedged in ((0.0, True), (FRESH, False)):
        play.clock.advance(advance)
        play.standing("a").model.failed_at = None  # else it is not asked first
        events = play.answering()
        assert await anext(events) == Started("b", "m", 2)
        assert (events._hedge is not None) is hedged
        await events.aclose()
    play.demand_quiet()


# nothing is heard


async def test_who_waits_gives_up_with_the_calls_that_hang() -> None:
    play, fail = theatre((LONG,), providers={"b": {"first_token_timeout": 0.05}})
    async with crowd(play, fail) as requests:
        results = await requests.results()
    assert play.calls == [MANY, IN_A_ROW]
    late = "b began no answer for 0.05 s"
    assert results == {late: IN_A_ROW, "a broke": MANY - IN_A_ROW}


async def test_or_when_his_own_time_is_up() -> None:
    play, fail = theatre((LONG,), says("no"))
    fail.set()
    full = play.standing("b").try_out()
    for _ in range(IN_A_ROW):
        await full.enter(LONG, lambda: False)
    with pytest.raises(UpstreamError, match="a broke"):
        await play.ask(routing=Routing(timeout=0.05))
    assert play.calls == [1, 0, 0]
    assert full.in_line == 0


@pytest.mark.parametrize(("share", "further"), [(0.2, IN_A_ROW), (0.01, 2), (0.0, 0)])
async def test_after_a_while_a_few_more_are_tried(
    monkeypatch: pytest.MonkeyPatch, share: float, further: int
) -> None:
    """As many as all further tries together may cost: one of them may be quicker."""
    monkeypatch.setattr(trials_module, "PATIENCE", 0.0)
    play, fail = theatre((LONG,))
    play.desk.retries = RetryBudget(share, 0, play.clock)
    async with crowd(play, fail) as requests:
        await requests.settle(IN_A_ROW + further, MANY - IN_A_ROW - further)
        play.standing("b").answered(None)
        await requests.settle(MANY, 0)


# clients that leave


async def test_who_leaves_makes_room_for_another() -> None:
    go = asyncio.Event()
    play, fail = theatre((go, *says("Hello")))
    async with crowd(play, fail) as requests:
        await requests.settle(IN_A_ROW, MANY - IN_A_ROW)
        for task in requests.tasks[:2]:
            task.cancel()
        await requests.settle(IN_A_ROW + 2, MANY - IN_A_ROW - 2)
        for task in requests.tasks[50:60]:
            task.cancel()
        await requests.settle(IN_A_ROW + 2, MANY - IN_A_ROW - 12)
        go.set()
        assert await requests.results() == {"Hello": MANY - 12, "left": 12}
    assert play.calls == [MANY, MANY - 10]


async def test_so_does_who_reads_no_further() -> None:
    go = asyncio.Event()
    play, fail = theatre(stage((Status("thinking"), LONG), (go, *says("Hello"))))
    fail.set()
    reader = play.answering()
    assert await anext(reader) == Started("b", "m", 2)
    trials = play.standing("b").trials
    assert trials is not None
    assert trials.under_way == 1
    await reader.aclose()
    assert trials.under_way == 0
    play.demand_quiet()


async def test_it_breaks_in_the_moment_of_his_turn() -> None:
    play, fail = theatre(says("no"), routing=RoutingSettings(retries=0))
    fail.set()
    standing = play.standing("b")
    full = standing.try_out()
    for _ in range(IN_A_ROW):
        await full.enter(LONG, lambda: False)
    task = asyncio.ensure_future(play.text())
    await until(lambda: full.in_line == 1)
    full.leave()
    for _ in range(IN_A_ROW):
        standing.failed(BROKEN, standing.begin())
    with pytest.raises(UpstreamError, match="a broke"):
        await task
    assert play.calls == [1, 0]
    assert full.under_way == IN_A_ROW - 1


async def test_one_that_fails_after_a_notice_leaves_its_place_as_one_that_failed() -> None:
    """Else another one would go in its place before it counts."""
    fail_b = asyncio.Event()
    play, fail = theatre((Status("thinking"), fail_b, UpstreamError("b broke")))
    async with crowd(play, fail) as requests:
        await requests.settle(IN_A_ROW, MANY - IN_A_ROW)
        fail_b.set()
        assert await requests.results() == {"a broke": MANY - IN_A_ROW, "b broke": IN_A_ROW}
    assert play.calls == [MANY, IN_A_ROW]
