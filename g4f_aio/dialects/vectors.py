"""Vectors as OpenAI's API writes them: as numbers, or as 32-bit floats in Base64."""

from __future__ import annotations

import math
import struct
from base64 import b64decode, b64encode
from collections.abc import Sequence

#: bytes of a number
_SIZE = 4


def to_base64(numbers: Sequence[float]) -> str:
    """Little-endian 32-bit floats in Base64; ValueError for what does not fit into them."""
    try:
        return b64encode(struct.pack(f"<{len(numbers)}f", *numbers)).decode()
    except (struct.error, OverflowError) as error:
        raise ValueError(f"no vector of 32-bit floats ({error})") from None


def to_numbers(text: str) -> list[float]:
    """The numbers in it; ValueError when it is no Base64, or not of such floats."""
    data = _bytes(text)
    return finite(list(struct.unpack(f"<{len(data) // _SIZE}f", data)))


def checked(text: str) -> str:
    """The same; ValueError as ``to_numbers``, but for floats that are no numbers."""
    _bytes(text)
    return text


def finite(numbers: list[float]) -> list[float]:
    """The same; ValueError when one is no number, which JSON has no word for."""
    try:
        if all(map(math.isfinite, numbers)):
            return numbers
    except (TypeError, OverflowError):
        pass
    raise ValueError("not all of its items are numbers")


def _bytes(text: str) -> bytes:
    try:
        data = b64decode(text, validate=True)
    except ValueError as error:  # of Base64, or of a character that is not ASCII
        raise ValueError(f"no Base64 ({error})") from None
    if len(data) % _SIZE:
        raise ValueError(f"{len(data)} bytes are no 32-bit floats")
    return data
