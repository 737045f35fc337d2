"""One call of a provider: what it holds, and what is learned from its end."""

from __future__ import annotations

import asyncio
from typing import cast

import attrs
import pytest

from g4f_aio import (
    ChatRequest,
    OverloadedError,
    Provider,
    RateLimitError,
    Routing,
    UpstreamAuthError,
    UpstreamError,
    UpstreamTimeoutError,
    Usage,
)
from g4f_aio.core.events import EventStream, TextDelta
from g4f_aio.core.provider import CallContext
from g4f_aio.gateway import trip as module
from g4f_aio.gateway.breaker import IN_A_ROW
from g4f_aio.gateway.candidates import Candidate
from g4f_aio.gateway.choice import Place
from g4f_aio.gateway.credentials import Credential
from g4f_aio.gateway.trip import Trip
from g4f_aio.providers.upstream import Client
from tests.gateway.actors import LONG, Theatre, keys, says, stage

BROKEN = UpstreamError("it broke")


def theatre(*, limit: int | None = None) -> Theatre:
    """One provider with a key."""
    table = {"api_keys": keys("ours"), "max_requests": limit}
    return Theatre(stage(says("One", " two")), providers={"a": table})


def trip(
    play: Theatre,
    *,
    own_key: str | None = None,
    routing: Routing | None = None,
    stream: bool = True,
    model: str = "best",
    provider: Provider | None = None,
) -> Trip:
    """A call of it, or of another *provider* in its place."""
    entry = play.entry("a")
    if provider is not None:
        entry = attrs.evolve(entry, provider=provider)
    candidate = Candidate(entry, "m", own_key)
    place = Place(candidate, play.standing("a"), why="because")
    credential = Credential(own_key) if own_key else play.desk.credentials.of(play.entry("a"))[0]
    request = ChatRequest(model, (), stream=stream, routing=routing or Routing())
    return Trip(play.desk, play.gateway.now, request, place, credential)


async def test_what_is_asked_and_of_whom() -> None:
    play = theatre()
    one = trip(play)
    assert (one.attempt.provider, one.attempt.model, one.attempt.why) == ("a", "m", "because")
    assert one.attempt.outcome == "running"
    one.begin()
    assert play.standing("a").model.running == 1
    assert await one.call.next() == TextDelta("One")
    assert play.stages[0].models == ["m"]
    assert play.stages[0].keys == ["ours"]
    await one.cancelled()
    play.demand_quiet()


async def test_the_name_that_the_provider_knows_needs_no_change() -> None:
    play = theatre()
    one = trip(play, model="m")
    one.begin()
    await one.call.next()
    assert play.stages[0].models == ["m"]
    await one.cancelled()


async def test_a_callers_key_and_wishes_are_for_his_call() -> None:
    play = theatre()
    for _ in range(2):
        one = trip(play, own_key="mine", routing=Routing(timeout=5, proxy="http://mine:1"))
        other = trip(play)
        for call in (one, other):
            call.begin()
            await call.call.next()
            await call.cancelled()
    first, second, *_ = play.stages[0].contexts
    assert (first.credential, first.own_credential, first.timeouts.total) == ("mine", True, 5)
    assert cast(Client, first.http).proxy == "http://mine:1"
    assert (second.credential, second.own_credential, second.timeouts.total) == ("ours", False, 600)
    assert cast(Client, second.http).proxy is None
    play.demand_quiet()


# ends


async def test_a_success_is_noted_with_time_and_speed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "_MEASURABLE", 0.0)
    play = theatre()
    for usage in (Usage(1, 5), None):
        one = trip(play)
        one.begin()
        while await one.call.next() is not None:
            pass
        one.attempt.ttft = 0.0
        await one.succeeded(usage)
        assert one.attempt.outcome == "ok"
        assert one.attempt.duration is not None
        said = 5 if usage else 2
        found = play.standing("a").model.speed
        assert found is not None
        assert found > 0
        if usage:
            assert found == pytest.approx(said / one.attempt.duration)
    assert play.standing("a").model.ttft == 0.0
    play.demand_quiet()


@pytest.mark.parametrize("stream", [True, False])
async def test_of_an_answer_that_came_at_once_no_speed_is_known(*, stream: bool) -> None:
    play = theatre()
    one = trip(play, stream=stream)
    one.begin()
    await one.succeeded(Usage(1, 5))
    assert play.standing("a").model.speed is None
    assert play.standing("a").model.success_rate == 1.0


async def test_a_success_makes_its_key_good() -> None:
    play = theatre()
    (key,) = play.desk.credentials.of(play.entry("a"))
    play.desk.credentials.failed(key, "m", RateLimitError("slow down"))
    one = trip(play)
    one.begin()
    await one.succeeded(None)
    assert key.rests == {}


async def test_a_failure_is_noted_with_its_error() -> None:
    play = theatre()
    one = trip(play)
    one.begin()
    await one.failed(BROKEN)
    attempt = one.attempt
    assert (attempt.outcome, attempt.code, attempt.status) == (
        "failed",
        "provider_not_working",
        502,
    )
    assert play.standing("a").model.last_error == "it broke"
    assert play.desk.credentials.wait(play.entry("a"), "m") == 0
    play.demand_quiet()


async def test_a_refusal_is_held_against_its_key() -> None:
    play = theatre()
    one = trip(play)
    one.begin()
    await one.failed(UpstreamAuthError("refused"))
    assert play.desk.credentials.wait(play.entry("a"), "m") > 0
    assert play.standing("a").wait() == 0


async def test_one_of_a_callers_key_is_not_held_against_ours() -> None:
    play = theatre()
    one = trip(play, own_key="mine")
    one.begin()
    await one.failed(RateLimitError("slow down"))
    assert play.desk.credentials.wait(play.entry("a"), "m") == 0


@pytest.mark.parametrize(
    ("routing", "error", "held"),
    [
        (Routing(), UpstreamTimeoutError("late"), True),
        (Routing(timeout=1), UpstreamTimeoutError("late"), False),
        (Routing(timeout=1), BROKEN, True),
        (Routing(proxy="http://mine:1"), UpstreamTimeoutError("late"), False),
        (Routing(proxy="http://mine:1"), BROKEN, False),
        (Routing(proxy="http://mine:1"), OverloadedError("no room"), True),
    ],
)
async def test_what_a_caller_may_have_brought_about_is_not_held_against_the_provider(
    routing: Routing, error: UpstreamError, *, held: bool
) -> None:
    play = theatre()
    one = trip(play, routing=routing)
    one.begin()
    await one.failed(error)
    assert one.attempt.outcome == "failed"
    assert play.standing("a").model.state == ("failing" if held else "unknown")
    play.demand_quiet()


async def test_one_that_was_left_says_nothing() -> None:
    play = theatre()
    one = trip(play)
    one.begin()
    await one.call.next()
    await one.cancelled()
    assert one.attempt.outcome == "cancelled"
    assert play.standing("a").model.state == "unknown"
    play.demand_quiet()


@attrs.frozen(kw_only=True)
class Lingering(Provider):
    """Takes long to stop."""

    name = "lingering"

    stopping: asyncio.Event = attrs.field(factory=asyncio.Event)

    async def chat(self, request: ChatRequest, ctx: CallContext) -> EventStream:
        try:
            yield TextDelta("One")
        finally:
            self.stopping.set()
            await asyncio.sleep(LONG)


async def test_a_client_may_leave_while_the_provider_is_stopped() -> None:
    play = theatre(limit=1)
    provider = Lingering()
    one = trip(play, provider=provider)
    await one.wait(0)
    one.begin()
    await one.call.next()
    task = asyncio.ensure_future(one.failed(BROKEN))
    await provider.stopping.wait()
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    play.demand_quiet()


# a place


async def test_without_a_limit_there_is_nothing_to_wait_for() -> None:
    assert trip(theatre()).turnstile is None


async def test_with_one_there_is_a_line() -> None:
    play = theatre(limit=1)
    first, second, third = trip(play), trip(play), trip(play)
    await first.wait(0)
    first.begin()
    with pytest.raises(OverloadedError):
        await second.wait(0)
    assert (second.attempt.outcome, second.attempt.code) == ("failed", "overloaded")
    waiting = asyncio.ensure_future(third.wait(LONG))
    await asyncio.sleep(0)
    assert not waiting.done()
    await first.succeeded(None)
    await waiting
    third.begin()
    await third.cancelled()
    assert play.standing("a").model.calls == 1
    play.demand_quiet()


async def test_who_leaves_the_line_holds_nothing() -> None:
    play = theatre(limit=1)
    first, second = trip(play), trip(play)
    await first.wait(0)
    first.begin()
    waiting = asyncio.ensure_future(second.wait(LONG))
    await asyncio.sleep(0)
    waiting.cancel()
    with pytest.raises(asyncio.CancelledError):
        await waiting
    assert second.attempt.outcome == "cancelled"
    await first.succeeded(None)
    play.demand_quiet()


async def test_who_comes_to_his_turn_when_it_is_broken_does_not_call_it() -> None:
    play = theatre(limit=1)
    one = trip(play)
    standing = play.standing("a")
    for _ in range(IN_A_ROW):
        standing.failed(BROKEN, standing.begin())
    with pytest.raises(OverloadedError, match="a keeps failing") as caught:
        await one.wait(0)
    assert caught.value.retry_after == standing.wait()
    assert caught.value.provider == "a"
    assert one.attempt.outcome == "failed"
    play.demand_quiet()


# how it goes for others


async def test_while_others_wait_for_a_word_its_first_one_is_told() -> None:
    play = theatre()
    standing = play.standing("a")
    plain = trip(play)
    plain.begin()
    standing.try_out()
    told = trip(play)
    told.begin()
    assert await plain.call.next() == TextDelta("One")
    assert not standing.model.well
    assert await told.call.next() == TextDelta("One")
    assert standing.trials is None
    for one in (plain, told):
        await one.cancelled()
    play.demand_quiet()
