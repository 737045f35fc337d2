"""A watch on the tasks that code starts: which of them outlive it."""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine
from contextvars import ContextVar
from types import TracebackType
from typing import Any, Self, cast

#: seconds that a task may take to end after it was told to
_GRACE = 0.5
#: whether what is being run is watched; a task inherits it from the one that starts it
_watched: ContextVar[bool] = ContextVar("_watched", default=False)


class TaskWatch:
    """Notes every task that watched code starts on the running loop, as a context."""

    def __init__(self) -> None:
        self._tasks: set[asyncio.Future[Any]] = set()

    def __enter__(self) -> Self:
        self._loop = asyncio.get_running_loop()
        self._factory = self._loop.get_task_factory()
        self._loop.set_task_factory(cast(Any, self._make))
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._loop.set_task_factory(self._factory)

    def begin(self) -> None:
        """From here on the current task is watched."""
        _watched.set(True)

    async def leaked(self) -> list[str]:
        """The functions of the tasks that do not end by themselves; they are cancelled."""
        tasks = {task for task in self._tasks if not task.done()}
        self._tasks.clear()
        if tasks:
            _, tasks = await asyncio.wait(tasks, timeout=_GRACE)
        names = [_name(task) for task in tasks]
        for task in tasks:
            task.cancel()
        if tasks:
            await asyncio.wait(tasks, timeout=_GRACE)
        return names

    def _make(
        self, loop: asyncio.AbstractEventLoop, coro: Coroutine[Any, Any, Any], **rest: Any
    ) -> asyncio.Future[Any]:
        if self._factory is None:
            task: asyncio.Future[Any] = asyncio.Task(coro, loop=loop, **rest)
        else:
            task = self._factory(loop, coro, **rest)
        if _watched.get():
            self._tasks.add(task)
        return task


def _name(task: asyncio.Future[Any]) -> str:
    coro = task.get_coro() if isinstance(task, asyncio.Task) else task
    return getattr(coro, "__qualname__", repr(coro))
