"""One request: who is asked, who is asked next, when to try again and when to stop."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from contextlib import aclosing

import pytest

from g4f_aio import (
    AuthenticationError,
    BadRequestError,
    Finish,
    GatewayError,
    ModelNotFoundError,
    OverloadedError,
    Passthrough,
    RateLimitError,
    ReasoningDelta,
    Routing,
    TextDelta,
    ToolCallDelta,
    UpstreamAuthError,
    UpstreamError,
    UpstreamTimeoutError,
    Usage,
)
from g4f_aio.core.events import Event, Started, Status
from g4f_aio.gateway import fallback as module
from g4f_aio.gateway.breaker import COOLDOWN, IN_A_ROW, PROBE
from g4f_aio.gateway.credentials import QUARANTINE
from g4f_aio.gateway.fallback import PATIENCE
from g4f_aio.gateway.health import REST
from g4f_aio.settings import RoutingSettings, ServerSettings
from tests.gateway.actors import LONG, Stage, Step, Theatre, keys, says, stage

BROKEN = UpstreamError("it broke", provider="a")
LATE = UpstreamTimeoutError("it was late", provider="a")
REFUSED = UpstreamAuthError("it refused the key", provider="a")
REFUSED.upstream_status = 401
FULL = OverloadedError("it has no room", provider="a")
NO_RETRIES = RoutingSettings(retries=0)


def limit(hint: float | None = None) -> RateLimitError:
    """An upstream says to come back later."""
    return RateLimitError("slow down", retry_after=hint, provider="a")


class UnknownError(GatewayError):
    """An error of a plug-in's own, which somebody else may do better."""

    fallback = True


def answered(status: int) -> UpstreamError:
    """An upstream's answer with that status."""
    error = UpstreamError("it broke") if status not in (408, 504) else UpstreamTimeoutError("late")
    error.upstream_status = status
    return error


async def until(met: Callable[[], bool]) -> None:
    """Let the others go on until it is so."""
    async with asyncio.timeout(20):
        while not met():  # noqa: ASYNC110  (what they do has no event)
            await asyncio.sleep(0)


@pytest.fixture(autouse=True)
def pauses(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """The longest that each pause before a further try could have been; they are all at once."""
    longest = []

    class Dice:
        @staticmethod
        def uniform(least: float, most: float) -> float:
            assert least == 0
            longest.append(most)
            return 0.0

    monkeypatch.setattr(module, "_random", Dice())
    return longest


# a good answer


async def test_who_answers_comes_first_then_what_it_says() -> None:
    play = Theatre(stage((TextDelta("Hello"), Usage(1, 2), Finish())))
    assert await play.ask() == [Started("a", "m", 1), TextDelta("Hello"), Usage(1, 2), Finish()]
    assert play.stages[0].models == ["m"]
    assert play.outcomes == [("a", "ok", None)]
    assert play.record.usage == Usage(1, 2)
    assert play.record.pieces == 2
    assert play.record.ttft is not None
    assert play.record.answered_by is play.record.attempts[0]
    assert play.standing("a").model.state == "ok"
    play.demand_quiet()


async def test_usage_in_what_is_handed_on_is_noted() -> None:
    frames = (
        Passthrough(b"data: 1\n\n"),
        Passthrough(b"data: 2\n\ndata: 3\n\n", usage=Usage(3, 4), pieces=2),
        Passthrough(b"data: [DONE]\n\n", last=True),
    )
    play = Theatre(stage(frames))
    assert (await play.ask())[1:] == list(frames)
    assert play.record.usage == Usage(3, 4)
    assert play.record.pieces == 4


async def test_what_a_provider_tells_of_its_answer_goes_into_the_first_event() -> None:
    told = Started("x", "y", emulated=("completions",), headers={"x-ratelimit-limit-requests": "5"})
    play = Theatre(stage((told, TextDelta("Hello"), Finish())))
    started = Started("a", "m", 1, told.emulated, told.headers)
    assert await play.ask() == [started, TextDelta("Hello"), Finish()]
    assert play.record.emulated == ("completions",)
    play.demand_quiet()


async def test_it_ends_once() -> None:
    play = Theatre(stage(says("Hello")))
    events = play.answering()
    assert len([event async for event in events]) == 3
    assert [event async for event in events] == []
    await events.aclose()
    assert play.calls == [1]
    play.demand_quiet()


async def test_after_an_error_there_is_nothing_more() -> None:
    for plays in ((BROKEN,), (TextDelta("Hello"), BROKEN)):
        play = Theatre(stage(plays), routing=NO_RETRIES)
        events = play.answering()
        with pytest.raises(UpstreamError):
            _ = [event async for event in events]
        assert [event async for event in events] == []
        await events.aclose()
        assert play.calls == [1]


async def test_one_that_was_closed_before_it_began_asks_nobody() -> None:
    play = Theatre(stage(says("Hello")))
    events = play.answering()
    await events.aclose()
    assert [event async for event in events] == []
    assert play.calls == [0]


async def test_whoever_has_no_such_model_is_not_called() -> None:
    play = Theatre(stage(says("Hello")))
    with pytest.raises(GatewayError):
        await play.ask(routing=Routing(provider="nobody"))
    assert play.calls == [0]
    assert play.record.attempts == []


# the next one


async def test_who_fails_before_his_first_event_is_replaced(
    caplog: pytest.LogCaptureFixture,
) -> None:
    play = Theatre(stage((BROKEN,)), stage((LATE,)), stage(says("Hello")))
    assert (await play.ask())[0] == Started("c", "m", 3)
    assert play.outcomes == [
        ("a", "failed", "provider_not_working"),
        ("b", "failed", "provider_timeout"),
        ("c", "ok", None),
    ]
    assert [one.status for one in play.record.attempts] == [502, 504, None]
    assert "it broke; asking b" in caplog.text
    assert "it was late; asking c" in caplog.text
    assert "trying again" not in caplog.text
    play.demand_quiet()


@pytest.mark.parametrize(
    "first",
    [
        TextDelta("Hello"),
        ReasoningDelta("Well"),
        ToolCallDelta(0, "1", "f"),
        Passthrough(b"data: 1\n\n"),
    ],
    ids=lambda event: type(event).__name__,
)
async def test_after_his_first_event_an_error_is_final(first: Event) -> None:
    play = Theatre(stage((first, BROKEN)), stage(says("Hello")))
    events = play.answering()
    assert [await anext(events), await anext(events)] == [Started("a", "m", 1), first]
    with pytest.raises(UpstreamError, match="it broke"):
        await anext(events)
    await events.aclose()
    assert play.calls == [1, 0]
    assert play.outcomes == [("a", "failed", "provider_not_working")]
    assert play.standing("a").model.state == "failing"
    play.demand_quiet()


@pytest.mark.parametrize(
    "error",
    [
        BadRequestError("yours"),
        AuthenticationError("your key"),
        ModelNotFoundError("no such model"),
        GatewayError("a bug"),
    ],
    ids=lambda error: type(error).__name__,
)
async def test_what_nobody_else_could_do_better_is_final(error: GatewayError) -> None:
    play = Theatre(stage((error,)), stage(says("Hello")))
    with pytest.raises(type(error)):
        await play.ask()
    assert play.calls == [1, 0]
    play.demand_quiet()


async def test_who_failed_just_now_is_asked_last() -> None:
    play = Theatre(stage((BROKEN,), says("I am well again")), stage(says("Hello")))
    assert [await play.text() for _ in range(3)] == ["Hello"] * 3
    assert play.calls == [1, 3]
    play.clock.advance(REST)
    assert await play.text() == "I am well again"


async def test_when_all_fail_the_last_error_is_the_answer() -> None:
    play = Theatre(stage((BROKEN,)), stage((limit(30.0),)), routing=NO_RETRIES)
    with pytest.raises(RateLimitError) as caught:
        await play.ask()
    assert caught.value.retry_after == 30
    assert play.calls == [1, 1]


async def test_who_keeps_failing_is_not_called() -> None:
    play = Theatre(stage((BROKEN,)), stage(says("Hello")), routing=NO_RETRIES)
    for _ in range(IN_A_ROW):
        await play.ask()
        play.clock.advance(REST)
    assert play.calls == [IN_A_ROW, IN_A_ROW]
    play.clock.now -= REST
    assert await play.text() == "Hello"
    assert play.outcomes == [("b", "ok", None)]


async def test_nor_is_who_broke_while_another_one_was_asked() -> None:
    def break_b() -> None:
        standing = play.standing("b")
        for _ in range(IN_A_ROW):
            standing.failed(BROKEN, standing.begin())

    play = Theatre(stage((break_b, BROKEN)), stage(says("no")), stage(says("Hello")))
    assert await play.text() == "Hello"
    assert play.calls == [1, 0, 1]
    assert play.outcomes == [("a", "failed", "provider_not_working"), ("c", "ok", None)]


# a probe


async def test_of_many_requests_at_once_one_is_the_probe() -> None:
    go = asyncio.Event()
    play = Theatre(stage(*[(BROKEN,)] * IN_A_ROW, (go, *says("Hello"))), routing=NO_RETRIES)
    for _ in range(IN_A_ROW):
        with pytest.raises(UpstreamError):
            await play.ask()
    with pytest.raises(OverloadedError, match="a keeps failing") as caught:
        await play.ask()
    assert caught.value.retry_after == COOLDOWN
    play.clock.advance(COOLDOWN)
    async with asyncio.TaskGroup() as group:
        probe = group.create_task(play.text())
        await asyncio.sleep(0)
        results = await asyncio.gather(*(play.text() for _ in range(50)), return_exceptions=True)
        go.set()
    assert {type(result) for result in results} == {OverloadedError}
    assert {result.retry_after for result in results if isinstance(result, OverloadedError)} == {
        PROBE
    }
    assert probe.result() == "Hello"
    assert play.calls == [IN_A_ROW + 1]
    assert await play.text() == "Hello"


async def test_so_it_is_when_they_all_come_from_another_one_that_failed() -> None:
    fail, go = asyncio.Event(), asyncio.Event()
    play = Theatre(stage((fail, BROKEN)), stage((go, *says("Hello"))), stage(says("I stand in")))
    standing = play.standing("b")
    for _ in range(IN_A_ROW):
        standing.failed(BROKEN, standing.begin())
    play.clock.advance(REST)
    async with asyncio.TaskGroup() as group:
        tasks = [group.create_task(play.text()) for _ in range(50)]
        await until(lambda: play.calls[0] == 50)
        fail.set()
        await until(lambda: play.calls[2] == 49)
        go.set()
    assert play.calls == [50, 1, 49]
    texts = [task.result() for task in tasks]
    assert (texts.count("Hello"), texts.count("I stand in")) == (1, 49)
    play.demand_quiet()


async def test_a_probe_whose_client_left_makes_room_for_another() -> None:
    play = Theatre(stage(*[(BROKEN,)] * IN_A_ROW, (LONG,), says("Hello")), routing=NO_RETRIES)
    for _ in range(IN_A_ROW):
        with pytest.raises(UpstreamError):
            await play.ask()
    play.clock.advance(COOLDOWN)
    await leave(play, play.stages[0])
    assert await play.text() == "Hello"


async def test_others_may_go_as_soon_as_a_probe_gets_content() -> None:
    rest = asyncio.Event()
    begins = (Status("thinking"), TextDelta("Hel"), rest, TextDelta("lo"), Finish())
    play = Theatre(stage(*[(BROKEN,)] * IN_A_ROW, begins, says("Hi")), routing=NO_RETRIES)
    for _ in range(IN_A_ROW):
        await failure(play)
    play.clock.advance(COOLDOWN)
    async with aclosing(play.answering()) as probe:
        assert isinstance(await anext(probe), Started)
        assert isinstance(await anext(probe), Status)
        assert isinstance(await failure(play), OverloadedError)
        assert await anext(probe) == TextDelta("Hel")
        assert await play.text() == "Hi"
        rest.set()
        assert (
            "".join([event.text async for event in probe if isinstance(event, TextDelta)]) == "lo"
        )
    assert not play.standing("a").model.breaker.is_open


async def test_one_more_failure_before_its_end_and_it_is_left_alone_again() -> None:
    plays = [*[(BROKEN,)] * IN_A_ROW, (TextDelta("Hel"), BROKEN)]
    play = Theatre(stage(*plays), routing=NO_RETRIES)
    for _ in range(IN_A_ROW):
        await failure(play)
    play.clock.advance(COOLDOWN)
    assert isinstance(await failure(play), UpstreamError)
    assert isinstance(await failure(play), OverloadedError)


# trying again


async def test_when_nobody_is_left_it_is_tried_again_after_a_random_while(
    pauses: list[float], caplog: pytest.LogCaptureFixture
) -> None:
    play = Theatre(stage((BROKEN,), (BROKEN,), says("Hello")))
    assert (await play.ask())[0] == Started("a", "m", 3)
    assert pauses == [0.5, 1.0]
    assert "it broke; trying again in 0.00 s" in caplog.text


async def test_but_not_for_ever(pauses: list[float]) -> None:
    play = Theatre(stage((BROKEN,)))
    with pytest.raises(UpstreamError, match="it broke"):
        await play.ask()
    assert play.calls == [3]
    assert len(play.record.attempts) == 3
    assert len(pauses) == 2


@pytest.mark.parametrize(("retries", "calls"), [(0, 1), (1, 2), (3, 4)])
async def test_as_often_as_the_settings_say(retries: int, calls: int) -> None:
    play = Theatre(stage((BROKEN,)), routing=RoutingSettings(retries=retries))
    with pytest.raises(UpstreamError):
        await play.ask()
    assert play.calls == [calls]


async def test_everybody_is_asked_again_who_may_be_better_by_then() -> None:
    play = Theatre(stage((BROKEN,)), stage((BROKEN,), says("Hello")))
    assert await play.text() == "Hello"
    assert play.calls == [2, 2]


@pytest.mark.parametrize(
    ("error", "again"),
    [
        (BROKEN, True),
        *((answered(status), True) for status in (408, 500, 502, 503, 504, 529)),
        *((answered(status), False) for status in (301, 404, 501)),
        (LATE, False),
        (REFUSED, False),
        (limit(), False),
        (limit(0.0), True),
        (limit(PATIENCE + 0.1), False),
        (FULL, True),
        (OverloadedError("it has no room", provider="a", retry_after=PATIENCE + 0.1), False),
        (OverloadedError("the line is full", retry_after=0.01), False),
        (GatewayError("a bug"), False),
        (UnknownError("who knows"), False),
    ],
    ids=repr,
)
async def test_only_what_may_pass_is_tried_again(error: GatewayError, *, again: bool) -> None:
    play = Theatre(stage((error,), says("Hello")))
    if again:
        assert await play.text() == "Hello"
    else:
        with pytest.raises(type(error)):
            await play.ask()
    assert play.calls == [2 if again else 1]
    play.demand_quiet()


async def test_an_upstreams_hint_is_waited_out(monkeypatch: pytest.MonkeyPatch) -> None:
    waited = []

    async def sleep(seconds: float) -> None:
        waited.append(seconds)
        play.clock.advance(seconds)

    play = Theatre(stage((limit(1.5),), (limit(2.0),), says("Hello")))
    monkeypatch.setattr(asyncio, "sleep", sleep)
    assert await play.text() == "Hello"
    assert waited == [1.5, 2.0]


@pytest.mark.parametrize("error", [LATE, REFUSED, limit()], ids=str)
async def test_of_several_only_those_are_asked_again_who_may_be_better_by_then(
    error: GatewayError,
) -> None:
    """A second time-out would double how long a client waits for nothing."""
    play = Theatre(stage((BROKEN,), (BROKEN,), says("Hello")), stage((error,)))
    assert await play.text() == "Hello"
    assert play.calls == [3, 1]
    play = Theatre(stage((error,)), stage((BROKEN,), (LATE,)))
    with pytest.raises(UpstreamTimeoutError):
        await play.ask()
    assert play.calls == [1, 2]


async def test_when_too_many_try_again_nobody_does_any_more() -> None:
    play = Theatre(stage((BROKEN,)))
    for calls in (3, 3 + 2):
        with pytest.raises(UpstreamError):
            await play.ask()
        assert play.calls == [calls]


async def test_a_further_try_that_nobody_may_get_is_the_first_ones_error() -> None:
    """Not "nobody can be asked now": why that is so, the client should hear."""

    def break_it() -> None:
        standing = play.standing("a")
        for _ in range(IN_A_ROW):
            standing.failed(BROKEN, standing.begin())

    play = Theatre(stage((break_it, UpstreamError("this is why"))))
    with pytest.raises(UpstreamError, match="this is why"):
        await play.ask()
    assert play.calls == [1]


async def test_when_nobody_can_be_asked_at_first_it_says_so_at_once(pauses: list[float]) -> None:
    play = Theatre(stage((BROKEN,)))
    standing = play.standing("a")
    for _ in range(IN_A_ROW):
        standing.failed(BROKEN, standing.begin())
    with pytest.raises(OverloadedError) as caught:
        await play.ask()
    assert caught.value.code == "no_provider_available"
    assert (play.calls, play.record.attempts, pauses) == ([0], [], [])


# keys


def keyed(*stages: Stage) -> Theatre:
    """A provider with three keys, and others without."""
    providers = {"a": {"api_keys": keys("k1", "k2", "k3")}}
    return Theatre(*stages, providers=providers, routing=NO_RETRIES)


async def test_keys_are_used_in_turn() -> None:
    play = keyed(stage(says("Hello")))
    for _ in range(4):
        await play.ask()
    assert play.stages[0].keys == ["k1", "k2", "k3", "k1"]


async def test_a_refused_key_is_replaced_and_not_used_again(
    caplog: pytest.LogCaptureFixture,
) -> None:
    play = keyed(stage(says("Hello"), k1=(REFUSED,)))
    assert [await play.text() for _ in range(4)] == ["Hello"] * 4
    assert play.stages[0].keys == ["k1", "k2", "k3", "k2", "k3"]
    assert "it refused the key; using another key" in caplog.text
    assert "k1" not in caplog.text
    play.clock.advance(QUARANTINE)
    await play.ask()
    assert play.stages[0].keys[-2:] == ["k1", "k2"]


async def test_one_that_has_used_up_its_quota_rests_and_comes_back() -> None:
    play = keyed(stage(says("Hello"), k2=(limit(7.0),)))
    assert [await play.text() for _ in range(5)] == ["Hello"] * 5
    assert play.stages[0].keys == ["k1", "k2", "k3", "k1", "k3", "k1"]
    play.stages[0].by_key.clear()
    play.clock.advance(7)
    await play.ask()
    assert play.stages[0].keys[-1] == "k2"


async def test_when_every_key_is_refused_each_was_tried_once() -> None:
    play = keyed(stage((REFUSED,)), stage(says("Hello")))
    assert await play.text() == "Hello"
    assert play.calls == [3, 1]
    assert await play.text() == "Hello"
    assert play.calls == [3, 2]
    alone = keyed(stage((REFUSED,)))
    for _ in range(2):
        with pytest.raises(UpstreamAuthError):
            await alone.ask()
    assert alone.calls == [3]
    assert alone.standing("a").wait() == 0, "that is no fault of the model"


async def test_what_is_no_fault_of_the_key_is_not_tried_with_the_others() -> None:
    play = keyed(stage((BROKEN,)))
    with pytest.raises(UpstreamError):
        await play.ask()
    assert play.calls == [1]


async def test_no_other_key_is_tried_when_all_of_them_rest_by_then() -> None:
    """Other requests have found out about them meanwhile."""

    def refuse_all() -> None:
        book = play.desk.credentials
        for key in book.of(play.entry("a")):
            book.failed(key, "m", REFUSED)

    play = keyed(stage((refuse_all, REFUSED)))
    with pytest.raises(UpstreamAuthError, match="it refused the key"):
        await play.ask()
    assert play.calls == [1]


async def test_keys_that_come_to_rest_between_two_providers_are_an_error_of_theirs() -> None:
    def rest() -> None:
        book = play.desk.credentials
        for key in book.of(play.entry("b")):
            book.failed(key, "m", limit(30.0))

    play = Theatre(stage((rest, BROKEN)), stage(says("no")), routing=NO_RETRIES)
    with pytest.raises(RateLimitError, match="Every key of b"):
        await play.ask()
    assert play.calls == [1, 0]


async def test_a_callers_own_key_is_used_and_says_nothing_about_ours() -> None:
    play = keyed(stage(says("Hello"), mine=(limit(30.0),)))
    with pytest.raises(RateLimitError):
        await play.ask(routing=Routing(api_keys={"a": "mine"}))
    assert play.stages[0].contexts[0].own_credential
    assert await play.text() == "Hello"
    assert play.stages[0].keys == ["mine", "k1"]


# places


def narrow(*stages: Stage, queue: int = 10, queue_timeout: float = LONG) -> Theatre:
    """The first provider takes two calls at one time, the others any number."""
    return Theatre(
        *stages,
        server=ServerSettings(queue=queue, queue_timeout=queue_timeout),
        providers={"a": {"max_requests": 2}},
    )


async def test_a_provider_never_gets_more_calls_at_one_time_than_it_takes() -> None:
    play = narrow(stage((TextDelta("Hello"), 0.001, Finish())))
    texts = await asyncio.gather(*(play.text() for _ in range(10)))
    assert texts == ["Hello"] * 10
    assert play.stages[0].most == 2
    play.demand_quiet()


async def test_who_finds_no_place_in_line_is_told_to_come_back() -> None:
    go = asyncio.Event()
    play = narrow(stage((go, *says("Hello"))), queue=3)
    async with asyncio.TaskGroup() as group:
        tasks = [group.create_task(play.text()) for _ in range(5)]
        await play.stages[0].begun.wait()
        for _ in range(3):
            with pytest.raises(OverloadedError, match=r"^a answers 2 requests") as caught:
                await play.ask()
            assert caught.value.retry_after is not None
            assert play.outcomes == [("a", "failed", "overloaded")]
        go.set()
    assert [task.result() for task in tasks] == ["Hello"] * 5
    assert play.calls == [5]
    assert play.standing("a").model.state == "ok", "it has done nothing wrong"
    play.demand_quiet()


async def test_so_is_who_waits_for_too_long() -> None:
    go = asyncio.Event()
    play = narrow(stage((go, *says("Hello"))), queue_timeout=0.01)
    async with asyncio.TaskGroup() as group:
        for _ in range(2):
            _ = group.create_task(play.text())
        await play.stages[0].begun.wait()
        with pytest.raises(OverloadedError, match=r"nobody left within 0\.01 s"):
            await play.ask()
        go.set()
    assert play.calls == [2]
    play.demand_quiet()


async def test_who_has_somebody_else_to_ask_does_not_wait() -> None:
    go = asyncio.Event()
    play = narrow(stage((go, *says("Hello"))), stage(says("I stand in")))
    async with asyncio.TaskGroup() as group:
        for _ in range(2):
            _ = group.create_task(play.text())
        await play.stages[0].begun.wait()
        assert await play.text() == "I stand in"
        assert play.outcomes == [("a", "failed", "overloaded"), ("b", "ok", None)]
        go.set()
    play.demand_quiet()


async def test_whoever_stands_in_line_while_it_breaks_does_not_call_it() -> None:
    go = asyncio.Event()
    play = narrow(stage((go, BROKEN)))
    async with asyncio.TaskGroup() as group:
        tasks = [group.create_task(failure(play)) for _ in range(10)]
        await play.stages[0].begun.wait()
        go.set()
    errors = [task.result() for task in tasks]
    assert play.calls[0] < 10
    assert [error for error in errors if isinstance(error, OverloadedError)]
    play.demand_quiet()


async def failure(play: Theatre) -> GatewayError:
    """The error that a request ends in."""
    with pytest.raises(GatewayError) as caught:
        await play.ask()
    return caught.value


# the caller's own wishes


@pytest.mark.parametrize(
    ("routing", "error"),
    [
        (Routing(timeout=0.001), LATE),
        (Routing(proxy="http://nowhere:1"), BROKEN),
        (Routing(proxy="http://nowhere:1"), LATE),
    ],
)
async def test_what_a_caller_may_have_brought_about_is_held_against_nobody(
    routing: Routing, error: GatewayError
) -> None:
    """Else any of them could have a provider shut for all."""
    play = Theatre(stage(*[(error,)] * 6, says("Hello")), routing=NO_RETRIES)
    for _ in range(6):
        with pytest.raises(type(error)):
            await play.ask(routing=routing)
    assert play.standing("a").model.state == "unknown"
    assert await play.text() == "Hello"
    play.demand_quiet()


async def test_his_time_is_for_all_tries_together() -> None:
    """Each call gets what the ones before it left."""
    play = Theatre(stage((0.02, BROKEN)), stage((0.02, BROKEN)), stage(says("Hello")))
    assert await play.text(routing=Routing(timeout=60)) == "Hello"
    first, second, third = (one.contexts[0].timeouts.total for one in play.stages)
    assert first <= 60
    assert first - 0.01 >= second
    assert second - 0.01 >= third > 0


async def test_when_it_is_up_nobody_else_is_asked() -> None:
    play = Theatre(stage((LONG,)), stage(says("Hello")))
    with pytest.raises(UpstreamTimeoutError) as caught:
        await play.ask(routing=Routing(timeout=0.05))
    assert caught.value.message == "a did not finish within 0.05 s, the request's timeout"
    assert (caught.value.status, caught.value.code) == (504, "provider_timeout")
    assert play.calls == [1, 0]
    play.demand_quiet()


async def test_when_it_is_up_the_last_error_is_the_answer() -> None:
    """No further try, and no other key."""
    for plays in ((0.06, BROKEN), (0.06, limit())):
        table = {"api_keys": keys("one", "two")}
        play = Theatre(stage(plays), stage(says("Hello")), providers={"a": table})
        with pytest.raises(GatewayError) as caught:
            await play.ask(stream=False, routing=Routing(timeout=0.05, emulate=False))
        assert caught.value.provider == "a"
        assert play.calls == [1, 0]


async def test_a_pause_that_is_too_long_for_it_is_not_made(pauses: list[float]) -> None:
    play = Theatre(stage((limit(1.5),), says("Hello")))
    with pytest.raises(RateLimitError):
        await play.ask(routing=Routing(timeout=1))
    assert play.calls == [1]
    assert len(pauses) == 1


async def test_it_is_for_the_line_too() -> None:
    play = Theatre(stage((LONG,)), providers={"a": {"max_requests": 1}})
    first = asyncio.ensure_future(play.ask())
    await play.stages[0].begun.wait()
    with pytest.raises(OverloadedError):
        await play.ask(routing=Routing(timeout=0.05))
    first.cancel()
    await asyncio.wait((first,))
    play.demand_quiet()


async def test_what_he_cannot_have_brought_about_is() -> None:
    play = Theatre(stage((BROKEN,)), routing=NO_RETRIES)
    with pytest.raises(UpstreamError):
        await play.ask(routing=Routing(timeout=500))
    assert play.standing("a").model.state == "failing"


# a client that leaves


async def leave(play: Theatre, where: Stage) -> None:
    """A client asks, and leaves once that provider was called."""
    calls = where.calls
    where.begun.clear()
    task = asyncio.ensure_future(play.ask())
    await where.begun.wait()
    assert where.calls == calls + 1
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task


@pytest.mark.parametrize("first", [(LONG,), (TextDelta("Hello"), LONG)], ids=["before", "after"])
async def test_who_leaves_takes_the_call_with_him(first: tuple[Step, ...]) -> None:
    play = narrow(stage(first), stage(says("no")))
    await leave(play, play.stages[0])
    assert play.calls == [1, 0]
    assert play.outcomes == [("a", "cancelled", None)]
    assert play.standing("a").model.state == "unknown"
    play.demand_quiet()


async def test_so_does_who_reads_no_further() -> None:
    play = narrow(stage((TextDelta("Hello"), TextDelta(" world"), LONG)))
    async with aclosing(play.answering()) as events:
        async for event in events:
            if isinstance(event, TextDelta):
                break
    assert play.outcomes == [("a", "cancelled", None)]
    assert play.record.pieces == 1
    play.demand_quiet()


async def test_who_leaves_the_line_calls_nobody() -> None:
    go = asyncio.Event()
    play = narrow(stage((go, *says("Hello"))))
    async with asyncio.TaskGroup() as group:
        stay = [group.create_task(play.text()) for _ in range(2)]
        await play.stages[0].begun.wait()
        go_away = [asyncio.ensure_future(play.ask()) for _ in range(5)]
        await asyncio.sleep(0)
        for task in go_away:
            task.cancel()
        await asyncio.wait(go_away)
        assert play.outcomes == [("a", "cancelled", None)]
        go.set()
    assert [task.result() for task in stay] == ["Hello", "Hello"]
    assert play.calls == [2]
    play.demand_quiet()


async def test_who_leaves_between_two_tries_calls_nobody_any_more() -> None:
    play = narrow(stage((limit(1.9),), says("Hello")))
    task = asyncio.ensure_future(play.ask())
    await play.stages[0].begun.wait()
    await until(lambda: not play.stages[0].running)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert play.outcomes == [("a", "failed", "rate_limit_exceeded")]
    play.demand_quiet()
    play.clock.advance(2)
    assert await play.text() == "Hello"
    assert play.calls == [2]


async def test_a_request_keeps_the_settings_it_began_with() -> None:
    play = Theatre(stage((BROKEN,), says("Hello")))
    events = play.answering()
    quiet = Theatre(*play.stages, routing=NO_RETRIES)
    play.gateway.reload(quiet.settings, play.registry)
    async with aclosing(events):
        assert len([event async for event in events]) == 3
