"""A time limit for waiting, cheap enough to set for every read of every stream."""

from __future__ import annotations

import asyncio


class Deadline:
    """Cancels the current task when its time comes, while it is set.

    ``asyncio.timeout`` makes and drops a timer for each use. This one keeps its timer and lets it
    look again later when the time was moved meanwhile, so that to set and clear it costs next to
    nothing. Use: ``set``, await, ``clear``; after a CancelledError ask ``passed``.
    """

    __slots__ = ("_cancelling", "_expired", "_loop", "_task", "_timer", "_when", "now")

    def __init__(self) -> None:
        self._loop = asyncio.get_running_loop()
        self._task: asyncio.Task[object] | None = None
        self._timer: asyncio.TimerHandle | None = None
        self._when: float | None = None
        self._expired = False
        self._cancelling = 0
        #: the loop's time, in seconds
        self.now = self._loop.time

    def set(self, when: float) -> None:
        """Cancel the current task at *when*, in the loop's time."""
        if self._task is None:
            self._task = asyncio.current_task(self._loop)
            if self._task is not None:
                self._cancelling = self._task.cancelling()
        self._when = when
        if self._timer is not None and self._timer.when() > when:
            self._timer.cancel()
            self._timer = None
        if self._timer is None:
            self._timer = self._loop.call_at(when, self._check)

    def clear(self) -> None:
        """The wait is over; the timer stays for the next one."""
        self._when = None

    def rest(self) -> None:
        """As ``clear``; the next wait may be another task's."""
        self._when = None
        self._task = None

    def close(self) -> None:
        """Drop the timer."""
        self._when = None
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None

    @property
    def spoilt(self) -> bool:
        """Whether it has cancelled a task that never asked whether it did."""
        return self._expired

    def passed(self) -> bool:
        """Whether a CancelledError came from here and from nobody else besides."""
        if not self._expired or self._task is None:
            return False
        self._expired = False
        return self._task.uncancel() <= self._cancelling

    def _check(self) -> None:
        self._timer = None
        if self._when is None:
            return
        if self._loop.time() < self._when:
            self._timer = self._loop.call_at(self._when, self._check)
        elif self._task is not None:
            self._when = None
            self._expired = True
            self._task.cancel()
