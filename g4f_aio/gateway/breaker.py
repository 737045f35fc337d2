"""When to leave something alone that keeps failing, and when to try it again."""

from __future__ import annotations

from collections import deque

#: it opens after so many failures in a row …
IN_A_ROW = 5
#: … or when this share of at least so many calls within so many seconds failed
SHARE = 0.5
AT_LEAST = 10
WINDOW = 30.0
#: seconds it stays open: at first, and at most, doubling in between
COOLDOWN = 5.0
LONGEST = 300.0
#: seconds after which a probe that said nothing makes room for another
PROBE = 60.0
_REMEMBERED = 50


class Breaker:
    """Closed while calls succeed; open after too many failures; then one probe decides.

    All times are seconds on a clock of the caller's. *longest* bounds how long it stays open.
    """

    __slots__ = (
        "_calls",
        "_failures",
        "_longest",
        "_opened_for",
        "_probe",
        "_until",
        "is_open",
    )

    def __init__(self, longest: float = LONGEST) -> None:
        self._longest = longest
        self._failures = 0
        #: when each of the last calls ended, and whether it succeeded
        self._calls: deque[tuple[float, bool]] = deque(maxlen=_REMEMBERED)
        #: whether it has opened and no call has succeeded since
        self.is_open = False
        self._opened_for = 0.0
        self._until = 0.0
        #: when the probe began that is under way
        self._probe: float | None = None

    @property
    def left(self) -> int:
        """How many failures more in a row open it."""
        return IN_A_ROW - self._failures

    def wait(self, now: float) -> float:
        """Seconds until a call may be tried; 0 when one may be tried now."""
        if not self.is_open:
            return 0.0
        probe = 0.0 if self._probe is None else self._probe + PROBE - now
        return max(0.0, self._until - now, probe)

    def begin(self, now: float) -> None:
        """A call begins; while open it is the probe, and others wait for how it ends.

        What ends it gets the same *now* as its *began*: those that began before it are no probes.
        """
        if self.is_open:
            self._probe = now

    def release(self, began: float | None = None) -> None:
        """A call ended without telling anything, because its client left."""
        self._ends_probe(began)

    def answered(self, began: float | None) -> None:
        """A call has got its first content; a probe has then shown that others may go.

        As it has not come to its end, the next failure opens it again.
        """
        if self._ends_probe(began):
            self._close()
            self._failures = IN_A_ROW - 1

    def succeeded(self, now: float) -> None:
        """A call came to its proper end."""
        self._failures = 0
        self._calls.append((now, True))
        if self.is_open:
            self._close()
            self._probe = None

    def failed(self, now: float, began: float | None = None) -> None:
        """A call failed."""
        self._failures += 1
        self._calls.append((now, False))
        if self.is_open:
            if self._ends_probe(began):  # a call from before it opened says nothing new
                self._open(now)
        elif self._failures >= IN_A_ROW or self._too_many(now):
            self._open(now)

    def _ends_probe(self, began: float | None) -> bool:
        if began is None or began != self._probe:
            return False
        self._probe = None
        return True

    def _close(self) -> None:
        self.is_open = False
        self._opened_for = self._until = 0.0
        self._calls.clear()

    def _open(self, now: float) -> None:
        self.is_open = True
        self._opened_for = min(max(COOLDOWN, self._opened_for * 2), self._longest)
        self._until = now + self._opened_for

    def _too_many(self, now: float) -> bool:
        recent = [ok for when, ok in self._calls if now - when < WINDOW]
        return len(recent) >= AT_LEAST and recent.count(False) >= SHARE * len(recent)
