"""An answer without usage gets one by the tokenizer that is installed."""

from __future__ import annotations

import asyncio
from contextlib import aclosing
from typing import Any, ClassVar

import attrs
import pytest

from g4f_aio import (
    ChatRequest,
    Event,
    Finish,
    Message,
    Passthrough,
    Sampling,
    TextDelta,
    TextPart,
    ToolCallDelta,
    UpstreamError,
    Usage,
)
from g4f_aio.core.events import EventStream, ReasoningDelta, RefusalDelta, Started
from g4f_aio.core.provider import CallContext, Provider
from g4f_aio.core.record import RequestRecord
from g4f_aio.core.request_tokens import FRAME, REPLY, estimate_request
from g4f_aio.gateway.answering import Answering
from g4f_aio.gateway.tokenizing import TokenCounter
from tests.gateway.actors import Actor, Stage, Theatre, says, stage
from tests.gateway.conftest import Install
from tests.gateway.test_tokenizing import SOURCE

HI = Message("user", (TextPart("How are you"),))
#: the words, and what is around them
READ = 3 + FRAME + REPLY


@attrs.frozen(kw_only=True)
class Simple(Actor):
    """One that knows no stop sequences."""

    ignores: ClassVar[frozenset[str]] = frozenset(("stop",))


@attrs.frozen(kw_only=True)
class Verbatim(Provider):
    """Hands its upstream's bytes on where they are accepted; *reports* says whether that counts."""

    name: ClassVar[str] = "verbatim"

    reports: list[bool]
    accepted: list[str | None] = attrs.field(factory=list)

    async def chat(self, request: ChatRequest, ctx: CallContext) -> EventStream:
        self.accepted.append(request.accept)
        reports = self.reports.pop(0)
        usage = Usage(70, 7) if reports else None
        if request.accept is not None:
            yield Passthrough(b"{}", usage or Usage(8, 1, estimated=True), last=True)
            return
        yield TextDelta("two words")
        yield Finish()
        if usage is not None:
            yield usage


@pytest.fixture
def counter(install: Install) -> TokenCounter:
    """One token for each word."""
    install("words", SOURCE)
    return TokenCounter("words")


def theatre(counter: TokenCounter, *stages: Stage) -> Theatre:
    """Actors whose words are counted."""
    made = Theatre(*stages)
    made.desk.tokens = counter
    return made


async def ask(theatre: Theatre, **fields: Any) -> list[Event]:
    """All events of the answer to a request."""
    request = ChatRequest("best", (HI,), stream=True, **fields)
    theatre.record = RequestRecord("", "", "", "")
    answering = Answering(theatre.desk, theatre.gateway.now, request, theatre.record)
    async with aclosing(answering) as events:
        return [event async for event in events]


async def test_an_answer_without_usage_gets_one(counter: TokenCounter) -> None:
    actors = theatre(counter, stage(says("one", " two", " thr", "ee")))
    *events, usage = await ask(actors)
    assert usage == Usage(READ, 3, estimated=True)
    assert actors.record.usage == usage
    assert events[-1] == Finish()
    assert actors.outcomes == [("a", "ok", None)]
    actors.demand_quiet()


async def test_everything_that_was_written_counts(counter: TokenCounter) -> None:
    written: tuple[Event, ...] = (
        ReasoningDelta("I th"),
        ReasoningDelta("ink"),
        RefusalDelta("No"),
        ToolCallDelta(0, "c", "f ", '"x'),
        ToolCallDelta(1, "d", "g ", '"y z"'),
        ToolCallDelta(0, arguments='x"'),
        TextDelta("a"),
        TextDelta("b", 1),
        TextDelta("c"),
        Finish(),
        Finish(choice=1),
    )
    usage = (await ask(theatre(counter, stage(written))))[-1]
    assert usage == Usage(READ, 2 + 1 + 2 + 3 + 1 + 1, estimated=True)


async def test_what_is_reported_holds(counter: TokenCounter) -> None:
    reported = Usage(70, 7)
    events = await ask(theatre(counter, stage((*says("one"), reported))))
    assert events == [Started("a", "m"), TextDelta("one"), Finish(), reported]


async def test_an_answer_that_is_cut_has_none(counter: TokenCounter) -> None:
    actors = theatre(counter, stage((TextDelta("one"), UpstreamError("cut"))))
    with pytest.raises(UpstreamError, match="cut"):
        await ask(actors)
    assert actors.record.usage is None
    actors.demand_quiet()


async def test_what_a_polyfill_cut_off_is_counted_too(counter: TokenCounter) -> None:
    actors = theatre(counter, stage(says("one two", " three")))
    entry = actors.entry("a")
    actors.registry.add(attrs.evolve(entry, provider=Simple(stage=actors.stages[0])))
    events = await ask(actors, sampling=Sampling(stop=("END",)))
    assert [event for event in events if isinstance(event, Usage)] == [
        Usage(READ, 3, estimated=True)
    ]
    assert actors.record.emulated == ("stop",)


async def test_bytes_of_an_upstream_that_counts_stay_as_they_are(counter: TokenCounter) -> None:
    actors = theatre(counter, stage(says("x")))
    provider = Verbatim(reports=[True, True])
    actors.registry.add(attrs.evolve(actors.entry("a"), provider=provider))
    for _ in range(2):
        assert (await ask(actors, accept="openai-chat"))[1:] == [
            Passthrough(b"{}", Usage(70, 7), last=True)
        ]
    assert provider.accepted == ["openai-chat"] * 2


async def test_one_that_does_not_is_read_from_the_next_answer_on(counter: TokenCounter) -> None:
    actors = theatre(counter, stage(says("x")))
    provider = Verbatim(reports=[False, False, True, True])
    actors.registry.add(attrs.evolve(actors.entry("a"), provider=provider))
    found = [(await ask(actors, accept="openai-chat"))[-1] for _ in range(4)]
    assert found == [
        Passthrough(b"{}", Usage(8, 1, estimated=True), last=True),
        Usage(READ, 2, estimated=True),
        Usage(70, 7),
        Passthrough(b"{}", Usage(70, 7), last=True),
    ]
    assert provider.accepted == ["openai-chat", None, None, "openai-chat"]


async def test_where_the_tokenizer_breaks_there_is_an_estimate(install: Install) -> None:
    await asyncio.to_thread(install, "broken", "x = 1")
    actors = theatre(TokenCounter("broken"), stage(says("one", " two")))
    read = estimate_request(ChatRequest("best", (HI,)))
    assert (await ask(actors))[-1] == Usage(read, 2, estimated=True)
    # from then on it is nobody's work
    assert (await ask(actors))[-1] == Finish()


async def test_without_a_tokenizer_nothing_is_added() -> None:
    assert (await ask(Theatre(stage(says("one")))))[-1] == Finish()
