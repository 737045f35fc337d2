"""What a dialect is: a wire format, understood in both directions."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, Protocol, TypeVar

from ..core.completion import Completion
from ..core.errors import GatewayError
from ..core.events import Event
from ..core.operations import Operation
from ..core.requests import ChatRequest

R = TypeVar("R", bound=ChatRequest | Operation)


class Encoder(Protocol):
    """Events of one answer into the bytes of a stream."""

    def feed(self, event: Event) -> bytes:
        """The bytes for one event; empty when the format has no word for it."""

    def error(self, error: GatewayError) -> bytes:
        """The last bytes of a stream that fails after its first byte."""

    def finish(self) -> bytes:
        """The last bytes of a stream that is complete."""


class Decoder(Protocol):
    """The bytes of an upstream's answer into events."""

    @property
    def done(self) -> bool:
        """Whether the upstream said that nothing more will come."""

    def feed(self, frames: bytes) -> Iterable[Event]:
        """The events in whole server-sent events; GatewayError for an error among them."""

    def close(self) -> Iterable[Event]:
        """What was held back. UpstreamError when the answer was not complete."""

    def body(self, data: bytes) -> Iterable[Event]:
        """The events of a whole answer that was not streamed."""


class ErrorFormat(Protocol):
    """How a wire format tells clients of an error before anything else."""

    @property
    def name(self) -> str:
        """Its name in ``ChatRequest.dialect`` and ``accept``."""

    def encode_error(self, error: GatewayError) -> bytes:
        """An error as the body of a response."""

    def status(self, error: GatewayError) -> int:
        """The HTTP status of an error."""


class Face(ErrorFormat, Protocol[R]):
    """What a wire format is towards clients: for chats, or for another kind of request."""

    @property
    def keep_alive(self) -> bytes:
        """What a stream sends that has nothing to say for a while."""

    def decode_request(self, body: bytes) -> R:
        """A client's request; BadRequestError names each field at fault by its JSON path."""

    def encoder(self, request: R) -> Encoder:
        """For the stream that answers *request*."""

    def encode_completion(self, request: R, completion: Completion) -> bytes:
        """A whole answer to *request* as the body of a response."""


class Dialect(Face[ChatRequest], Protocol):
    """A wire format for chat, on both sides of the gateway."""

    def encode_request(self, request: ChatRequest, model: str) -> dict[str, Any]:
        """The request for an upstream that speaks this dialect and calls the model *model*."""

    def decoder(self, request: ChatRequest, provider: str) -> Decoder:
        """For the answer of an upstream that speaks this dialect.

        Where ``request.accept`` is this dialect it hands the upstream's bytes on (``Passthrough``).
        """
