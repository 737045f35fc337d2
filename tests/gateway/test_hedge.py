"""A second provider is asked when the first is slow to begin, and only one of them is heard."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import aclosing
from typing import ClassVar

import attrs
import pytest

from g4f_aio import (
    BadRequestError,
    CallContext,
    ChatRequest,
    EventStream,
    Finish,
    ModelInfo,
    Provider,
    TextDelta,
    UpstreamError,
)
from g4f_aio.core.events import Event, Started
from g4f_aio.core.record import RequestRecord
from g4f_aio.gateway.gateway import Gateway
from g4f_aio.gateway.registry import Entry, Registry
from g4f_aio.providers.pool import Pool
from g4f_aio.settings import ModelTarget, ProviderSettings, RoutingSettings, Settings

#: seconds after which a provider is slow here: what it mostly takes to begin
USUAL = 0.01


@attrs.define
class Script:
    """What a provider does, and what became of it."""

    #: it says nothing before this is set
    go: asyncio.Event = attrs.field(factory=asyncio.Event)
    #: it does not end before this is set
    end: asyncio.Event = attrs.field(factory=asyncio.Event)
    error: Exception | None = None
    #: raised in the middle of its answer
    broken: Exception | None = None
    called: int = 0
    stopped: int = 0
    _news: asyncio.Condition = attrs.field(factory=asyncio.Condition)

    async def count(self, *, called: int = 0, stopped: int = 0) -> None:
        """Note a call, or the end of one."""
        async with self._news:
            self.called += called
            self.stopped += stopped
            self._news.notify_all()

    async def until(self, *, called: int = 0, stopped: int = 0) -> None:
        """Wait for so many calls and ends."""
        async with self._news:
            await self._news.wait_for(lambda: self.called >= called and self.stopped >= stopped)


@attrs.frozen(kw_only=True)
class Actor(Provider):
    """Plays its script, under a time limit of its own as plug-ins may have one."""

    name: ClassVar[str] = "actor"
    script: Script

    def models(self) -> tuple[ModelInfo, ...]:
        return (ModelInfo("m"),)

    async def chat(self, request: ChatRequest, ctx: CallContext) -> EventStream:
        script = self.script
        await script.count(called=1)
        try:
            async with asyncio.timeout(60):
                await script.go.wait()
                if script.error is not None:
                    raise script.error
                yield TextDelta(f"{ctx.provider} ")
                await script.end.wait()
                if script.broken is not None:
                    raise script.broken
                yield TextDelta("says")
                yield Finish()
        finally:
            await script.count(stopped=1)


@attrs.define
class Stage:
    """A gateway with two providers, the first of which has always begun within ``USUAL``."""

    gateway: Gateway
    first: Script
    second: Script

    def ask(self) -> tuple[AsyncIterator[Event], RequestRecord]:
        record = RequestRecord("id", "me", "test", "best", streamed=True)
        return self.gateway.chat(ChatRequest("best", (), stream=True), record), record  # type: ignore[return-value]

    async def text(self) -> str:
        events, _ = self.ask()
        async with aclosing(events) as stream:  # type: ignore[type-var]
            return "".join([e.text async for e in stream if isinstance(e, TextDelta)])


def stage(share: float = 1.0, *, hedge: bool = True, **limits: int) -> Stage:
    """Both providers behind the model ``best``."""
    first, second = Script(), Script()
    settings = Settings(
        routing=RoutingSettings(hedge=hedge, hedge_share=share, retries=0),
        models={"best": (ModelTarget("a", "m"), ModelTarget("b", "m"))},
    )
    registry = Registry.of(
        *(
            Entry(
                name,
                "actor",
                "test",
                "1",
                ProviderSettings("actor", max_requests=limits.get(name)),
                Actor(script=script),
                chosen=True,
            )
            for name, script in (("a", first), ("b", second))
        ),
        settings=settings,
    )
    gateway = Gateway(settings, registry, Pool())
    standing = gateway.health.standing("a", "m")
    for _ in range(20):
        standing.begin()
        standing.succeeded(USUAL, None)
    return Stage(gateway, first, second)


async def test_who_begins_in_time_is_alone() -> None:
    made = stage()
    made.first.go.set()
    made.first.end.set()
    assert await made.text() == "a says"
    assert (made.first.called, made.second.called) == (1, 0)


async def test_the_second_answers_when_the_first_is_slow_and_the_first_is_stopped() -> None:
    made = stage()
    made.second.go.set()
    events, record = made.ask()
    async with aclosing(events) as stream:  # type: ignore[type-var]
        assert await anext(stream) == Started("b", "m", 2)
        # stopped as soon as the other one has spoken, not at the end
        assert made.first.stopped == 1
        made.second.end.set()
        text = [event.text async for event in stream if isinstance(event, TextDelta)]
    assert text == ["b ", "says"]
    assert [attempt.outcome for attempt in record.attempts] == ["cancelled", "ok"]
    assert record.answered_by is record.attempts[1]
    assert made.second.stopped == 1
    assert made.gateway.health.standing("a", "m").model.running == 0
    assert made.gateway.health.standing("a", "m").model.state == "ok"


async def test_the_first_may_still_be_first_after_all() -> None:
    made = stage()
    asking = asyncio.ensure_future(made.text())
    await made.second.until(called=1)
    made.first.go.set()
    made.first.end.set()
    assert await asking == "a says"
    assert made.second.stopped == 1


async def test_one_that_fails_leaves_it_to_the_other() -> None:
    made = stage()
    made.first.error = UpstreamError("a is down")
    made.second.end.set()
    asking = asyncio.ensure_future(made.text())
    await made.second.until(called=1)
    made.first.go.set()
    await made.first.until(stopped=1)
    made.second.go.set()
    assert await asking == "b says"


async def test_a_first_that_fails_in_time_is_followed_by_the_second_as_ever() -> None:
    made = stage()
    made.first.error = UpstreamError("a is down")
    for event in (made.first.go, made.second.go, made.second.end):
        event.set()
    assert await made.text() == "b says"


async def test_when_both_fail_the_last_error_is_the_answer() -> None:
    made = stage()
    made.first.error = UpstreamError("a is down")
    made.second.error = UpstreamError("b is down")
    made.second.go.set()
    asking = asyncio.ensure_future(made.text())
    await made.second.until(stopped=1)
    made.first.go.set()
    with pytest.raises(UpstreamError, match="a is down"):
        await asking
    assert (made.first.stopped, made.second.stopped) == (1, 1)


async def test_a_wrong_request_is_wrong_for_both() -> None:
    made = stage()
    made.second.error = BadRequestError("no such role")
    made.second.go.set()
    with pytest.raises(BadRequestError, match="no such role"):
        await made.text()
    assert made.first.stopped == 1


async def test_an_answer_that_breaks_off_later_is_an_error() -> None:
    made = stage()
    made.second.broken = UpstreamError("b hung up")
    made.second.go.set()
    made.second.end.set()
    events, record = made.ask()
    assert [await anext(events), await anext(events)] == [Started("b", "m", 2), TextDelta("b ")]
    with pytest.raises(UpstreamError, match="b hung up"):
        await anext(events)
    assert record.attempts[1].outcome == "failed"
    assert (made.first.stopped, made.second.stopped) == (1, 1)


@pytest.mark.parametrize("begun", [False, True])
async def test_a_client_that_leaves_stops_both(*, begun: bool) -> None:
    made = stage()
    if begun:
        made.second.go.set()

    async def read() -> None:
        await made.text()

    reading = asyncio.ensure_future(read())
    await made.second.until(called=1)
    await made.first.until(stopped=int(begun))
    reading.cancel()
    with pytest.raises(asyncio.CancelledError):
        await reading
    assert (made.first.stopped, made.second.stopped) == (1, 1)
    for name in "ab":
        assert made.gateway.health.standing(name, "m").provider.running == 0


async def test_it_is_done_for_a_share_of_the_requests_only() -> None:
    made = stage(share=0.0)
    made.second.go.set()
    made.second.end.set()
    assert await made.text() == "b says"  # one is always allowed
    asking = asyncio.ensure_future(made.text())
    await made.first.until(called=2)
    await asyncio.sleep(5 * USUAL)
    made.first.go.set()
    made.first.end.set()
    assert await asking == "a says"
    assert made.second.called == 1


async def test_a_second_that_is_busy_is_not_waited_for() -> None:
    made = stage(b=1)
    made.second.go.set()
    taken = asyncio.ensure_future(made.text())  # b is busy with this one
    await made.second.until(called=1)
    asking = asyncio.ensure_future(made.text())
    await made.first.until(called=2)
    await asyncio.sleep(5 * USUAL)
    made.first.go.set()
    made.first.end.set()
    assert await asking == "a says"
    made.second.end.set()
    assert await taken == "b says"
    assert made.second.called == 1


async def test_nobody_is_asked_twice_unless_the_settings_say_so() -> None:
    made = stage(hedge=False)
    asking = asyncio.ensure_future(made.text())
    await made.first.until(called=1)
    await asyncio.sleep(5 * USUAL)
    made.first.go.set()
    made.first.end.set()
    assert await asking == "a says"
    assert made.second.called == 0
