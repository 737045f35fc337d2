"""What answers on a fresh machine, with no network, no key and no configuration."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Iterator
from typing import ClassVar

import attrs

from ..core.errors import UnsupportedError
from ..core.events import EventStream, Finish, FinishReason, TextDelta, Usage
from ..core.messages import RefusalPart, TextPart
from ..core.models import Capability, ModelInfo
from ..core.provider import CallContext, Provider
from ..core.requests import ChatRequest, Sampling
from ..core.tokens import clip_to_tokens, estimate_tokens
from .assistant.assistant import Assistant
from .assistant.question import Question

_PIECE = re.compile(r"\S+\s*|\s+")


@attrs.frozen(kw_only=True)
class OfflineAssistant(Provider):
    """Documentation, facts about this gateway, and exact tools; by rule, so always the same."""

    name: ClassVar[str] = "OfflineAssistant"
    label: ClassVar[str] = "Offline assistant"
    description: ClassVar[str] = (
        "Not a language model: answers from the documentation, from facts about this gateway and "
        "with exact tools (arithmetic, dates, units, JSON, base64, hashes, counts), without network"
    )
    capabilities: ClassVar[Capability] = Capability.CHAT | Capability.STREAM
    local: ClassVar[bool] = True

    _assistant: Assistant = attrs.field(factory=Assistant, init=False, eq=False, repr=False)

    def models(self) -> tuple[ModelInfo, ...]:
        """The one there is."""
        return (ModelInfo("offline-assistant", owned_by="g4f_aio", not_a_language_model=True),)

    async def chat(self, request: ChatRequest, ctx: CallContext) -> EventStream:
        """The answer, word by word; UnsupportedError for what only a model could do."""
        _refuse_unsupported(request, ctx.provider)
        question = Question.of(request.messages)
        whole = await self._assistant.answer(question, ctx.facts, ctx.provider)
        text, reason = _bounded(whole, request.sampling)
        for piece in _pieces(text):
            yield TextDelta(piece)
            await asyncio.sleep(0)
        asked = sum(estimate_tokens(message.text) for message in request.messages)
        yield Usage(asked, estimate_tokens(text), estimated=True)
        yield Finish(reason)


def _bounded(text: str, sampling: Sampling) -> tuple[str, FinishReason]:
    """What of *text* the caller wants, and why it ends there."""
    limit = sampling.max_tokens
    clipped = text if limit is None else clip_to_tokens(text, limit)
    stops = [at for stop in sampling.stop if stop and (at := clipped.find(stop)) >= 0]
    if stops:
        return clipped[: min(stops)], "stop"
    return clipped, "stop" if clipped == text else "length"


def _pieces(text: str) -> Iterator[str]:
    return (match[0] for match in _PIECE.finditer(text))


def _refuse_unsupported(request: ChatRequest, provider: str) -> None:
    """Raise the error for the first thing asked for that this assistant cannot do."""
    format_type = (request.response_format or {}).get("type", "text")
    for param, asked in (
        ("tools", bool(request.tools)),
        ("response_format", format_type != "text"),
        ("n", request.n > 1),
        ("logprobs", bool(request.options.get("logprobs"))),
        ("top_logprobs", bool(request.options.get("top_logprobs"))),
        ("modalities", Capability.AUDIO_OUTPUT in request.needs),
    ):
        if asked:
            raise UnsupportedError(
                f"$.{param}: {provider} is not a language model and cannot supply it",
                param=param,
                provider=provider,
            )
    path = _unread_part(request)
    if path is not None:
        raise UnsupportedError(
            f"$.{path}: {provider} reads nothing but text",
            param=path,
            provider=provider,
        )


def _unread_part(request: ChatRequest) -> str | None:
    """The JSON path of a part of the last user message that is no text."""
    for at in reversed(range(len(request.messages))):
        message = request.messages[at]
        if message.role == "user":
            for number, part in enumerate(message.parts):
                match part:
                    case TextPart() | RefusalPart():
                        pass
                    case _:
                        return f"messages[{at}].content[{number}]"
            return None
    return None
