"""A body as it arrives, cut into whole server-sent events."""

from __future__ import annotations

import asyncio
from typing import Protocol, Self

from ..core.errors import UpstreamError
from ..dialects.sse import FrameSplitter
from .http_answer import TransportError


class Source(Protocol):
    """Where a body comes from: ``take``, and where that gives None await ``arrival``."""

    def take(self) -> bytes | None:
        """Some of it; empty at its end, None as long as there is nothing."""

    def arrival(self) -> asyncio.Future[None]:
        """For who has to wait: it is done when something happens."""

    def failed(self, what: object) -> UpstreamError:
        """What it did wrong, as an error."""


class Frames:
    """Whole events, byte for byte, one or many at a time; *limit* bounds one event, in bytes.

    With every piece of a stream all are woken who await each other, so there is nobody between it
    and the connection. It is no generator, of which event loops keep account: that costs as much
    as a small answer.
    """

    def __init__(self, source: Source, limit: int) -> None:
        self._source = source
        self._splitter = FrameSplitter(limit)
        self._over = False

    def __aiter__(self) -> Self:
        return self

    async def __anext__(self) -> bytes:
        source = self._source
        while not self._over:
            try:
                # the same name, so that only one of the two stays in memory
                while (data := source.take()) is None:
                    await source.arrival()
            except TransportError as error:
                raise source.failed(error) from None
            if data:
                data = self._splitter.feed(data)
            else:
                self._over = True
                data = self._splitter.close()
            if data:
                return data
        raise StopAsyncIteration
