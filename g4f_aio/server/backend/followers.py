"""Those who want to hear of each finished request at once."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from contextlib import contextmanager

from aiohttp import web

from ...core.errors import OverloadedError
from ...core.record import RequestRecord

#: the most who listen at one time, and the most records that wait for one of them
LISTENERS = 50
WAITING = 100
Queue = asyncio.Queue[RequestRecord | None]


class Followers:
    """Tells each listener of each request; an ``Observer``. Who is too slow misses the oldest."""

    def __init__(self) -> None:
        self._queues: set[Queue] = set()

    def ended(self, record: RequestRecord) -> None:
        """A request has ended."""
        for queue in self._queues:
            _put(queue, record)

    @contextmanager
    def follow(self) -> Iterator[Queue]:
        """A queue of requests as they end; None is the last thing in it.

        OverloadedError when too many listen already.
        """
        if len(self._queues) >= LISTENERS:
            raise OverloadedError(f"{LISTENERS} others follow the requests already")
        queue: Queue = asyncio.Queue(WAITING)
        self._queues.add(queue)
        try:
            yield queue
        finally:
            self._queues.discard(queue)

    async def close(self, _: web.Application) -> None:
        """There will be no more requests (signal ``on_shutdown``)."""
        for queue in self._queues:
            _put(queue, None)


def _put(queue: Queue, item: RequestRecord | None) -> None:
    if queue.full():
        queue.get_nowait()
    queue.put_nowait(item)


FOLLOWERS = web.AppKey("FOLLOWERS", Followers)
