"""So many at one time; who comes then waits in line, and not for ever."""

from __future__ import annotations

import asyncio
import random
from collections import deque

from ..core.errors import OverloadedError

#: seconds after which those who were turned away may come again, and up to as many more
RETRY_AFTER = 1.0
_random = random.Random()  # noqa: S311  (spreads tries over time, no secret)


class Turnstile:
    """Lets *limit* through at one time and *waiting* more stand in line; *what* is behind it."""

    __slots__ = ("_inside", "_line", "limit", "waiting", "what")

    def __init__(self, limit: int, waiting: int, what: str) -> None:
        self.limit = limit
        self.waiting = waiting
        self.what = what
        self._inside = 0
        self._line: deque[asyncio.Future[None]] = deque()

    @property
    def inside(self) -> int:
        """How many are through and have not left."""
        return self._inside

    @property
    def in_line(self) -> int:
        """How many stand in line."""
        return len(self._line)

    def try_enter(self) -> bool:
        """Enter if nobody has to be waited for; ``leave`` must follow."""
        if self._inside >= self.limit or self._line:
            return False
        self._inside += 1
        return True

    async def enter(self, patience: float) -> None:
        """Enter, after at most *patience* seconds in line; ``leave`` must follow.

        OverloadedError when the line is too long or does not move in time.
        """
        if self.try_enter():
            return
        if patience <= 0 or len(self._line) >= self.waiting:
            raise self._full("and as many wait as may")
        turn = asyncio.get_running_loop().create_future()
        self._line.append(turn)
        try:
            async with asyncio.timeout(patience):
                await turn
        except BaseException as error:
            if turn.done() and not turn.cancelled():
                self.leave()  # its turn came in the moment it gave up
            elif turn in self._line:  # unless somebody left in that moment and passed it over
                self._line.remove(turn)
            if isinstance(error, TimeoutError):
                raise self._full(f"and nobody left within {patience:g} s") from None
            raise

    def leave(self) -> None:
        """Make room for the next in line."""
        self._inside -= 1
        while self._line and self._inside < self.limit:
            turn = self._line.popleft()
            if not turn.done():
                self._inside += 1
                turn.set_result(None)

    def _full(self, why: str) -> OverloadedError:
        return OverloadedError(
            f"{self.what} answers {self.limit} requests just now, {why}; try again",
            retry_after=RETRY_AFTER * (1 + _random.random()),
        )
