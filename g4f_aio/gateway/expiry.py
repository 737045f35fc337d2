"""When the time of a request is up that bounds its whole answer, over all tries."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable
from typing import TypeVar

from ..core.errors import GatewayError, UpstreamTimeoutError

T = TypeVar("T")
#: the least that a call gets, in seconds
_LEAST = 0.001
#: how much before its end a call may give up because of it, in seconds
NEAR = 0.01


class Expiry:
    """The end of so many *seconds* from now on, if there is one. *clock* is monotonic, in seconds."""

    __slots__ = ("_clock", "_end", "_seconds")

    def __init__(self, seconds: float | None, clock: Callable[[], float] = time.monotonic) -> None:
        self._seconds = seconds
        self._clock = clock
        self._end = None if seconds is None else clock() + seconds

    def left(self) -> float | None:
        """Seconds for what comes next; None without an end."""
        return None if self._end is None else max(_LEAST, round(self._end - self._clock(), 3))

    def shorter(self, wait: float) -> float:
        """A *wait*, or what is left where that is less, in seconds."""
        left = self.left()
        return wait if left is None else min(wait, left)

    def passed(self, wait: float = 0.0) -> bool:
        """Whether it is over, or will be after a *wait* in seconds."""
        return self._end is not None and self._clock() + wait >= self._end

    def name(self, error: GatewayError) -> None:
        """Say in the *error* of a call that this is what ran out, if it did."""
        if isinstance(error, UpstreamTimeoutError) and self.passed(NEAR):
            error.message = (
                f"{error.provider} did not finish within {self._seconds:g} s, the request's timeout"
            )
            error.args = (error.message,)

    async def bound(self, search: Awaitable[T]) -> T:
        """What a search for who may answer finds; UpstreamTimeoutError when it takes too long."""
        try:
            async with asyncio.timeout(self.left()):
                return await search
        except TimeoutError:
            raise UpstreamTimeoutError(
                f"Nobody was found to answer within the request's timeout of {self._seconds:g} s"
            ) from None


#: of a request that leaves its time to the settings
NEVER = Expiry(None)
