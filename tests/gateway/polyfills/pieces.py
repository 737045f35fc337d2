"""Texts in any pieces, and what comes out of a polyfill for them."""

from __future__ import annotations

from collections.abc import Iterable
from itertools import pairwise

from hypothesis import strategies as st

from g4f_aio.core.events import Event, Finish, ReasoningDelta, TextDelta, ToolCallDelta
from g4f_aio.gateway.polyfills.polyfill import Chain, Polyfill

#: where a text is cut, as shares of its length
CUTS = st.lists(st.floats(0, 1, exclude_max=True), max_size=12)


def cut(text: str, cuts: Iterable[float]) -> list[str]:
    """*text* in pieces."""
    places = [0, *sorted(int(share * len(text)) for share in cuts), len(text)]
    pieces = [text[a:b] for a, b in pairwise(places)]
    return [piece for piece in pieces if piece]


def answered(
    polyfill: Polyfill, pieces: Iterable[str], finish: Finish | None = None
) -> list[Event]:
    """What becomes of an answer with the text *pieces*, until no more of it is wanted."""
    chain = Chain([polyfill])
    found: list[Event] = []
    said: list[Event] = [*map(TextDelta, pieces), finish or Finish()]
    for event in said:
        found += chain.feed(event)
        if chain.done:
            break
    return [*found, *chain.close()]


def joined(events: Iterable[Event]) -> str:
    """All text of an answer."""
    return "".join(one.text for one in events if isinstance(one, (TextDelta, ReasoningDelta)))


def reasons(events: Iterable[Event]) -> list[str]:
    """Why it ends."""
    return [one.reason for one in events if isinstance(one, Finish)]


def calls(events: Iterable[Event]) -> list[tuple[str, str]]:
    """Names and arguments of the calls, each of which has an id in its first piece alone."""
    found: list[tuple[str, str]] = []
    ids = set()
    for one in events:
        if not isinstance(one, ToolCallDelta):
            continue
        if one.index == len(found):
            assert one.id
            assert one.name
            assert one.id not in ids
            ids.add(one.id)
            found.append((one.name, one.arguments))
        else:
            assert (one.index, one.id, one.name) == (len(found) - 1, None, None)
            name, said = found[-1]
            found[-1] = (name, said + one.arguments)
    return found
