"""Anthropic's Messages API as a dialect, towards clients and towards upstreams."""

from __future__ import annotations

from typing import Any

import attrs

from ..core.completion import Completion
from ..core.errors import GatewayError
from ..core.requests import ChatRequest
from . import (
    anthropic_body,
    anthropic_encoder,
    anthropic_incoming,
    anthropic_request,
)
from .anthropic_decoder import EventDecoder
from .anthropic_errors import ANTHROPIC_ERRORS, NAME
from .anthropic_relay import Relay
from .anthropic_thinking import SealedThoughts
from .base import Decoder, Encoder


@attrs.frozen
class AnthropicMessages:
    """``POST /v1/messages``.

    *habits*: what upstreams are told where a request of another dialect says nothing. *thoughts* are
    those of the upstream's models that clients of other dialects do not send back.
    """

    habits: anthropic_request.Habits = attrs.field(factory=anthropic_request.Habits)
    thoughts: SealedThoughts = attrs.field(factory=SealedThoughts, eq=False)
    name: str = attrs.field(default=NAME, init=False)
    keep_alive: bytes = attrs.field(default=anthropic_encoder.PING, init=False)

    def decode_request(self, body: bytes) -> ChatRequest:
        """A client's request; BadRequestError names each field at fault by its JSON path."""
        return anthropic_incoming.decode(body)

    def decode_prompt(self, body: bytes) -> ChatRequest:
        """A client's request to count the tokens of what it would ask."""
        return anthropic_incoming.decode_prompt(body)

    def encoder(self, request: ChatRequest) -> Encoder:
        """For the stream that answers *request*."""
        return anthropic_encoder.StreamEncoder(request)

    def encode_completion(self, request: ChatRequest, completion: Completion) -> bytes:
        """A ``message`` object."""
        return anthropic_body.encode_completion(request, completion)

    def encode_error(self, error: GatewayError) -> bytes:
        """``{"type": "error", "error": {"type", "message"}, "request_id"}``."""
        return ANTHROPIC_ERRORS.encode_error(error)

    def status(self, error: GatewayError) -> int:
        """The API has a status of its own for who has too much to do."""
        return ANTHROPIC_ERRORS.status(error)

    def encode_request(
        self, request: ChatRequest, model: str, provider: str = ""
    ) -> dict[str, Any]:
        """The request for an upstream of this dialect, which is that of *provider*."""
        return anthropic_request.encode(request, model, self.habits, self.thoughts, provider)

    def encode_prompt(self, request: ChatRequest, model: str) -> dict[str, Any]:
        """The request for an upstream of this dialect that is to count its tokens."""
        return anthropic_request.encode_prompt(request, model, self.habits)

    def decoder(self, request: ChatRequest, provider: str) -> Decoder:
        """For the answer of an upstream of this dialect."""
        if request.accept == self.name:
            return Relay(provider)
        return EventDecoder(provider, None if request.dialect == self.name else self.thoughts)


ANTHROPIC_MESSAGES = AnthropicMessages()
