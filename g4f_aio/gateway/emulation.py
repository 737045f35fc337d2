"""Calls of a provider that together give an answer of which it lacks something by itself."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import AsyncGenerator, Callable
from contextlib import AsyncExitStack, aclosing
from functools import partial

import attrs

from ..core.deadline import Deadline
from ..core.events import Event, Finish, Usage
from ..core.provider import CallContext
from ..core.requests import ChatRequest
from .call import Call
from .candidates import Candidate
from .counted_call import CountedCall
from .desk import Desk
from .polyfills.choices import numbered
from .polyfills.plan import Plan
from .polyfills.usage import Meter, both
from .turnstile import Turnstile

#: begins one call of the provider
Begin = Callable[[ChatRequest, CallContext, Deadline], Call | CountedCall]


class EmulatedCall:
    """As ``Call``, for an answer that takes polyfills, further tries or several calls at one time.

    The provider's *turnstile* has one place for it, and gives more where it has them at once.
    """

    __slots__ = (
        "_begin",
        "_candidate",
        "_context",
        "_deadline",
        "_desk",
        "_events",
        "_fan",
        "_request",
        "_turnstile",
        "emulated",
        "first_after",
        "pieces",
    )

    def __init__(  # noqa: PLR0917  (what a call takes, and where its places come from)
        self,
        request: ChatRequest,
        candidate: Candidate,
        context: CallContext,
        begin: Begin,
        desk: Desk,
        deadline: Deadline,
        turnstile: Turnstile | None,
    ) -> None:
        self._request = request
        self._candidate = candidate
        self._context = context
        self._begin = begin
        self._desk = desk
        self._deadline = deadline
        self._turnstile = turnstile
        self._events: AsyncGenerator[Event, None] | None = None
        self._fan: _Fan | None = None
        #: what is supplied here
        self.emulated: tuple[str, ...] = ()
        #: parts of the answers that came
        self.pieces = 0
        #: seconds from the start to the first event; None before it
        self.first_after: float | None = None

    async def next(self) -> Event | None:
        """The next event, None after the last; GatewayError when there is none to come."""
        if self._events is None:
            candidate, request = self._candidate, self._request
            # it may load a library
            plan = await asyncio.to_thread(
                Plan.of, request, candidate.supplied, candidate.capabilities, candidate.ignores
            )
            self.emulated = plan.names
            self._events = self._one(plan) if plan.choices == 1 else self._several(plan)
        return await anext(self._events, None)

    async def aclose(self) -> None:
        """Stop the provider."""
        if self._fan is not None:
            await self._fan.aclose()
        if self._events is not None:
            await self._events.aclose()

    async def _one(self, plan: Plan) -> AsyncGenerator[Event, None]:
        finish: Finish | None = None
        async with aclosing(self._choice(plan, self._deadline)) as events:
            async for event in events:
                if isinstance(event, Finish):
                    finish = event  # the usage goes before it
                else:
                    yield event
        if finish is not None:
            yield finish

    async def _several(self, plan: Plan) -> AsyncGenerator[Event, None]:
        """Every choice by a call of its own, as many at one time as there are places."""
        self._fan = fan = _Fan(partial(self._choice, plan))
        await fan.begin(plan.choices, self._desk, self._deadline, self._turnstile)
        usage: Usage | None = None
        async for event in fan:
            if isinstance(event, Usage):
                usage = both(usage, event)
            else:
                yield event
        if usage is not None:
            yield usage

    async def _choice(self, plan: Plan, deadline: Deadline) -> AsyncGenerator[Event, None]:
        """The events of one choice, in one try or two; its usage comes at the end."""
        request, context = plan.request, self._context
        usage: Usage | None = None
        begun = deadline.now()
        for last in (False, True):
            chain = plan.chain(last=last)
            meter = Meter(request)
            call = self._begin(request, context, deadline)
            try:
                while not chain.done and (event := await call.next()) is not None:
                    self.first_after = self.first_after or call.first_after
                    if not meter.see(event):
                        for out in chain.feed(event):
                            yield out
                for out in chain.close():
                    yield out
            finally:
                self.pieces += call.pieces
                await call.aclose()
            usage = both(usage, meter.usage)
            again = chain.again(request)
            if again is None:
                break
            request = again
            # one answer, so the time for all of it counts on
            left = max(0.001, context.timeouts.total - (deadline.now() - begun))
            context = attrs.evolve(context, timeouts=attrs.evolve(context.timeouts, total=left))
        if usage is not None:
            yield usage


class _Fan:
    """Choices under way, each driven by a task of its own. ``aclose`` must follow."""

    def __init__(self, choice: Callable[[Deadline], AsyncGenerator[Event, None]]) -> None:
        self._choice = choice
        self._items: asyncio.Queue[Event | Exception | None] = asyncio.Queue(1)
        self._stack = AsyncExitStack()
        self._group = asyncio.TaskGroup()
        self._tasks: list[asyncio.Task[None]] = []
        self._left: deque[int] = deque()
        self._running = 0

    async def begin(
        self, count: int, desk: Desk, deadline: Deadline, turnstile: Turnstile | None
    ) -> None:
        """Begin with them: one in the place that is held, others in places of their own."""
        self._left.extend(range(count))
        await self._stack.enter_async_context(self._group)
        _ = self._start(deadline)
        for _ in range(count - 1):
            if turnstile is not None and not turnstile.try_enter():
                break
            own = desk.deadline()
            # not in the task: one that is cancelled before it began runs none of its code
            self._start(own).add_done_callback(partial(_release, desk, own, turnstile))

    def _start(self, deadline: Deadline) -> asyncio.Task[None]:
        self._running += 1
        task = self._group.create_task(self._drive(deadline))
        self._tasks.append(task)
        return task

    async def _drive(self, deadline: Deadline) -> None:
        """One choice after the other, as long as there are any left."""
        try:
            while self._left:
                choice = self._left.popleft()
                async with aclosing(self._choice(deadline)) as events:
                    async for event in events:
                        await self._items.put(numbered(event, choice))
        except Exception as error:  # noqa: BLE001  (whoever reads the events gets to see it)
            await self._items.put(error)
        else:
            await self._items.put(None)

    async def __aiter__(self) -> AsyncGenerator[Event, None]:
        while self._running:
            item = await self._items.get()
            if item is None:
                self._running -= 1
            elif isinstance(item, Exception):
                raise item
            else:
                yield item

    async def aclose(self) -> None:
        """Let nothing run on."""
        for task in self._tasks:
            task.cancel()
        await self._stack.aclose()


def _release(
    desk: Desk, deadline: Deadline, turnstile: Turnstile | None, _: asyncio.Task[None]
) -> None:
    desk.give_back(deadline)
    if turnstile is not None:
        turnstile.leave()
