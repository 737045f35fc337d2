"""Who is to blame for a stall, from what was seen of it."""

from __future__ import annotations

import sys
from collections.abc import Callable
from types import FrameType
from typing import Any

import attrs
import pytest

from g4f_aio.core.provider import Provider
from g4f_aio.gateway.stall import Stall, Wait

#: a wait that was not held up
PLAIN = Wait(came=False, took=0.3, late=0.001, ran=0.0, collected=False)
#: one in which the watched thread let nobody run
HOGGED = attrs.evolve(PLAIN, took=1.25, late=1.0, ran=1.0)
#: those in which nobody ran for a while, or hardly anybody
PAUSED = attrs.evolve(PLAIN, took=12.0, late=11.5, ran=0.5)
STARVED = attrs.evolve(PLAIN, took=12.0, late=11.9, ran=1.0)


@attrs.frozen(kw_only=True)
class Actor(Provider):
    name = "actor"

    def act(self, then: Callable[[], Any] = sys._getframe) -> Any:
        return then()


ACTOR = Actor()


def stack(provider: Actor = ACTOR) -> list[FrameType]:
    """A new step of the provider: a stack that ends with its frame."""
    found: list[FrameType] = []

    def look() -> None:
        frame = sys._getframe()
        assert frame.f_back is not None
        found.extend((frame, frame.f_back))

    provider.act(look)
    return found


def stall(first: list[FrameType]) -> Stall:
    return Stall(lambda: {"actor": ACTOR}, first)


def test_who_is_seen_twice_is_blamed() -> None:
    step = stack()
    found = stall(step)
    found.add(PLAIN, step)
    found.add(attrs.evolve(PLAIN, came=True), None)
    worst, seconds = found.worst
    assert (worst.provider, seconds) == ("actor", 0.6)
    assert found.blamed(0.25) == {"actor": 0.6}
    assert found.blamed(0.7) == {}
    assert found.seconds == 0.6


def test_who_is_seen_once_is_not() -> None:
    """Nor is he who is seen at one step, and then at another."""
    found = stall(stack())
    found.add(PLAIN, stack())
    found.add(PLAIN, stack())
    found.add(PLAIN, [])
    worst, seconds = found.worst
    assert worst.provider is None
    assert seconds == pytest.approx(0.9)
    assert found.blamed(0.0) == {}


def test_the_longest_of_several_steps_counts() -> None:
    first, second = stack(), stack()
    found = stall(first)
    found.add(PLAIN, first)
    for _ in range(3):
        found.add(PLAIN, second)
    assert found.blamed(0.25) == {"actor": 0.6}
    assert found.seconds == pytest.approx(1.2)


def test_a_hog_is_blamed_when_it_is_seen_once_and_for_what_it_used() -> None:
    found = stall([])
    found.add(HOGGED, stack())
    assert found.blamed(0.25) == {"actor": 0.75}
    assert found.seconds == 0.75


def test_garbage_is_nobody_s() -> None:
    step = stack()
    found = stall(step)
    found.add(attrs.evolve(HOGGED, collected=True), step)
    assert found.blamed(0.25) == {}
    assert found.seconds == 0.75


@pytest.mark.parametrize("wait", [PAUSED, STARVED])
def test_nobody_is_blamed_for_the_machine(wait: Wait) -> None:
    step = stack()
    found = stall(step)
    found.add(wait, step)
    assert found.blamed(0.0) == {}
    assert found.seconds == 0.0
    assert found.worst[0].provider is None


def test_a_wait_that_was_disturbed_a_little_counts() -> None:
    step = stack()
    found = stall(step)
    found.add(attrs.evolve(PLAIN, late=0.04), step)
    assert found.blamed(0.25) == {"actor": 0.3}
