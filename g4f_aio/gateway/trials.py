"""The few calls that find out whether somebody is well; the others wait for what they learn."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Callable

from .breaker import IN_A_ROW, Breaker

#: seconds without a word after which a few more may go
PATIENCE = 2.0


class Trials:
    """Calls of one whom nobody knows to be well, for requests that somebody else failed.

    Without them all requests that one provider failed in the same moment would fall upon the next
    one, which may be as ill. At one time there are only as many as would open its *breaker* if they
    failed. The first word of any lets all others go; when it opens, none of them needs to.
    """

    __slots__ = ("_breaker", "_line", "_under_way")

    def __init__(self, breaker: Breaker) -> None:
        self._breaker = breaker
        self._under_way = 0
        #: who waits; its result is whether it may go
        self._line: deque[asyncio.Future[bool]] = deque()

    @property
    def under_way(self) -> int:
        """How many have begun and not left."""
        return self._under_way

    @property
    def in_line(self) -> int:
        """How many wait."""
        return len(self._line)

    async def enter(self, longest: float, more: Callable[[], bool]) -> bool:
        """Whether a call may be made, after at most *longest* seconds; then ``leave`` must follow.

        False: it has turned out to be ill, or to say nothing. While it says nothing for long, a few
        more may go, each if there is one *more* to spare.
        """
        if self._under_way < self._room:
            self._under_way += 1
            return True
        turn = asyncio.get_running_loop().create_future()
        self._line.append(turn)
        try:
            await asyncio.wait((turn,), timeout=min(PATIENCE, longest))
            if not turn.done() and longest > PATIENCE:
                if self._under_way < 2 * IN_A_ROW and more():
                    self._under_way += 1
                    return True
                await asyncio.wait((turn,), timeout=longest - PATIENCE)
            return turn.done() and turn.result()
        except asyncio.CancelledError:
            if turn.done() and turn.result():
                self.leave()  # its turn came in the moment it gave up
            raise
        finally:
            if not turn.done():
                self._line.remove(turn)

    def leave(self) -> None:
        """A call has ended, or was not made in the end; the next may go."""
        self._under_way -= 1
        while self._line and self._under_way < self._room:
            self._under_way += 1
            self._line.popleft().set_result(True)

    def end(self, *, well: bool) -> None:
        """It is known now whether it is well, and there is nothing more to find out."""
        while self._line:
            self._under_way += well
            self._line.popleft().set_result(well)

    @property
    def _room(self) -> int:
        return max(1, self._breaker.left)
