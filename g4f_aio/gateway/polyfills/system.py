"""Instructions, for providers that know no such role."""

from __future__ import annotations

import attrs

from ...core.messages import Message, TextPart
from ...core.requests import ChatRequest
from .polyfill import Polyfill
from .text import INSTRUCTS, edited


class System(Polyfill):
    """Puts all instructions at the beginning of the user's first message."""

    def prepare(self, request: ChatRequest) -> ChatRequest:
        """Without messages of the roles system and developer."""
        texts = [one.text for one in request.messages if one.role in INSTRUCTS]
        rest = tuple(one for one in request.messages if one.role not in INSTRUCTS)
        instructions = "\n\n".join(text for text in texts if text)
        return edited(request, messages=_folded(rest, instructions) if instructions else rest)


def _folded(messages: tuple[Message, ...], instructions: str) -> tuple[Message, ...]:
    for at, message in enumerate(messages):
        if message.role == "user":
            said = TextPart(f"{instructions}\n\n")
            if message.parts and isinstance(first := message.parts[0], TextPart):
                parts = (TextPart(said.text + first.text), *message.parts[1:])
            else:
                parts = (said, *message.parts)
            return (*messages[:at], attrs.evolve(message, parts=parts), *messages[at + 1 :])
    return (Message("user", (TextPart(instructions),)), *messages)
