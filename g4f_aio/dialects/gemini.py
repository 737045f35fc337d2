"""Gemini's ``generateContent`` as a dialect, towards upstreams."""

from __future__ import annotations

from typing import Any

import attrs

from ..core.requests import ChatRequest
from . import gemini_request
from .base import Decoder
from .gemini_decoder import GeminiDecoder
from .gemini_thinking import Signatures

NAME = "gemini"


@attrs.frozen
class GeminiChat:
    """``POST /v1beta/models/MODEL:generateContent`` and ``:streamGenerateContent?alt=sse``.

    *thoughts*: ask the models that think to show it. *signatures* are those of the tool calls
    they made: a request that repeats such a call takes its signature along.
    """

    thoughts: bool = True
    signatures: Signatures = attrs.field(factory=Signatures, eq=False)
    name: str = attrs.field(default=NAME, init=False)

    def encode_request(self, request: ChatRequest, model: str) -> dict[str, Any]:
        """The body of the request; the model and whether it streams are in the URL."""
        return gemini_request.encode(request, model, self.signatures, thoughts=self.thoughts)

    def decoder(
        self, request: ChatRequest, provider: str, credential: str | None = None
    ) -> Decoder:
        """For the answer to *request*; no error in it will quote the *credential*."""
        return GeminiDecoder(
            provider,
            self.signatures,
            # the API has no switch for it
            single=request.options.get("parallel_tool_calls") is False,
            credential=credential,
        )
