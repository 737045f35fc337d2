"""Ollama's own chat API as a dialect, towards upstreams."""

from __future__ import annotations

from typing import Any

import attrs

from ..core.requests import ChatRequest
from . import ollama_request
from .base import Decoder
from .ollama_decoder import OllamaDecoder

NAME = "ollama"


@attrs.frozen
class OllamaChat:
    """``POST /api/chat``.

    *num_ctx* is the size of the context in tokens, *keep_alive* how long the model stays loaded
    afterwards: seconds, or a text such as ``30m``. Where they are None, the server decides.
    """

    num_ctx: int | None = None
    keep_alive: str | float | None = None
    name: str = attrs.field(default=NAME, init=False)

    def encode_request(self, request: ChatRequest, model: str) -> dict[str, Any]:
        """The body of the request."""
        body = ollama_request.encode(request, model, num_ctx=self.num_ctx)
        return body if self.keep_alive is None else body | {"keep_alive": self.keep_alive}

    def decoder(
        self, request: ChatRequest, provider: str, credential: str | None = None
    ) -> Decoder:
        """For the answer to *request*; no error in it will quote the *credential*."""
        return OllamaDecoder(
            provider,
            # the API has no switch for it
            single=request.options.get("parallel_tool_calls") is False,
            credential=credential,
        )
