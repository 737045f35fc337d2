"""Compressed answers come out as they were, in pieces of limited size."""

from __future__ import annotations

import gzip
import zlib
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from g4f_aio.providers.content_coding import PIECE, Inflater, inflater_of
from g4f_aio.providers.http_answer import TransportError

TEXT = b"".join(b"data: %d\n\n" % number for number in range(500))


def bare(data: bytes) -> bytes:
    """deflate without zlib's header."""
    deflate = zlib.compressobj(wbits=-zlib.MAX_WBITS)
    return deflate.compress(data) + deflate.flush()


PACKED = {
    "gzip": ("gzip", gzip.compress(TEXT)),
    "members": ("x-gzip", gzip.compress(TEXT[:100]) + gzip.compress(TEXT[100:])),
    "zlib": ("deflate", zlib.compress(TEXT)),
    "bare": ("Deflate", bare(TEXT)),
}


def made(coding: str) -> Inflater:
    """An inflater."""
    inflater = inflater_of(coding)
    assert inflater is not None
    return inflater


def inflate(inflater: Inflater, *pieces: bytes) -> bytes:
    """What comes out of these."""
    out = b""
    for piece in pieces:
        inflater.feed(piece)
        while data := inflater.take():
            out += data
    return out


@given(
    st.sampled_from(sorted(PACKED)), st.lists(st.integers(min_value=0, max_value=999), max_size=9)
)
def test_what_was_packed_comes_out_however_it_is_cut(name: str, cuts: list[int]) -> None:
    coding, packed = PACKED[name]
    places = [0, *sorted(min(cut, len(packed)) for cut in cuts), len(packed)]
    inflater = made(coding)
    assert inflate(inflater, *(packed[start:end] for start, end in pairwise(places))) == TEXT
    inflater.close()


def test_events_come_out_as_soon_as_they_went_in() -> None:
    deflate = zlib.compressobj(wbits=31)
    inflater = made("gzip")
    for number in range(3):
        event = b"data: %d\n\n" % number
        packed = deflate.compress(event) + deflate.flush(zlib.Z_SYNC_FLUSH)
        assert inflate(inflater, packed) == event


def test_a_bomb_goes_off_in_pieces() -> None:
    inflater = made("gzip")
    bomb = gzip.compress(bytes(20 * 2**20))
    assert len(bomb) < 2**16
    inflater.feed(bomb)
    sizes = []
    while data := inflater.take():
        sizes.append(len(data))
    assert sum(sizes) == 20 * 2**20
    assert max(sizes) <= PIECE


@pytest.mark.parametrize("name", PACKED)
def test_what_is_cut_is_an_error_at_its_end(name: str) -> None:
    coding, packed = PACKED[name]
    inflater = made(coding)
    inflate(inflater, packed[: len(packed) * 3 // 4])
    with pytest.raises(TransportError, match=r"^hung up in the middle of its answer$"):
        inflater.close()


@pytest.mark.parametrize("coding", ["gzip", "deflate"])
def test_what_makes_no_sense_is_an_error(coding: str) -> None:
    with pytest.raises(TransportError, match=f"^sent malformed {coding}$"):
        inflate(made(coding), b"\x08this is plain text")


@pytest.mark.parametrize("name", PACKED)
def test_so_is_what_follows_the_end(name: str) -> None:
    coding, packed = PACKED[name]
    with pytest.raises(TransportError, match=r"^sent malformed "):
        inflate(made(coding), packed, b"more")


@pytest.mark.parametrize("coding", ["gzip", "deflate"])
def test_an_empty_body_is_empty(coding: str) -> None:
    inflater = made(coding)
    assert inflate(inflater, b"") == b""
    inflater.close()


@pytest.mark.parametrize("coding", [None, "", "identity", " Identity "])
def test_what_is_not_packed_needs_nothing(coding: str | None) -> None:
    assert inflater_of(coding) is None


@pytest.mark.parametrize("coding", ["br", "zstd", "gzip, br", "compress"])
def test_another_coding_is_named(coding: str) -> None:
    with pytest.raises(TransportError, match=f"^sent its answer in the coding '{coding}', not"):
        inflater_of(coding)
