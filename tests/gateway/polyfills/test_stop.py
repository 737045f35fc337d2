"""A text ends before a stop sequence, wherever it is cut."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from g4f_aio import ChatRequest, Finish, ReasoningDelta, Sampling, TextDelta, ToolCallDelta
from g4f_aio.gateway.polyfills.polyfill import Chain
from g4f_aio.gateway.polyfills.stop import Stop
from tests.gateway.polyfills.pieces import CUTS, answered, cut, joined, reasons

WORDS = st.text("abc", min_size=1, max_size=3)


def before(text: str, sequences: list[str]) -> str:
    """The text up to the sequence that is complete first; found by looking at every beginning."""
    for end in range(len(text) + 1):
        here = [one for one in sequences if text[:end].endswith(one)]
        if here:
            return text[: end - max(map(len, here))]
    return text


@given(st.text("abcd", max_size=40), st.lists(WORDS, min_size=1, max_size=4), CUTS)
def test_the_text_ends_where_a_sequence_is_complete_first(
    text: str, sequences: list[str], cuts: list[float]
) -> None:
    events = answered(Stop(sequences), cut(text, cuts))
    assert joined(events) == before(text, sequences)
    assert reasons(events) == ["stop"]


@given(st.text("ab", max_size=20), CUTS)
def test_what_may_begin_a_sequence_is_held_back_no_longer_than_needed(
    text: str, cuts: list[float]
) -> None:
    polyfill = Stop(["abba"])
    said = ""
    for piece in cut(before(text, ["abba"]), cuts):
        said += piece
        for event in polyfill.feed(TextDelta(piece)):
            assert isinstance(event, TextDelta)
            said = said.removeprefix(event.text)
        assert len(said) < 4


def test_the_provider_is_done_with_once_a_sequence_is_found() -> None:
    polyfill = Stop(["END"])
    chain = Chain([polyfill])
    assert chain.feed(TextDelta("a E")) == [TextDelta("a ")]
    before = chain.done
    assert chain.feed(TextDelta("ND b")) == [Finish("stop", stop_sequence="END")]
    assert (before, chain.done) == (False, True)
    assert chain.feed(TextDelta("more")) == []
    assert chain.close() == []


@pytest.mark.parametrize("event", [Finish("length"), ToolCallDelta(0, "c", "f")])
def test_what_ends_a_text_lets_go_of_it(event: Finish | ToolCallDelta) -> None:
    polyfill = Stop(["END"])
    assert list(polyfill.feed(TextDelta("a EN"))) == [TextDelta("a ")]
    assert list(polyfill.feed(ReasoningDelta("hm"))) == [ReasoningDelta("hm")]
    assert list(polyfill.feed(event)) == [TextDelta("EN"), event]


def test_the_provider_gets_no_sequences() -> None:
    request = ChatRequest("m", (), sampling=Sampling(stop=("a",), seed=1), raw={}, accept="x")
    found = Stop(("a",)).prepare(request)
    assert found.sampling == Sampling(seed=1)
    assert (found.raw, found.accept) == (None, None)
