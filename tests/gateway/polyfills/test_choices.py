"""One choice at a time, and each with its number."""

from __future__ import annotations

import pytest

from g4f_aio import (
    ChatRequest,
    Event,
    Finish,
    Logprobs,
    ReasoningDelta,
    RefusalDelta,
    TextDelta,
    Title,
    ToolCallDelta,
    UnsupportedError,
)
from g4f_aio.gateway.polyfills.choices import MOST, numbered, single


@pytest.mark.parametrize(
    "event",
    [
        TextDelta("a"),
        ReasoningDelta("a"),
        RefusalDelta("a"),
        ToolCallDelta(0),
        Logprobs({}),
        Finish(),
    ],
)
def test_events_of_a_choice_get_its_number(event: Event) -> None:
    assert numbered(event, 0) is event
    found = numbered(event, 3)
    assert type(found) is type(event)
    assert getattr(found, "choice") == 3  # noqa: B009  (not all events have it)


def test_others_are_of_all_choices() -> None:
    assert numbered(Title("t"), 3) == Title("t")


def test_so_many_at_most() -> None:
    assert single(ChatRequest("m", (), n=MOST, raw={})) == ChatRequest("m", (), n=1)
    with pytest.raises(UnsupportedError) as caught:
        single(ChatRequest("m", (), n=MOST + 1))
    assert caught.value.param == "n"
