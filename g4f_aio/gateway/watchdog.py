"""A watch on the event loop, from a thread: which provider holds it up, where, and for how long."""

from __future__ import annotations

import asyncio
import gc
import logging
import sys
import threading
import time
from collections.abc import Callable, Mapping
from types import FrameType

from ..core.provider import Provider
from .stall import STALL, Stall, Wait

#: seconds of one step of a provider that are a strike
STRIKE = 0.25
#: seconds between two looks: as a rule, and while somebody is busy
IDLE = 0.5
BUSY = 0.05
#: seconds for which a stall makes it look often
ALERT = 60.0
#: seconds after which a stall is told of though it goes on
TELL = 0.4
#: seconds in which each provider is told of once
EVERY = 10.0
#: looks of which one at least makes sure that the loop turns, even if it seems to be at rest
_SURE = 10
_log = logging.getLogger(__name__)


class Watchdog:
    """Watches an event loop for code that holds it up.

    *providers* gives those that are loaded, by name; it is called in the watching thread.
    *on_strike* is called on the loop with the name of a provider that blocked it in one go, and for
    how many seconds. While *busy* says so it looks often enough to see every stall; at other times it
    looks twice a second and leaves a loop at rest alone. Its methods are for the loop's thread.
    """

    def __init__(
        self,
        loop: asyncio.AbstractEventLoop,
        providers: Callable[[], Mapping[str, Provider]],
        on_strike: Callable[[str, float], object],
        busy: Callable[[], bool] = lambda: False,
    ) -> None:
        self._loop = loop
        self._providers = providers
        self._on_strike = on_strike
        self._busy = busy
        self._thread = threading.Thread(target=self._run, name="watchdog", daemon=True)
        # Bare locks as signals: the loop's thread lets them go and never waits for them.
        self._turned = threading.Lock()
        self._nudge = threading.Lock()
        self._stopped = False
        self._dozing = False
        #: how many frames are beneath what the loop runs
        self._depth = 0
        self._looks = -1
        #: as ``_now`` was when the last wait ended
        self._mark = (0.0, 0.0, 0)
        self._alert_until = 0.0
        #: when each was last told of, and how many times he was not since
        self._told: dict[str | None, tuple[float, int]] = {}

    def start(self) -> None:
        """Begin to watch the loop that runs in this thread."""
        self._turned.acquire()
        self._nudge.acquire()
        self._watched = threading.get_ident()
        self._clock = _clock_of(self._watched)
        self._mark = self._now()
        self._thread.start()

    def stop(self) -> None:
        """End it; the thread goes by itself."""
        self._stopped = True
        self._wake()

    def attend(self) -> None:
        """Somebody is *busy* from now on."""
        if self._dozing:
            self._wake()

    def _wake(self) -> None:
        if self._nudge.locked():
            self._nudge.release()

    def _turn(self) -> None:
        depth = 0
        frame = sys._getframe().f_back  # noqa: SLF001  (its documented name)
        while frame is not None:
            depth += 1
            frame = frame.f_back
        self._depth = depth
        self._turned.release()

    # What follows runs in the watching thread.

    def _run(self) -> None:
        pause = Wait(came=True, took=0.0, late=0.0, ran=0.0, collected=False)
        try:
            while True:
                self._look(pause)
                pause = self._pause()
        except _OverError:
            pass
        except Exception:  # noqa: BLE001  (logged; the server goes on without)
            _log.exception("the watch on the event loop failed")

    def _pause(self) -> Wait:
        """Sleep until it is time for a look."""
        if self._busy() or time.monotonic() < self._alert_until:
            return self._wait(self._nudge, BUSY)
        self._dozing = True
        wait = self._wait(self._nudge, IDLE)
        self._dozing = False
        return wait

    def _look(self, pause: Wait) -> None:
        """See whether the loop turns, and if not, stay until it does."""
        self._go_on()
        stack = self._stack()
        self._looks += 1
        if not stack and not pause.hogged and self._looks % _SURE:
            return
        stall = Stall(self._providers, stack)
        if pause.hogged:
            stall.add(pause, stack)
        self._call(self._turn)
        wait = self._wait(self._turned, STALL)
        if wait.came and wait.seconds + stall.seconds < STALL:
            return
        told = None
        while not wait.came:
            self._go_on()
            if not self._loop.is_running():
                self._sleep_over()
                return
            stall.add(wait, self._stack())
            if stall.seconds > TELL and told is None:
                told = self._tell(stall, over=False)
            wait = self._wait(self._turned, BUSY)
        stall.add(wait, self._stack() if wait.hogged else None)
        if stall.seconds < STALL:
            return
        self._alert_until = time.monotonic() + ALERT
        for name, seconds in stall.blamed(STRIKE).items():
            self._call(self._on_strike, name, seconds)
        if told is None:
            self._tell(stall, over=True)
        elif told:
            _log.info("the event loop turns again after %.2f s", stall.seconds)

    def _sleep_over(self) -> None:
        """Nobody runs the loop: that is no stall."""
        while not self._wait(self._turned, IDLE).came:
            self._go_on()

    def _go_on(self) -> None:
        if self._stopped or self._loop.is_closed():
            raise _OverError

    def _stack(self) -> list[FrameType]:
        """The frames of what the loop runs, the deepest first; empty while it is at rest."""
        found = frames_of(self._watched)
        return found[: max(0, len(found) - self._depth)]

    def _wait(self, lock: threading.Lock, seconds: float) -> Wait:
        """Wait for a signal; all that happened since the last wait is a part of it."""
        began, used, collections = self._mark
        came = lock.acquire(timeout=seconds)
        self._mark = now, uses, all_collections = self._now()
        took = now - began
        return Wait(came, took, took - seconds, uses - used, all_collections > collections)

    def _now(self) -> tuple[float, float, int]:
        """The time, the processor time of the watched thread, and how often all garbage was sought."""
        used = 0.0
        if self._clock is not None:
            try:
                used = time.clock_gettime(self._clock)
            except OSError:  # the thread is no more
                raise _OverError from None
        return time.monotonic(), used, gc.get_stats()[-1]["collections"]

    def _call(self, function: Callable[..., object], *arguments: object) -> None:
        try:
            self._loop.call_soon_threadsafe(function, *arguments)
        except RuntimeError:  # the loop is closed
            raise _OverError from None

    def _tell(self, stall: Stall, *, over: bool) -> bool:
        """One warning for each stall, unless there was one of the same provider just before."""
        step, seconds = stall.worst
        name = step.provider
        now = time.monotonic()
        when, untold = self._told.get(name, (-EVERY, 0))
        if now - when < EVERY:
            self._told[name] = when, untold + 1
            return False
        self._told[name] = now, 0
        who = (
            "the event loop stood still"
            if name is None
            else f"provider {name} blocked the event loop"
        )
        _log.log(
            logging.WARNING if step.trace else logging.INFO,
            "%s for %.2f s%s%s: %s%s",
            who,
            seconds,
            "" if over else " so far",
            " with an import" if step.importing else "",
            step.trace or "nothing held it up, so the machine is busy",
            f" ({untold} times more since the last report)" if untold else "",
        )
        return True


def frames_of(thread: int) -> list[FrameType]:
    """The frames of what another thread runs, the deepest first.

    No garbage is collected meanwhile: that could let the other thread run on in the middle of a step
    from frame to frame, and CPython 3.11 would step to one that is gone, and crash.
    """
    collects = gc.isenabled()
    gc.disable()
    try:
        found = []
        frame = sys._current_frames().get(thread)  # noqa: SLF001  (its documented name)
        while frame is not None:
            found.append(frame)
            frame = frame.f_back
        return found
    finally:
        if collects:
            gc.enable()


class _OverError(Exception):
    """There is nothing left to watch."""


def _clock_of(thread: int) -> int | None:
    """The clock of the processor time that a thread uses, where the system has one."""
    return time.pthread_getcpuclockid(thread) if sys.platform == "linux" else None
