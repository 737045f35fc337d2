"""Tokens of several calls that together give one answer."""

from __future__ import annotations

from ...core.events import Event, ReasoningDelta, TextDelta, ToolCallDelta, Usage
from ...core.request_tokens import estimate_request
from ...core.requests import ChatRequest
from ...core.tokens import TokenCount


class Meter:
    """The usage of one call: as its provider reports it, else an estimate."""

    def __init__(self, request: ChatRequest) -> None:
        self._request = request
        self._count = TokenCount()
        self._reported: Usage | None = None

    def see(self, event: Event) -> bool:
        """Take note of an event; whether it is a report, which must not be sent on."""
        match event:
            case Usage():
                self._reported = event
                return True
            case TextDelta(text=text) | ReasoningDelta(text=text) | ToolCallDelta(arguments=text):
                self._count = self._count.plus(text)
            case _:
                pass
        return False

    @property
    def usage(self) -> Usage:
        """That of the call, up to now."""
        if self._reported is not None:
            return self._reported
        return Usage(estimate_request(self._request), self._count.tokens, estimated=True)


def both(total: Usage | None, more: Usage) -> Usage:
    """The sum of both; what only its upstream understands is lost in it."""
    if total is None:
        return more
    return Usage(
        total.input + more.input,
        total.output + more.output,
        total.cached + more.cached,
        total.reasoning + more.reasoning,
        total.estimated or more.estimated,
    )
