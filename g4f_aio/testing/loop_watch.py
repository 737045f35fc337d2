"""A watch on the event loop: who blocks it, at which line, for how long."""

from __future__ import annotations

import asyncio
import ctypes
import linecache
import sys
import threading
import time
from collections.abc import Callable
from pathlib import Path
from types import TracebackType
from typing import Self

import attrs

from ..gateway.watchdog import frames_of

#: seconds between two signs of life of the loop, and between two looks at them
BEAT = 0.01
LOOK = 0.02
#: who looks so much too late, while the process did nothing, was not let run: the machine is busy
_LATE = 0.03


class StuckError(BaseException):
    """Thrown into code that blocks the loop for too long; nothing else would end it."""


@attrs.frozen
class Block:
    """Code that held up the loop for *seconds*; *where* is its file, line and function."""

    where: str
    line: str
    seconds: float


class LoopWatch:
    """Watches the running loop from a thread of its own, as a context.

    A pause of more than *limit* seconds is a block when code of a file that *ours* accepts is being
    run, unless the machine is so busy that nothing was run at all. After *patience* seconds the code is interrupted, as far as that can be done.
    """

    def __init__(self, ours: Callable[[str], bool], limit: float, patience: float) -> None:
        self.blocks: list[Block] = []
        self._ours = ours
        self._limit = limit
        self._patience = patience
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._look, name="loop watch", daemon=True)

    def __enter__(self) -> Self:
        self._loop = asyncio.get_running_loop()
        self._watched = threading.get_ident()
        self._native = threading.get_native_id()
        self._beat()
        self._used = time.process_time()
        self._thread.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._timer.cancel()
        self._over.set()  # the thread ends by itself at its next look

    def _beat(self) -> None:
        self._last = time.monotonic()
        self._timer = self._loop.call_later(BEAT, self._beat)

    def _look(self) -> None:
        block: Block | None = None
        # what was before this thread began to run counts, too
        beat = asked = self._last
        used, excused, waited = self._used, 0.0, _kept_waiting(self._native)
        while True:
            now, cpu = time.monotonic(), time.process_time()
            if self._last != beat:
                block, beat, excused = None, self._last, 0.0
            lag = now - beat - BEAT
            # before anything else, for that would let the other thread go on
            place = self._place() if lag - excused > self._limit else None
            idle = now - asked - LOOK - (cpu - used)
            kept_waiting = _kept_waiting(self._native)
            excused += max(idle if idle > _LATE else 0.0, kept_waiting - waited)
            asked, used, waited = now, cpu, kept_waiting
            if place is not None and lag - excused > self._limit:
                block = self._note(block, place, lag - excused)
            if self._over.wait(LOOK):
                return

    def _note(self, block: Block | None, place: tuple[str, str], lag: float) -> Block | None:
        """Note a block, or that it goes on; it is interrupted when it does for too long."""
        if block is None:
            block = Block(*place, lag)
            self.blocks.append(block)
        else:
            block = self.blocks[-1] = attrs.evolve(block, seconds=lag)
        if lag > self._patience:
            _interrupt(self._watched)
        return block

    def _place(self) -> tuple[str, str] | None:
        """Where the loop's thread is, as far as that is in our files."""
        for frame in frames_of(self._watched):
            code = frame.f_code
            if self._ours(code.co_filename):
                where = f"{Path(code.co_filename).name}:{frame.f_lineno} in {code.co_name}"
                return where, linecache.getline(code.co_filename, frame.f_lineno).strip()
        return None


def _kept_waiting(native_id: int) -> float:
    """For how many seconds a thread could have run, but no processor was free; 0 if unknown."""
    try:
        said = Path(f"/proc/self/task/{native_id}/schedstat").read_bytes()
        return int(said.split()[1]) / 1e9
    except (OSError, ValueError, IndexError):
        return 0.0


def _interrupt(thread: int) -> None:
    """Raise StuckError in another thread, where this Python can."""
    if sys.implementation.name == "cpython":
        ctypes.pythonapi.PyThreadState_SetAsyncExc(
            ctypes.c_ulong(thread), ctypes.py_object(StuckError)
        )
