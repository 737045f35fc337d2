"""Listeners to finished requests."""

from __future__ import annotations

from contextlib import ExitStack

import pytest
from aiohttp import web

from g4f_aio.core.errors import OverloadedError
from g4f_aio.server.backend.followers import LISTENERS, WAITING, Followers
from tests.server.records import record


def test_each_listener_hears_of_each_request_while_he_listens() -> None:
    followers = Followers()
    followers.ended(record())
    with followers.follow() as first, followers.follow() as second:
        one = record()
        followers.ended(one)
        assert first.get_nowait() is second.get_nowait() is one
    followers.ended(record())
    assert first.empty()


def test_who_is_too_slow_misses_the_oldest() -> None:
    followers = Followers()
    with followers.follow() as queue:
        records = [record() for _ in range(WAITING + 5)]
        for one in records:
            followers.ended(one)
        assert [queue.get_nowait() for _ in range(WAITING)] == records[5:]
        assert queue.empty()


async def test_at_the_end_each_hears_that_it_is_the_end() -> None:
    followers = Followers()
    with followers.follow() as idle, followers.follow() as full:
        for _ in range(WAITING):
            full.put_nowait(record())
        await followers.close(web.Application())
        assert idle.get_nowait() is None
        said = [full.get_nowait() for _ in range(WAITING)]
        assert said[-1] is None


def test_there_are_only_so_many() -> None:
    followers = Followers()
    with ExitStack() as stack:
        for _ in range(LISTENERS):
            stack.enter_context(followers.follow())
        with pytest.raises(OverloadedError, match=str(LISTENERS)), followers.follow():
            pass
    with followers.follow():
        pass
