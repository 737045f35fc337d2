"""What a call of somebody else's provider may leave behind and may send: no tasks, no flood."""

from __future__ import annotations

import asyncio
import logging
import sys
import time
from collections import Counter
from collections.abc import Callable, Coroutine
from contextvars import ContextVar
from types import FrameType
from typing import Any, Self, cast
from weakref import WeakSet

from ..core.errors import UpstreamError
from ..core.events import (
    Event,
    EventStream,
    Media,
    Passthrough,
    Preview,
    ReasoningDelta,
    RefusalDelta,
    Status,
    Suggestions,
    TextDelta,
    Title,
    ToolCallDelta,
)

#: bytes that one call may send, and what every event counts for at least
MAX_ANSWER = 64 * 1024 * 1024
LEAST = 64
#: seconds that tasks may take to end after they were told to
PATIENCE = 1.0
#: seconds in which each provider is told of once
EVERY = 60.0
#: events after which others are let run, also where the provider never waits
_TURN = 64
#: functions that are named in a warning, at most
_NAMED = 5
#: whoever calls these creates the tasks that they create
_TOOLS = frozenset(("asyncio", "aiohappyeyeballs"))
#: these run everything
_RUNNERS = frozenset(("asyncio.events", "asyncio.runners"))
#: these look after the tasks they create, for many calls at one time
_KEEPERS = frozenset((__name__.partition(".")[0], "aiohttp"))
_log = logging.getLogger(__name__)

_Task = asyncio.Future[Any]
_Factory = Callable[..., _Task]


class Ward:
    """The tasks of one call."""

    __slots__ = ("closed", "name", "tasks")

    def __init__(self, name: str) -> None:
        self.name = name
        self.tasks: WeakSet[_Task] = WeakSet()
        self.closed = False

    def note(self, task: _Task) -> None:
        """A task was created by the provider or by one of its tasks."""
        if task.done():
            return
        self.tasks.add(task)
        if self.closed:
            task.cancel()

    def left(self) -> list[_Task]:
        """Those that have not ended, but for the one that asks."""
        me = asyncio.current_task()
        return [task for task in self.tasks if task is not me and not task.done()]


#: the call that runs just now, where it is a call of somebody else's provider; tasks inherit it
CURRENT_CALL: ContextVar[Ward | None] = ContextVar("CURRENT_CALL", default=None)


class LeakGuard:
    """Guards the calls of other people's providers. *begun* is called when the first one begins.

    From the first call on it notes who creates tasks on the loop; ``close`` ends that. *clock* is
    monotonic, in seconds.
    """

    def __init__(
        self,
        begun: Callable[[], object] = lambda: None,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self.begun = begun
        #: calls under way
        self.running = 0
        #: tasks that each provider has left behind
        self.leaked: Counter[str] = Counter()
        self._clock = clock
        self._told: dict[str, float] = {}
        self._loop: asyncio.AbstractEventLoop | None = None
        self._before: _Factory | None = None
        self._factory: _Factory | None = None

    def guard(self, events: EventStream, name: str, max_answer: int = MAX_ANSWER) -> Guarded:
        """The *events* of the provider *name*, guarded."""
        if self._loop is None:
            self._install()
        return Guarded(self, events, name, max_answer)

    def close(self) -> None:
        """Leave the loop as it was."""
        loop, self._loop = self._loop, None
        if loop is not None and loop.get_task_factory() is self._factory:
            loop.set_task_factory(cast(Any, self._before))

    def begin(self) -> None:
        """A call begins; ``end`` follows."""
        self.running += 1
        if self.running == 1:
            self.begun()

    async def end(self, ward: Ward) -> None:
        """A call is over: so are its tasks."""
        self.running -= 1
        ward.closed = True
        if not ward.left():
            return
        try:
            # what was told to end just before does so by itself
            await asyncio.sleep(0)
        finally:
            left = _cancel(ward)
        if not left:
            return
        self.leaked[ward.name] += len(left)
        names = [*dict.fromkeys(map(_name, left))]
        await asyncio.wait(left, timeout=PATIENCE / 2)
        if left := _cancel(ward):  # some swallow the first cancellation
            await asyncio.wait(left, timeout=PATIENCE / 2)
        self._tell(ward.name, names, len(ward.left()))

    def _tell(self, provider: str, names: list[str], stubborn: int) -> None:
        now = self._clock()
        if now - self._told.get(provider, -EVERY) < EVERY:
            return
        self._told[provider] = now
        more = ", …" if len(names) > _NAMED else ""
        _log.warning(
            "provider %s left tasks running when its answer was over (%s%s); they are cancelled%s."
            " So far it left %d",
            provider,
            ", ".join(names[:_NAMED]),
            more,
            f", but {stubborn} would not end" if stubborn else "",
            self.leaked[provider],
        )

    def _install(self) -> None:
        loop = self._loop = asyncio.get_running_loop()
        before: _Factory | None = cast(Any, loop.get_task_factory())

        def make(
            loop: asyncio.AbstractEventLoop, coro: Coroutine[Any, Any, Any], **rest: Any
        ) -> _Task:
            if before is None:
                task: _Task = asyncio.Task(coro, loop=loop, **rest)
            else:
                task = before(loop, coro, **rest)
            ward = CURRENT_CALL.get()
            if ward is not None and _is_foreign(sys._getframe().f_back):  # noqa: SLF001  (its documented name)
                ward.note(task)
            return task

        self._before, self._factory = before, make
        loop.set_task_factory(cast(Any, make))


class Guarded:
    """The events of a provider of somebody else's. ``aclose`` must follow.

    More than *max_answer* bytes of answer are an UpstreamError. Tasks that it created and that still
    run when it is closed are cancelled.
    """

    __slots__ = ("_begun", "_count", "_events", "_guard", "_left", "_max_answer", "_ward")

    def __init__(
        self, guard: LeakGuard, events: EventStream, name: str, max_answer: int = MAX_ANSWER
    ) -> None:
        self._guard = guard
        self._events = events
        self._ward = Ward(name)
        self._max_answer = self._left = max_answer
        self._count = 0
        self._begun = False

    def __aiter__(self) -> Self:
        return self

    async def __anext__(self) -> Event:
        if not self._begun:
            self._begun = True
            self._guard.begin()
        outer = CURRENT_CALL.get()
        CURRENT_CALL.set(self._ward)
        try:
            event = await self._events.__anext__()
        finally:
            # Not by a token: that fails where somebody else closes what waits here.
            CURRENT_CALL.set(outer)
        self._left -= max(LEAST, size_of(event))
        if self._left < 0:
            name = self._ward.name
            raise UpstreamError(f"{name} sent more than {self._max_answer} bytes", provider=name)
        self._count += 1
        if not self._count % _TURN:
            await asyncio.sleep(0)
        return event

    async def aclose(self) -> None:
        """Stop the provider, and the tasks it left."""
        outer = CURRENT_CALL.get()
        CURRENT_CALL.set(self._ward)
        try:
            await self._events.aclose()
        finally:
            CURRENT_CALL.set(outer)
            if self._begun:
                self._begun = False
                await self._guard.end(self._ward)


def size_of(event: Event) -> int:
    """Bytes of answer in an event, about."""
    match event:
        case TextDelta(text=text) | RefusalDelta(text=text) | Status(text=text) | Title(text=text):
            return _bytes(text)
        case Passthrough(data=data):
            return len(data)
        case ReasoningDelta(text=text, redacted=redacted):
            return _bytes(text) + _bytes(redacted or "")
        case ToolCallDelta(arguments=arguments):
            return _bytes(arguments)
        case Media(url=url):
            return _bytes(url)
        case Preview(text=text, urls=urls):
            return _bytes(text) + sum(map(_bytes, urls))
        case Suggestions(items=items):
            return sum(map(_bytes, items))
        case _:
            return 0


def _bytes(text: str) -> int:
    return len(text) if text.isascii() else len(text.encode("utf-8", "surrogatepass"))


def _cancel(ward: Ward) -> list[_Task]:
    """Those that are left, told to end."""
    left = ward.left()
    for task in left:
        task.cancel()
    return left


def _is_foreign(frame: FrameType | None) -> bool:
    """Whether the code that asks for a task is neither ours nor a library's that keeps it itself."""
    while frame is not None:
        module = str(frame.f_globals.get("__name__"))
        package = module.partition(".")[0]
        if package not in _TOOLS:
            return package not in _KEEPERS
        if module in _RUNNERS:  # it is a task of a task that was noted itself
            break
        frame = frame.f_back
    return True


def _name(task: _Task) -> str:
    coro = task.get_coro() if isinstance(task, asyncio.Task) else task
    return getattr(coro, "__qualname__", None) or type(coro).__name__
