"""The library ``ddgs``: the real one behind a proxy that lets nothing through, and stand-ins for it.

What public search engines answer to it is not tested: no test leaves this machine.
"""

from __future__ import annotations

import asyncio
import logging
import sys
import threading
from collections.abc import Iterator
from concurrent.futures import Executor, ThreadPoolExecutor
from importlib.util import module_from_spec, spec_from_file_location
from pathlib import Path

import pytest

from g4f_aio.core.errors import UpstreamError
from g4f_aio.core.web_search import Hit
from g4f_aio.web.ddgs_engine import Ddgs

STAND_IN = """
import threading
ASKED = []
class DDGSException(Exception): pass
class DDGS:
    def __init__(self, proxy=None, timeout=5, *, verify=True):
        ASKED.append((proxy, timeout, threading.current_thread().name))
    def text(self, query, region="us-en", safesearch="moderate", timelimit=None,
             max_results=10, page=1, backend="auto"):
        if query == "nothing":
            raise DDGSException("No results found.")
        if query == "broken":
            raise DDGSException("https://search.example/?q=broken via http://user:pass@proxy")
        found = [{"title": "T", "href": f"https://{n}.example", "body": query} for n in range(9)]
        return [{"title": "no page", "href": "", "body": ""}, *found][:max_results]
"""


@pytest.fixture
def threads() -> Iterator[Executor]:
    """Threads for searches."""
    with ThreadPoolExecutor(1, "searching") as made:
        yield made


@pytest.fixture
def asked(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> list[tuple[object, ...]]:
    """What a stand-in of the same signature was asked."""
    path = tmp_path / "ddgs.py"
    path.write_text(STAND_IN, "utf-8")
    spec = spec_from_file_location("ddgs", path)
    assert spec is not None
    assert spec.loader is not None
    module = module_from_spec(spec)
    spec.loader.exec_module(module)
    monkeypatch.setitem(sys.modules, "ddgs", module)
    record: list[tuple[object, ...]] = module.ASKED
    return record


async def test_its_results_are_hits(threads: Executor, asked: list[tuple[object, ...]]) -> None:
    found = await Ddgs(threads, 2.5, "http://proxy.example:1")("comet", 2)
    assert found == tuple(Hit(f"https://{n}.example", "T", "comet") for n in range(2))
    ((proxy, timeout, thread),) = asked
    assert (proxy, timeout) == ("http://proxy.example:1", 3)
    assert str(thread).startswith("searching")


@pytest.mark.usefixtures("asked")
async def test_nothing_found_is_no_error(threads: Executor) -> None:
    assert await Ddgs(threads, 1.0)("nothing", 5) == ()


@pytest.mark.usefixtures("asked")
async def test_a_failure_quotes_neither_query_nor_proxy(threads: Executor) -> None:
    with pytest.raises(UpstreamError) as caught:
        await Ddgs(threads, 1.0)("broken", 5)
    assert caught.value.message == "The web search failed: ddgs raised DDGSException"
    assert caught.value.code == "search_failed"


async def test_the_library_itself_fails_without_a_network(
    threads: Executor, caplog: pytest.LogCaptureFixture
) -> None:
    """The real one, whose every way out is a proxy that hangs up; its query is in no log line."""
    caplog.set_level(logging.INFO)
    connections = 0

    async def hang_up(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        nonlocal connections
        connections += 1
        writer.close()

    async with await asyncio.start_server(hang_up, "127.0.0.1", 0) as proxy:
        port = proxy.sockets[0].getsockname()[1]
        with pytest.raises(UpstreamError, match="The web search failed: ddgs raised "):
            await Ddgs(threads, 1.0, f"http://127.0.0.1:{port}")("zqxjk comet", 2)
    assert connections
    assert "zqxjk" not in caplog.text


async def test_the_loop_goes_on_while_it_waits(threads: Executor) -> None:
    """It waits for its turn on a thread, and not on the loop."""
    free = threading.Event()
    busy = asyncio.get_running_loop().run_in_executor(threads, free.wait)
    search = asyncio.ensure_future(Ddgs(threads, 1.0)("comet", 2))
    await asyncio.sleep(0)
    search.cancel()
    free.set()
    assert await busy
    with pytest.raises(asyncio.CancelledError):
        await search
