"""Wire samples, written by hand from the public specifications.

A file has sections: ``about``, ``request`` (the client's fields that matter), ``stream`` (an upstream's
bytes), ``relayed`` (what of them goes to a client of the same dialect, where that differs) and
``answer`` (what it means; the usage as input, output, cached and reasoning tokens).
"""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import attrs
import orjson

HERE = Path(__file__).parent


@attrs.frozen
class Sample:
    """One wire sample."""

    name: str
    request: dict[str, Any]
    stream: bytes
    relayed: bytes
    answer: dict[str, Any]


def samples(dialect: str) -> list[Sample]:
    """All samples of a dialect."""
    return [_read(path) for path in sorted((HERE / dialect).glob("*.txt"))]


def _read(path: Path) -> Sample:
    found = re.split(rb"^=== (\w+)\n", path.read_bytes(), flags=re.MULTILINE)[1:]
    sections = dict(zip(map(bytes.decode, found[::2]), found[1::2], strict=True))
    return Sample(
        path.stem,
        orjson.loads(sections["request"]),
        sections["stream"],
        sections.get("relayed", sections["stream"]),
        orjson.loads(sections["answer"]),
    )
