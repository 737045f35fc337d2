"""An answer is no longer than asked for, however it is cut."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from g4f_aio import ChatRequest, Finish, ReasoningDelta, Sampling, TextDelta, Title
from g4f_aio.core.tokens import clip_to_tokens
from g4f_aio.gateway.polyfills.max_tokens import MaxTokens
from tests.gateway.polyfills.pieces import CUTS, answered, cut, joined, reasons


@given(st.text(max_size=60), st.integers(1, 12), CUTS)
def test_as_much_is_said_as_fits(text: str, limit: int, cuts: list[float]) -> None:
    events = answered(MaxTokens(limit), cut(text, cuts))
    kept = clip_to_tokens(text, limit)
    assert joined(events) == kept
    assert reasons(events) == ["stop" if kept == text else "length"]


def test_thinking_counts_and_nothing_comes_after_the_end() -> None:
    polyfill = MaxTokens(2)
    assert list(polyfill.feed(Title("t"))) == [Title("t")]
    assert list(polyfill.feed(ReasoningDelta("ten or so "))) == [ReasoningDelta("ten or so ")]
    assert list(polyfill.feed(TextDelta("9"))) == [Finish("length")]
    assert polyfill.done
    assert list(polyfill.feed(Finish())) == []


def test_the_provider_gets_no_limit_under_either_name() -> None:
    request = ChatRequest(
        "m", (), sampling=Sampling(max_tokens=5), options={"max_completion_tokens": 5, "user": "u"}
    )
    found = MaxTokens(5).prepare(request)
    assert found.sampling.max_tokens is None
    assert found.options == {"user": "u"}
