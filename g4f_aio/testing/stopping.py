"""What a provider does when nobody wants its answer any more."""

from __future__ import annotations

import asyncio

from ..core.models import Capability
from .answer import Answer
from .call import Performance
from .rehearsal import Main, Rehearsal, same
from .upstream import SOON, Received

#: seconds for what was sent to arrive
_SETTLE = 0.05
_CONTEXT = "use ctx.http inside `async with`"


async def check_stopping(rehearsal: Rehearsal, main: Main | None) -> None:
    """A call is cancelled while it waits, and another is left after its first event."""
    await _cancel(rehearsal, _Hold(main))
    # an answer in one piece that is held up would have no first event
    streamed = main if main is not None and len(main[1].pieces) > 1 else None
    await _leave(rehearsal, _Hold(streamed))


async def _cancel(rehearsal: Rehearsal, hold: _Hold) -> None:
    play = Performance(rehearsal.provider, rehearsal.request)
    with rehearsal.twisted(hold.twist):
        async with rehearsal.context() as ctx, play.running(ctx, rehearsal.tasks) as task:
            await _either(hold.held if hold.main is not None else play.begun, task)
            await _check_streaming(rehearsal, play, hold)
            if not task.done():
                await asyncio.sleep(_SETTLE)
            if not task.done():  # else it needs nothing more of the upstream
                task.cancel()
                await asyncio.wait({task}, timeout=SOON)
                if not (task.done() and task.cancelled()):
                    error = play.error
                    became = "is swallowed" if error is None else f"becomes {type(error).__name__}"
                    rehearsal.found(
                        f"the cancellation of a call {became}: let asyncio.CancelledError pass, and"
                        " catch Exception where you would catch everything"
                    )
                elif not await hold.left():
                    rehearsal.found(
                        "a call that is cancelled leaves the connection to its upstream open:"
                        f" {_CONTEXT}"
                    )
        await rehearsal.tidy()


async def _check_streaming(rehearsal: Rehearsal, play: Performance, hold: _Hold) -> None:
    """Whether what the upstream said so far was handed on."""
    flag = Capability.STREAM in rehearsal.provider.capabilities
    if not (flag and rehearsal.request.stream and hold.streams and hold.held.is_set()):
        return
    try:
        async with asyncio.timeout(SOON):
            await play.begun.wait()
    except TimeoutError:
        rehearsal.found(
            "it declares Capability.STREAM and yields nothing before the upstream's answer is"
            " complete: yield while you read, or leave the flag out"
        )


async def _leave(rehearsal: Rehearsal, hold: _Hold) -> None:
    play = Performance(rehearsal.provider, rehearsal.request, leave=True)
    left = "a call that is left after its first event"
    with rehearsal.twisted(hold.twist):
        async with rehearsal.context() as ctx, play.running(ctx, rehearsal.tasks) as task:
            await _either(play.begun, task)
            if play.begun.is_set():
                await asyncio.wait({task}, timeout=SOON)
                if not task.done():
                    rehearsal.found(
                        f"{left} does not stop within {SOON:g} s: wait for nothing in a `finally`"
                    )
                elif play.error is not None:
                    rehearsal.found(
                        f"{left} raises {rehearsal.raised(play.error)}: yield nothing and raise"
                        " nothing in a `finally`, and do not catch GeneratorExit"
                    )
                elif not await hold.left():
                    rehearsal.found(
                        f"{left} leaves the connection to its upstream open: {_CONTEXT}"
                    )
        await rehearsal.tidy()


class _Hold:
    """Lets the main answer hang before its last piece, and knows when the client had enough."""

    def __init__(self, main: Main | None) -> None:
        self.main = main
        self.held = asyncio.Event()
        self._asked: Received | None = None

    @property
    def streams(self) -> bool:
        """Whether the main answer comes in several pieces."""
        return self.main is not None and len(self.main[1].pieces) > 1

    def twist(self, asked: Received, usual: Answer) -> Answer:
        """``FakeUpstream.twisted``."""
        if self.main is None or not same(asked, self.main[0]):
            return usual
        asked.held = self.held
        self._asked = asked
        return self.main[1].without_last_piece().hanging()

    async def left(self) -> bool:
        """Whether the client closes the connection at once."""
        if self._asked is None:
            return True
        try:
            async with asyncio.timeout(SOON):
                await self._asked.left.wait()
        except TimeoutError:
            return False
        return True


async def _either(event: asyncio.Event, task: asyncio.Task[None]) -> None:
    """Wait for an event, but neither for long nor longer than a task lives."""
    waiter = asyncio.ensure_future(event.wait())
    try:
        await asyncio.wait({waiter, task}, timeout=SOON, return_when=asyncio.FIRST_COMPLETED)
    finally:
        waiter.cancel()
