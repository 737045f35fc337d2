"""A chat that is answered with what the web says."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from contextlib import aclosing

import attrs

from ..core.errors import UpstreamTimeoutError
from ..core.events import (
    Citation,
    Citations,
    Events,
    EventStream,
    Finish,
    ReasoningDelta,
    TextDelta,
    ToolCallDelta,
    Usage,
)
from ..core.fetch import Fetch
from ..core.record import RequestRecord
from ..core.request_tokens import estimate_request
from ..core.requests import ChatRequest
from ..core.tokens import TokenCount
from ..core.web_search import Search
from .engines import Engines
from .failures import late
from .grounding import grounded
from .query import query_of
from .reading import Source, read_pages
from .searxng import SearXNG

__all__ = ["Engines", "SearXNG", "Searcher"]

#: a request's events, as ``Gateway.chat`` gives them
Chat = Callable[[ChatRequest], Events]


@attrs.frozen(kw_only=True)
class Searcher:
    """How a chat is searched for: *engine* finds *results* pages, and *fetch* gets them.

    The search may take *seconds*, and so may its pages. *places* bounds how many pages are read at
    one time, *room* the characters of them that a model gets. No query holds one of *secrets*.
    """

    engine: Search
    fetch: Fetch = attrs.field(repr=False)
    places: asyncio.Semaphore = attrs.field(repr=False)
    secrets: frozenset[str] = attrs.field(repr=False)
    results: int
    seconds: float
    room: int

    async def answer(self, chat: Chat, request: ChatRequest, record: RequestRecord) -> EventStream:
        """The events of *request*, with sources before it and citations of them in the answer.

        Where nothing is found they are those of the request as it is. *record* is told how many
        sources there are.
        """
        began = time.monotonic()
        query = query_of(request, self.secrets)
        sources = await self._sources(query, request.routing.timeout)
        record.sources = len(sources)
        request = _searched(request, time.monotonic() - began)
        if not sources:
            async with aclosing(chat(request)) as events:
                async for event in events:
                    yield event
            return
        request = grounded(request, query, sources, self.room)
        async with aclosing(_cited(chat, request, sources, record)) as events:
            async for event in events:
                yield event

    async def _sources(self, query: str, limit: float | None) -> tuple[Source, ...]:
        """What is found; *limit* is what the request may take altogether."""
        try:
            async with asyncio.timeout(limit):
                try:
                    async with asyncio.timeout(self.seconds):
                        hits = await self.engine(query, self.results)
                except TimeoutError:
                    raise late(self.engine.name, self.seconds) from None
                return await read_pages(hits, self.fetch, self.places, self.seconds)
        except TimeoutError:
            raise UpstreamTimeoutError(
                f"The web search did not end within the {limit:g} s of the request",
                code="search_timeout",
                param="timeout",
            ) from None


def _searched(request: ChatRequest, took: float) -> ChatRequest:
    """The request once its search is done, which has cost it some of its time."""
    routing = attrs.evolve(request.routing, web_search=False)
    if routing.timeout is not None:
        routing = attrs.evolve(routing, timeout=max(0.001, routing.timeout - took))
    return attrs.evolve(request, routing=routing)


async def _cited(
    chat: Chat, request: ChatRequest, sources: tuple[Source, ...], record: RequestRecord
) -> EventStream:
    """The events of an answer, each choice with citations at the end of its text.

    Usage that nobody reports is estimated here, as others do not know of the sources.
    """
    links = tuple(Citation(source.url, source.title) for source in sources)
    #: whether a choice with a text still wants its citations
    wants: dict[int, bool] = {}
    count = TokenCount()
    reported = False
    async with aclosing(chat(request)) as events:
        async for event in events:
            match event:
                case TextDelta(text=text, choice=choice):
                    wants.setdefault(choice, True)
                    count = count.plus(text)
                case ReasoningDelta(text=text):
                    count = count.plus(text)
                case Usage():
                    reported = True
                case ToolCallDelta(choice=choice) | Finish(choice=choice):
                    if wants.get(choice):
                        wants[choice] = False
                        yield Citations(links, choice)
                    if isinstance(event, ToolCallDelta):
                        count = count.plus(event.arguments)
                case _:
                    pass
            yield event
    if not reported:
        record.usage = Usage(estimate_request(request), count.tokens, estimated=True)
        yield record.usage
