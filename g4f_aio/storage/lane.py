"""Jobs that are done to their end, whoever waits for them."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable
from contextvars import Context
from typing import Any, TypeVar

from ..core.errors import OverloadedError

T = TypeVar("T")
_Order = tuple[Callable[[], Awaitable[Any]], asyncio.Future[Any] | None]
_log = logging.getLogger(__name__)


class Lane:
    """Jobs in line for so many *workers*, each a task of its own.

    A request that is cancelled leaves its job in line: a connection to a database that is cancelled
    in the middle of its work may be lost for good. At most *waiting* jobs stand in line.
    """

    def __init__(self, workers: int, waiting: int) -> None:
        self._orders: asyncio.Queue[_Order | None] = asyncio.Queue(waiting)
        self._number = workers
        self._workers: list[asyncio.Task[None]] = []
        self._closed = False

    def start(self, tasks: asyncio.TaskGroup) -> None:
        """Begin to work."""
        # in a context of their own: they log nothing as if it were for the request that began them
        self._workers = [
            tasks.create_task(self._work(), context=Context()) for _ in range(self._number)
        ]

    async def run(self, job: Callable[[], Awaitable[T]]) -> T:
        """What the job gives or raises. OverloadedError when too many wait, or at the end."""
        future: asyncio.Future[T] = asyncio.get_running_loop().create_future()
        self._put((job, future))
        return await asyncio.shield(future)

    def post(self, job: Callable[[], Awaitable[object]]) -> bool:
        """Have a job done for which nobody waits; False when too many do wait already."""
        try:
            self._put((job, None))
        except OverloadedError:
            return False
        return True

    async def close(self, seconds: float) -> int:
        """Finish what waits, for so long at most; returns how many jobs were given up."""
        self._closed = True
        try:
            async with asyncio.timeout(seconds):
                for _ in self._workers:
                    await self._orders.put(None)
                await asyncio.wait(self._workers)
        except TimeoutError:
            pass
        working = [worker for worker in self._workers if not worker.done()]
        for worker in working:
            worker.cancel()
        if working:
            await asyncio.wait(working)
        return len(working) + self._give_up()

    def _put(self, order: _Order) -> None:
        if self._closed:
            raise OverloadedError("The server is stopping", code="server_shutdown")
        try:
            self._orders.put_nowait(order)
        except asyncio.QueueFull:
            raise OverloadedError(
                "The database does not keep up; ask again", retry_after=1.0
            ) from None

    def _give_up(self) -> int:
        """Nobody will do what still waits."""
        left = 0
        while not self._orders.empty():
            order = self._orders.get_nowait()
            if order is not None:
                left += 1
                _end(order[1], None, OverloadedError("The server is stopping"))
        return left

    async def _work(self) -> None:
        while (order := await self._orders.get()) is not None:
            await _do(*order)
            # what it read or wrote may be large, and the next one may be long in coming
            del order


async def _do(job: Callable[[], Awaitable[Any]], future: asyncio.Future[Any] | None) -> None:
    try:
        result = await job()
    except asyncio.CancelledError:
        _end(future, None, OverloadedError("The server is stopping"))
        raise
    except Exception as error:  # noqa: BLE001  (for whoever waits; else it is logged)
        if future is None:
            _log.exception("a job of the database failed")
        _end(future, None, error)
    else:
        _end(future, result, None)


def _end(future: asyncio.Future[Any] | None, result: object, error: Exception | None) -> None:
    if future is None or future.done():
        return
    if error is not None:
        future.set_exception(error)
    else:
        future.set_result(result)
