"""Embeddings by Gemini's own API.

https://ai.google.dev/api/embeddings#method:-models.batchembedcontents
"""

from __future__ import annotations

from typing import Any

from ..core.errors import UnsupportedError, UpstreamError
from ..core.operations import EmbeddingRequest, Embeddings, Prompt


def encode_request(request: EmbeddingRequest, provider: str) -> dict[str, Any]:
    """The request; UnsupportedError names what Gemini has no word for."""
    return {"requests": [_one(request, text, provider) for text in request.input]}


def decode_answer(answer: Any, request: EmbeddingRequest, provider: str) -> Embeddings:
    """An answer; UpstreamError when it is none."""
    match answer:
        case {"embeddings": [*found]} if len(found) == len(request.input):
            pass
        case _:
            raise UpstreamError(
                f"{provider} sent no vector for each of {len(request.input)} inputs",
                provider=provider,
            )
    # the number of tokens is not among what it says
    return Embeddings(tuple(_vector(one, provider) for one in found), request.model)


def _vector(one: Any, provider: str) -> list[float]:
    match one:
        case {"values": list(numbers)}:
            return numbers
        case _:
            raise UpstreamError(f"{provider} sent an embedding without values", provider=provider)


def _one(request: EmbeddingRequest, text: Prompt, provider: str) -> dict[str, Any]:
    if not isinstance(text, str):
        raise UnsupportedError(
            f"$.input: {provider} takes texts, no tokens", param="input", provider=provider
        )
    model = request.model if "/" in request.model else f"models/{request.model}"
    body: dict[str, Any] = {"model": model, "content": {"parts": [{"text": text}]}}
    if request.dimensions is not None:
        body["outputDimensionality"] = request.dimensions
    return body
