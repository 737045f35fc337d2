"""OpenAI's embeddings, towards clients and towards upstreams.

https://platform.openai.com/docs/api-reference/embeddings
"""

from __future__ import annotations

from typing import Any, ClassVar, Literal

import attrs

from ..core.errors import UpstreamError
from ..core.events import Usage
from ..core.operations import EmbeddingRequest, Embeddings
from .json_text import dumps
from .openai_chat_decoder import load_chunk, malformed
from .openai_chat_usage import usage_of
from .openai_extensions import Extended, converter, routing_of, without_extensions
from .openai_face import OpenAIFace
from .prompts import Prompts, prompts_of, register_prompts
from .structure import load_object, register, structured
from .vectors import checked, finite, to_base64, to_numbers

Format = Literal["float", "base64"]


@attrs.frozen(kw_only=True)
class EmbeddingsBody(Extended):
    """The fields of a request that have a type here; others may be anything."""

    input: Prompts
    encoding_format: Format | None = None
    dimensions: int | None = None
    user: str | None = None


class OpenAIEmbeddings(OpenAIFace[EmbeddingRequest]):
    """``POST /v1/embeddings`` towards clients."""

    name: ClassVar[str] = EmbeddingRequest.dialect

    def decode_request(self, body: bytes) -> EmbeddingRequest:
        """A client's request; BadRequestError names each field at fault by its JSON path."""
        raw = load_object(body)
        wire = structured(raw, EmbeddingsBody, _EXACT)
        return EmbeddingRequest(
            model=wire.model or "",
            routing=routing_of(wire),
            raw=without_extensions(raw),
            input=prompts_of(wire.input, "input"),
            base64=wire.encoding_format == "base64",
            dimensions=wire.dimensions,
            write=encode_answer,
        )


OPENAI_EMBEDDINGS = OpenAIEmbeddings()


def encode_request(request: EmbeddingRequest) -> dict[str, Any]:
    """The request as an upstream of this API takes it."""
    return request.raw | {"model": request.model}


def decode_answer(data: bytes, request: EmbeddingRequest, provider: str) -> Embeddings:
    """An upstream's answer, each vector in the encoding asked for; its error, or UpstreamError."""
    answer = load_chunk(data, provider)
    items = answer.get("data")
    if type(items) is not list or len(items) != len(request.input):
        raise malformed(provider, data)
    usage = _usage(answer.get("usage"))
    model = answer.get("model")
    whole = answer.get("object") == "list" and usage is not None and type(model) is str
    vectors: dict[int, list[float] | str] = {}
    for number, item in enumerate(items):
        if type(item) is not dict:
            raise malformed(provider, data)
        index = item.get("index", number)
        found = item.get("embedding")
        try:
            vector = _converted(found, base64=request.base64)
        except ValueError as error:
            raise UpstreamError(
                f"{provider} sent a broken vector: {error}", provider=provider
            ) from None
        if type(index) is not int or index in vectors or not 0 <= index < len(items):
            raise malformed(provider, data)
        whole = whole and vector is found and "index" in item and item.get("object") == "embedding"
        vectors[index] = vector
    return Embeddings(
        tuple(vectors[index] for index in range(len(items))),
        model if isinstance(model, str) else request.model,
        usage,
        data if whole else None,
    )


def encode_answer(request: EmbeddingRequest, found: Embeddings) -> bytes:
    """The body of the response; ValueError for a vector that is none."""
    if found.body is not None:
        return found.body
    items = [
        {"object": "embedding", "index": index, "embedding": _converted(one, base64=request.base64)}
        for index, one in enumerate(found.vectors)
    ]
    return dumps(
        {
            "object": "list",
            "data": items,
            "model": found.model or request.model,
            "usage": _usage_object(found.usage or Usage()),
        }
    )


def _converted(vector: object, *, base64: bool) -> list[float] | str:
    """A vector in the encoding that is wanted; the same object when it has that already."""
    if type(vector) is list:
        return to_base64(vector) if base64 else finite(vector)
    if type(vector) is not str:
        raise ValueError("neither numbers nor Base64")
    return checked(vector) if base64 else to_numbers(vector)


def _usage(raw: Any) -> Usage | None:
    """What an upstream says of its usage; None when it says nothing, or not all of it."""
    usage = usage_of(raw)
    return usage if usage is not None and {"prompt_tokens", "total_tokens"} <= raw.keys() else None


def _usage_object(usage: Usage) -> dict[str, Any]:
    """Usage as this API writes it."""
    if usage.raw is not None:
        return usage.raw
    written: dict[str, Any] = {"prompt_tokens": usage.input, "total_tokens": usage.input}
    return written | {"estimated": True} if usage.estimated else written


def _format(value: Any, _: Any) -> Any:
    if value in (None, "float", "base64"):
        return value
    raise ValueError("must be float or base64")


_EXACT = converter()
register_prompts(_EXACT)
register(_EXACT, Format | None, _format)
