"""Usage and stop reasons, there and back."""

from __future__ import annotations

from typing import Any, get_args

import pytest
from hypothesis import given
from hypothesis import strategies as st

from g4f_aio.core.events import Finish, FinishReason, Usage
from g4f_aio.dialects.anthropic_usage import (
    ending_object,
    merged,
    reason_of,
    stop_reason_of,
    usage_object,
    usage_of,
)

COUNTS = st.integers(0, 10**9)


@pytest.mark.parametrize(
    ("raw", "usage"),
    [
        ({}, None),
        ({"input_tokens": None, "service_tier": "standard"}, None),
        ({"input_tokens": 3, "output_tokens": 4}, Usage(3, 4)),
        ({"output_tokens": 4}, Usage(0, 4)),
        (
            {
                "input_tokens": 1,
                "cache_read_input_tokens": 20,
                "cache_creation_input_tokens": 300,
                "output_tokens": 7,
                "output_tokens_details": {"thinking_tokens": 5},
            },
            Usage(321, 7, cached=20, reasoning=5),
        ),
        ({"input_tokens": 1, "output_tokens": "x", "output_tokens_details": 3}, Usage(1)),
        ({"input_tokens": True, "output_tokens": False}, None),
    ],
)
def test_the_input_is_all_of_it_whether_cached_or_not(
    raw: dict[str, Any], usage: Usage | None
) -> None:
    assert usage_of(raw) == usage


def test_later_counts_replace_earlier_ones_and_null_says_nothing() -> None:
    first = {"input_tokens": 5, "output_tokens": 1}
    assert merged(first, {"output_tokens": 9, "input_tokens": None}) == {
        "input_tokens": 5,
        "output_tokens": 9,
    }
    assert merged(first, None) == first


@given(COUNTS, COUNTS, COUNTS, COUNTS)
def test_what_is_written_reads_the_same(
    plain: int, cached: int, output: int, reasoning: int
) -> None:
    usage = Usage(plain + cached, output, cached, reasoning)
    assert usage_of(usage_object(usage)) == usage


def test_an_estimate_says_that_it_is_one() -> None:
    assert usage_object(Usage(1, 2, estimated=True))["estimated"] is True
    assert "estimated" not in usage_object(Usage(1, 2))


@pytest.mark.parametrize(
    ("stop_reason", "reason"),
    [
        ("end_turn", "stop"),
        ("stop_sequence", "stop"),
        ("pause_turn", "stop"),
        ("max_tokens", "length"),
        ("model_context_window_exceeded", "length"),
        ("tool_use", "tool_calls"),
        ("refusal", "content_filter"),
        ("something_new", "stop"),
    ],
)
def test_stop_reasons(stop_reason: str, reason: FinishReason) -> None:
    assert reason_of(stop_reason) == reason


@pytest.mark.parametrize("reason", get_args(FinishReason))
def test_every_reason_has_its_stop_reason(reason: FinishReason) -> None:
    back = reason_of(stop_reason_of(reason, called=False))
    assert back == ("tool_calls" if reason == "function_call" else reason)


def test_an_answer_with_calls_ends_for_them_whatever_it_says() -> None:
    assert stop_reason_of("stop", called=True) == "tool_use"
    assert stop_reason_of(None, called=True) == "tool_use"
    assert stop_reason_of(None, called=False) == "end_turn"
    assert stop_reason_of("length", called=True) == "max_tokens"


@pytest.mark.parametrize(
    ("finish", "called", "stop_reason", "stop_sequence"),
    [
        (None, False, "end_turn", None),
        (Finish(), False, "end_turn", None),
        (Finish(stop_sequence="END"), False, "stop_sequence", "END"),
        (Finish(stop_sequence="END"), True, "tool_use", None),
        (Finish("length", stop_sequence="END"), False, "max_tokens", None),
        (Finish(paused=True), False, "pause_turn", None),
        (Finish(paused=True), True, "tool_use", None),
    ],
)
def test_the_end_of_an_answer(
    finish: Finish | None,
    called: bool,  # noqa: FBT001
    stop_reason: str,
    stop_sequence: str | None,
) -> None:
    assert ending_object(finish, called=called) == {
        "stop_reason": stop_reason,
        "stop_sequence": stop_sequence,
    }
