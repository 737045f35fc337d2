"""Anthropic's Messages API as a dialect, towards clients and towards upstreams."""

from __future__ import annotations

from typing import Any

import attrs
import orjson

from ..core.completion import Completion
from ..core.errors import GatewayError
from ..core.requests import ChatRequest
from . import anthropic_encoder, anthropic_request
from .anthropic_decoder import EventDecoder
from .anthropic_relay import Relay
from .base import Decoder, Encoder


@attrs.frozen
class AnthropicMessages:
    """``POST /v1/messages``.

    *habits*: what upstreams are told where a request of another dialect says nothing.
    """

    habits: anthropic_request.Habits = attrs.field(factory=anthropic_request.Habits)
    name: str = attrs.field(default=anthropic_request.NAME, init=False)

    def decode_request(self, body: bytes) -> ChatRequest:
        """A client's request; BadRequestError names each field at fault by its JSON path."""
        return anthropic_request.decode(body)

    def encoder(self, request: ChatRequest) -> Encoder:
        """For the stream that answers *request*."""
        return anthropic_encoder.StreamEncoder(request)

    def encode_completion(self, request: ChatRequest, completion: Completion) -> bytes:
        """A ``message`` object."""
        return anthropic_encoder.encode_completion(request, completion)

    def encode_error(self, error: GatewayError) -> bytes:
        """``{"type": "error", "error": {"type", "message"}}``."""
        return orjson.dumps(anthropic_encoder.error_object(error))

    def encode_request(self, request: ChatRequest, model: str) -> dict[str, Any]:
        """The request for an upstream of this dialect."""
        return anthropic_request.encode(request, model, self.habits)

    def decoder(self, request: ChatRequest, provider: str) -> Decoder:
        """For the answer of an upstream of this dialect."""
        return Relay(provider) if request.accept == self.name else EventDecoder(provider)


ANTHROPIC_MESSAGES = AnthropicMessages()
