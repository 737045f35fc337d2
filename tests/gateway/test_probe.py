"""The first content of the call that shows whether a provider is well again."""

from __future__ import annotations

from g4f_aio.core.events import Event, Finish, Passthrough, Status, TextDelta
from g4f_aio.gateway.probe import Probe
from tests.gateway.actors import Theatre, stage

COMMENT = Passthrough(b": hm\n\n", progress=False)


async def test_its_first_content_is_told_once() -> None:
    said = (Status("thinking"), COMMENT, TextDelta("a"), TextDelta("b"), Finish())
    play = Theatre(stage(said))
    answering = play.answering()
    told: list[int] = []
    events: list[Event] = []
    # the call as ``Trip`` begins it
    await anext(answering)
    trip = answering._trip
    assert trip is not None
    inner = trip.call
    assert not isinstance(inner, Probe)
    probe = Probe(inner, lambda: told.append(len(events)))
    while (event := await probe.next()) is not None:
        events.append(event)
    assert events == list(said[1:])
    assert told == [1], "with the text, and before it goes on"
    assert (probe.pieces, probe.emulated) == (inner.pieces, ())
    assert probe.first_after == inner.first_after
    await probe.aclose()
    await answering.aclose()
    play.demand_quiet()
