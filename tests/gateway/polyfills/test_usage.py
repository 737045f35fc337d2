"""Tokens are those reported, else estimated; those of several calls are added."""

from __future__ import annotations

from g4f_aio import (
    ChatRequest,
    Finish,
    Message,
    ReasoningDelta,
    TextDelta,
    TextPart,
    ToolCallDelta,
    Usage,
)
from g4f_aio.core.request_tokens import estimate_request
from g4f_aio.gateway.polyfills.usage import Meter, both

REQUEST = ChatRequest("m", (Message("user", (TextPart("Hello there"),)),))


def test_a_report_counts_and_goes_no_further() -> None:
    meter = Meter(REQUEST)
    assert not meter.see(TextDelta("Hi"))
    assert meter.see(Usage(1, 2))
    assert meter.usage == Usage(1, 2)


def test_without_one_everything_said_is_estimated() -> None:
    meter = Meter(REQUEST)
    for event in (
        ReasoningDelta("abcd"),
        TextDelta("abcd"),
        ToolCallDelta(0, arguments="abcd"),
        Finish(),
    ):
        assert not meter.see(event)
    assert meter.usage == Usage(estimate_request(REQUEST), 3, estimated=True)


def test_the_sum_is_estimated_when_one_part_is() -> None:
    one = Usage(1, 2, 3, 4, raw={"x": 1})
    assert both(None, one) is one
    assert both(one, Usage(10, 20, 30, 40, estimated=True)) == Usage(11, 22, 33, 44, estimated=True)
