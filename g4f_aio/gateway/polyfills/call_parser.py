"""Calls of tools in the text of a model.

The format is a line ``<tool_call>``, a JSON object with ``name`` and ``arguments``, and a line
``</tool_call>``. Models stray from it, so these are calls as well: such an object in a Markdown
fence, at the very beginning of the answer, in an array, or after another call.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator
from typing import Any

import attrs
import orjson

from .json_scanner import JsonScanner
from .text import pending

TAG, END_TAG = "<tool_call>", "</tool_call>"
_FENCE = "```"
#: characters up to which it may stay open whether something is a call
LARGEST = 2**16


@attrs.frozen
class Called:
    """A call begins; what follows are its arguments, in pieces."""

    name: str


@attrs.frozen
class Arguments:
    """A piece of the JSON of a call's arguments; *last*: they are complete."""

    text: str
    last: bool = False


#: a piece of an answer: text, or of a call
Piece = str | Called | Arguments


class CallParser:
    """Takes a text in any pieces; *names* are those of the tools that there are.

    ValueError for arguments that begin as JSON and turn out to be none.
    """

    def __init__(self, names: Iterable[str]) -> None:
        self._names = frozenset(names)
        self._text = ""
        self._scanner: JsonScanner | None = None
        self._begun = False
        self._called = False

    @property
    def in_call(self) -> bool:
        """Whether the arguments of a call are not complete."""
        return self._scanner is not None

    def feed(self, text: str) -> Iterator[Piece]:
        """What is known by now to be text or to be of a call."""
        self._text += text
        yield from self._read(closing=False)

    def close(self) -> Iterator[Piece]:
        """What was held back, when nothing more comes."""
        yield from self._read(closing=True)

    def _read(self, *, closing: bool) -> Iterator[Piece]:
        while self._text:
            if self._scanner is not None:
                yield from self._arguments(self._scanner)
                continue
            start = self._opening(closing=closing)
            if start:
                yield self._taken(start)
                continue
            if start is None:
                return
            head = self._head()
            if head is None and not closing and len(self._text) <= LARGEST:
                return
            match head:
                case (str(name), None, int(end)):
                    yield self._call(name, end)
                    self._scanner = JsonScanner()
                case (str(name), str(arguments), int(end)):
                    yield self._call(name, end)
                    yield Arguments(arguments, last=True)
                case _:
                    yield self._taken(1)

    def _call(self, name: str, end: int) -> Called:
        self._text = self._text[end:]
        self._begun = self._called = True
        return Called(name)

    def _arguments(self, scanner: JsonScanner) -> Iterator[Piece]:
        found, used = scanner.feed(self._text)
        self._text = self._text[used:]
        if scanner.done:
            self._scanner = None
        yield Arguments(found, last=scanner.done)

    def _taken(self, size: int) -> str:
        text, self._text = self._text[:size], self._text[size:]
        self._begun = self._begun or not text.isspace()
        return text

    def _opening(self, *, closing: bool) -> int | None:
        """Where a call may begin, 0 for here; else how much is text; None when more must come."""
        text = self._text
        found = (_AFTER_CALL if self._called else _OPENING).search(text)
        at = found.start() if found else len(text)
        blank = len(text) - len(text.lstrip())
        if not self._begun and text[blank : blank + 1] in ("{", "["):
            at = min(at, blank)
        if at < len(text) or closing:
            # white space before a call is part of it
            return len(text[:at].rstrip()) if at < len(text) else at
        ready = len(text) - pending(text, (TAG, _FENCE))
        return len(text[:ready].rstrip()) or None

    def _head(self) -> tuple[str, str | None, int] | object | None:
        """Name, arguments and end of what comes before them, or of all; None when more must come."""
        text = self._text
        start = _PREFIX.match(text).end()  # type: ignore[union-attr]  # it always matches
        rest = text[start : start + 1]
        if not rest or any(one.startswith(text[start:]) for one in (TAG, _FENCE)):
            return None
        if rest != "{":
            return _TEXT
        begun = _CALL.match(text, start)
        if begun is not None:
            return (begun[1], None, begun.end()) if begun[1] in self._names else _TEXT
        if not self._may_be(text, start):
            return _TEXT
        try:
            value, end = _DECODER.raw_decode(text, start)
        except (ValueError, RecursionError):
            return None
        called = self._whole(value, tagged=TAG in text[:start])
        return _TEXT if called is None else (*called, end)

    def _may_be(self, text: str, start: int) -> bool:
        """Whether an object that is not complete may become a call."""
        key = _KEY.match(text, start)
        if key is None:
            return _NO_KEY.fullmatch(text, start) is not None
        if key[1] not in _KEYS:
            return False
        name = _NAME.match(text, start)
        if name is None:
            return True
        if name[2]:
            return name[1] in self._names
        return any(one.startswith(name[1]) for one in self._names)

    def _whole(self, value: Any, *, tagged: bool) -> tuple[str, str] | None:
        """Name and arguments of a call that is complete; None when it is none."""
        match value:
            case {"function": dict() as function}:
                value = function
            case _:
                pass
        arguments = value.get("arguments", value.get("parameters", {} if tagged else None))
        if isinstance(arguments, str):
            try:
                arguments = orjson.loads(arguments)
            except orjson.JSONDecodeError:
                return None
        name = value.get("name")
        if name not in self._names or not isinstance(arguments, dict):
            return None
        return name, json.dumps(arguments, ensure_ascii=False)


_OPENING = re.compile(f"{TAG}|{_FENCE}")
_AFTER_CALL = re.compile(f"{TAG}|{_FENCE}|\\{{")
_PREFIX = re.compile(rf"(?:\s+|{_FENCE}[\w-]*|{TAG}|\[)*")
_CALL = re.compile(r'\{\s*"name"\s*:\s*"([^"\\]*)"\s*,\s*"(?:arguments|parameters)"\s*:\s*(?=\{)')
_KEY = re.compile(r'\{\s*"([^"\\]*)"')
_NO_KEY = re.compile(r'\{\s*(?:"[^"\\]*)?')
_NAME = re.compile(r'\{\s*"name"\s*:\s*"([^"\\]*)("?)')
_KEYS = frozenset(("name", "arguments", "parameters", "id", "type", "function"))
_TEXT = object()
_DECODER = json.JSONDecoder()
