"""A time in which the event loop does not turn, and what was at work meanwhile."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from functools import cached_property
from types import FrameType

import attrs

from ..core.provider import Provider
from .culprit import Step, Suspects

#: seconds without a turn of the loop that count
STALL = 0.1
#: a wait that takes so much longer than it should was held up itself
LATE = 0.05


@attrs.frozen
class Wait:
    """A wait of the watching thread: whether *came* what it waited for, and how long that *took*.

    It was to take less by *late*. The watched thread used the processor for *ran* of these seconds.
    *collected*: all garbage was sought meanwhile, which lets nobody run.
    """

    came: bool
    took: float
    late: float
    ran: float
    collected: bool

    @property
    def overrun(self) -> float:
        """Seconds that the watched thread was at work for certain while the wait was held up."""
        return self.ran - (self.took - self.late)

    @property
    def hogged(self) -> bool:
        """Whether the watched thread was at work and let no other one run."""
        return self.late > LATE and self.overrun > max(LATE, self.late / 10)

    @property
    def paused(self) -> bool:
        """Whether the machine, or another thread, let neither of the two run."""
        return self.late > LATE and not self.hogged

    @property
    def seconds(self) -> float:
        """How much of it anybody may be blamed for."""
        if self.paused:
            return 0.0
        return self.overrun if self.hogged else self.took


class Stall:
    """Begins where the loop has the given *stack*, the deepest frame first.

    A step is blamed for the time between two looks that both found it at work. Who let no other
    thread run is blamed for all of that time: he is caught at it when he lets go.
    """

    def __init__(
        self, providers: Callable[[], Mapping[str, Provider]], stack: Sequence[FrameType]
    ) -> None:
        self.seconds = 0.0
        self._providers = providers
        self._stack = stack
        self._spent: dict[tuple[FrameType, bool], tuple[Step, float]] = {}

    def add(self, wait: Wait, stack: Sequence[FrameType] | None) -> None:
        """A *wait* is over, and the loop has this *stack*; None when it has turned."""
        before = self._last
        after = before if stack is None else self._suspects.step(stack)
        self._last = after
        self.seconds += wait.seconds
        frame = after.frame
        caught = not wait.collected if wait.hogged else before.frame is frame and not wait.paused
        if frame is None or not caught:
            return
        key = frame, before.importing or after.importing
        spent = self._spent.get(key, (after, 0.0))[1] + wait.seconds
        self._spent[key] = after, spent

    @property
    def worst(self) -> tuple[Step, float]:
        """The step that took longest, and how long; nobody's, when it is not certain whose."""
        if self._spent:
            return max(self._spent.values(), key=lambda one: one[1])
        return attrs.evolve(self._last, provider=None), self.seconds

    def blamed(self, limit: float) -> dict[str, float]:
        """The providers of which one step took more than *limit* seconds; imports are excused."""
        found: dict[str, float] = {}
        for (_, importing), (step, seconds) in self._spent.items():
            if step.provider is not None and seconds >= limit and not importing:
                found[step.provider] = max(seconds, found.get(step.provider, 0.0))
        return found

    @cached_property
    def _suspects(self) -> Suspects:
        return Suspects(self._providers())

    @cached_property
    def _last(self) -> Step:
        return self._suspects.step(self._stack)
