"""A chat that is answered with what the web says: what goes out, what comes back, what it costs."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence

import attrs
import pytest

from g4f_aio.core.errors import UpstreamError, UpstreamTimeoutError
from g4f_aio.core.events import (
    Citation,
    Citations,
    Event,
    EventStream,
    Finish,
    ReasoningDelta,
    Started,
    TextDelta,
    ToolCallDelta,
    Usage,
)
from g4f_aio.core.fetch import Fetched
from g4f_aio.core.messages import Message, TextPart
from g4f_aio.core.record import RequestRecord
from g4f_aio.core.request_tokens import estimate_request
from g4f_aio.core.requests import ChatRequest, Routing
from g4f_aio.core.tokens import TokenCount
from g4f_aio.core.web_search import Hit
from g4f_aio.web.searching import Searcher

HITS = (Hit("https://a.example/1", "First", "one"), Hit("https://b.example/2", "", "two"))
LINKS = (Citation("https://a.example/1", "First"), Citation("https://b.example/2"))
SAID = (Started("p", "m"), TextDelta("It is [1]."), Usage(1, 2), Finish())
CHAT = ChatRequest(
    "m",
    (Message("user", (TextPart("What is new?"),)),),
    routing=Routing(web_search=True),
    accept="openai-chat",
    raw={"messages": []},
)


@attrs.define
class Engine:
    """Finds *hits*, or fails, or never answers."""

    hits: tuple[Hit, ...] | Exception | None = HITS
    asked: list[tuple[str, int]] = attrs.field(factory=list)
    name: str = "Engine"

    async def __call__(self, query: str, limit: int) -> tuple[Hit, ...]:
        self.asked.append((query, limit))
        match self.hits:
            case None:
                await asyncio.Event().wait()
                return ()
            case Exception() as error:
                raise error
            case hits:
                return hits


async def no_pages(url: str, *, limit: int) -> Fetched:
    """No page can be had."""
    raise UpstreamError(f"not even {limit} bytes of {url}")


@attrs.define
class Model:
    """Says *events*, and keeps what it was asked."""

    events: Sequence[Event] = SAID
    requests: list[ChatRequest] = attrs.field(factory=list)
    closed: bool = False

    async def __call__(self, request: ChatRequest) -> EventStream:
        self.requests.append(request)
        try:
            for event in self.events:
                yield event
        finally:
            self.closed = True


def searcher(engine: Engine, seconds: float = 5.0, *secrets: str) -> Searcher:
    """A searcher of that engine."""
    return Searcher(
        engine=engine,
        fetch=no_pages,
        places=asyncio.Semaphore(4),
        secrets=frozenset(secrets),
        results=3,
        seconds=seconds,
        room=1000,
    )


async def answered(
    engine: Engine, model: Model, chat: ChatRequest = CHAT, seconds: float = 5.0
) -> tuple[list[Event], RequestRecord]:
    """The events of an answer, and the record of it."""
    record = RequestRecord("r", "local", "openai-chat", "m")
    events = searcher(engine, seconds).answer(model.__call__, chat, record)
    return [event async for event in events], record


async def test_the_model_gets_the_sources_and_the_client_their_addresses() -> None:
    engine, model = Engine(), Model()
    events, record = await answered(engine, model)
    assert engine.asked == [("What is new?", 3)]
    (asked,) = model.requests
    assert "[1] First\nhttps://a.example/1\none" in asked.last_user_text
    assert (asked.raw, asked.accept, asked.routing.web_search) == (None, None, False)
    assert events == [*SAID[:3], Citations(LINKS), SAID[3]]
    assert (record.sources, record.usage) == (2, None)


async def test_where_nothing_is_found_the_request_goes_on_as_it_is() -> None:
    model = Model()
    events, record = await answered(Engine(()), model)
    assert events == list(SAID)
    routing = attrs.evolve(CHAT.routing, web_search=False)
    assert model.requests == [attrs.evolve(CHAT, routing=routing)]
    assert record.sources == 0


async def test_a_call_of_a_tool_has_no_sources_but_text_before_it_has() -> None:
    call, usage = ToolCallDelta(0, "c", "f", "{}"), Usage(1, 1)
    finish = Finish("tool_calls")
    bare, _ = await answered(Engine(), Model((ReasoningDelta("?"), call, usage, finish)))
    assert not [event for event in bare if isinstance(event, Citations)]
    text, more = TextDelta("I look."), TextDelta("Then.")
    spoken, _ = await answered(Engine(), Model((text, call, call, more, usage, finish)))
    assert spoken == [text, Citations(LINKS), call, call, more, usage, finish]


async def test_each_choice_has_its_sources_once() -> None:
    said = (TextDelta("a", 1), TextDelta("b", 0), Finish(choice=1), Finish(), Usage(1, 1))
    events, _ = await answered(Engine(), Model(said))
    assert [event for event in events if isinstance(event, Citations)] == [
        Citations(LINKS, 1),
        Citations(LINKS, 0),
    ]
    assert events.index(Citations(LINKS, 1)) < events.index(Finish(choice=1))


async def test_usage_that_nobody_reports_counts_the_sources() -> None:
    said = (ReasoningDelta("Hm, "), TextDelta("a word"), ToolCallDelta(0, "c", "f", "{}"), Finish())
    model = Model(said)
    events, record = await answered(Engine(), model)
    output = TokenCount().plus("Hm, ").plus("a word").plus("{}").tokens
    expected = Usage(estimate_request(model.requests[0]), output, estimated=True)
    assert (events[-1], record.usage) == (expected, expected)
    assert expected.input > estimate_request(CHAT) + 50


async def test_a_failure_of_the_engine_is_the_answer() -> None:
    model = Model()
    with pytest.raises(UpstreamError, match="broken"):
        await answered(Engine(UpstreamError("broken")), model)
    assert not model.requests


async def test_an_engine_that_never_answers_is_not_waited_for() -> None:
    with pytest.raises(
        UpstreamTimeoutError, match=r"Engine found nothing within 0\.05 s"
    ) as caught:
        await answered(Engine(None), Model(), seconds=0.05)
    assert (caught.value.status, caught.value.code) == (504, "search_timeout")


async def test_the_search_takes_its_time_from_that_of_the_request() -> None:
    chat = attrs.evolve(CHAT, routing=Routing(web_search="x", timeout=60.0))
    model = Model()
    await answered(Engine(), model, chat)
    timeout = model.requests[0].routing.timeout
    assert timeout is not None
    assert 0 < timeout < 60
    short = attrs.evolve(CHAT, routing=Routing(web_search="x", timeout=0.05))
    with pytest.raises(UpstreamTimeoutError, match=r"did not end within the 0\.05 s"):
        await answered(Engine(None), model, short)


async def test_no_secret_is_searched_for() -> None:
    engine = Engine()
    chat = attrs.evolve(CHAT, routing=Routing(web_search="who uses hunter2-key ?"))
    record = RequestRecord("r", "local", "openai-chat", "m")
    events = searcher(engine, 5.0, "hunter2-key").answer(Model().__call__, chat, record)
    assert [event async for event in events]
    assert engine.asked == [("who uses ?", 3)]


async def test_an_answer_that_is_left_is_closed() -> None:
    model = Model()
    record = RequestRecord("r", "local", "openai-chat", "m")
    events = searcher(Engine()).answer(model.__call__, CHAT, record)
    assert await anext(events) == SAID[0]
    await events.aclose()
    assert model.closed
