"""What OpenAI's smaller APIs have in common towards clients."""

from __future__ import annotations

from typing import ClassVar, Generic, TypeVar

from ..core.completion import Completion
from ..core.errors import GatewayError
from ..core.operations import Operation
from .base import Encoder
from .openai_chat import OPENAI_CHAT
from .sse import KEEP_ALIVE

O = TypeVar("O", bound=Operation)  # noqa: E741  (an operation)


class OpenAIFace(Generic[O]):
    """Base of a face whose answers come as one body, which is made where the provider is called."""

    keep_alive: ClassVar[bytes] = KEEP_ALIVE

    def encoder(self, request: O) -> Encoder:
        """There are no streams of it."""
        raise NotImplementedError

    def encode_completion(self, request: O, completion: Completion) -> bytes:
        """The body that came as the only event."""
        assert completion.body is not None  # noqa: S101  (the operation says so)
        return completion.body

    def encode_error(self, error: GatewayError) -> bytes:
        """As for a chat."""
        return OPENAI_CHAT.encode_error(error)

    def status(self, error: GatewayError) -> int:
        """That of the error itself."""
        return error.status
