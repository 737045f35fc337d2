"""Several choices out of answers with one each."""

from __future__ import annotations

import attrs

from ...core.errors import UnsupportedError
from ...core.events import (
    Citations,
    Event,
    Finish,
    Logprobs,
    ReasoningDelta,
    RefusalDelta,
    TextDelta,
    ToolCallDelta,
)
from ...core.requests import ChatRequest
from .text import edited

#: the most choices for which a provider is called so often
MOST = 16


def single(request: ChatRequest) -> ChatRequest:
    """The request for one choice; UnsupportedError for too many."""
    if request.n > MOST:
        raise UnsupportedError(
            f"$.n: at most {MOST} where the provider gives one choice at a time", param="n"
        )
    return edited(request, n=1)


def numbered(event: Event, choice: int) -> Event:
    """An event of the only choice as that of another."""
    match event:
        case (
            TextDelta()
            | ReasoningDelta()
            | RefusalDelta()
            | ToolCallDelta()
            | Logprobs()
            | Citations()
            | Finish()
        ) if choice:
            return attrs.evolve(event, choice=choice)
        case _:
            return event
