"""The time of a request that bounds its whole answer."""

from __future__ import annotations

import asyncio

import pytest

from g4f_aio.core.errors import UpstreamError, UpstreamTimeoutError
from g4f_aio.gateway.expiry import NEVER, Expiry
from tests.gateway.clock import Clock


def test_what_is_left_becomes_less() -> None:
    clock = Clock()
    expiry = Expiry(10.0, clock)
    assert expiry.left() == 10
    assert not expiry.passed()
    assert expiry.passed(10)
    clock.advance(9.5)
    assert expiry.left() == 0.5
    assert (expiry.shorter(0.2), expiry.shorter(2)) == (0.2, 0.5)
    clock.advance(1)
    assert expiry.passed()
    left = expiry.left()
    assert left is not None
    assert 0 < left < 0.1, "a call gets a moment to say what is wrong"


def test_without_a_bound_there_is_no_end() -> None:
    assert NEVER.left() is None
    assert NEVER.shorter(5) == 5
    assert not NEVER.passed(10**9)


def test_an_error_says_that_it_is_this_that_ran_out() -> None:
    clock = Clock()
    expiry = Expiry(2.0, clock)
    error = UpstreamTimeoutError("a did not finish within 0.7 s", provider="a")
    expiry.name(error)
    assert error.message == "a did not finish within 0.7 s"
    clock.advance(2)
    expiry.name(error)
    assert error.message == str(error) == "a did not finish within 2 s, the request's timeout"
    other = UpstreamError("a broke", provider="a")
    expiry.name(other)
    assert other.message == "a broke"


async def test_a_search_takes_no_longer() -> None:
    async def found() -> int:
        return 1

    assert await Expiry(5).bound(found()) == 1
    with pytest.raises(UpstreamTimeoutError, match=r"0\.01 s"):
        await Expiry(0.01).bound(asyncio.Event().wait())
