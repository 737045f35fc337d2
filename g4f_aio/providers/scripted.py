"""A provider that answers by script, for tests and load: no upstream, no surprise."""

from __future__ import annotations

import asyncio
from typing import ClassVar

import attrs

from ..core.errors import UpstreamError
from ..core.events import EventStream, Finish, TextDelta, Usage
from ..core.models import ModelInfo
from ..core.provider import CallContext, Provider
from ..core.requests import ChatRequest


@attrs.frozen(kw_only=True)
class Scripted(Provider):
    """Answers every request with *answer*, word by word.

    *delay* is the time before each word, in seconds. *fail_after* words it fails (None: never),
    *repeat* times it says the answer.
    """

    name: ClassVar[str] = "scripted"
    label: ClassVar[str] = "Scripted answers"
    description: ClassVar[str] = "Says what its settings say; for tests and load"
    local: ClassVar[bool] = True
    opt_in: ClassVar[bool] = True

    answer: str = "Hello! This answer is scripted."
    delay: float = 0.0
    repeat: int = 1
    fail_after: int | None = None

    def models(self) -> tuple[ModelInfo, ...]:
        """One, called ``scripted``."""
        return (ModelInfo("scripted", not_a_language_model=True),)

    async def chat(self, request: ChatRequest, ctx: CallContext) -> EventStream:
        """The script; the words are its tokens."""
        words = self.answer.split(" ") * self.repeat
        asked = sum(len(message.text.split()) for message in request.messages)
        for count, word in enumerate(words):
            if count == self.fail_after:
                raise UpstreamError(f"{ctx.provider} fails as told", provider=ctx.provider)
            await asyncio.sleep(self.delay)
            yield TextDelta(word if count == 0 else f" {word}")
        yield Usage(asked, len(words))
        yield Finish()
