"""What was handed on of an upstream's response, as far as we have to know it afterwards."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import suppress
from typing import Any

from ..core.events import Passthrough
from . import sse
from .json_text import dumps, loads

Json = dict[str, Any]

#: the events that end a response
TERMINAL = frozenset(("response.completed", "response.incomplete", "response.failed"))
#: within a text of JSON the quotes would be escaped
_NO_PREVIOUS = re.compile(rb'"previous_response_id"\s*:\s*null')


class Passed:
    """The bytes that go through, and what they tell when the response ends, or breaks off.

    *previous* is the response that the client goes on from, where the upstream was not told.
    """

    def __init__(self, previous: str | None, *, streamed: bool) -> None:
        self._previous = b'"previous_response_id":' + dumps(previous) if previous else None
        self._streamed = streamed
        self._first = b""
        self._latest = b""

    @property
    def begun(self) -> bool:
        """Whether anything went through."""
        return bool(self._first)

    def take(self, event: Passthrough) -> bytes:
        """The bytes to hand on."""
        data = event.data
        if self._previous is not None:
            data = _NO_PREVIOUS.sub(lambda _: self._previous or b"", data)
        self._first = self._first or data
        if event.progress:
            self._latest = data
        return data

    def response(self) -> Json | None:
        """The whole response, as the upstream told it at the end."""
        if not self._streamed:
            return _object(self._latest)
        for event in _events(self._latest):
            if event.get("type") in TERMINAL and isinstance(event.get("response"), dict):
                found: Json = event["response"]
                return found
        return None

    def left_off(self) -> tuple[Json | None, int]:
        """The response as it began, and the number that the next event would have."""
        began, number = None, -1
        for frames in (self._first, self._latest):
            for event in _events(frames):
                said, response = event.get("sequence_number"), event.get("response")
                if type(said) is int:
                    number = max(number, said)
                if began is None and isinstance(response, dict):
                    began = response
        return began, number + 1


def _events(frames: bytes) -> Iterator[Json]:
    for _, data in sse.split(frames):
        event = _object(data) if data else None
        if event is not None:
            yield event


def _object(data: bytes) -> Json | None:
    with suppress(ValueError):
        found = loads(data)
        if isinstance(found, dict):
            return found
    return None
