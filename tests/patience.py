"""What keeps tests from failing because the machine is slow, or busy with something else."""

from __future__ import annotations

import asyncio
import functools
import sys
import threading
import time
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import ParamSpec

import attrs
import pytest

P = ParamSpec("P")
#: seconds until a test gives up waiting for what has to come
PATIENCE = 60.0
#: how many times as long as planned a test may take
PACES = (1, 2, 4, 8, 16)
#: seconds that a thread gets up late on a machine that is busy with something else
LATE = 0.03


class Stopwatch:
    """The seconds since it was made, as its thread had them.

    While it could have run, but the processor was busy with other processes, it stands still; this
    needs Linux.
    """

    def __init__(self) -> None:
        self._began = _now()

    @property
    def seconds(self) -> float:
        """So far."""
        return _now() - self._began


def _now() -> float:
    if sys.platform != "linux":
        return time.monotonic()
    # ran, waited for a processor, how often; in nanoseconds but for the last
    said = Path(f"/proc/self/task/{threading.get_native_id()}/schedstat").read_bytes()
    return time.monotonic() - int(said.split()[1]) / 1e9


async def until(met: Callable[[], bool]) -> None:
    """Return as soon as *met* holds; TimeoutError when it does not for too long."""
    async with asyncio.timeout(PATIENCE):
        while not met():  # noqa: ASYNC110  (nobody tells of it)
            await asyncio.sleep(0.005)


async def at_some_pace(check: Callable[[float], Awaitable[None]]) -> None:
    """Check what is a question of time, with all times multiplied by the number that *check* gets.

    It has to hold at some pace: a machine that is busy keeps no time, but does what was planned for
    a second if it gets ten.
    """
    for pace in PACES[:-1]:
        try:
            return await check(pace)
        except AssertionError:
            pass
    return await check(PACES[-1])


@attrs.define
class Sleeper:
    """Somebody who gets up often and sees whether others let him."""

    late: bool = False
    _over: bool = attrs.field(default=False, init=False)

    def sleep(self) -> None:
        """Until it is over."""
        while not self._over:
            began = time.monotonic()
            time.sleep(0.005)
            self.late = self.late or time.monotonic() - began > LATE

    def stop(self) -> None:
        """Get up for the last time."""
        self._over = True


@contextmanager
def sleeper() -> Iterator[Sleeper]:
    """Whether the machine is busy meanwhile."""
    made = Sleeper()
    thread = threading.Thread(target=made.sleep)
    thread.start()
    try:
        yield made
    finally:
        made.stop()
        thread.join()


def unless_busy(test: Callable[P, None]) -> Callable[P, None]:
    """Try a test again, some times, that failed while the machine was busy with something else.

    It is for what is *meant* to be different there. What the test logged before is forgotten.
    """

    @functools.wraps(test)
    def tried(*arguments: P.args, **named: P.kwargs) -> None:
        for _ in range(6):
            with sleeper() as one:
                try:
                    return test(*arguments, **named)
                except AssertionError:
                    if not one.late:
                        raise
            if isinstance(caplog := named.get("caplog"), pytest.LogCaptureFixture):
                caplog.clear()
        return test(*arguments, **named)

    return tried
