"""How many further tries all requests together may cost."""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Callable

#: seconds that count
WINDOW = 10.0


class RetryBudget:
    """Allows further tries for a *share* of the requests of the last seconds, and *least* at least.

    Without it a provider that is down would get several times the calls it could not serve.
    """

    def __init__(
        self, share: float = 0.2, least: int = 3, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self.share = share
        self._least = least
        self._clock = clock
        #: requests by the second in which they came
        self._newest = [-1, 0]
        self._requests: deque[list[int]] = deque()
        self._spent: deque[float] = deque()

    def request(self) -> None:
        """A request came."""
        second = int(self._clock())
        newest = self._newest
        if newest[0] == second:
            newest[1] += 1
            return
        newest = self._newest = [second, 1]
        requests = self._requests
        requests.append(newest)
        while requests[0][0] < second - WINDOW:
            requests.popleft()

    def spend(self) -> bool:
        """Take one further try; False when none is left."""
        now = self._clock()
        while self._spent and self._spent[0] < now - WINDOW:
            self._spent.popleft()
        recent = sum(count for second, count in self._requests if second >= now - WINDOW)
        if len(self._spent) >= max(self._least, int(self.share * recent)):
            return False
        self._spent.append(now)
        return True
