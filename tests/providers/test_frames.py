"""A body in pieces becomes whole events, and nothing of it is lost."""

from __future__ import annotations

from collections.abc import Awaitable, Callable

import pytest

from g4f_aio.core.errors import UpstreamError
from g4f_aio.providers.frames import Frames


def pieces(*data: bytes) -> Callable[[], Awaitable[bytes]]:
    left = list(data)

    async def read() -> bytes:
        return left.pop(0) if left else b""

    return read


async def test_events_come_whole_as_soon_as_they_can() -> None:
    read = pieces(b"data: a\n\ndata: b\n\nda", b"ta: c", b"\n\n")
    assert [found async for found in Frames(read, 100)] == [
        b"data: a\n\ndata: b\n\n",
        b"data: c\n\n",
    ]


async def test_the_last_one_may_lack_its_blank_line() -> None:
    assert [found async for found in Frames(pieces(b"data: a"), 100)] == [b"data: a\n\n"]


async def test_an_empty_body_has_none() -> None:
    assert [found async for found in Frames(pieces(), 100)] == []


async def test_after_the_end_there_is_nothing_to_read() -> None:
    frames = Frames(pieces(b"data: a\n\n", b"", b"data: b\n\n"), 100)
    assert [found async for found in frames] == [b"data: a\n\n"]
    with pytest.raises(StopAsyncIteration):
        await anext(frames)


async def test_an_event_beyond_the_limit_is_refused() -> None:
    frames = Frames(pieces(b"data: " + b"a" * 200), 100)
    with pytest.raises(UpstreamError, match="exceeds 100 bytes"):
        await anext(frames)
