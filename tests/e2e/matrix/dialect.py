"""What a client's dialect is to the matrix."""

from __future__ import annotations

from typing import Protocol

from .answer import Answer, Ask, Json


class Dialect(Protocol):
    """A dialect: what is asked in its words, and its answers read strictly."""

    path: str

    def asked(self, ask: Ask, model: str, *, stream: bool) -> Json:
        """The body of a request."""

    def streamed(self, body: bytes, ask: Ask) -> Answer:
        """A stream put together; its order is checked, and the fields of each of its events."""

    def whole(self, body: bytes, provider: str) -> Answer:
        """An answer that is not streamed."""

    def told(self, said: Answer, ask: Ask, *, stream: bool) -> Answer:
        """What there must be in it of an answer that an upstream gave."""
