"""A body in pieces becomes whole events, and nothing of it is lost."""

from __future__ import annotations

import asyncio

import pytest

from g4f_aio.core.errors import UpstreamError
from g4f_aio.providers.frames import Frames
from g4f_aio.providers.http_answer import TransportError


class Pieces:
    """A source whose body comes in these pieces, each after a wait."""

    def __init__(self, *data: bytes) -> None:
        self._left = list(data)
        self._come = False
        self.waits = 0

    def take(self) -> bytes | None:
        """The next piece, once it was waited for."""
        if not self._left:
            return b""
        if not self._come:
            return None
        self._come = False
        return self._left.pop(0)

    def arrival(self) -> asyncio.Future[None]:
        """Here it is."""
        self._come = True
        self.waits += 1
        waiter = asyncio.get_running_loop().create_future()
        waiter.set_result(None)
        return waiter

    def failed(self, what: object) -> UpstreamError:
        """An error that names nobody."""
        return UpstreamError(f"it {what}")


async def test_events_come_whole_as_soon_as_they_can() -> None:
    pieces = Pieces(b"data: a\n\ndata: b\n\nda", b"ta: c", b"\n\n")
    assert [found async for found in Frames(pieces, 100)] == [
        b"data: a\n\ndata: b\n\n",
        b"data: c\n\n",
    ]
    assert pieces.waits == 3


async def test_the_last_one_may_lack_its_blank_line() -> None:
    assert [found async for found in Frames(Pieces(b"data: a"), 100)] == [b"data: a\n\n"]


async def test_an_empty_body_has_none() -> None:
    assert [found async for found in Frames(Pieces(), 100)] == []


async def test_after_the_end_there_is_nothing_to_read() -> None:
    frames = Frames(Pieces(b"data: a\n\n", b"", b"data: b\n\n"), 100)
    assert [found async for found in frames] == [b"data: a\n\n"]
    with pytest.raises(StopAsyncIteration):
        await anext(frames)


async def test_an_event_beyond_the_limit_is_refused() -> None:
    frames = Frames(Pieces(b"data: " + b"a" * 200), 100)
    with pytest.raises(UpstreamError, match="exceeds 100 bytes"):
        await anext(frames)


async def test_what_a_source_did_wrong_is_its_error() -> None:
    class Torn(Pieces):
        def take(self) -> bytes | None:
            raise TransportError("hung up")

    with pytest.raises(UpstreamError, match=r"^it hung up$"):
        await anext(Frames(Torn(), 100))
