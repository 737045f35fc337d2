"""The records of providers and of their models."""

from __future__ import annotations

import time

import pytest

from g4f_aio import (
    AuthenticationError,
    BadRequestError,
    GatewayError,
    OverloadedError,
    RateLimitError,
    UnsupportedError,
    UpstreamAuthError,
    UpstreamError,
    UpstreamTimeoutError,
)
from g4f_aio.gateway import health as module
from g4f_aio.gateway.breaker import COOLDOWN, IN_A_ROW, LONGEST, PROBE
from g4f_aio.gateway.health import (
    FORGET,
    FRESH,
    LONGEST_LOCAL,
    REST,
    WINDOW,
    Health,
    HealthBook,
    Standing,
)
from tests.gateway.clock import Clock

BROKEN = UpstreamError("broken")
UNREACHABLE = UpstreamError("nobody there")
UNREACHABLE.unreachable = True


@pytest.fixture
def clock() -> Clock:
    """The time of a test."""
    return Clock()


@pytest.fixture
def book(clock: Clock) -> HealthBook:
    """All records of a test."""
    return HealthBook(clock)


def fail(standing: Standing, error: GatewayError = BROKEN, times: int = 1) -> None:
    """So many calls fail."""
    for _ in range(times):
        standing.failed(error, standing.begin())


def succeed(standing: Standing) -> None:
    """A call succeeds."""
    standing.begin()
    standing.succeeded(0.1, None)


# one record


def test_before_its_first_call_nothing_is_known(clock: Clock) -> None:
    record = Health(clock)
    assert record.state == "unknown"
    assert record.calls == 0
    assert record.success_rate is None
    assert record.ttft is record.speed is record.slow_after is None
    assert (record.last_ok, record.last_error) == (None, None)
    assert not record.resting


def test_a_success_is_noted_with_its_time(clock: Clock) -> None:
    record = Health(clock)
    record.succeeded(0.5, 30.0)
    assert (record.state, record.success_rate, record.calls) == ("ok", 1.0, 1)
    assert (record.ttft, record.speed) == (0.5, 30.0)
    assert record.last_ok == pytest.approx(time.time(), abs=5)


def test_time_and_speed_are_averages_that_favour_the_newer_ones(clock: Clock) -> None:
    record = Health(clock)
    for figure in (1.0, 2.0):
        for _ in range(20):
            record.succeeded(figure, 10 * figure)
    assert record.ttft == pytest.approx(2.0, abs=0.05)
    assert record.speed == pytest.approx(20.0, abs=0.5)
    known = (record.ttft, record.speed)
    record.succeeded(None, None)
    assert (record.ttft, record.speed) == known


def test_a_failure_makes_it_rest_for_a_while(clock: Clock) -> None:
    record = Health(clock)
    record.failed(BROKEN)
    assert record.resting
    assert (record.state, record.success_rate, record.last_error) == ("failing", 0.0, "broken")
    clock.advance(REST - 1)
    assert record.resting
    clock.advance(1)
    assert not record.resting


def test_a_success_ends_its_rest(clock: Clock) -> None:
    record = Health(clock)
    record.failed(BROKEN)
    record.succeeded(0.1, None)
    assert not record.resting
    assert (record.state, record.success_rate, record.last_error) == ("ok", 0.5, "broken")


def test_only_the_last_calls_count(clock: Clock) -> None:
    record = Health(clock)
    for _ in range(WINDOW):
        record.failed(BROKEN)
    for _ in range(WINDOW):
        record.succeeded(0.1, None)
    assert (record.calls, record.success_rate) == (WINDOW, 1.0)


def test_after_a_long_pause_a_call_is_the_first_of_a_new_record(clock: Clock) -> None:
    record = Health(clock)
    recent = [record.recent]
    for _ in range(WINDOW):
        record.failed(BROKEN)
    clock.advance(FORGET - 1)
    recent.append(record.recent)
    record.succeeded(9.0, 1.0)
    assert record.calls == WINDOW
    clock.advance(FORGET)
    recent.append(record.recent)
    assert recent == [False, True, False]
    assert (record.calls, record.ttft, record.state) == (WINDOW, 9.0, "ok"), "still to be seen"
    record.succeeded(0.1, 50.0)
    assert (record.calls, record.success_rate) == (1, 1.0)
    assert (record.ttft, record.speed) == (0.1, 50.0)


def test_what_is_slow_shows_once_enough_is_known(clock: Clock) -> None:
    record = Health(clock)
    found = []
    for hundredths in range(1, 21):
        found.append(record.slow_after)
        record.succeeded(hundredths / 100, None)
        record.succeeded(None, None)
    assert set(found) == {None}
    assert record.slow_after == 0.19
    for _ in range(WINDOW):
        record.succeeded(7.0, None)
    assert record.slow_after == 7.0


# a provider with one of its models


def test_a_call_under_way_is_counted_until_its_end(book: HealthBook) -> None:
    standing = book.standing("p", "m")
    other = book.standing("p", "n")
    began = [standing.begin() for _ in range(3)]
    other.begin()
    assert (standing.model.running, standing.provider.running) == (3, 4)
    standing.succeeded(0.1, None)
    standing.failed(BROKEN, began[1])
    standing.release(began[2])
    other.failed(BadRequestError("yours"), None)
    assert (standing.model.running, standing.provider.running, other.model.running) == (0, 0, 0)


def test_a_success_is_noted_for_both(book: HealthBook) -> None:
    standing = book.standing("p", "m")
    succeed(standing)
    assert (standing.provider.state, standing.model.state) == ("ok", "ok")
    assert book.of("p").ttft == standing.model.ttft == 0.1


@pytest.mark.parametrize(
    "error",
    [
        BROKEN,
        UNREACHABLE,
        UpstreamTimeoutError("late"),
        UpstreamAuthError("our key is bad"),
        RateLimitError("too often"),
        OverloadedError("too many"),
        GatewayError("a bug"),
    ],
    ids=lambda error: error.message,
)
def test_a_failure_is_noted_for_both(book: HealthBook, error: GatewayError) -> None:
    standing = book.standing("p", "m")
    fail(standing, error)
    assert standing.resting
    for record in (standing.provider, standing.model):
        assert (record.state, record.success_rate) == ("failing", 0.0)
        assert record.last_error == error.message
    assert not book.standing("p", "n").resting


@pytest.mark.parametrize(
    "error",
    [
        BadRequestError("your messages are wrong"),
        UnsupportedError("no tools"),
        AuthenticationError("your own key is wrong"),
    ],
    ids=lambda error: error.message,
)
def test_a_callers_mistake_is_not_its_fault(book: HealthBook, error: GatewayError) -> None:
    standing = book.standing("p", "m")
    fail(standing, error, 2 * IN_A_ROW)
    assert not standing.resting
    assert standing.wait() == 0
    for record in (standing.provider, standing.model):
        assert record.state == "unknown"
        assert record.last_error is None


def test_a_model_that_keeps_failing_is_left_alone_and_no_other_one(
    book: HealthBook, clock: Clock
) -> None:
    standing = book.standing("p", "m")
    fail(standing, times=IN_A_ROW)
    assert standing.model.state == "open"
    assert standing.provider.state == "failing"
    assert standing.wait() == COOLDOWN
    assert book.standing("p", "n").wait() == 0
    clock.advance(COOLDOWN)
    assert standing.wait() == 0
    succeed(standing)
    assert standing.model.state == "ok"


def test_a_provider_that_cannot_be_reached_is_left_alone_with_all_its_models(
    book: HealthBook, clock: Clock
) -> None:
    fail(book.standing("p", "m"), UNREACHABLE, IN_A_ROW)
    other = book.standing("p", "n")
    assert other.provider.state == "open"
    assert other.wait() == COOLDOWN
    assert book.standing("q", "m").wait() == 0
    clock.advance(COOLDOWN)
    other.begin()
    assert other.wait() == book.standing("p", "m").wait() == PROBE
    other.succeeded(0.1, None)
    assert other.wait() == 0
    assert book.standing("p", "m").wait() == 0, "its own time is over"


def test_slow_connections_and_slow_answers_are_not_the_same(book: HealthBook) -> None:
    late = UpstreamTimeoutError("no token")
    fail(book.standing("p", "m"), late, IN_A_ROW)
    assert book.standing("p", "n").wait() == 0
    unconnected = UpstreamTimeoutError("no connection")
    unconnected.unreachable = True
    fail(book.standing("q", "m"), unconnected, IN_A_ROW)
    assert book.standing("q", "n").wait() > 0


@pytest.mark.parametrize("error", [RateLimitError("slow down"), UpstreamAuthError("refused")])
def test_a_key_that_is_refused_says_nothing_about_the_model(
    book: HealthBook, error: GatewayError
) -> None:
    standing = book.standing("p", "m")
    fail(standing, error, 2 * IN_A_ROW)
    assert standing.wait() == 0
    assert standing.model.state == "failing"


@pytest.mark.parametrize(
    "error", [BadRequestError("yours"), RateLimitError("slow down"), None], ids=str
)
def test_a_probe_that_tells_nothing_makes_room_for_the_next(
    book: HealthBook, clock: Clock, error: GatewayError | None
) -> None:
    standing = book.standing("p", "m")
    fail(standing, UNREACHABLE, IN_A_ROW)
    clock.advance(COOLDOWN)
    began = standing.begin()
    assert standing.wait() == PROBE
    if error is None:
        standing.release(began)
    else:
        standing.failed(error, began)
    assert standing.wait() == 0
    assert standing.model.breaker.is_open


def test_a_probe_that_is_answered_lets_others_go(book: HealthBook, clock: Clock) -> None:
    standing = book.standing("p", "m")
    fail(standing, UNREACHABLE, times=IN_A_ROW)
    clock.advance(COOLDOWN)
    began = standing.begin()
    assert standing.wait() == PROBE
    standing.answered(began)
    assert standing.wait() == 0
    assert standing.model.running == 1
    standing.release(began)


def test_a_probe_that_fails_is_the_beginning_of_a_longer_wait(
    book: HealthBook, clock: Clock
) -> None:
    standing = book.standing("p", "m")
    fail(standing, UNREACHABLE, IN_A_ROW)
    clock.advance(COOLDOWN)
    fail(standing, UNREACHABLE)
    assert standing.wait() == 2 * COOLDOWN
    clock.advance(2 * COOLDOWN)
    fail(standing, BROKEN)  # it can be reached now
    assert standing.wait() == 4 * COOLDOWN
    assert book.standing("p", "n").wait() == 0


def test_calls_from_before_it_was_left_alone_are_no_probes(book: HealthBook, clock: Clock) -> None:
    standing = book.standing("p", "m")
    old = [standing.begin() for _ in range(3)]
    fail(standing, UNREACHABLE, IN_A_ROW)
    clock.advance(COOLDOWN)
    standing.begin()
    standing.release(old[0])
    standing.failed(UNREACHABLE, old[1])
    standing.failed(RateLimitError("slow down"), old[2])
    assert standing.wait() == PROBE
    assert standing.model.running == 1


def test_what_runs_on_this_machine_is_tried_again_soon(book: HealthBook, clock: Clock) -> None:
    """Somebody may have started it."""
    for local, longest in ((True, LONGEST_LOCAL), (False, LONGEST)):
        standing = book.standing(str(local), "m", local=local)
        fail(standing, UNREACHABLE, IN_A_ROW)
        for _ in range(10):
            clock.advance(standing.wait())
            fail(standing, UNREACHABLE)
        assert standing.wait() == longest
        assert standing.provider.breaker.wait(clock()) == longest


# all records


def test_every_provider_and_model_has_one_record(book: HealthBook) -> None:
    assert book.of("a") is book.of("a")
    assert book.of("a") is not book.of("b")
    standing = book.standing("a", "m")
    assert standing is book.standing("a", "m")
    assert standing.provider is book.of("a")
    assert standing.model is not book.standing("b", "m").model
    assert set(book.standings()) == {("a", "m"), ("b", "m")}


def test_there_is_an_end_to_what_is_remembered(
    book: HealthBook, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Clients may name any model."""
    monkeypatch.setattr(module, "MODELS", 3)
    busy = book.standing("p", "busy")
    began = busy.begin()
    for number in range(100):
        book.standing("p", f"made up {number}")
        assert len(book.standings()) <= 3
    assert book.standing("p", "busy") is busy, "its call is still to be counted"
    busy.release(began)
    assert busy.provider is book.of("p")


def test_without_a_clock_it_is_the_systems() -> None:
    standing = HealthBook().standing("p", "m")
    fail(standing, times=IN_A_ROW)
    assert COOLDOWN - 5 < standing.wait() <= COOLDOWN


def is_well(standing: Standing) -> bool:
    """Whether it is known to be."""
    return standing.model.well


def on_trial(standing: Standing) -> bool:
    """Whether others may wait for a word."""
    return standing.trials is not None


def test_it_is_well_for_a_while_after_a_good_word(book: HealthBook, clock: Clock) -> None:
    standing = book.standing("p", "m")
    assert not is_well(standing), "nobody knows"
    began = standing.begin()
    standing.answered(began)
    assert is_well(standing), "and its end is still to come"
    clock.advance(FRESH)
    assert not is_well(standing)
    standing.succeeded(0.1, None)
    assert is_well(standing)
    assert not is_well(book.standing("p", "another"))
    fail(standing)
    assert not is_well(standing)


async def test_trials_are_over_with_a_good_word_or_when_it_is_left_alone(book: HealthBook) -> None:
    standing = book.standing("p", "m")
    trials = standing.try_out()
    assert standing.try_out() is trials
    fail(standing, times=IN_A_ROW - 1)
    fail(standing, RateLimitError("slow down"))
    standing.release(standing.begin())
    assert standing.trials is trials
    fail(standing)
    assert not on_trial(standing)
    standing.try_out()
    standing.answered(standing.begin())
    assert not on_trial(standing)
    standing.try_out()
    succeed(standing)
    assert not on_trial(standing)
    standing.try_out()
    fail(standing, UNREACHABLE)
    assert on_trial(standing)
    assert standing.wait() == 0
