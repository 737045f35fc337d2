"""OpenAI's Responses API as a dialect, towards clients and towards upstreams."""

from __future__ import annotations

from typing import Any

import attrs

from ..core.completion import Completion
from ..core.errors import GatewayError
from ..core.events import Passthrough, Started
from ..core.requests import ChatRequest
from . import openai_responses_request
from .base import Decoder, Encoder
from .json_text import dumps
from .openai_chat_encoder import error_object
from .openai_responses_encoder import StreamEncoder, events_of
from .openai_responses_events import NAME
from .openai_responses_relay import Relay
from .sse import KEEP_ALIVE


@attrs.frozen
class OpenAIResponses:
    """``POST /v1/responses``."""

    name: str = attrs.field(default=NAME, init=False)
    keep_alive: bytes = attrs.field(default=KEEP_ALIVE, init=False)

    def decode_request(self, body: bytes) -> ChatRequest:
        """A client's request; BadRequestError names each field at fault by its JSON path."""
        return openai_responses_request.decode(body)

    def encoder(self, request: ChatRequest) -> Encoder:
        """For the stream that answers *request*."""
        return StreamEncoder(request)

    def encode_completion(self, request: ChatRequest, completion: Completion) -> bytes:
        """A ``response`` object."""
        return _whole(StreamEncoder(request), completion)

    def encode_error(self, error: GatewayError) -> bytes:
        """``{"error": {"message", "type", "param", "code"}}``."""
        return dumps(error_object(error))

    def status(self, error: GatewayError) -> int:
        """That of the error itself."""
        return error.status

    def encode_request(self, request: ChatRequest, model: str) -> dict[str, Any]:
        """The request for an upstream of this dialect; only one of this dialect can be."""
        return openai_responses_request.encode(request, model)

    def decoder(self, request: ChatRequest, provider: str) -> Decoder:
        """For the answer of an upstream of this dialect, which is handed on."""
        return Relay(request, provider)


@attrs.frozen
class Answering(OpenAIResponses):
    """The dialect for one answer, which one encoder writes.

    That one's response can be asked for before its last bytes are out.
    """

    written: StreamEncoder

    @classmethod
    def of(cls, request: ChatRequest, previous: str | None) -> Answering:
        """For the answer to *request*, which goes on from the response with the id *previous*."""
        return cls(StreamEncoder(request, previous))

    def encoder(self, request: ChatRequest) -> Encoder:
        """The one encoder."""
        return self.written

    def encode_completion(self, request: ChatRequest, completion: Completion) -> bytes:
        """A ``response`` object."""
        return _whole(self.written, completion)


def _whole(encoder: StreamEncoder, completion: Completion) -> bytes:
    encoder.feed(Started(completion.provider, completion.model))
    if completion.body is not None:
        return encoder.feed(Passthrough(completion.body, last=True))
    for event in events_of(completion):
        encoder.feed(event)
    return dumps(encoder.response())


OPENAI_RESPONSES = OpenAIResponses()
