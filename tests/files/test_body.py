"""Bodies of answers from the web: unpacked, and never larger than they may be."""

from __future__ import annotations

import gzip
import zlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from g4f_aio.core.errors import BadRequestError, UpstreamError
from g4f_aio.files.body import RATIO_FROM, Body

TEXT = b"Guten Tag. " * 1000


def raw_deflate(data: bytes) -> bytes:
    """As some servers send it, without zlib's header."""
    packer = zlib.compressobj(wbits=-zlib.MAX_WBITS)
    return packer.compress(data) + packer.flush()


def unpacked(coding: str | None, *pieces: bytes, limit: int = 10**6) -> bytes:
    """The body of these pieces."""
    body = Body(coding, limit)
    for piece in pieces:
        body.feed(piece)
    return body.close()


@pytest.mark.parametrize(
    ("coding", "packed"),
    [
        (None, TEXT),
        ("identity", TEXT),
        ("gzip", gzip.compress(TEXT)),
        ("X-GZIP", gzip.compress(TEXT[:500]) + gzip.compress(TEXT[500:])),
        ("deflate", zlib.compress(TEXT)),
        ("deflate", raw_deflate(TEXT)),
    ],
)
def test_a_body_is_unpacked(coding: str | None, packed: bytes) -> None:
    assert unpacked(coding, packed) == TEXT
    assert unpacked(coding, *(packed[at : at + 7] for at in range(0, len(packed), 7))) == TEXT


@given(st.binary(), st.integers(1, 50))
def test_it_may_come_in_any_pieces(data: bytes, size: int) -> None:
    packed = gzip.compress(data)
    pieces = (packed[at : at + size] for at in range(0, len(packed), size))
    assert unpacked("gzip", *pieces) == data


@pytest.mark.parametrize(
    ("coding", "data"),
    [(None, TEXT), ("gzip", gzip.compress(TEXT)), ("deflate", zlib.compress(TEXT))],
)
def test_it_may_be_as_large_as_the_limit_and_no_larger(coding: str | None, data: bytes) -> None:
    assert len(unpacked(coding, data, limit=len(TEXT))) == len(TEXT)
    with pytest.raises(BadRequestError, match="larger than 10999 bytes") as caught:
        unpacked(coding, data, limit=len(TEXT) - 1)
    assert caught.value.code == "file_too_large"


def test_a_bomb_is_stopped_long_before_its_limit() -> None:
    bomb = gzip.compress(bytes(50 * 2**20))
    body = Body("gzip", 10**9)
    with pytest.raises(BadRequestError, match="packed"):
        body.feed(bomb)
    assert body.size <= 3 * RATIO_FROM


@pytest.mark.parametrize(
    ("coding", "data", "what"),
    [
        ("br", b"x", "unknown"),
        ("gzip, gzip", b"x", "unknown"),
        ("gzip", b"no gzip", "unpacked"),
        ("gzip", gzip.compress(TEXT)[:-1], "broken off"),
        ("deflate", zlib.compress(TEXT)[:-1], "broken off"),
    ],
)
def test_what_makes_no_sense_is_the_servers_fault(coding: str, data: bytes, what: str) -> None:
    with pytest.raises(UpstreamError, match=what) as caught:
        unpacked(coding, data)
    assert (caught.value.status, caught.value.code) == (502, "fetch_failed")


def test_nothing_needs_no_unpacking() -> None:
    assert unpacked("gzip", b"") == b""
