"""OpenAI's chat completions as a dialect, towards clients and towards upstreams."""

from __future__ import annotations

from typing import Any

import attrs

from ..core.completion import Completion
from ..core.errors import GatewayError, UnsupportedError
from ..core.requests import ChatRequest
from . import openai_chat_encoder, openai_chat_parts, openai_chat_request
from .base import Decoder, Encoder
from .json_text import dumps
from .openai_chat_decoder import EventDecoder
from .openai_chat_quirks import Quirks
from .openai_chat_relay import Relay
from .sse import KEEP_ALIVE


@attrs.frozen
class OpenAIChat:
    """``POST /v1/chat/completions``.

    *ask_usage*: ask upstreams for usage in streams where the caller left it open. *quirks* are
    those of an upstream.
    """

    ask_usage: bool = True
    quirks: Quirks = attrs.field(factory=Quirks)
    name: str = attrs.field(default=openai_chat_parts.NAME, init=False)
    keep_alive: bytes = attrs.field(default=KEEP_ALIVE, init=False)

    def decode_request(self, body: bytes) -> ChatRequest:
        """A client's request; BadRequestError names each field at fault by its JSON path."""
        return openai_chat_request.decode(body)

    def encoder(self, request: ChatRequest) -> Encoder:
        """For the stream that answers *request*."""
        return openai_chat_encoder.StreamEncoder(request)

    def encode_completion(self, request: ChatRequest, completion: Completion) -> bytes:
        """A ``chat.completion`` object."""
        return openai_chat_encoder.encode_completion(request, completion)

    def encode_error(self, error: GatewayError) -> bytes:
        """``{"error": {"message", "type", "param", "code"}}``."""
        return dumps(openai_chat_encoder.error_object(error))

    def status(self, error: GatewayError) -> int:
        """That of the error itself."""
        return error.status

    def encode_request(self, request: ChatRequest, model: str) -> dict[str, Any]:
        """The request for an upstream of this dialect; UnsupportedError for what is lost in reading."""
        if request.accept != self.name and "audio" in (request.options.get("modalities") or ()):
            raise UnsupportedError(
                "$.modalities: an answer in audio can only be handed on as it is, and this one "
                "has to be read",
                param="modalities",
            )
        return openai_chat_request.encode(request, model, self.quirks, ask_usage=self.ask_usage)

    def decoder(self, request: ChatRequest, provider: str) -> Decoder:
        """For the answer of an upstream of this dialect."""
        if request.accept == self.name:
            return Relay(request, provider)
        return EventDecoder(provider, request.sampling.stop)


OPENAI_CHAT = OpenAIChat()
