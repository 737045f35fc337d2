"""Stop sequences, for providers that take none."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

import attrs

from ...core.events import (
    Event,
    Finish,
    Media,
    RefusalDelta,
    TextDelta,
    ToolCallDelta,
)
from ...core.requests import ChatRequest
from .polyfill import Polyfill
from .text import edited, pending


class Stop(Polyfill):
    """Ends the text before the first of *sequences* that is complete in it, however it is cut."""

    def __init__(self, sequences: Iterable[str], *, last: bool = True) -> None:
        super().__init__(last=last)
        self._sequences = tuple(one for one in sequences if one)
        self._held = ""

    def prepare(self, request: ChatRequest) -> ChatRequest:
        """Without the sequences."""
        return edited(request, sampling=attrs.evolve(request.sampling, stop=()))

    def feed(self, event: Event) -> Iterator[Event]:
        """The text as far as no sequence can have begun in it, and the end where one is found."""
        if self.done:
            return
        match event:
            case TextDelta(text=text):
                yield from self._feed(text)
            case ToolCallDelta() | RefusalDelta() | Media() | Finish():
                yield from self.close()
                yield event
            case _:
                yield event

    def close(self) -> Iterator[Event]:
        """The text that might have been the beginning of a sequence."""
        held, self._held = self._held, ""
        if held:
            yield TextDelta(held)

    def _feed(self, text: str) -> Iterator[Event]:
        text = self._held + text
        if (found := self._found(text)) is not None:
            start, end = found
            self._held = ""
            self.done = True
            if start:
                yield TextDelta(text[:start])
            yield Finish("stop", stop_sequence=text[start:end])
            return
        ready = len(text) - pending(text, self._sequences)
        self._held = text[ready:]
        if ready:
            yield TextDelta(text[:ready])

    def _found(self, text: str) -> tuple[int, int] | None:
        """Where the sequence is that is complete first; of several the longest."""
        ends = [(at + len(one), at) for one in self._sequences if (at := text.find(one)) >= 0]
        if not ends:
            return None
        end, start = min(ends)
        return start, end
