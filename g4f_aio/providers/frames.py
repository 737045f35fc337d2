"""A body as it arrives, cut into whole server-sent events."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Self

from ..dialects.sse import FrameSplitter


class Frames:
    """Whole events, byte for byte, one or many at a time.

    *read* gives some of the body, and nothing at its end; *limit* bounds one event, in bytes. It is
    no generator, of which event loops keep account: that costs as much as a small answer.
    """

    def __init__(self, read: Callable[[], Awaitable[bytes]], limit: int) -> None:
        self._read = read
        self._splitter = FrameSplitter(limit)
        self._over = False

    def __aiter__(self) -> Self:
        return self

    async def __anext__(self) -> bytes:
        while not self._over:
            # the same name, so that only one of the two stays in memory
            data = await self._read()
            if data:
                data = self._splitter.feed(data)
            else:
                self._over = True
                data = self._splitter.close()
            if data:
                return data
        raise StopAsyncIteration
