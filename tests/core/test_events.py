"""The events of an answer: a closed union of values."""

from __future__ import annotations

from typing import get_args

import attrs
import pytest

from g4f_aio.core.events import (
    Event,
    Finish,
    FinishReason,
    Passthrough,
    TextDelta,
    ToolCallDelta,
    Usage,
)


@pytest.mark.parametrize("kind", get_args(Event), ids=lambda kind: kind.__name__)
def test_every_event_is_a_frozen_value_that_says_what_it_is(kind: type) -> None:
    assert attrs.has(kind)
    assert kind.__doc__
    fields = {field.name: "x" for field in attrs.fields(kind)}
    event, same = kind(**fields), kind(**fields)
    assert event == same
    with pytest.raises(attrs.exceptions.FrozenInstanceError):
        setattr(event, next(iter(fields)), "y")


def test_what_belongs_to_a_choice_belongs_to_the_first_one_by_default() -> None:
    assert TextDelta("a").choice == Finish().choice == ToolCallDelta(0).choice == 0


def test_an_answer_ends_for_one_of_openais_reasons() -> None:
    assert set(get_args(FinishReason)) == {
        "stop",
        "length",
        "tool_calls",
        "content_filter",
        "function_call",
    }
    assert Finish().reason == "stop"


def test_a_call_is_one_of_a_function_unless_it_says_otherwise() -> None:
    assert ToolCallDelta(0).type == "function"


def test_bytes_handed_on_are_part_of_an_answer_but_not_its_end() -> None:
    data = Passthrough(b"x")
    assert (data.last, data.progress, data.usage) == (False, True, None)


def test_usage_is_the_upstreams_unless_it_says_otherwise() -> None:
    assert Usage(1, 2).estimated is False
