"""A search engine on a real socket, and a plain way to its pages."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable

import aiohttp
import pytest
from aiohttp import web
from aiohttp.test_utils import TestServer

from g4f_aio.core.errors import BadRequestError, UpstreamError
from g4f_aio.core.fetch import Fetched
from tests.searxng_server import SearXNGServer


@pytest.fixture
async def searxng(
    aiohttp_server: Callable[[web.Application], Awaitable[TestServer]],
) -> SearXNGServer:
    """A running SearXNG, and the pages that it finds."""
    return await SearXNGServer.started(aiohttp_server)


class PlainFetch:
    """``core.fetch.Fetch`` without a guard: what is on this machine may be fetched."""

    def __init__(self, session: aiohttp.ClientSession) -> None:
        self._session = session

    async def __call__(self, url: str, *, limit: int) -> Fetched:
        async with self._session.get(url) as response:
            if response.status != 200:
                raise UpstreamError(f"{url}: status {response.status}")
            data = await response.read()
        if len(data) > limit:
            raise BadRequestError(f"{url}: more than {limit} bytes")
        return Fetched(url, response.content_type, data, response.charset)


@pytest.fixture
async def fetch() -> AsyncIterator[PlainFetch]:
    """A plain way to pages."""
    async with aiohttp.ClientSession() as session:
        yield PlainFetch(session)
