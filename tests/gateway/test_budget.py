"""How many further tries there may be."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from g4f_aio.gateway.budget import WINDOW, RetryBudget
from tests.gateway.clock import Clock


def budget(clock: Clock, requests: int = 0) -> RetryBudget:
    """A budget after so many requests."""
    made = RetryBudget(0.2, 3, clock)
    for _ in range(requests):
        made.request()
    return made


def spent(of: RetryBudget, most: int = 1000) -> int:
    """How many tries it allows."""
    return next(count for count in range(most) if not of.spend())


@pytest.mark.parametrize(
    ("requests", "tries"), [(0, 3), (1, 3), (15, 3), (19, 3), (20, 4), (100, 20), (1000, 200)]
)
def test_it_is_a_share_of_the_requests_and_some_at_least(requests: int, tries: int) -> None:
    assert spent(budget(Clock(), requests)) == tries


def test_what_was_spent_comes_back_with_time() -> None:
    clock = Clock()
    made = budget(clock)
    assert spent(made) == 3
    clock.advance(WINDOW)
    assert not made.spend()
    clock.advance(0.1)
    assert spent(made) == 3


def test_requests_of_long_ago_do_not_count() -> None:
    clock = Clock()
    made = budget(clock, 100)
    clock.advance(WINDOW)
    assert made.spend()
    clock.advance(1)
    assert spent(made) == 2, "and one was taken before"
    made.request()
    assert len(made._requests) == 1, "nor are they kept"


def test_without_a_clock_it_is_the_systems() -> None:
    made = RetryBudget()
    made.request()
    assert spent(made) == 3


@given(
    st.lists(
        st.tuples(st.sampled_from([0.0, 0.25, 0.5, 3.0, 9.75, 30.0]), st.booleans()), max_size=200
    )
)
def test_in_no_ten_seconds_are_there_more_tries_than_it_says(
    steps: list[tuple[float, bool]],
) -> None:
    """A second more of requests may count, as they are counted by the second."""
    clock = Clock()
    made = budget(clock)
    requests: list[float] = []
    tries: list[float] = []
    for pause, is_request in steps:
        clock.advance(pause)
        if is_request:
            made.request()
            requests.append(clock())
        else:
            recent = [at for at in requests if at > clock() - WINDOW - 1]
            before = [at for at in tries if at >= clock() - WINDOW]
            certain = [at for at in requests if at >= clock() - WINDOW]
            if made.spend():
                tries.append(clock())
                assert len(before) < max(3, int(0.2 * len(recent)))
            else:
                assert len(before) >= max(3, int(0.2 * len(certain)) - 1)
