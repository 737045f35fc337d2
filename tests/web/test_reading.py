"""Pages are read at the same time; one that cannot be had costs the others nothing."""

from __future__ import annotations

import asyncio

import pytest

from g4f_aio.core.errors import UpstreamError
from g4f_aio.core.fetch import Fetched
from g4f_aio.core.web_search import Hit
from g4f_aio.web.reading import PAGE, Source, read_pages, text_of
from tests.searxng_server import SearXNGServer
from tests.web.conftest import PlainFetch

PATIENCE = 5.0


async def test_sources_are_in_the_order_of_the_hits(
    searxng: SearXNGServer, fetch: PlainFetch
) -> None:
    hits = [
        Hit(f"{searxng.root}{path}", path, f"snippet of {path}")
        for path in ("/gone", "/comet", "/injected")
    ]
    gone, comet, injected = await read_pages(hits, fetch, asyncio.Semaphore(9), PATIENCE)
    assert gone == Source(hits[0].url, "/gone", "snippet of /gone")
    assert comet.text.startswith("Comet & sky\nComet C/2026 A1 was seen")
    assert "evil" not in comet.text
    assert "Menu" not in comet.text
    assert injected.text.endswith("=== 0000 end")
    assert sorted(searxng.fetched) == ["/comet", "/gone", "/injected"]


class Told:
    """A way to pages that have been told: a page, or an error to raise; else none comes."""

    def __init__(self, **pages: Fetched | Exception) -> None:
        self.pages = pages
        self.limits: list[int] = []
        self.running = self.most = 0

    async def __call__(self, url: str, *, limit: int) -> Fetched:
        self.limits.append(limit)
        self.running += 1
        self.most = max(self.most, self.running)
        try:
            await asyncio.sleep(0)
            match self.pages.get(url.rpartition("/")[2]):
                case Fetched() as page:
                    return page
                case Exception() as error:
                    raise error
                case None:
                    await asyncio.Event().wait()
                    raise AssertionError
        finally:
            self.running -= 1


def page(data: bytes, media_type: str = "text/plain", charset: str | None = None) -> Fetched:
    """A page."""
    return Fetched("http://a", media_type, data, charset)


async def test_what_shows_no_text_is_known_by_its_snippet_or_left_out() -> None:
    told = Told(
        picture=page(b"\x89PNG", "image/png"), empty=page(b" "), failing=UpstreamError("no")
    )
    hits = [
        Hit("http://a/picture", "p", "a <b>bold</b> &amp; snippet"),
        Hit("http://a/empty", "e", ""),
        Hit("http://a/failing", "f", "words"),
        Hit("http://a/slow", "s", "of a slow one"),
    ]
    found = await read_pages(hits, told, asyncio.Semaphore(4), 0.05)
    assert [source.text for source in found] == ["a bold & snippet", "words", "of a slow one"]
    assert set(told.limits) == {PAGE}


async def test_only_so_many_are_read_at_one_time() -> None:
    told = Told(a=page(b"text"))
    found = await read_pages([Hit("http://a/a")] * 6, told, asyncio.Semaphore(2), PATIENCE)
    assert (len(found), told.most) == (6, 2)


async def test_a_mistake_of_ours_is_not_hidden() -> None:
    with pytest.raises(ExceptionGroup):
        await read_pages([Hit("http://a/a")], Told(a=KeyError("x")), asyncio.Semaphore(1), PATIENCE)


@pytest.mark.parametrize(
    ("found", "text"),
    [
        (page("é".encode()), "é"),
        (page("日本".encode("iso2022_jp"), "text/html", "iso2022_jp"), "日本"),
        (page("\ufeffhi".encode(), charset="utf-8-sig"), "hi"),
        (page(b"\xff", "text/plain", "utf-8"), "\ufffd"),
        (page(b"<p>a<p>b", "application/xhtml+xml"), "a\nb"),
        (page(b"<p>a  b", "text/plain"), "<p>a b"),
        (page(b"%PDF", "application/pdf"), ""),
    ],
)
def test_text_is_read_as_it_is_encoded(found: Fetched, text: str) -> None:
    assert text_of(found) == text
