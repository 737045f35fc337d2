"""Chats with ``web_search``: all that is needed for them is loaded when the first one comes."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import aclosing
from importlib import import_module
from types import ModuleType
from typing import Any

from aiohttp import web

from ..core.events import EventStream
from ..core.record import RequestRecord
from ..core.requests import ChatRequest
from ..gateway.conversation import Chat
from ..keys import CURRENT, FETCH, GATEWAY
from ..providers.upstream import Client


class WebSearch:
    """Answers chats with what the web says."""

    def __init__(self) -> None:
        #: an ``Engines``, once one was needed
        self._engines: Any = None

    async def chat(
        self, app: web.Application, ask: Chat, record: RequestRecord, chat: ChatRequest
    ) -> EventStream:
        """The events of *chat*, which *ask* gets, with sources; UnsupportedError where it cannot be."""
        searching = await asyncio.to_thread(_load)
        if self._engines is None:
            self._engines = searching.Engines()
        settings = app[CURRENT].settings
        search, upstream = settings.search, settings.upstream
        http = Client(
            app[GATEWAY].now.session,
            searching.SearXNG.name,
            upstream.connect_timeout,
            search.time_limit,
            upstream.max_event,
            upstream.proxy,
        )
        searcher = searching.Searcher(
            engine=await self._engines.choose(
                search.engine, search.searxng, http, search.time_limit, upstream.proxy
            ),
            fetch=app[FETCH],
            places=self._engines.places,
            secrets=settings.secrets().union(chat.routing.api_keys.values()),
            results=search.results,
            seconds=search.time_limit,
            room=search.length,
        )
        events: EventStream = searcher.answer(ask, chat, record)
        async with aclosing(events):
            async for event in events:
                yield event

    def close(self) -> None:
        """There will be no more chats."""
        if self._engines is not None:
            self._engines.close()


WEB_SEARCH = web.AppKey("WEB_SEARCH", WebSearch)


async def web_search_ctx(app: web.Application) -> AsyncIterator[None]:
    """The end of all searches with that of the application."""
    yield
    app[WEB_SEARCH].close()


def _load() -> ModuleType:
    return import_module("..web.searching", __package__)
