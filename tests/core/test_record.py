"""What is noted about a request."""

from __future__ import annotations

import time

import pytest

from g4f_aio.core.errors import RateLimitError, UpstreamTimeoutError
from g4f_aio.core.events import Usage
from g4f_aio.core.record import Attempt, Ledger, RequestRecord


@pytest.fixture
def record() -> RequestRecord:
    """A request that has just come."""
    return RequestRecord("req_1", "bob", "openai-chat", "best", "work", streamed=True)


def attempt(ttft: float | None = None) -> Attempt:
    """A call of a provider."""
    return Attempt("work", "m", time.monotonic(), ttft=ttft)


# an attempt


def test_a_call_is_under_way_until_it_ends() -> None:
    one = attempt()
    assert (one.outcome, one.duration, one.why) == ("running", None, "")
    one.ended("ok")
    assert (one.outcome, one.code, one.status) == ("ok", None, None)
    assert one.duration is not None
    assert 0 <= one.duration < 5


def test_one_that_failed_has_its_errors_code_and_status() -> None:
    one = Attempt("work", "m", time.monotonic() - 100)
    one.ended("failed", UpstreamTimeoutError("late"))
    assert (one.outcome, one.code, one.status) == ("failed", "provider_timeout", 504)
    assert one.duration is not None
    assert 100 <= one.duration < 105


# a request


def test_it_begins_now(record: RequestRecord) -> None:
    assert record.began == pytest.approx(time.time(), abs=5)
    assert record.started == pytest.approx(time.monotonic(), abs=5)
    assert (record.outcome, record.status, record.duration) == ("running", 200, None)
    assert record.attempts == []


def test_who_answered_is_the_last_one_who_said_something(record: RequestRecord) -> None:
    assert record.answered_by is None
    record.attempts = [attempt(), attempt()]
    assert record.answered_by is None
    record.attempts = [attempt(), attempt(0.1), attempt(0.2), attempt()]
    assert record.answered_by is record.attempts[2]


def test_one_that_nobody_says_anything_about_went_well(record: RequestRecord) -> None:
    record.ended()
    assert (record.outcome, record.status, record.code) == ("ok", 200, None)
    assert record.duration is not None
    assert 0 <= record.duration < 5


def test_an_upstream_s_own_figures_are_not_kept(record: RequestRecord) -> None:
    record.usage = Usage(1, 2, 3, 4, estimated=True, raw={"prompt_tokens": 1, "secret": "s"})
    record.ended()
    assert record.usage == Usage(1, 2, 3, 4, estimated=True)


def test_one_that_failed_has_what_the_client_was_told(record: RequestRecord) -> None:
    record.failed(RateLimitError("slow down"))
    record.ended()
    assert (record.outcome, record.status) == ("failed", 429)
    assert (record.code, record.message) == ("rate_limit_exceeded", "slow down")


def test_one_whose_client_left_was_cancelled(record: RequestRecord) -> None:
    record.cancelled()
    record.ended()
    assert (record.outcome, record.status, record.code) == ("cancelled", 200, None)


# all requests


class Reader:
    """Wants to know of all requests."""

    def __init__(self) -> None:
        self.seen: list[tuple[str, str]] = []

    def ended(self, record: RequestRecord) -> None:
        """Note it."""
        self.seen.append((record.id, record.outcome))


def test_whoever_wants_to_know_is_told_of_each_request_once_it_has_ended() -> None:
    ledger, readers = Ledger(), (Reader(), Reader())
    early = RequestRecord("early", "", "", "")
    ledger.close(early)
    for reader in readers:
        ledger.tell(reader)
    late = RequestRecord("late", "", "", "")
    late.cancelled()
    ledger.close(late)
    assert early.duration is not None
    assert [reader.seen for reader in readers] == [[("late", "cancelled")]] * 2
