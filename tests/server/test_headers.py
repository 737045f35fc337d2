"""What headers tell about how an answer came about."""

from __future__ import annotations

import time

import pytest
from hypothesis import given
from hypothesis import strategies as st
from multidict import CIMultiDict

from g4f_aio.core.errors import RateLimitError, UpstreamError
from g4f_aio.core.events import Started
from g4f_aio.core.record import Attempt as Call
from g4f_aio.core.record import RequestRecord
from g4f_aio.core.stores import Allowance, Balance
from g4f_aio.server.headers import about, drop_quotas, duration, quota_headers
from tests.e2e.wire import Attempt, attempts

#: what may be in a name: printable ASCII
NAMES = st.text(st.characters(min_codepoint=0x20, max_codepoint=0x7E, exclude_characters='"\\'))


def call(provider: str = "work", model: str = "m") -> Call:
    """A call of a provider that is under way."""
    return Call(provider, model, time.monotonic())


def failed(provider: str, code: str | None = None, ago: float = 0.0) -> Call:
    """One that failed, having begun so many seconds *ago*."""
    one = Call(provider, "m", time.monotonic() - ago)
    one.ended("failed", UpstreamError("broken", code=code))
    return one


def record(*calls: Call) -> RequestRecord:
    """What is noted about a request with these calls."""
    return RequestRecord("", "", "", "", attempts=list(calls))


def test_who_answers_is_told() -> None:
    headers = about(record(call()), Started("work", "m"))
    assert headers == {"x-provider": "work", "x-model": "m", "x-attempts": '"work/m"'}


def test_of_an_error_there_is_only_who_was_asked() -> None:
    assert set(about(record(failed("work")))) == {"x-attempts"}
    assert about(record()) == {}


def test_who_failed_before_is_told_with_the_reason_and_how_long_it_took() -> None:
    late = failed("late", ago=1.5)
    busy = call("busy")
    busy.ended("failed", RateLimitError("slow down"))
    header = about(record(late, busy, call()), Started("work", "m"))["x-attempts"]
    first, second, third = header.split(", ")
    assert first.startswith('"late/m";error=provider_not_working;status=502;ms=1')
    assert 1500 <= int(first.rpartition("=")[2]) < 6500
    assert second.startswith('"busy/m";error=rate_limit_exceeded;status=429;ms=')
    assert third == '"work/m"'


def test_one_that_was_stopped_did_not_fail() -> None:
    stopped = call("slow")
    stopped.ended("cancelled")
    assert about(record(stopped, call()))["x-attempts"] == '"slow/m";cancelled, "work/m"'


def test_what_was_supplied_is_told() -> None:
    found = record()
    found.emulated = ("tools", "json_schema")
    assert about(found) == {"x-emulated": "tools, json_schema"}


def test_what_the_upstream_tells_is_handed_on_unless_it_fits_in_no_header() -> None:
    told = {"anthropic-ratelimit-requests-limit": "50", "x-ratelimit-reset-requests": "1s\r\nx: y"}
    headers = about(record(), Started("work", "m", headers=told))
    assert headers == {
        "x-provider": "work",
        "x-model": "m",
        "anthropic-ratelimit-requests-limit": "50",
    }


def test_quotas_of_others_can_be_left_out() -> None:
    headers = CIMultiDict(
        {"X-RateLimit-Limit-Requests": "1", "anthropic-ratelimit-tokens-limit": "2", "x-model": "m"}
    )
    drop_quotas(headers)
    assert dict(headers) == {"x-model": "m"}


def test_how_a_cache_took_part_is_told() -> None:
    found = record()
    found.cache = "hit"
    assert about(found) == {"x-cache": "hit"}


def test_how_many_sources_there_are_is_told_also_where_there_are_none() -> None:
    found = record()
    found.sources = 0
    assert about(found) == {"x-web-search": "0"}


@pytest.mark.parametrize("name", ["Größe", "a\r\nX-Evil: 1", "a\x00b", "a\u2028b", "a\x7f"])
def test_a_name_that_fits_in_no_header_is_left_out(name: str) -> None:
    assert about(record(call(name)), Started(name, "m")) == {"x-model": "m"}
    assert about(record(call("work", name)), Started("work", name)) == {"x-provider": "work"}


@given(st.lists(st.tuples(NAMES, NAMES, st.booleans()), min_size=1, max_size=4))
def test_the_attempts_are_a_structured_field(calls: list[tuple[str, str, bool]]) -> None:
    made = [call(provider, model) for provider, model, _ in calls]
    for one, (_, _, fails) in zip(made, calls, strict=True):
        if fails:
            one.ended("failed", UpstreamError("broken"))
    assert attempts(about(record(*made))["x-attempts"]) == [
        Attempt(f"{provider}/{model}", *(("provider_not_working", 502) if fails else ()))
        for provider, model, fails in calls
    ]


# quotas


def test_what_is_left_of_a_quota_is_told_as_openai_does() -> None:
    balance = Balance(Allowance(60, 59, 1.0), Allowance(150_000, 149_984, 0.0064))
    assert quota_headers(balance) == {
        "x-ratelimit-limit-requests": "60",
        "x-ratelimit-remaining-requests": "59",
        "x-ratelimit-reset-requests": "1s",
        "x-ratelimit-limit-tokens": "150000",
        "x-ratelimit-remaining-tokens": "149984",
        "x-ratelimit-reset-tokens": "7ms",
    }


def test_a_limit_that_there_is_not_is_not_told() -> None:
    assert quota_headers(Balance()) == {}
    tokens = quota_headers(Balance(tokens=Allowance(5, 5, 0.0)))
    assert {name.rpartition("-")[2] for name in tokens} == {"tokens"}


@pytest.mark.parametrize(
    ("seconds", "text"),
    [
        (0, "0s"),
        (0.12, "120ms"),
        (0.0001, "1ms"),
        (0.999, "999ms"),
        (0.9991, "1s"),
        (1, "1s"),
        (8.64, "8.64s"),
        (59.999, "59.999s"),
        (59.9999, "1m0s"),
        (90.5, "1m30.5s"),
        (360, "6m0s"),
        (7200, "120m0s"),
    ],
)
def test_a_duration_is_rounded_up_to_milliseconds(seconds: float, text: str) -> None:
    assert duration(seconds) == text
