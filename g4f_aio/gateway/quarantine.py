"""Providers that are left alone because they blocked the event loop again and again."""

from __future__ import annotations

import logging
import math
import time
from collections.abc import Callable

#: so many strikes within so many seconds …
STRIKES = 3
WITHIN = 600.0
#: … and a provider is left alone for so long, in seconds
LENGTH = 600.0
_log = logging.getLogger(__name__)


class Quarantine:
    """Counts each provider's strikes. *clock* is monotonic, in seconds."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._strikes: dict[str, list[float]] = {}
        self._until: dict[str, float] = {}
        #: whether anybody was put there since everything was forgotten
        self.used = False

    def strike(self, name: str, seconds: float = 0.0) -> None:
        """A provider blocked the event loop for *seconds*; the third time is one too many."""
        now = self._clock()
        recent = [when for when in self._strikes.get(name, ()) if now - when < WITHIN]
        recent.append(now)
        self._strikes[name] = recent
        # what is still under way from before its quarantine makes it longer
        if len(recent) >= STRIKES or self.until(name) is not None:
            self._until[name] = now + LENGTH
            self.used = True
            del self._strikes[name]
            _log.error(
                "provider %s is not used for %d minutes or until a reload:"
                " it blocked the event loop again and again, the last time for %.2f s",
                name,
                LENGTH / 60,
                seconds,
            )

    def until(self, name: str) -> float | None:
        """When a provider may be used again, on the clock; None when it may be now."""
        end = self._until.get(name)
        if end is not None and end <= self._clock():
            del self._until[name]
            return None
        return end

    def wait(self, name: str) -> float:
        """Seconds until a provider may be used again; 0 when it may be now."""
        end = self.until(name)
        return 0.0 if end is None else end - self._clock()

    def reason(self, name: str) -> str | None:
        """Why a provider may not be used, in one sentence; None when it may."""
        wait = self.wait(name)
        if not wait:
            return None
        minutes = math.ceil(wait / 60)
        return (
            f"{name} blocked the event loop {STRIKES} times within {WITHIN / 60:g} minutes;"
            f" it is used again in {minutes} min or after a reload"
        )

    def clear(self) -> None:
        """Forget everything: the settings, and perhaps the providers, are new."""
        self._strikes.clear()
        self._until.clear()
        self.used = False
