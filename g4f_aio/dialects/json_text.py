"""JSON as upstreams write it, halves of characters included.

Some cut an emoji in two between two deltas, as ``"\\ud83d"`` and ``"\\ude00"``. That is JSON, but
orjson takes and writes whole characters only.
"""

from __future__ import annotations

import json
from typing import Any, NoReturn

import orjson


def loads(data: bytes) -> Any:
    """A JSON value; ValueError when it is none."""
    try:
        return orjson.loads(data)
    except orjson.JSONDecodeError:
        if b"\\ud" not in data.lower():
            raise
    try:
        return json.loads(data.decode(), parse_constant=_refuse)
    except RecursionError:
        raise ValueError("too deep") from None


def dumps(value: object) -> bytes:
    """A value as JSON; half a character is written as its escape."""
    try:
        return orjson.dumps(value)
    except orjson.JSONEncodeError:
        return json.dumps(value, separators=(",", ":")).encode()


class Joiner:
    """Puts the halves of characters together again, over several pieces of text."""

    def __init__(self) -> None:
        self._halves: dict[object, str] = {}

    def feed(self, text: str, key: object) -> str:
        """A piece of the text called *key*; what stays half becomes U+FFFD."""
        if text.isascii() and not self._halves:
            return text
        text = self._halves.pop(key, "") + text
        try:
            text.encode()
        except UnicodeEncodeError:
            if "\ud800" <= text[-1] <= "\udbff":
                self._halves[key] = text[-1]
                text = text[:-1]
            text = text.encode("utf-16-le", "surrogatepass").decode("utf-16-le", "replace")
        return text


def _refuse(constant: str) -> NoReturn:
    raise ValueError(f"{constant} is not JSON")
