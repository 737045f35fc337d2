"""SearXNG by its JSON API: what it finds, and what it says when it does not work."""

from __future__ import annotations

import pytest

from g4f_aio.core.errors import UpstreamError, UpstreamTimeoutError
from g4f_aio.providers.pool import Pool
from g4f_aio.providers.upstream import Client
from g4f_aio.web.searxng import SearXNG
from tests.searxng_server import SearXNGServer


def engine(session: Pool, url: str, seconds: float = 5.0) -> SearXNG:
    """The engine, by the way out that the application has."""
    return SearXNG(url, Client(session, SearXNG.name, seconds, seconds, 2**20))


@pytest.mark.parametrize("end", ["", "/"])
async def test_hits_come_in_its_order(searxng: SearXNGServer, session: Pool, end: str) -> None:
    first, second = await engine(session, searxng.root + end)("comet & Tartu?", 2)
    assert searxng.queries == ["comet & Tartu?"]
    assert (first.url, first.title) == (f"{searxng.root}/comet", "Comet over Tartu")
    assert second.snippet == "What the engine shows of /gone"


async def test_nothing_found_is_no_error(searxng: SearXNGServer, session: Pool) -> None:
    assert await engine(session, searxng.root)("nothing", 5) == ()


@pytest.mark.parametrize(
    ("query", "says"),
    [
        ("broken", "SearXNG answered with status 500"),
        ("no-json", "SearXNG gives no JSON: its settings.yml must list json in search.formats"),
        ("limited", "(429)"),
        ("html", "SearXNG sent malformed JSON"),
        ("odd", "SearXNG sent JSON without results"),
        ("blocked", "got no answer from its engines (google: CAPTCHA, bing: timeout)"),
    ],
)
async def test_a_failure_says_what_is_wrong(
    searxng: SearXNGServer, session: Pool, query: str, says: str
) -> None:
    with pytest.raises(UpstreamError) as caught:
        await engine(session, searxng.root)(query, 5)
    error = caught.value
    assert says in error.message
    assert error.message.startswith("The web search failed: SearXNG ")
    assert (error.status, error.code, error.param) == (502, "search_failed", "web_search")
    assert error.provider is None


async def test_one_that_is_not_there(session: Pool) -> None:
    with pytest.raises(UpstreamError, match="search failed: SearXNG cannot connect") as caught:
        await engine(session, "http://127.0.0.1:9")("x", 5)
    assert caught.value.code == "search_failed"


async def test_one_that_does_not_answer(searxng: SearXNGServer, session: Pool) -> None:
    with pytest.raises(UpstreamTimeoutError) as caught:
        await engine(session, searxng.root, 0.05)("hang", 5)
    assert (caught.value.status, caught.value.code) == (504, "search_timeout")
