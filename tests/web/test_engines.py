"""Which search engine is asked, and what is said where there is none."""

from __future__ import annotations

import sys
from collections.abc import Iterator

import pytest

from g4f_aio.core.errors import UnsupportedError
from g4f_aio.core.web_search import Search
from g4f_aio.providers.pool import Pool
from g4f_aio.providers.upstream import Client
from g4f_aio.web.engines import Engines

URL = "http://127.0.0.1:9"


@pytest.fixture
def engines() -> Iterator[Engines]:
    """The engines of one process."""
    made = Engines()
    yield made
    made.close()


@pytest.fixture(params=[True, False], ids=["with ddgs", "without"])
def installed(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> bool:
    """Whether the library is installed."""
    if not request.param:
        monkeypatch.setitem(sys.modules, "ddgs", None)
    return bool(request.param)


async def chosen(engines: Engines, session: Pool, engine: str, url: str | None) -> Search:
    """The engine for these settings."""
    http = Client(session, "SearXNG", 1.0, 1.0, 2**20)
    return await engines.choose(engine, url, http, 1.0, None)


@pytest.mark.usefixtures("installed")
async def test_an_instance_that_is_named_comes_first(engines: Engines, session: Pool) -> None:
    for engine in ("", "searxng"):
        assert (await chosen(engines, session, engine, URL)).name == "SearXNG"


async def test_else_it_is_the_library_if_that_is_installed(
    engines: Engines,
    session: Pool,
    installed: bool,  # noqa: FBT001
) -> None:
    for engine, url in (("", None), ("ddgs", URL), ("ddgs", None)):
        if installed:
            assert (await chosen(engines, session, engine, url)).name == "ddgs"
            continue
        with pytest.raises(UnsupportedError, match=r"pip install g4f_aio\[search\]") as caught:
            await chosen(engines, session, engine, url)
        assert caught.value.param == "web_search"
        assert ("search.searxng" in caught.value.message) is (engine == "")


async def test_it_can_be_switched_off(engines: Engines, session: Pool) -> None:
    with pytest.raises(UnsupportedError, match=r"switched off .*search\.engine"):
        await chosen(engines, session, "off", URL)
