"""The ranks on board are OpenAI's own, and so are the patterns; nothing is fetched."""

from __future__ import annotations

import base64
import hashlib
import socket
from typing import Any

import pytest
from g4f_aio_tokens.encodings import PATTERNS, encoding, ranks
from tiktoken_ext import openai_public  # type: ignore[import-untyped]

NAMES = tuple(PATTERNS)


@pytest.fixture(autouse=True)
def _no_network(monkeypatch: pytest.MonkeyPatch) -> None:
    """Whoever opens a socket fails."""

    def refuse(*_: object, **__: object) -> None:
        raise AssertionError("a socket was opened")

    monkeypatch.setattr(socket, "socket", refuse)


def known(name: str, monkeypatch: pytest.MonkeyPatch) -> tuple[dict[str, Any], str]:
    """What tiktoken says of an encoding, and the hash of the file it would fetch."""
    hashes = []

    def load(_: str, expected_hash: str) -> dict[bytes, int]:
        hashes.append(expected_hash)
        return {}

    monkeypatch.setattr(openai_public, "load_tiktoken_bpe", load)
    said: dict[str, Any] = getattr(openai_public, name)()
    return said, hashes[0]


@pytest.mark.parametrize("name", NAMES)
def test_the_ranks_are_those_that_tiktoken_would_fetch(
    name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    _, expected = known(name, monkeypatch)
    written = b"".join(
        b"%s %d\n" % (base64.b64encode(token), rank) for token, rank in ranks(name).items()
    )
    assert hashlib.sha256(written).hexdigest() == expected


@pytest.mark.parametrize("name", NAMES)
def test_the_patterns_are_those_of_tiktoken(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    said, _ = known(name, monkeypatch)
    assert PATTERNS[name] == said["pat_str"]


@pytest.mark.parametrize("name", NAMES)
def test_what_was_encoded_can_be_read_again(name: str) -> None:
    text = "Hello, wörld! 12345 你好 🙂\n\tif x == 1: return <|endoftext|>"
    found = encoding(name)
    assert found.decode(found.encode_ordinary(text)) == text
