"""What polyfills do to requests and texts alike."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import attrs

from ...core.messages import Message, TextPart
from ...core.requests import ChatRequest

#: the roles of instructions
INSTRUCTS = ("system", "developer")


def edited(request: ChatRequest, **changes: Any) -> ChatRequest:
    """The request with *changes*; what the client wrote no longer says what is asked."""
    return attrs.evolve(request, raw=None, accept=None, **changes)


def instructed(messages: tuple[Message, ...], text: str) -> tuple[Message, ...]:
    """The messages with *text* at the end of the first instructions, which are made if need be."""
    if messages and messages[0].role in INSTRUCTS:
        first = messages[0]
        parts = (*first.parts, TextPart(f"\n\n{text}" if first.text else text))
        return (attrs.evolve(first, parts=parts), *messages[1:])
    return (Message("system", (TextPart(text),)), *messages)


def pending(text: str, markers: Iterable[str]) -> int:
    """How many characters at the end of *text* may be the beginning of one of *markers*."""
    longest = 0
    for marker in markers:
        for size in range(min(len(marker) - 1, len(text)), longest, -1):
            if text.endswith(marker[:size]):
                longest = size
                break
    return longest
