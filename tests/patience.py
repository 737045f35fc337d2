"""What keeps tests from failing because the machine is slow, or busy with something else."""

from __future__ import annotations

import asyncio
import sys
import threading
import time
from collections.abc import Awaitable, Callable
from pathlib import Path

#: seconds until a test gives up waiting for what has to come
PATIENCE = 60.0
#: how many times as long as planned a test may take
PACES = (1, 2, 4, 8, 16)


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
