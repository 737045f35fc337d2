"""What a model thinks, as an item of a response while it is written."""

from __future__ import annotations

from collections.abc import Iterator

import attrs

from ..core.completion import thoughts_of
from ..core.events import ReasoningDelta
from .openai_responses_events import Event, Json, Status, added, done
from .openai_responses_items import OUR_THOUGHT
from .openai_responses_object import new_id
from .openai_responses_seals import seal


@attrs.define
class ReasoningItem:
    """What a model of *provider* thinks. *summarized*: the client asked for it as a summary."""

    index: int
    summarized: bool
    provider: str = ""
    id: str = attrs.field(factory=lambda: f"{OUR_THOUGHT}{new_id('')[1:]}")
    pieces: list[ReasoningDelta] = attrs.field(factory=list)
    _said: bool = False

    @property
    def text(self) -> str:
        """What can be read of it."""
        return "".join(piece.text for piece in self.pieces)

    @property
    def kind(self) -> str:
        """What its events and its text are called."""
        return "reasoning_summary_text" if self.summarized else "reasoning_text"

    @property
    def at(self) -> Json:
        """Where its text is."""
        within = "summary_index" if self.summarized else "content_index"
        return {"item_id": self.id, "output_index": self.index, within: 0}

    @property
    def part(self) -> Json:
        """Its text as a part."""
        kind = "summary_text" if self.summarized else "reasoning_text"
        return {"type": kind, "text": self.text}

    def wire(self, status: Status) -> Json:
        """The item as it stands."""
        parts = [self.part] if self.text else []
        return {
            "id": self.id,
            "type": "reasoning",
            "status": status,
            "summary": parts if self.summarized else [],
            **({} if self.summarized else {"content": parts}),
            "encrypted_content": seal(self.provider, thoughts_of(self.pieces)),
        }

    def begin(self) -> Iterator[Event]:
        """It is there."""
        yield added(self.index, self.wire("in_progress"))

    def say(self, piece: ReasoningDelta) -> Iterator[Event]:
        """A piece of it, which may be a seal without any text."""
        if piece.text and not self._said:
            self._said = True
            yield f"response.{self._parts}.added", {**self.at, "part": self.part}
        self.pieces.append(piece)
        if piece.text:
            yield f"response.{self.kind}.delta", {**self.at, "delta": piece.text}

    def end(self, status: Status) -> Iterator[Event]:
        """It is whole, or cut."""
        if self._said:
            yield f"response.{self.kind}.done", {**self.at, "text": self.text}
            yield f"response.{self._parts}.done", {**self.at, "part": self.part}
        yield done(self.index, self.wire(status))

    @property
    def _parts(self) -> str:
        return "reasoning_summary_part" if self.summarized else "content_part"
