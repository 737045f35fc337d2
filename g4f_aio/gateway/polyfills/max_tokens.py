"""The most tokens of an answer, for providers that cannot be told."""

from __future__ import annotations

import bisect
from collections.abc import Iterator

import attrs

from ...core.events import Event, Finish, ReasoningDelta, TextDelta
from ...core.requests import ChatRequest
from ...core.tokens import TokenCount
from .polyfill import Polyfill
from .text import edited

#: its other name, which the options keep
_NEWER = "max_completion_tokens"


class MaxTokens(Polyfill):
    """Ends an answer after *limit* tokens, thinking included, by the estimate of ``core.tokens``."""

    def __init__(self, limit: int, *, last: bool = True) -> None:
        super().__init__(last=last)
        self._limit = limit
        self._count = TokenCount()

    def prepare(self, request: ChatRequest) -> ChatRequest:
        """Without the limit."""
        options = {name: value for name, value in request.options.items() if name != _NEWER}
        sampling = attrs.evolve(request.sampling, max_tokens=None)
        return edited(request, sampling=sampling, options=options)

    def feed(self, event: Event) -> Iterator[Event]:
        """The text as far as it fits, and the end where it does not."""
        if self.done:
            return
        match event:
            case TextDelta(text=text) | ReasoningDelta(text=text):
                counted = self._count.plus(text)
                if counted.tokens <= self._limit:
                    self._count = counted
                    yield event
                    return
                self.done = True
                if kept := self._fitting(text):
                    yield attrs.evolve(event, text=kept)
                yield Finish("length")
            case _:
                yield event

    def _fitting(self, text: str) -> str:
        """The longest beginning of *text* that there is still room for."""
        fitting = bisect.bisect_right(
            range(len(text) + 1), self._limit, key=lambda size: self._count.plus(text[:size]).tokens
        )
        return text[: max(0, fitting - 1)]
