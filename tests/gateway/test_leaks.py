"""Somebody else's provider leaves no tasks behind and does not flood; others pay nothing for that."""

from __future__ import annotations

import asyncio
import contextvars
import logging
import sys
from collections.abc import AsyncGenerator, Callable, Coroutine
from typing import Any

import aiohttp
import attrs
import pytest
import uvloop

from g4f_aio.core.errors import UpstreamError
from g4f_aio.core.events import (
    Citations,
    Event,
    Finish,
    Media,
    Passthrough,
    Preview,
    ReasoningDelta,
    RefusalDelta,
    Status,
    Suggestions,
    TextDelta,
    Title,
    ToolCallDelta,
)
from g4f_aio.core.provider import Provider
from g4f_aio.gateway.leaks import CURRENT_CALL, EVERY, Guarded, LeakGuard, size_of
from tests.gateway.conftest import Install
from tests.gateway.zoo import ask, populate

LOOPS: dict[str, Callable[[], asyncio.AbstractEventLoop]] = {
    "asyncio": asyncio.new_event_loop,
    "uvloop": uvloop.new_event_loop,
}
Run = Callable[[Coroutine[Any, Any, None]], None]


@pytest.fixture(params=LOOPS)
def run(request: pytest.FixtureRequest) -> Run:
    """Run a test on a loop of each kind; nothing is left when it is over."""

    async def whole(test: Coroutine[Any, Any, None]) -> None:
        loop = asyncio.get_running_loop()
        factory = loop.get_task_factory()
        async with asyncio.timeout(20):
            await test
        assert asyncio.all_tasks() == {asyncio.current_task()}
        assert CURRENT_CALL.get() is None
        loop.set_task_factory(factory)

    def run(test: Coroutine[Any, Any, None]) -> None:
        with asyncio.Runner(loop_factory=LOOPS[request.param]) as runner:
            runner.run(whole(test))

    return run


@pytest.fixture
def animals(install: Install) -> dict[str, Provider]:
    """Providers that harm others."""
    return populate(install)


@attrs.define
class Clock:
    """Shows the time it is set to."""

    now: float = 1000.0

    def __call__(self) -> float:
        return self.now


async def answered(guard: LeakGuard, animal: Provider, what: object) -> list[Event]:
    """All events of a guarded call."""
    events = guard.guard(ask(animal, str(what)), animal.name)
    try:
        return [event async for event in events]
    finally:
        await events.aclose()


async def pause() -> None:
    await asyncio.sleep(3600)


def calling(function: Callable[[], object]) -> AsyncGenerator[Event, None]:
    """A provider's events; *function* is called before the first."""

    async def events() -> AsyncGenerator[Event, None]:
        function()
        await asyncio.sleep(0)
        yield Finish()

    return events()


async def drained(events: Guarded) -> None:
    async for _ in events:
        pass
    await events.aclose()


def test_tasks_that_outlive_their_call_are_cancelled_and_told_of(
    run: Run, animals: dict[str, Provider], caplog: pytest.LogCaptureFixture
) -> None:
    async def test() -> None:
        guard = LeakGuard()
        assert await answered(guard, animals["leaks"], 2) == [Finish()]
        zoo: Any = sys.modules["zoo"]
        assert [task.cancelled() for task in zoo.kept] == [True, True]
        assert guard.leaked == {"leaks": 2}
        assert guard.running == 0

    run(test())
    (record,) = caplog.records
    assert record.levelname == "WARNING"
    assert record.getMessage() == (
        "provider leaks left tasks running when its answer was over (endless);"
        " they are cancelled. So far it left 2"
    )


def test_a_warning_a_minute_is_enough(
    run: Run, animals: dict[str, Provider], caplog: pytest.LogCaptureFixture
) -> None:
    async def test() -> None:
        clock = Clock()
        guard = LeakGuard(clock=clock)
        for _ in range(3):
            await answered(guard, animals["leaks"], 1)
        assert guard.leaked == {"leaks": 3}
        clock.now += EVERY
        await answered(guard, animals["leaks"], 1)

    run(test())
    assert len(caplog.records) == 2
    assert caplog.records[1].getMessage().endswith("So far it left 4")


def test_who_swallows_a_cancellation_gets_another(
    run: Run, animals: dict[str, Provider], caplog: pytest.LogCaptureFixture
) -> None:
    async def test() -> None:
        await answered(LeakGuard(), animals["deaf"], 2)
        zoo: Any = sys.modules["zoo"]
        assert zoo.kept[0].done()

    run(test())
    assert "would not end" not in caplog.text


def test_who_swallows_them_all_is_left_alone_and_told_of(
    run: Run, animals: dict[str, Provider], caplog: pytest.LogCaptureFixture
) -> None:
    async def test() -> None:
        await answered(LeakGuard(), animals["deaf"], 3)
        zoo: Any = sys.modules["zoo"]
        assert zoo.kept[0].cancelling() == 2
        zoo.kept[0].cancel()
        await asyncio.wait(zoo.kept)

    run(test())
    assert "(deaf); they are cancelled, but 1 would not end. So far it left 1" in caplog.text


def test_of_many_functions_some_are_named(run: Run, caplog: pytest.LogCaptureFixture) -> None:
    def create() -> None:
        loop = asyncio.get_running_loop()
        for at in range(7):

            async def task() -> None:
                await pause()

            task.__qualname__ = f"task_{at}"
            kept.append(loop.create_task(task()))

    async def test() -> None:
        await drained(LeakGuard().guard(calling(create), "acme"))

    kept: list[asyncio.Task[None]] = []
    run(test())
    assert caplog.text.count("task_") == 5
    assert ", …)" in caplog.text


def test_tasks_that_end_are_nobody_s_business(run: Run, caplog: pytest.LogCaptureFixture) -> None:
    """Also those that were told to end and have had no time for it yet."""

    async def events() -> AsyncGenerator[Event, None]:
        async with asyncio.TaskGroup() as group:
            for _ in range(3):
                group.create_task(asyncio.sleep(0.001))
        waits = asyncio.ensure_future(pause())
        await asyncio.sleep(0)
        try:
            yield Finish()
        finally:
            waits.cancel()

    async def test() -> None:
        guard = LeakGuard()
        await drained(guard.guard(events(), "acme"))
        assert not guard.leaked

    run(test())
    assert caplog.records == []


def test_what_a_leaked_task_starts_is_cancelled_with_it(run: Run) -> None:
    async def child() -> None:
        await pause()

    async def parent() -> None:
        tasks.append(asyncio.ensure_future(child()))
        try:
            await pause()
        finally:
            # it is too late for that: the call is over
            tasks.append(asyncio.ensure_future(child()))

    async def test() -> None:
        guard = LeakGuard()
        create = lambda: tasks.append(asyncio.ensure_future(parent()))  # noqa: E731
        await drained(guard.guard(calling(create), "acme"))
        await asyncio.sleep(0)
        assert [task.cancelled() for task in tasks] == [True] * 3

    tasks: list[asyncio.Task[None]] = []
    run(test())


def test_tasks_that_asyncio_creates_for_a_leaked_one_are_noted(run: Run) -> None:
    """Whoever runs the loop did not ask for them."""

    async def test() -> None:
        guard = LeakGuard()
        both = asyncio.wait_for(gathered(), 3600)
        create = lambda: kept.append(asyncio.ensure_future(both))  # noqa: E731
        await drained(guard.guard(calling(create), "acme"))
        assert guard.leaked["acme"] > 2

    async def gathered() -> None:
        await asyncio.gather(pause(), pause())

    kept: list[asyncio.Task[None]] = []
    run(test())


def test_tasks_of_others_are_left_alone(run: Run) -> None:
    """Those of our own code that the provider calls, of a library that keeps them, and of a gateway
    that has one call run inside of another."""

    def named(module: str) -> Any:
        space: dict[str, Any] = {"__name__": module, "asyncio": asyncio, "pause": pause}
        exec("def work(): return asyncio.ensure_future(pause())", space)  # noqa: S102  (this source)
        return space["work"]

    ours, library = named("g4f_aio.providers.upstream"), named(aiohttp.client.__name__)
    foreign, nameless = named("requests.sessions"), named("")

    async def test() -> None:
        guard = LeakGuard()
        before = asyncio.ensure_future(pause())
        events = guard.guard(calling(lambda: made.extend(f() for f in functions)), "acme")
        await anext(events)
        between = asyncio.ensure_future(pause())
        await events.aclose()
        assert [task.cancelled() for task in made] == [False, False, True, True]
        for task in (before, between, *made):
            task.cancel()
        await asyncio.wait((before, between, *made))

    functions = ours, library, foreign, nameless
    made: list[asyncio.Task[None]] = []
    run(test())


def test_a_provider_stays_within_its_call(run: Run) -> None:
    """The mark is there while the provider runs, in its own step, and gone in between."""
    seen: list[str | None] = []

    def note() -> None:
        ward = CURRENT_CALL.get()
        seen.append(ward.name if ward is not None else None)

    async def inner() -> AsyncGenerator[Event, None]:
        note()
        yield TextDelta("a")
        note()
        yield Finish()

    async def outer() -> AsyncGenerator[Event, None]:
        events = guard.guard(inner(), "inner")
        async for event in events:
            note()
            yield event
        await events.aclose()

    guard = LeakGuard()

    async def test() -> None:
        events = guard.guard(outer(), "outer")
        async for _ in events:
            note()
        await events.aclose()

    run(test())
    assert seen == ["inner", "outer", None, "inner", "outer", None]


def test_a_call_that_is_cancelled_is_cleaned_up(run: Run) -> None:
    """In the middle of an answer, and once more while it is cleaned up."""

    async def events() -> AsyncGenerator[Event, None]:
        leaked.append(asyncio.ensure_future(pause()))
        await pause()
        yield Finish()

    async def call() -> None:
        guarded = LeakGuard().guard(events(), "acme")
        try:
            await anext(guarded)
        finally:
            again.set()
            await guarded.aclose()

    leaked: list[asyncio.Task[None]] = []
    again = asyncio.Event()

    async def test() -> None:
        for twice in (False, True):
            again.clear()
            task = asyncio.ensure_future(call())
            await asyncio.sleep(0.01)
            task.cancel()
            if twice:
                await again.wait()
                task.cancel()
            await asyncio.wait([task])
            await asyncio.sleep(0)
            assert task.cancelled()
        assert [task.cancelled() for task in leaked] == [True, True]

    run(test())


def test_a_provider_that_fails_when_it_is_stopped_is_cleaned_up_too(run: Run) -> None:
    async def events() -> AsyncGenerator[Event, None]:
        leaked.append(asyncio.ensure_future(pause()))
        try:
            yield Finish()
        finally:
            raise ZeroDivisionError

    leaked: list[asyncio.Task[None]] = []

    async def test() -> None:
        guard = LeakGuard()
        guarded = guard.guard(events(), "acme")
        await anext(guarded)
        with pytest.raises(ZeroDivisionError):
            await guarded.aclose()
        assert leaked[0].cancelled()
        assert guard.running == 0

    run(test())


def test_a_task_may_close_the_call_that_it_belongs_to(run: Run) -> None:
    async def closing() -> None:
        await asyncio.sleep(0.01)
        await guarded[0].aclose()
        done.append(None)

    guarded: list[Guarded] = []
    done: list[None] = []

    async def test() -> None:
        guard = LeakGuard()
        create = lambda: tasks.append(asyncio.ensure_future(closing()))  # noqa: E731
        tasks: list[asyncio.Task[None]] = []
        guarded.append(guard.guard(calling(create), "acme"))
        await anext(guarded[0])
        await asyncio.wait(tasks)
        assert done == [None]
        await guarded[0].aclose()

    run(test())


def test_calls_are_counted_and_the_first_is_announced(run: Run) -> None:
    announced: list[int] = []

    async def test() -> None:
        guard = LeakGuard(lambda: announced.append(guard.running))
        first, second = (guard.guard(calling(int), "acme") for _ in range(2))
        assert guard.running == 0
        await anext(first)
        await anext(second)
        assert guard.running == 2
        await drained(first)
        await drained(second)
        assert guard.running == 0
        unused = guard.guard(calling(int), "acme")
        await unused.aclose()
        assert guard.running == 0
        await drained(guard.guard(calling(int), "acme"))

    run(test())
    assert announced == [1, 1]


def test_the_loop_is_as_it_was_until_the_first_call_and_after_the_last(run: Run) -> None:
    async def test() -> None:
        loop = asyncio.get_running_loop()
        guard = LeakGuard()
        guard.close()
        assert loop.get_task_factory() is None
        await drained(guard.guard(calling(int), "acme"))
        assert loop.get_task_factory() is not None
        guard.close()
        assert loop.get_task_factory() is None
        await drained(guard.guard(calling(int), "acme"))
        loop.set_task_factory(None)
        guard.close()
        assert loop.get_task_factory() is None

    run(test())


def test_a_factory_that_is_there_goes_on_making_the_tasks(run: Run) -> None:
    class Special(asyncio.Task[Any]):
        """A task of somebody's own kind."""

    def factory(
        loop: asyncio.AbstractEventLoop, coro: Coroutine[Any, Any, Any], **rest: Any
    ) -> Special:
        return Special(coro, loop=loop, **rest)

    async def test() -> None:
        loop = asyncio.get_running_loop()
        before: Any = factory
        loop.set_task_factory(before)
        guard = LeakGuard()
        context = contextvars.copy_context()
        create = lambda: tasks.append(  # noqa: E731
            loop.create_task(pause(), name="mine", context=context)
        )
        await drained(guard.guard(calling(create), "acme"))
        (task,) = tasks
        assert isinstance(task, Special)
        assert task.get_name() == "mine"
        assert task.cancelled()
        guard.close()
        assert loop.get_task_factory() is before

    tasks: list[asyncio.Task[None]] = []
    run(test())


@pytest.mark.skipif(sys.version_info < (3, 12), reason="tasks are never eager there")
def test_eager_tasks_are_noted_when_they_do_not_end_at_once() -> None:
    """Not every uvloop knows them."""

    async def short() -> None:
        pass

    async def test() -> None:
        loop = asyncio.get_running_loop()
        eager: Any = vars(asyncio)["eager_task_factory"]
        loop.set_task_factory(eager)
        guard = LeakGuard()
        create = lambda: tasks.extend(  # noqa: E731
            (asyncio.ensure_future(short()), asyncio.ensure_future(pause()))
        )
        await drained(guard.guard(calling(create), "acme"))
        assert [task.cancelled() for task in tasks] == [False, True]
        assert guard.leaked == {"acme": 1}

    tasks: list[asyncio.Task[None]] = []
    asyncio.run(test())


def test_a_flood_is_an_error(run: Run, animals: dict[str, Provider]) -> None:
    async def test() -> None:
        events = LeakGuard().guard(ask(animals["floods"], "x"), "floods", 10_000)
        for _ in range(10):
            await anext(events)
        with pytest.raises(UpstreamError, match="floods sent more than 10000 bytes") as caught:
            await anext(events)
        assert caught.value.provider == "floods"
        await events.aclose()

    run(test())


def test_events_without_end_are_a_flood_too(run: Run, animals: dict[str, Provider]) -> None:
    async def test() -> None:
        events = LeakGuard().guard(ask(animals["floods"], ""), "floods", 640)
        for _ in range(10):
            await anext(events)
        with pytest.raises(UpstreamError):
            await anext(events)
        await events.aclose()

    run(test())


def test_others_are_let_run_beside_a_provider_that_never_waits(
    run: Run, animals: dict[str, Provider]
) -> None:
    async def test() -> None:
        turned = asyncio.Event()
        asyncio.get_running_loop().call_soon(turned.set)
        events = LeakGuard().guard(ask(animals["floods"], ""), "floods")
        for _ in range(1000):
            await anext(events)
        assert turned.is_set()
        await events.aclose()

    run(test())


@pytest.mark.parametrize(
    ("event", "size"),
    [
        (TextDelta("abc"), 3),
        (TextDelta("äö\ud800"), 7),
        (RefusalDelta("no"), 2),
        (ReasoningDelta("hm"), 2),
        (ReasoningDelta("hm", redacted="xxx"), 5),
        (ToolCallDelta(0, arguments="{}"), 2),
        (Passthrough(b"data: 1\n\n"), 9),
        (Media("image", "data:xyz"), 8),
        (Preview("ab", ("c", "de")), 5),
        (Suggestions(("a", "bc")), 3),
        (Status("busy"), 4),
        (Title("a"), 1),
        (Citations(()), 0),
        (Finish(), 0),
    ],
)
def test_what_counts_as_answer(event: Event, size: int) -> None:
    assert size_of(event) == size


def test_a_failed_task_is_asyncio_s_to_tell_of(run: Run, caplog: pytest.LogCaptureFixture) -> None:
    """It has ended, so it is not left."""

    async def fails() -> None:
        raise ZeroDivisionError

    async def test() -> None:
        guard = LeakGuard()
        create = lambda: asyncio.ensure_future(fails())  # noqa: E731
        await drained(guard.guard(calling(create), "acme"))
        assert not guard.leaked

    with caplog.at_level(logging.ERROR):
        run(test())
