"""When something that keeps failing is left alone, and when it is tried again."""

from __future__ import annotations

from random import Random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    precondition,
    rule,
    run_state_machine_as_test,
)

from g4f_aio.gateway import breaker as module
from g4f_aio.gateway.breaker import AT_LEAST, COOLDOWN, IN_A_ROW, LONGEST, PROBE, WINDOW, Breaker


def opened(now: float = 0.0, longest: float = LONGEST) -> Breaker:
    """A breaker that has just opened."""
    breaker = Breaker(longest)
    for _ in range(IN_A_ROW):
        breaker.failed(now)
    return breaker


def probed(breaker: Breaker, now: float) -> float:
    """A probe begins; when that was."""
    assert breaker.wait(now) == 0
    breaker.begin(now)
    return now


def test_it_is_closed_at_first() -> None:
    breaker = Breaker()
    assert not breaker.is_open
    assert breaker.wait(0.0) == 0


def test_it_opens_after_some_failures_in_a_row() -> None:
    breaker = Breaker()
    for _ in range(IN_A_ROW - 1):
        breaker.failed(1.0)
        assert not breaker.is_open
    breaker.failed(1.0)
    assert breaker.is_open
    assert breaker.wait(1.0) == COOLDOWN
    assert breaker.wait(1.0 + COOLDOWN / 2) == COOLDOWN / 2


def test_a_success_in_between_starts_the_row_again() -> None:
    breaker = Breaker()
    for _ in range(IN_A_ROW - 1):
        breaker.failed(1.0)
    breaker.succeeded(1.0)
    for _ in range(IN_A_ROW - 1):
        breaker.failed(1.0)
    assert not breaker.is_open


def test_it_opens_when_half_of_enough_recent_calls_failed() -> None:
    breaker = Breaker()
    for call in range(AT_LEAST - 1):
        (breaker.succeeded if call % 2 else breaker.failed)(1.0)
        assert not breaker.is_open
    breaker.failed(1.0)
    assert breaker.is_open


def test_calls_of_long_ago_do_not_count() -> None:
    breaker = Breaker()
    for call in range(AT_LEAST - 1):
        (breaker.succeeded if call % 2 else breaker.failed)(1.0)
    breaker.failed(1.0 + WINDOW)
    assert not breaker.is_open


def test_few_failures_among_many_calls_do_no_harm() -> None:
    breaker = Breaker()
    for call in range(100):
        (breaker.succeeded if call % 3 else breaker.failed)(1.0)
    assert not breaker.is_open


def test_after_its_time_one_probe_may_pass_and_the_others_wait() -> None:
    breaker = opened()
    assert breaker.wait(COOLDOWN) == 0
    breaker.begin(COOLDOWN)
    assert breaker.wait(COOLDOWN) == PROBE
    assert breaker.wait(COOLDOWN + 1) == PROBE - 1


def test_a_probe_that_succeeds_closes_it() -> None:
    breaker = opened()
    began = probed(breaker, COOLDOWN)
    breaker.succeeded(began + 1)
    assert not breaker.is_open
    assert breaker.wait(began + 1) == 0
    breaker.failed(began + 2)
    assert not breaker.is_open, "what was before does not count any more"


def test_a_probe_that_is_answered_lets_others_go_but_not_for_long() -> None:
    breaker = opened()
    began = probed(breaker, COOLDOWN)
    breaker.answered(began)
    assert not breaker.is_open
    assert breaker.wait(began) == 0
    breaker.failed(began + 1, began)
    assert breaker.is_open, "it has never come to an end"


def test_so_does_one_that_comes_to_its_end_for_good() -> None:
    breaker = opened()
    began = probed(breaker, COOLDOWN)
    breaker.answered(began)
    breaker.succeeded(began + 1)
    breaker.failed(began + 2)
    assert not breaker.is_open


def test_a_call_that_is_no_probe_opens_nothing_for_others() -> None:
    breaker = opened()
    began = probed(breaker, COOLDOWN)
    breaker.answered(None)
    breaker.answered(began - 1)
    assert breaker.is_open


def test_a_probe_that_fails_opens_it_for_twice_as_long_up_to_a_bound() -> None:
    breaker, now, waits = opened(), 0.0, []
    for _ in range(9):
        waits.append(breaker.wait(now))
        now = probed(breaker, now + waits[-1])
        breaker.failed(now, now)
    assert waits == [5, 10, 20, 40, 80, 160, 300, 300, 300]


def test_the_bound_may_be_a_shorter_one() -> None:
    breaker = opened(longest=5.0)
    now = probed(breaker, 5.0)
    breaker.failed(now, now)
    assert breaker.wait(now) == 5.0
    assert opened(longest=2.0).wait(0.0) == 2.0


def test_a_success_makes_it_forget_how_long_it_was_open() -> None:
    breaker = opened()
    now = probed(breaker, COOLDOWN)
    breaker.failed(now, now)
    breaker.succeeded(now)
    for _ in range(IN_A_ROW):
        breaker.failed(now)
    assert breaker.wait(now) == COOLDOWN


def test_a_probe_whose_client_left_makes_room_for_another() -> None:
    breaker = opened()
    began = probed(breaker, COOLDOWN)
    breaker.release(began)
    assert breaker.is_open
    assert breaker.wait(COOLDOWN) == 0


def test_so_does_one_that_says_nothing_for_long() -> None:
    breaker = opened()
    first = probed(breaker, COOLDOWN)
    second = probed(breaker, COOLDOWN + PROBE)
    breaker.failed(second, first)
    assert breaker.wait(second) == PROBE, "the later one decides"
    breaker.failed(second, second)
    assert breaker.wait(second) == 2 * COOLDOWN


@pytest.mark.parametrize("at", [0.0, COOLDOWN, 100.0])
def test_calls_that_began_before_it_opened_are_no_probes(at: float) -> None:
    breaker = opened()
    until = breaker.wait(0.0)
    breaker.failed(at)
    breaker.release()
    assert breaker.wait(0.0) == until, "it does not open for longer"
    began = probed(breaker, at + until)
    breaker.release()
    breaker.failed(began)
    breaker.failed(began, began - 1)
    assert breaker.wait(began) == PROBE, "nobody else may pass because of them"


def test_but_their_success_is_good_news() -> None:
    breaker = opened()
    breaker.succeeded(1.0)
    assert not breaker.is_open


#: exact as a float, as all times here are
TICK = 2.0**-10


class Calls(RuleBasedStateMachine):
    """Calls in any order, some of them from before it opened."""

    @initialize(
        longest=st.sampled_from([2.0, 5.0, LONGEST]), failures=st.sampled_from([0, IN_A_ROW])
    )
    def make(self, longest: float, failures: int) -> None:
        self.breaker = Breaker(longest)
        self.longest = longest
        self.now = 1000.0
        #: the calls under way: when each began, and None for those that were no probes
        self.calls: list[float | None] = [None] * 3
        #: those that are probes since it last opened
        self.probes: set[float] = set()
        for _ in range(failures):
            self.breaker.failed(self.now)

    @rule(seconds=st.sampled_from([0.5, 4.5, 5.0, 31.0, 61.0, 400.0]))
    def time_passes(self, seconds: float) -> None:
        self.now += seconds

    @precondition(lambda self: self.breaker.wait(self.now) == 0)
    @rule()
    def begins(self) -> None:
        self.now += TICK  # no two calls begin at one time
        began = self.now if self.breaker.is_open else None
        self.calls.append(began)
        if began is not None:
            self.probes.add(began)
        self.breaker.begin(self.now)

    @precondition(lambda self: self.calls)
    @rule(
        which=st.randoms(use_true_random=False),
        how=st.sampled_from(["bad", "bad", "bad", "left", "left", "ok"]),
    )
    def ends(self, which: Random, how: str) -> None:
        began = self.calls.pop(which.randrange(len(self.calls)))
        match how:
            case "ok":
                self.breaker.succeeded(self.now)
                assert not self.breaker.is_open
                assert self.breaker.wait(self.now) == 0
                self.probes.clear()
            case "bad":
                self.breaker.failed(self.now, began)
            case _:
                self.breaker.release(began)
        if began is not None:
            self.probes.discard(began)

    @invariant()
    def waits_are_bounded(self) -> None:
        assert 0 <= self.breaker.wait(self.now) <= max(self.longest, PROBE)

    @invariant()
    def no_second_probe_passes(self) -> None:
        recent = [began for began in self.probes if self.now - began < PROBE]
        assert len(recent) <= 1
        if recent:
            assert self.breaker.wait(self.now) > 0


def test_however_calls_come_and_go() -> None:
    examples = max(200, settings().max_examples)
    run_state_machine_as_test(Calls, settings=settings(max_examples=examples))


@given(st.lists(st.booleans(), max_size=60))
def test_it_opens_just_when_enough_failed(results: list[bool]) -> None:
    """As its rules say, told here in another way."""
    breaker = Breaker()
    for count, ok in enumerate(results, 1):
        (breaker.succeeded if ok else breaker.failed)(1.0)
        seen = results[max(0, count - module._REMEMBERED) : count]
        row = count >= IN_A_ROW and not any(results[count - IN_A_ROW : count])
        half = len(seen) >= AT_LEAST and seen.count(False) >= len(seen) / 2
        assert breaker.is_open is (not ok and (row or half))
        if breaker.is_open:
            return


def test_how_many_more_failures_in_a_row_open_it() -> None:
    breaker = Breaker()
    for left in range(IN_A_ROW, 0, -1):
        assert breaker.left == left
        assert not breaker.is_open
        breaker.failed(1.0)
    assert breaker.is_open
    breaker.succeeded(2.0)
    assert breaker.left == IN_A_ROW
