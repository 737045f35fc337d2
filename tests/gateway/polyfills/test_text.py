"""Instructions join those that there are; what may begin a marker is known."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from g4f_aio import Message, TextPart
from g4f_aio.gateway.polyfills.text import instructed, pending

HI = Message("user", (TextPart("Hi"),))


def test_instructions_are_made_or_go_on() -> None:
    assert instructed((HI,), "X") == (Message("system", (TextPart("X"),)), HI)
    brief = Message("developer", (TextPart("Be brief."),))
    found = instructed((brief, HI), "X")
    assert [one.text for one in found] == ["Be brief.\n\nX", "Hi"]
    assert instructed((Message("system"), HI), "X")[0].text == "X"


@given(st.text("ab", max_size=12), st.lists(st.text("ab", min_size=1, max_size=4), max_size=3))
def test_the_longest_beginning_counts(text: str, markers: list[str]) -> None:
    sizes = [size for one in markers for size in range(1, len(one)) if text.endswith(one[:size])]
    assert pending(text, markers) == max(sizes, default=0)
