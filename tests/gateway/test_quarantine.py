"""A provider that blocks the event loop three times is left alone for a while."""

from __future__ import annotations

import attrs
import pytest

from g4f_aio.gateway.quarantine import LENGTH, WITHIN, Quarantine


@attrs.define
class Clock:
    """Shows the time it is set to."""

    now: float = 1000.0

    def __call__(self) -> float:
        return self.now


def strike(quarantine: Quarantine, times: int = 3) -> None:
    for _ in range(times):
        quarantine.strike("acme", 0.5)


def test_two_strikes_are_forgiven() -> None:
    quarantine = Quarantine(Clock())
    strike(quarantine, 2)
    assert quarantine.reason("acme") is None
    assert quarantine.until("acme") is None
    assert quarantine.wait("acme") == 0


def test_the_third_is_one_too_many_and_that_is_said(caplog: pytest.LogCaptureFixture) -> None:
    quarantine = Quarantine(Clock())
    strike(quarantine)
    assert quarantine.until("acme") == 1000 + LENGTH
    assert quarantine.wait("acme") == LENGTH
    reason = quarantine.reason("acme")
    assert reason is not None
    assert reason.startswith("acme blocked the event loop 3 times within 10 minutes; it is used")
    assert "in 10 min" in reason
    assert "provider acme is not used for 10 minutes" in caplog.text
    assert "0.50 s" in caplog.text


def test_others_are_not_concerned() -> None:
    quarantine = Quarantine(Clock())
    strike(quarantine)
    quarantine.strike("other")
    assert quarantine.reason("other") is None


def test_strikes_grow_old() -> None:
    clock = Clock()
    quarantine = Quarantine(clock)
    strike(quarantine, 2)
    clock.now += WITHIN
    strike(quarantine, 2)
    assert quarantine.reason("acme") is None


def test_it_ends_by_itself_and_three_more_strikes_are_needed() -> None:
    clock = Clock()
    quarantine = Quarantine(clock)
    strike(quarantine)
    clock.now += LENGTH - 1
    reason = quarantine.reason("acme")
    assert reason is not None
    assert "in 1 min" in reason
    clock.now += 1
    assert quarantine.reason("acme") is None
    strike(quarantine, 2)
    assert quarantine.reason("acme") is None
    strike(quarantine, 1)
    assert quarantine.reason("acme") is not None


def test_a_call_that_is_still_under_way_makes_it_longer() -> None:
    clock = Clock()
    quarantine = Quarantine(clock)
    strike(quarantine)
    clock.now += 60
    quarantine.strike("acme")
    assert quarantine.until("acme") == 1060 + LENGTH


def test_a_reload_ends_it() -> None:
    quarantine = Quarantine(Clock())
    strike(quarantine)
    quarantine.clear()
    assert quarantine.reason("acme") is None
    strike(quarantine, 2)
    assert quarantine.reason("acme") is None
