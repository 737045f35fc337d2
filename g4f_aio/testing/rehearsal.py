"""A provider on trial: what is called, with what, and what was found so far."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import AbstractAsyncContextManager, contextmanager

import attrs

from ..core.provider import CallContext, Provider
from ..core.requests import ChatRequest
from .answer import Answer
from .call import Performance, call_context
from .task_watch import TaskWatch
from .upstream import FakeUpstream, Received

#: a request of the good call that got the answer proper, and that answer
Main = tuple[Received, Answer]


@attrs.define(eq=False)
class Rehearsal:
    """Calls one provider; ``faults`` has each finding once, in order.

    *within* is how many seconds a call may take. *place* says where in the provider's own code an
    exception was raised.
    """

    provider: Provider
    request: ChatRequest
    upstream: FakeUpstream | None
    credential: str | None = attrs.field(repr=False)
    within: float
    tasks: TaskWatch
    place: Callable[[BaseException], str]
    faults: dict[str, None] = attrs.field(factory=dict)
    _clean: bool = True

    def found(self, fault: str) -> None:
        """Note a fault."""
        self.faults[fault] = None

    def raised(self, error: BaseException) -> str:
        """An exception, and where in the provider it was raised."""
        said = str(error)
        kind = type(error).__name__
        return f"{kind}: {said}{self.place(error)}" if said else f"{kind}{self.place(error)}"

    @contextmanager
    def twisted(self, twist: Callable[[Received, Answer], Answer]) -> Iterator[None]:
        """While it lasts, the upstream's answers go through *twist*."""
        if self.upstream is None:
            yield
            return
        with self.upstream.twisted(twist):
            yield

    def context(self) -> AbstractAsyncContextManager[CallContext]:
        """What the next call may use."""
        return call_context(self.provider, credential=self.credential)

    async def perform(self) -> Performance:
        """A call from beginning to end."""
        play = Performance(self.provider, self.request)
        async with self.context() as ctx, play.running(ctx, self.tasks) as task:
            await play.finish(task, self.within)
        await self.tidy()
        return play

    async def tidy(self) -> None:
        """Look whether a call that is over left anything behind."""
        for name in await self.tasks.leaked():
            self.found(
                f"it leaves the task {name} running after a call: await or cancel it before chat"
                " ends, as asyncio.TaskGroup does"
            )
        if self.upstream is not None and self._clean and not await self.upstream.abandoned():
            self._clean = False  # and so it stays: it need not be waited for again
            self.found(
                "it leaves a connection to its upstream open after a call: use ctx.http, or close"
                " the session of your own before chat ends"
            )


def main_of(answers: dict[Received, Answer]) -> Main | None:
    """The request that gets the answer proper: the last one that is streamed, else the last."""
    pairs = tuple(answers.items())
    streamed = [pair for pair in pairs if len(pair[1].pieces) > 1]
    return (streamed or pairs)[-1] if pairs else None


def same(request: Received, other: Received) -> bool:
    """Whether two requests ask the same thing."""
    return (request.method, request.path) == (other.method, other.path)
