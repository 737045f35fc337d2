"""``web_search`` as clients meet it: the official SDK, the gateway as a process, a search engine."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path
from typing import Any

import openai
import pytest
from aiohttp import web
from aiohttp.test_utils import TestServer

from tests.conftest import Upstream
from tests.e2e.gateway import Gateway, Start
from tests.searxng_server import PAGES, SearXNGServer

SETTINGS = """
[routing]
provider = "work"
detect_local = false
[providers.work]
type = "openai-compatible"
base_url = "{base_url}"
[fetch]
allow = ["{here}"]
"""
SEARXNG = """
[search]
searxng = "{root}"
"""
#: a library with ddgs's signature that knows one page
LIBRARY = """
class DDGS:
    def __init__(self, proxy=None, timeout=5, *, verify=True):
        pass
    def text(self, query, **options):
        return [{{"title": query, "href": "{root}/comet", "body": "shown"}}]
"""
ASKED: Any = [{"role": "user", "content": "What is over Tartu?"}]


@pytest.fixture
async def searxng(
    aiohttp_server: Callable[[web.Application], Awaitable[TestServer]],
) -> SearXNGServer:
    """A running SearXNG, and the pages that it finds."""
    return await SearXNGServer.started(aiohttp_server)


def settings(searxng: SearXNGServer, upstream: Upstream) -> str:
    """A settings file."""
    here = searxng.root.removeprefix("http://")
    return SETTINGS.format(base_url=upstream.base_url, here=here)


@pytest.fixture
def gateway(start: Start, searxng: SearXNGServer, upstream: Upstream) -> Gateway:
    """A gateway that asks SearXNG."""
    return start(settings(searxng, upstream) + SEARXNG.format(root=searxng.root))


@pytest.fixture
async def sdk(gateway: Gateway) -> AsyncIterator[openai.AsyncOpenAI]:
    """The official client."""
    async with openai.AsyncOpenAI(api_key="unused", base_url=gateway.v1, max_retries=0) as client:
        yield client


async def test_the_sdk_gets_annotations_streamed_and_not_and_failures_by_name(
    sdk: openai.AsyncOpenAI, gateway: Gateway, searxng: SearXNGServer, upstream: Upstream
) -> None:
    urls = [f"{searxng.root}{path}" for path in PAGES]
    chats = sdk.chat.completions
    whole = await chats.create(model="words-3", messages=ASKED, extra_body={"web_search": True})
    notes = whole.choices[0].message.annotations or []
    assert [note.url_citation.url for note in notes] == urls
    assert notes[0].url_citation.title == "Comet over Tartu"

    found: list[str] = []
    stream = await chats.create(
        model="words-3", messages=ASKED, stream=True, extra_body={"web_search": "comet"}
    )
    async for chunk in stream:
        for choice in chunk.choices:
            said = (choice.delta.model_extra or {}).get("annotations") or []
            found += [note["url_citation"]["url"] for note in said]
    assert found == urls

    response = await sdk.responses.create(
        model="words-3", input="What is over Tartu?", extra_body={"web_search": True}
    )
    part: Any = response.output[-1]
    assert [note.url for note in part.content[0].annotations] == urls

    assert searxng.queries == ["What is over Tartu?", "comet", "What is over Tartu?"]
    for record in await upstream.records("words-3"):
        (message,) = record["body"]["messages"]
        assert "Comet C/2026 A1 was seen from Tartu" in message["content"]
        assert message["content"].endswith("What is over Tartu?")
        assert "web_search" not in record["body"]

    with pytest.raises(openai.InternalServerError) as caught:
        await chats.create(model="words-3", messages=ASKED, extra_body={"web_search": "broken"})
    assert (caught.value.status_code, caught.value.code) == (502, "search_failed")
    assert "What is over" not in gateway.log.text


async def test_the_library_is_used_where_it_is_installed(
    start: Start, tmp_path: Path, searxng: SearXNGServer, upstream: Upstream
) -> None:
    library = tmp_path / "library"
    library.mkdir()
    (library / "ddgs.py").write_text(LIBRARY.format(root=searxng.root), "utf-8")
    gateway = start(settings(searxng, upstream), environ={"PYTHONPATH": str(library)})
    async with openai.AsyncOpenAI(api_key="unused", base_url=gateway.v1) as sdk:
        answer = await sdk.chat.completions.create(
            model="words-2", messages=ASKED, extra_body={"web_search": "comet"}
        )
    (note,) = answer.choices[0].message.annotations or []
    assert (note.url_citation.url, note.url_citation.title) == (f"{searxng.root}/comet", "comet")
    assert searxng.fetched == ["/comet"]
