"""Time that passes when a test says so."""

from __future__ import annotations

import attrs


@attrs.define
class Clock:
    """A monotonic clock, in seconds."""

    now: float = 1000.0

    def __call__(self) -> float:
        return self.now

    def advance(self, seconds: float) -> None:
        """Let time pass."""
        self.now += seconds
