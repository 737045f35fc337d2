"""One light process between every OpenAI client and every model you can reach.

What a plug-in imports is here: the provider contract, what it is asked and what it answers. And what
an embedding program imports: ``create_app``, ``run_api``, ``AppConfig``; these load the server when
they are first used, so that a plug-in does not.
"""

import pkgutil
from typing import TYPE_CHECKING, Any

from .core.errors import (
    AuthenticationError,
    BadRequestError,
    GatewayError,
    ModelNotFoundError,
    OverloadedError,
    PermissionDeniedError,
    ProviderNotFoundError,
    RateLimitError,
    UnsupportedError,
    UpstreamAuthError,
    UpstreamError,
    UpstreamTimeoutError,
)
from .core.events import (
    Citation,
    Citations,
    ConversationState,
    Event,
    EventStream,
    Finish,
    FinishReason,
    Logprobs,
    Media,
    Passthrough,
    Preview,
    ReasoningDelta,
    RefusalDelta,
    Status,
    Suggestions,
    TextDelta,
    Title,
    ToolCallDelta,
    Usage,
)
from .core.messages import (
    AudioPart,
    FilePart,
    ImagePart,
    Message,
    OtherPart,
    Part,
    RefusalPart,
    TextPart,
    ToolCall,
)
from .core.models import Capability, ModelInfo
from .core.operations import CompletionRequest, EmbeddingRequest, Embeddings, ModerationRequest
from .core.provider import CallContext, HttpClient, Provider, Timeouts, UpstreamResponse
from .core.requests import ChatRequest, OtherTool, Routing, Sampling, Tool

if TYPE_CHECKING:
    from .app import create_app
    from .embedding import AppConfig, run_api

__version__ = "0.1.0"

__all__ = [
    "AppConfig",
    "AudioPart",
    "AuthenticationError",
    "BadRequestError",
    "CallContext",
    "Capability",
    "ChatRequest",
    "Citation",
    "Citations",
    "CompletionRequest",
    "ConversationState",
    "EmbeddingRequest",
    "Embeddings",
    "Event",
    "EventStream",
    "FilePart",
    "Finish",
    "FinishReason",
    "GatewayError",
    "HttpClient",
    "ImagePart",
    "Logprobs",
    "Media",
    "Message",
    "ModelInfo",
    "ModelNotFoundError",
    "ModerationRequest",
    "OtherPart",
    "OtherTool",
    "OverloadedError",
    "Part",
    "Passthrough",
    "PermissionDeniedError",
    "Preview",
    "Provider",
    "ProviderNotFoundError",
    "RateLimitError",
    "ReasoningDelta",
    "RefusalDelta",
    "RefusalPart",
    "Routing",
    "Sampling",
    "Status",
    "Suggestions",
    "TextDelta",
    "TextPart",
    "Timeouts",
    "Title",
    "Tool",
    "ToolCall",
    "ToolCallDelta",
    "UnsupportedError",
    "UpstreamAuthError",
    "UpstreamError",
    "UpstreamResponse",
    "UpstreamTimeoutError",
    "Usage",
    "__version__",
    "create_app",
    "run_api",
]

_PROGRAMS = {
    "AppConfig": "g4f_aio.embedding:AppConfig",
    "create_app": "g4f_aio.app:create_app",
    "run_api": "g4f_aio.embedding:run_api",
}


def __getattr__(name: str) -> Any:
    if name in _PROGRAMS:
        return pkgutil.resolve_name(_PROGRAMS[name])
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
