"""One call of a provider, outside of a gateway."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncGenerator, AsyncIterator, Coroutine
from contextlib import aclosing, asynccontextmanager

import attrs

from ..core.events import Event
from ..core.messages import Message, TextPart
from ..core.models import Capability
from ..core.provider import CallContext, Provider, Timeouts
from ..core.requests import ChatRequest
from ..providers.upstream import Client, create_session
from .loop_watch import StuckError
from .task_watch import TaskWatch

QUESTION = "Hello"
_MAX_EVENT = 16 * 2**20
#: an answer of more events never ends
_MOST_EVENTS = 100_000
#: how often, and for how many seconds each, a task is asked to end
_TRIES = 3
_TRY = 0.2


def request_for(provider: Provider, asked: ChatRequest | str | None = None) -> ChatRequest:
    """A request to a provider's first model; a text is the user's message."""
    if isinstance(asked, ChatRequest):
        return asked
    return ChatRequest(
        model=next((model.id for model in provider.models()), "test-model"),
        messages=(Message("user", (TextPart(asked or QUESTION),)),),
        stream=Capability.STREAM in provider.capabilities,
    )


@asynccontextmanager
async def call_context(
    provider: Provider, *, credential: str | None = None, timeouts: Timeouts | None = None
) -> AsyncIterator[CallContext]:
    """What a call of *provider* may use, as it gets it from a gateway."""
    bounds = timeouts or Timeouts()
    name = provider.name
    async with create_session() as session:
        client = Client(
            session=session,
            provider=name,
            connect_timeout=bounds.connect,
            headers_timeout=bounds.headers,
            max_event=_MAX_EVENT,
        )
        yield CallContext(http=client, provider=name, credential=credential, timeouts=bounds)


async def ask(
    provider: Provider, request: ChatRequest | str | None = None, *, credential: str | None = None
) -> list[Event]:
    """The events of an answer. *request* may be a text, for the user's message."""
    async with (
        call_context(provider, credential=credential) as ctx,
        aclosing(provider.chat(request_for(provider, request), ctx)) as events,
    ):
        return [event async for event in events]


@attrs.define(eq=False)
class Performance:
    """A call of ``chat`` in a task of its own, and what came of it.

    *leave*: it is left after the first event. *stranger* is what ``chat`` returned where that is no
    stream of events.
    """

    provider: Provider
    request: ChatRequest
    leave: bool = False
    events: list[object] = attrs.field(factory=list)
    begun: asyncio.Event = attrs.field(factory=asyncio.Event)
    error: BaseException | None = None
    stranger: str | None = None
    late: bool = False

    @property
    def failed(self) -> bool:
        """Whether it came to no proper end."""
        return self.late or self.error is not None or self.stranger is not None

    @asynccontextmanager
    async def running(
        self, ctx: CallContext, watch: TaskWatch
    ) -> AsyncIterator[asyncio.Task[None]]:
        """The task of the call, which is over in any case when the context is left."""
        # no TaskGroup: it would wait forever for a provider that nothing can stop
        task = asyncio.get_running_loop().create_task(self._run(ctx, watch))
        try:
            yield task
        finally:
            await stop(task)

    async def finish(self, task: asyncio.Task[None], within: float) -> None:
        """Wait for the end of the call; it is *late* when that does not come."""
        await asyncio.wait({task}, timeout=within)
        self.late = self.late or not task.done()

    async def _run(self, ctx: CallContext, watch: TaskWatch) -> None:
        watch.begin()
        try:
            events: object = self.provider.chat(self.request, ctx)
            if isinstance(events, AsyncGenerator):
                await self._consume(events)
            else:
                self.stranger = type(events).__name__
                if isinstance(events, Coroutine):
                    events.close()
        except asyncio.CancelledError:
            raise
        except (Exception, StuckError) as error:  # noqa: BLE001  (a provider may fail in any way)
            self.error = error

    async def _consume(self, events: AsyncGenerator[object, None]) -> None:
        async with aclosing(events):
            async for event in events:
                self.events.append(event)
                self.begun.set()
                self.late = len(self.events) > _MOST_EVENTS
                if self.leave or self.late:
                    return
                await asyncio.sleep(0)  # so that who never waits does not keep the others waiting


async def stop(task: asyncio.Task[None]) -> None:
    """End a task by all means."""
    for _ in range(_TRIES):
        if not task.done():
            task.cancel()
            await asyncio.wait({task}, timeout=_TRY)
    coroutine = task.get_coro()
    if not task.done() and coroutine is not None:
        # it swallows every CancelledError; another exception mostly gets through
        with contextlib.suppress(BaseException):
            coroutine.throw(StuckError())
        task.cancel()
        await asyncio.wait({task}, timeout=_TRY)
    if task.done() and not task.cancelled():
        task.exception()  # so that nobody complains that it was never retrieved
