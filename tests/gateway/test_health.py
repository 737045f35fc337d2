"""The record of a provider."""

from __future__ import annotations

import time

import pytest

from g4f_aio import (
    AuthenticationError,
    BadRequestError,
    GatewayError,
    RateLimitError,
    UnsupportedError,
    UpstreamAuthError,
    UpstreamError,
    UpstreamTimeoutError,
)
from g4f_aio.gateway import health as module
from g4f_aio.gateway.health import Health, HealthBook


def test_before_its_first_call_nothing_is_known() -> None:
    record = Health()
    assert record.state == "unknown"
    assert record.success_rate is None
    assert record.ttft is None
    assert record.last_ok is None
    assert not record.resting


def test_a_success_is_noted_with_its_time() -> None:
    record = Health()
    record.succeeded(0.5)
    assert (record.state, record.success_rate, record.ttft) == ("ok", 1.0, 0.5)
    assert record.last_ok == pytest.approx(time.time(), abs=5)


def test_the_time_to_the_first_token_is_an_average_that_favours_the_newer_ones() -> None:
    record = Health()
    for _ in range(20):
        record.succeeded(1.0)
    for _ in range(20):
        record.succeeded(2.0)
    assert record.ttft == pytest.approx(2.0, abs=0.05)
    record.succeeded(None)
    assert record.ttft == pytest.approx(2.0, abs=0.05)


@pytest.mark.parametrize(
    "error",
    [
        UpstreamError("broken"),
        UpstreamTimeoutError("late"),
        UpstreamAuthError("our key is bad"),
        RateLimitError("too often"),
    ],
)
def test_a_failure_makes_it_rest(error: GatewayError) -> None:
    record = Health()
    record.failed(error)
    assert record.resting
    assert (record.state, record.success_rate) == ("failing", 0.0)
    assert record.last_error == error.message


@pytest.mark.parametrize(
    "error",
    [
        BadRequestError("your messages are wrong"),
        UnsupportedError("no tools"),
        AuthenticationError("your own key is wrong"),
    ],
)
def test_a_callers_mistake_is_not_its_fault(error: GatewayError) -> None:
    record = Health()
    record.failed(error)
    assert not record.resting
    assert record.state == "unknown"
    assert record.last_error is None


def test_a_success_ends_the_rest_and_time_does() -> None:
    record = Health()
    record.failed(UpstreamError("broken"))
    record.succeeded(0.1)
    assert not record.resting
    assert record.success_rate == 0.5
    assert record.last_error == "broken"


def test_it_rests_for_a_while(monkeypatch: pytest.MonkeyPatch) -> None:
    record = Health()
    record.failed(UpstreamError("broken"))
    monkeypatch.setattr(module, "REST", 0.0)
    assert not record.resting


def test_only_the_last_calls_count() -> None:
    record = Health()
    for _ in range(module.WINDOW):
        record.failed(UpstreamError("broken"))
    for _ in range(module.WINDOW):
        record.succeeded(0.1)
    assert record.success_rate == 1.0


def test_every_provider_has_one_record() -> None:
    book = HealthBook()
    assert book.of("a") is book.of("a")
    assert book.of("a") is not book.of("b")
