"""Who blocks the event loop is named, and nobody else is; on a loop in a thread of its own."""

from __future__ import annotations

import asyncio
import gc
import json
import logging
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Coroutine, Iterator, Mapping
from contextlib import aclosing, contextmanager
from pathlib import Path
from typing import Any, Protocol

import attrs
import pytest
import uvloop

from g4f_aio.core.provider import Provider
from g4f_aio.gateway import watchdog as module
from g4f_aio.gateway.quarantine import Quarantine
from g4f_aio.gateway.watchdog import Watchdog
from tests.gateway.conftest import Install
from tests.gateway.zoo import ask, populate
from tests.patience import unless_busy

LOOPS: dict[str, Callable[[], asyncio.AbstractEventLoop]] = {
    "asyncio": asyncio.SelectorEventLoop,
    "uvloop": uvloop.new_event_loop,
}
#: seconds until a test gives up
PATIENCE = 20.0

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="only Linux times other threads")


@pytest.fixture(scope="module", autouse=True)
def _no_blocking() -> None:
    """To block loops is what these tests are about."""


@pytest.fixture(autouse=True)
def _heard(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO, "g4f_aio")


@pytest.fixture
def animals(install: Install) -> dict[str, Provider]:
    """Providers that harm others."""
    return populate(install)


@attrs.define
class Watched:
    """A loop that runs in a thread, under watch. *strikes* are those the watchdog handed over."""

    loop: asyncio.AbstractEventLoop
    watchdog: Watchdog = attrs.field(init=False)
    strikes: list[tuple[str, float]] = attrs.field(factory=list)
    threads: set[int] = attrs.field(factory=set)
    busy: bool = True

    def strike(self, name: str, seconds: float) -> None:
        """A provider blocked the loop."""
        self.strikes.append((name, seconds))
        self.threads.add(threading.get_ident())

    def run(self, coro: Coroutine[Any, Any, Any]) -> Any:
        """Run it on the loop."""
        return asyncio.run_coroutine_threadsafe(coro, self.loop).result(PATIENCE)

    def ask(self, animal: Provider, what: object) -> None:
        """Have a provider answer, and the loop turn for a moment."""
        self.run(_answered(animal, str(what)))


async def _answered(animal: Provider, what: str) -> None:
    async with aclosing(ask(animal, what)) as events:
        async for _ in events:
            pass
    await asyncio.sleep(0.15)  # for what the watchdog has to say of it


class Watch(Protocol):
    """Watch a new loop and these providers."""

    def __call__(
        self,
        providers: Callable[[], Mapping[str, Provider]],
        *,
        busy: bool = ...,
        strike: Callable[[str, float], object] | None = ...,
    ) -> Watched:
        """It ends with the test."""


@contextmanager
def running(loop: asyncio.AbstractEventLoop) -> Iterator[asyncio.AbstractEventLoop]:
    """The loop in a thread."""
    thread = threading.Thread(target=loop.run_forever)
    thread.start()
    try:
        yield loop
    finally:
        loop.call_soon_threadsafe(loop.stop)
        thread.join(PATIENCE)
        loop.close()


#: for tests in which a loop's own ways may matter
each_loop = pytest.mark.parametrize("watch", LOOPS, indirect=True)


@pytest.fixture
def watch(request: pytest.FixtureRequest) -> Iterator[Watch]:
    """A loop under watch."""
    with running(LOOPS[getattr(request, "param", "asyncio")]()) as loop:
        made = []

        def begin(
            providers: Callable[[], Mapping[str, Provider]],
            *,
            busy: bool = True,
            strike: Callable[[str, float], object] | None = None,
        ) -> Watched:
            watched = Watched(loop, busy=busy)
            watched.watchdog = Watchdog(
                loop, providers, strike or watched.strike, lambda: watched.busy
            )
            made.append(watched)

            async def start() -> None:
                watched.watchdog.start()

            watched.run(start())
            return watched

        yield begin

        async def stop(watched: Watched) -> None:
            watched.watchdog.stop()

        for one in made:
            one.run(stop(one))
            one.watchdog._thread.join(PATIENCE)
            assert not one.watchdog._thread.is_alive()


def until(met: Callable[[], object]) -> None:
    """Return when it is so."""
    end = time.monotonic() + PATIENCE
    while not met():
        assert time.monotonic() < end, "it never came to be"
        time.sleep(0.005)


@each_loop
@unless_busy
def test_a_blocking_provider_is_named_with_the_place_and_nothing_else(
    watch: Watch, animals: dict[str, Provider], caplog: pytest.LogCaptureFixture
) -> None:
    watched = watch(lambda: animals)
    watched.ask(animals["sleeps"], 0.2)
    until(lambda: "blocked" in caplog.text)
    (record,) = caplog.records
    assert record.levelname == "WARNING"
    said = record.getMessage()
    assert said.startswith("provider sleeps blocked the event loop for 0.")
    assert "zoo/zoo.py:" in said
    assert " in chat > " in said
    assert said.endswith(" in slow")
    assert "sk-local-4711" not in caplog.text
    assert watched.strikes == []


@each_loop
@unless_busy
def test_a_long_block_is_a_strike_and_it_comes_on_the_loop(
    watch: Watch, animals: dict[str, Provider]
) -> None:
    watched = watch(lambda: animals)
    watched.ask(animals["sleeps"], 0.4)
    ((name, seconds),) = watched.strikes
    assert name == "sleeps"
    assert 0.25 <= seconds < 2

    async def ident() -> int:
        return threading.get_ident()

    assert watched.threads == {watched.run(ident())}


@unless_busy
def test_the_third_strike_is_the_last(watch: Watch, animals: dict[str, Provider]) -> None:
    quarantine = Quarantine()
    watched = watch(lambda: animals, strike=quarantine.strike)
    for _ in range(2):
        watched.ask(animals["sleeps"], 0.4)
    assert quarantine.reason("sleeps") is None
    watched.ask(animals["sleeps"], 0.4)
    assert quarantine.reason("sleeps") is not None


@unless_busy
def test_short_steps_are_nothing_to_tell(
    watch: Watch, animals: dict[str, Provider], caplog: pytest.LogCaptureFixture
) -> None:
    watched = watch(lambda: animals)
    for _ in range(5):
        watched.ask(animals["sleeps"], 0.01)
    assert watched.strikes == []
    assert "provider" not in caplog.text


@each_loop
@unless_busy
def test_a_long_block_out_of_the_blue_is_noticed_too(
    watch: Watch, animals: dict[str, Provider], caplog: pytest.LogCaptureFixture
) -> None:
    watched = watch(lambda: animals, busy=False)
    watched.ask(animals["sleeps"], 1.0)
    assert [name for name, _ in watched.strikes] == ["sleeps"]
    assert "provider sleeps blocked the event loop" in caplog.text


@each_loop
@unless_busy
def test_it_can_be_roused(watch: Watch, animals: dict[str, Provider]) -> None:
    """At the beginning of a call it is told to look often."""
    watched = watch(lambda: animals, busy=False)

    async def call() -> None:
        until(lambda: watched.watchdog._dozing)
        watched.busy = True
        watched.watchdog.attend()
        watched.watchdog.attend()
        await asyncio.sleep(0)
        await _answered(animals["sleeps"], "0.4")
        watched.watchdog.attend()

    watched.run(call())
    assert [name for name, _ in watched.strikes] == ["sleeps"]


def test_a_block_without_end_is_told_of_before_its_end(
    watch: Watch, animals: dict[str, Provider], caplog: pytest.LogCaptureFixture
) -> None:
    watched = watch(lambda: animals)
    zoo: Any = sys.modules["zoo"]
    asking = asyncio.run_coroutine_threadsafe(
        _answered(animals["waits"], str(PATIENCE)), watched.loop
    )
    began = time.monotonic()
    until(lambda: caplog.records)
    assert time.monotonic() - began < 5
    assert "provider waits blocked the event loop for 0." in caplog.text
    assert " so far: " in caplog.text
    assert watched.strikes == []
    zoo.go_on.set()
    asking.result(PATIENCE)
    assert [name for name, _ in watched.strikes] == ["waits"]
    until(lambda: len(caplog.records) == 2)
    assert caplog.records[1].levelname == "INFO"
    assert "the event loop turns again after" in caplog.text


@unless_busy
def test_of_many_blocks_one_is_told(
    watch: Watch,
    animals: dict[str, Provider],
    caplog: pytest.LogCaptureFixture,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(module, "EVERY", PATIENCE)
    watched = watch(lambda: animals)
    for seconds in (0.3, 0.3, 0.6):
        watched.ask(animals["sleeps"], seconds)
    assert len(caplog.records) == 1
    monkeypatch.setattr(module, "EVERY", 0.0)
    watched.ask(animals["sleeps"], 0.3)
    until(lambda: len(caplog.records) > 1)
    assert caplog.records[1].getMessage().endswith("(2 times more since the last report)")


@each_loop
@unless_busy
def test_other_code_has_no_name(
    watch: Watch, animals: dict[str, Provider], caplog: pytest.LogCaptureFixture
) -> None:
    watched = watch(lambda: animals)

    async def ours() -> None:
        time.sleep(0.4)  # noqa: ASYNC251  (that is the point)
        await asyncio.sleep(0.15)

    watched.run(ours())
    until(lambda: caplog.records)
    assert caplog.records[0].getMessage().startswith("the event loop stood still for 0.")
    assert caplog.records[0].getMessage().endswith(" in ours")
    assert watched.strikes == []


@each_loop
@unless_busy
def test_a_long_turn_of_many_short_steps_is_nobody_s(
    watch: Watch, animals: dict[str, Provider], caplog: pytest.LogCaptureFixture
) -> None:
    """Whoever happens to be at work when a busy loop is looked at is innocent."""
    watched = watch(lambda: animals)

    async def crowd() -> None:
        async with asyncio.TaskGroup() as group:
            for _ in range(40):
                group.create_task(_answered(animals["sleeps"], "0.02"))

    watched.run(crowd())
    until(lambda: caplog.records)
    assert caplog.records[0].getMessage().startswith("the event loop stood still for 0.")
    assert watched.strikes == []


@each_loop
@unless_busy
def test_an_import_is_told_of_and_excused(
    watch: Watch,
    animals: dict[str, Provider],
    caplog: pytest.LogCaptureFixture,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    (tmp_path / "heavy_to_import.py").write_text("import time\ntime.sleep(0.6)\n", "utf-8")
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.delitem(sys.modules, "heavy_to_import", raising=False)
    watched = watch(lambda: animals)
    watched.ask(animals["imports"], "heavy_to_import")
    until(lambda: "with an import" in caplog.text)
    assert caplog.records[0].getMessage().startswith("provider imports blocked the event loop")
    assert "heavy_to_import.py:2 in <module>" in caplog.text
    assert watched.strikes == []


@each_loop
@unless_busy
def test_who_lets_no_thread_run_is_caught_when_he_does(
    watch: Watch, animals: dict[str, Provider], caplog: pytest.LogCaptureFixture
) -> None:
    watched = watch(lambda: animals)
    watched.ask(animals["hogs"], 5)
    until(lambda: "provider hogs blocked the event loop" in caplog.text)
    assert [name for name, _ in watched.strikes] == ["hogs"]


def test_who_waits_for_another_thread_s_turn_to_end_is_innocent(
    watch: Watch, animals: dict[str, Provider]
) -> None:
    watched = watch(lambda: animals)

    async def steps() -> None:
        hog = asyncio.create_task(asyncio.to_thread(sum, range(5 * 10**7)))  # noqa: TID251
        while not hog.done():
            await _answered(animals["sleeps"], "0.001")

    watched.run(steps())
    assert watched.strikes == []


def test_a_loop_that_nobody_runs_is_no_stall(
    animals: dict[str, Provider], caplog: pytest.LogCaptureFixture
) -> None:
    with asyncio.Runner() as runner:
        watchdog = Watchdog(runner.get_loop(), lambda: animals, print, lambda: True)
        for _ in range(2):
            runner.run(_started(watchdog))
            time.sleep(0.6)
        watchdog.stop()
        watchdog._thread.join(PATIENCE)
        assert not watchdog._thread.is_alive()
    assert caplog.records == []


async def _started(watchdog: Watchdog) -> None:
    if not watchdog._thread.is_alive():
        watchdog.start()
    await asyncio.sleep(0.2)


@pytest.mark.parametrize("busy", [True, False])
def test_it_ends_with_the_loop(
    animals: dict[str, Provider],
    caplog: pytest.LogCaptureFixture,
    busy: bool,  # noqa: FBT001
) -> None:
    with asyncio.Runner() as runner:
        watchdog = Watchdog(runner.get_loop(), lambda: animals, print, lambda: busy)
        runner.run(_started(watchdog))
    with pytest.raises(module._OverError):
        watchdog._call(print)
    watchdog._thread.join(PATIENCE)
    assert not watchdog._thread.is_alive()
    assert caplog.records == []


def test_no_garbage_is_collected_while_another_thread_is_looked_at() -> None:
    """In CPython 3.11 that ends in a crash, if not often."""
    deep, done = threading.Event(), threading.Event()

    def dive(more: int) -> None:
        if more:
            dive(more - 1)
        else:
            deep.set()
            done.wait(PATIENCE)

    diver = threading.Thread(target=dive, args=(200,))
    diver.start()
    assert deep.wait(PATIENCE)
    assert diver.ident is not None
    collected = []
    before = gc.get_threshold()
    gc.callbacks.append(lambda phase, _: collected.append(phase))
    gc.set_threshold(1)
    try:
        found = module.frames_of(diver.ident)
    finally:
        gc.set_threshold(*before)
        gc.callbacks.pop()
        done.set()
        diver.join()
    assert len(found) > 200
    assert len(collected) < 50  # two for each
    assert gc.isenabled()


def test_it_ends_with_the_loop_s_thread(caplog: pytest.LogCaptureFixture) -> None:
    loop = asyncio.new_event_loop()
    watchdog = Watchdog(loop, dict, print, lambda: True)
    thread = threading.Thread(target=loop.run_until_complete, args=(_started(watchdog),))
    thread.start()
    thread.join(PATIENCE)
    watchdog._thread.join(PATIENCE)
    assert not watchdog._thread.is_alive()
    assert caplog.records == []
    loop.close()


def test_it_can_be_stopped_in_the_middle_of_a_stall(caplog: pytest.LogCaptureFixture) -> None:
    async def stopping() -> None:
        watchdog.start()
        await asyncio.sleep(0.2)
        time.sleep(0.2)  # noqa: ASYNC251  (that is the point)
        watchdog.stop()
        watchdog._thread.join(PATIENCE)
        assert not watchdog._thread.is_alive()

    with asyncio.Runner() as runner:
        watchdog = Watchdog(runner.get_loop(), dict, print, lambda: True)
        runner.run(stopping())
    assert caplog.records == []


def test_its_failure_is_logged_and_harms_nobody(
    watch: Watch, animals: dict[str, Provider], caplog: pytest.LogCaptureFixture
) -> None:
    def broken() -> Mapping[str, Provider]:
        raise ZeroDivisionError("in the list")

    watched = watch(broken)
    watched.ask(animals["sleeps"], 0.4)
    until(lambda: "the watch on the event loop failed" in caplog.text)
    watched.ask(animals["sleeps"], 0)


class Counting(asyncio.SelectorEventLoop):
    """Counts how often another thread wakes it; the arguments are as they come."""

    woken = 0

    def call_soon_threadsafe(  # type: ignore[override]
        self, *args: Any, **rest: Any
    ) -> asyncio.Handle:
        self.woken += 1
        return super().call_soon_threadsafe(*args, **rest)


@pytest.mark.parametrize("busy", [True, False])
def test_a_loop_at_rest_is_left_alone(
    busy: bool,  # noqa: FBT001
) -> None:
    async def rest(loop: Counting) -> None:
        watchdog = Watchdog(loop, dict, print, lambda: busy)
        watchdog.start()
        await asyncio.sleep(0.3)
        before = loop.woken
        await asyncio.sleep(2)
        assert loop.woken - before <= 2 * 2
        watchdog.stop()

    with asyncio.Runner(loop_factory=Counting) as runner:
        loop = runner.get_loop()
        assert isinstance(loop, Counting)
        runner.run(rest(loop))


#: a provider that is always at work, in short steps
PAUSED = """
import asyncio, json, logging, sys, time
import attrs
from g4f_aio import Provider
from g4f_aio.gateway.watchdog import Watchdog

logging.basicConfig(level=logging.INFO, stream=sys.stdout, format="%(message)s")

@attrs.frozen(kw_only=True)
class Diligent(Provider):
    name = "diligent"
    async def chat(self, request, ctx):
        while True:
            time.sleep(0.005)
            yield

async def main():
    provider, strikes = Diligent(), []
    loop = asyncio.get_running_loop()
    Watchdog(
        loop, lambda: {"diligent": provider}, lambda *strike: strikes.append(strike), lambda: True
    ).start()
    reading = asyncio.ensure_future(asyncio.to_thread(sys.stdin.readline))
    print("ready", flush=True)
    async for _ in provider.chat(None, None):
        await asyncio.sleep(0)
        if reading.done():
            break
    print(json.dumps(strikes), flush=True)

asyncio.run(main())
"""


def test_nobody_is_blamed_for_a_process_that_was_stopped() -> None:
    """As when a laptop sleeps."""
    with subprocess.Popen(
        [sys.executable, "-c", PAUSED], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as process:
        assert process.stdin is not None
        assert process.stdout is not None
        assert process.stdout.readline() == "ready\n"
        for _ in range(3):
            time.sleep(0.1)
            process.send_signal(signal.SIGSTOP)
            time.sleep(0.5)
            process.send_signal(signal.SIGCONT)
        time.sleep(0.3)
        process.stdin.write("\n")
        process.stdin.close()
        said = process.stdout.read()
    assert "provider" not in said
    assert json.loads(said.splitlines()[-1]) == []
