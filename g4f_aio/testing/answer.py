"""What a fake upstream says to one request: as data, so that it can be cut short or held up."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Literal

import attrs
import orjson

#: how the answer goes on after its last step
Ending = Literal["complete", "cut", "hang"]
_OK = 200


@attrs.frozen
class Answer:
    """An answer by script; make one with a class method.

    *steps* are bytes to send and seconds to wait, in order. *sized*: with a Content-Length, not in
    chunks. *end*: ``complete``; ``cut``, then the connection is closed before the answer is whole;
    ``hang``, then nothing more comes. One that has no step and does not end says nothing at all, not
    even a status.
    """

    steps: tuple[bytes | float, ...] = ()
    status: int = _OK
    headers: Mapping[str, str] = attrs.field(factory=dict)
    sized: bool = False
    end: Ending = "complete"

    @classmethod
    def json(
        cls, value: Any, *, status: int = _OK, headers: Mapping[str, str] | None = None
    ) -> Answer:
        """A JSON body; with a *status* such as 429 also an error."""
        given = {"Content-Type": "application/json", **(headers or {})}
        return cls((orjson.dumps(value),), status, given, sized=True)

    @classmethod
    def sse(
        cls,
        *events: dict[str, Any] | str | bytes | float,
        status: int = _OK,
        headers: Mapping[str, str] | None = None,
    ) -> Answer:
        """Server-sent events.

        Each is a dictionary (sent as JSON), the text of its data, whole bytes of your own, or a
        number: seconds to wait.
        """
        given = {"Content-Type": "text/event-stream", **(headers or {})}
        return cls(tuple(map(_frame, events)), status, given)

    @classmethod
    def stream(
        cls,
        *steps: str | bytes | float,
        status: int = _OK,
        headers: Mapping[str, str] | None = None,
    ) -> Answer:
        """Text or raw bytes piece by piece; a number is seconds to wait."""
        given = {"Content-Type": "text/plain; charset=utf-8", **(headers or {})}
        pieces = (step.encode() if isinstance(step, str) else step for step in steps)
        return cls(tuple(pieces), status, given)

    @classmethod
    def silence(cls) -> Answer:
        """No answer at all: the connection stays open, and nothing comes."""
        return cls(end="hang")

    def cut(self) -> Answer:
        """The same, but after its last step the connection is closed in mid-body."""
        return attrs.evolve(self, end="cut")

    def hanging(self) -> Answer:
        """The same, but after its last step nothing comes, not even the end."""
        return attrs.evolve(self, end="hang")

    @property
    def pieces(self) -> tuple[bytes, ...]:
        """What it sends, without the pauses."""
        return tuple(step for step in self.steps if isinstance(step, bytes))

    @property
    def body(self) -> bytes:
        """All it sends, in one piece."""
        return b"".join(self.pieces)

    def first_half(self) -> Answer:
        """Half of its bytes, in the same pieces and without the pauses."""
        left = len(self.body) // 2
        kept = []
        for piece in self.pieces:
            kept.append(piece[:left])
            left -= len(kept[-1])
        return attrs.evolve(self, steps=tuple(filter(None, kept)) or (b"",))

    def without_last_piece(self) -> Answer:
        """All but its last piece and the pauses; half of the piece where it has only one."""
        pieces = self.pieces
        return attrs.evolve(self, steps=pieces[:-1]) if len(pieces) > 1 else self.first_half()


def _frame(event: dict[str, Any] | str | bytes | float) -> bytes | float:
    match event:
        case dict():
            return b"data: " + orjson.dumps(event) + b"\n\n"
        case str():
            return b"data: " + event.encode().replace(b"\n", b"\ndata: ") + b"\n\n"
        case _:
            return event
