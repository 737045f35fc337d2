"""A time limit for waiting, cheap enough to set for every read of every stream."""

from __future__ import annotations

import asyncio
import math


class Deadline:
    """Cancels the current task when its time comes, while it is set.

    ``asyncio.timeout`` makes and drops a timer for each use. This one keeps its timer and lets it
    look again later when the time was moved meanwhile, so that to set and clear it costs next to
    nothing. Use: ``set``, await, ``clear``; after a CancelledError ask ``passed``.
    """

    __slots__ = ("_cancelling", "_loop", "_task", "_timer", "now", "rings", "spoilt", "when")

    def __init__(self) -> None:
        self._loop = asyncio.get_running_loop()
        self._task: asyncio.Task[object] | None = None
        self._timer: asyncio.TimerHandle | None = None
        self._cancelling = 0
        #: whether it has cancelled a task that did not ask yet whether it did
        self.spoilt = False
        #: the loop's time, in seconds
        self.now = self._loop.time
        #: when the task is cancelled, in the loop's time; None: not at all
        self.when: float | None = None
        #: when the timer looks next. To move on to a later time it is enough to put it in ``when``
        self.rings = math.inf

    def set(self, when: float) -> None:
        """Cancel the current task at *when*, in the loop's time."""
        self.when = when
        if when < self.rings:
            self._wind(when)

    def clear(self) -> None:
        """The wait is over; the timer stays for the next one."""
        self.when = None

    def rest(self) -> None:
        """As ``clear``; the next wait may be another task's."""
        self.when = None
        self._task = None
        self.rings = math.inf  # whoever sets it next is to say so

    def close(self) -> None:
        """Drop the timer."""
        self.when = None
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
            self.rings = math.inf

    def passed(self) -> bool:
        """Whether a CancelledError came from here and from nobody else besides."""
        if not self.spoilt or self._task is None:
            return False
        self.spoilt = False
        return self._task.uncancel() <= self._cancelling

    def _wind(self, when: float) -> None:
        """Have the current task watched, and the timer look at *when* or before."""
        if self._task is None:
            task = self._task = asyncio.current_task(self._loop)
            if task is not None:
                self._cancelling = task.cancelling()
        if self._timer is not None:
            rings = self._timer.when()
            if rings <= when:
                self.rings = rings
                return
            self._timer.cancel()
        self._timer = self._loop.call_at(when, self._check)
        self.rings = when

    def _check(self) -> None:
        self._timer = None
        self.rings = math.inf
        if self.when is None:
            return
        if self._loop.time() < self.when:
            self._wind(self.when)
        elif self._task is not None:
            self.when = None
            self.spoilt = True
            self._task.cancel()
