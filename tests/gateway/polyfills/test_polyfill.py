"""A polyfill changes nothing by itself; in a chain each gets what the one before it gives."""

from __future__ import annotations

from g4f_aio import ChatRequest, Finish, TextDelta
from g4f_aio.gateway.polyfills.max_tokens import MaxTokens
from g4f_aio.gateway.polyfills.polyfill import Chain, Polyfill
from g4f_aio.gateway.polyfills.stop import Stop

REQUEST = ChatRequest("m", ())


def test_by_itself_it_leaves_everything_as_it_is() -> None:
    polyfill = Polyfill()
    assert polyfill.prepare(REQUEST) is REQUEST
    assert list(polyfill.feed(Finish())) == [Finish()]
    assert list(polyfill.close()) == []
    assert polyfill.again(REQUEST) is None
    assert polyfill.last


def test_events_pass_from_one_to_the_next() -> None:
    chain = Chain([MaxTokens(2), Stop(["z"])])
    assert chain.feed(TextDelta("12")) == [TextDelta("12")]
    assert chain.feed(TextDelta("345")) == [TextDelta("3"), Finish("length")]
    assert chain.done
    assert chain.again(REQUEST) is None


def test_what_one_held_back_passes_through_those_after_it() -> None:
    chain = Chain([Stop(["abc"]), Stop(["ab"])])
    assert chain.feed(TextDelta("xab")) == [TextDelta("x")]
    assert chain.close() == [Finish("stop", stop_sequence="ab")]
