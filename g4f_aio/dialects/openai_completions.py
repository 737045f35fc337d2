"""OpenAI's completions, the API before chats, towards clients and towards upstreams.

https://platform.openai.com/docs/api-reference/completions
"""

from __future__ import annotations

from typing import Any, ClassVar

import attrs

from ..core.completion import Completion
from ..core.errors import BadRequestError
from ..core.operations import CompletionRequest
from ..core.requests import Sampling
from . import openai_completions_encoder
from .base import Decoder, Encoder
from .openai_completions_relay import Reader, Relay
from .openai_extensions import Extended, converter, routing_of, without_extensions
from .openai_face import OpenAIFace
from .prompts import Prompts, prompts_of, register_prompts
from .structure import load_object, structured


@attrs.frozen
class CompletionsStreamOptions:
    """What a client says about its stream."""

    include_usage: bool | None = None


@attrs.frozen(kw_only=True)
class CompletionsBody(Extended):
    """The fields of a request that have a type here; others may be anything."""

    prompt: Prompts
    stream: bool | None = None
    stream_options: CompletionsStreamOptions | None = None
    suffix: str | None = None
    echo: bool | None = None
    best_of: int | None = None
    n: int | None = None
    logprobs: int | None = None
    stop: str | list[str] | None = None
    max_tokens: int | None = None
    temperature: float | None = None
    top_p: float | None = None
    presence_penalty: float | None = None
    frequency_penalty: float | None = None
    seed: int | None = None
    logit_bias: dict[str, Any] | None = None
    user: str | None = None


class OpenAICompletions(OpenAIFace[CompletionRequest]):
    """``POST /v1/completions`` towards clients."""

    name: ClassVar[str] = CompletionRequest.dialect

    def decode_request(self, body: bytes) -> CompletionRequest:
        """A client's request; BadRequestError names each field at fault by its JSON path."""
        raw = load_object(body)
        wire = structured(raw, CompletionsBody, _EXACT)
        for name, least in (("n", 1), ("logprobs", 0), ("best_of", 1)):
            if (value := raw.get(name)) is not None and value < least:
                raise BadRequestError(f"$.{name}: must be at least {least}", param=name)
        stop = wire.stop
        return CompletionRequest(
            model=wire.model or "",
            stream=bool(wire.stream),
            routing=routing_of(wire),
            raw=without_extensions(raw),
            prompts=prompts_of(wire.prompt, "prompt"),
            n=wire.n or 1,
            sampling=Sampling(
                wire.temperature,
                wire.top_p,
                wire.max_tokens,
                (stop,) if isinstance(stop, str) else tuple(stop or ()),
                wire.seed,
                wire.presence_penalty,
                wire.frequency_penalty,
            ),
            suffix=wire.suffix,
            echo=bool(wire.echo),
            best_of=wire.best_of,
            logprobs=wire.logprobs,
            include_usage=wire.stream_options.include_usage if wire.stream_options else None,
        )

    def encoder(self, request: CompletionRequest) -> Encoder:
        """For the stream that answers *request*."""
        return openai_completions_encoder.StreamEncoder(request)

    def encode_completion(self, request: CompletionRequest, completion: Completion) -> bytes:
        """A ``text_completion`` object."""
        return openai_completions_encoder.encode_completion(request, completion)


OPENAI_COMPLETIONS = OpenAICompletions()


def encode_request(request: CompletionRequest, *, ask_usage: bool) -> dict[str, Any]:
    """The request as an upstream of this API takes it.

    *ask_usage* asks for usage in a stream where the caller did not say anything about it.
    """
    body = request.raw | {"model": request.model}
    if request.stream and ask_usage and request.include_usage is None:
        options = body.get("stream_options") or {}
        body["stream_options"] = options | {"include_usage": True}
    return body


def decoder(request: CompletionRequest, provider: str, *, streams: bool) -> Decoder:
    """For the answer of an upstream of this API; *streams* says how that comes.

    Some upstreams stream though they were not asked to; then it becomes events.
    """
    if streams and not request.stream:
        return Reader(request, provider)
    return Relay(request, provider)


_EXACT = converter()
register_prompts(_EXACT)
