"""Model servers on this machine, and how each is told from whatever else listens there.

They stand on fixed ports that belong to everybody, so each is known by a mark of its own. A look
sends no key and no prompt. What a look and a listing rely on is documented by each server.
"""

from __future__ import annotations

from typing import Any, ClassVar

import attrs

from ..core.models import Capability, ModelInfo
from ..core.provider import CallContext
from .local_server import TALK, LocalServer, capabilities_of, has_text, look
from .ollama import Ollama

__all__ = [
    "LOCAL_SERVERS",
    "VLLM",
    "LMStudio",
    "LlamaCpp",
    "LocalAI",
    "LocalServer",
    "Ollama",
]

_OK = 200


@attrs.frozen(kw_only=True)
class LMStudio(LocalServer):
    """https://lmstudio.ai/docs/developer/rest"""

    name: ClassVar[str] = "LMStudio"
    label: ClassVar[str] = "LM Studio"
    url: ClassVar[str | None] = "https://lmstudio.ai"
    base_url: str = "http://127.0.0.1:1234/v1"

    async def recognise(self, ctx: CallContext) -> bool:
        """``GET /api/v1/models``, or before version 0.4 ``/api/v0/models``, lists typed models."""
        found = _lm_studio_models(await look(ctx, f"{self.root}/api/v1/models"), "models", "key")
        found = found or _lm_studio_models(
            await look(ctx, f"{self.root}/api/v0/models"), "data", "id"
        )
        return bool(found)

    async def fetch_models(self, ctx: CallContext) -> tuple[ModelInfo, ...]:
        """The same lists: they tell models for chat from those for embeddings; loaded ones first."""
        answer = await self._ask(ctx, f"{self.root}/api/v1/models")
        found = _lm_studio_models(answer, "models", "key")
        if not found:
            answer = await self._ask(ctx, f"{self.root}/api/v0/models")
            found = _lm_studio_models(answer, "data", "id")
        return tuple(found) or await super().fetch_models(ctx)


@attrs.frozen(kw_only=True)
class LlamaCpp(LocalServer):
    """https://github.com/ggml-org/llama.cpp/tree/master/tools/server"""

    name: ClassVar[str] = "LlamaCpp"
    label: ClassVar[str] = "llama.cpp server"
    url: ClassVar[str | None] = "https://github.com/ggml-org/llama.cpp"
    base_url: str = "http://127.0.0.1:8080/v1"

    async def recognise(self, ctx: CallContext) -> bool:
        """``GET /health`` says with whose ``Server`` header that the model is loaded."""
        async with ctx.http.get(f"{self.root}/health") as response:
            return response.status == _OK and response.headers.get("server") == "llama.cpp"


@attrs.frozen(kw_only=True)
class VLLM(LocalServer):
    """https://docs.vllm.ai/en/latest/serving/openai_compatible_server.html"""

    name: ClassVar[str] = "vLLM"
    label: ClassVar[str] = "vLLM"
    url: ClassVar[str | None] = "https://docs.vllm.ai"
    base_url: str = "http://127.0.0.1:8000/v1"

    async def recognise(self, ctx: CallContext) -> bool:
        """``GET /version`` tells a version, and a model in the list is owned by ``vllm``."""
        match await look(ctx, f"{self.root}/version"):
            case {"version": str()}:
                pass
            case _:
                return False
        match await look(ctx, f"{self.base_url}/models"):
            case {"data": [{"owned_by": "vllm"}, *_]}:
                return True
            case _:
                return False


@attrs.frozen(kw_only=True)
class LocalAI(LocalServer):
    """https://localai.io/features/api-discovery/"""

    name: ClassVar[str] = "LocalAI"
    label: ClassVar[str] = "LocalAI"
    url: ClassVar[str | None] = "https://localai.io"
    base_url: str = "http://127.0.0.1:8080/v1"

    async def recognise(self, ctx: CallContext) -> bool:
        """``GET /.well-known/localai.json`` describes it; no key is needed for that."""
        match await look(ctx, f"{self.root}/.well-known/localai.json"):
            case {"version": str(), "endpoints": dict()}:
                return True
            case _:
                return False

    async def fetch_models(self, ctx: CallContext) -> tuple[ModelInfo, ...]:
        """``GET /v1/models/capabilities``: it has models for speech, images and more as well."""
        match await self._ask(ctx, f"{self.base_url}/models/capabilities"):
            case {"data": list(listed)} if listed:
                return tuple(
                    ModelInfo(
                        one["id"], capabilities=capabilities_of(one.get("capabilities"), _LOCAL_AI)
                    )
                    for one in listed
                    if isinstance(one, dict) and has_text(one, "id")
                )
            case _:
                return await super().fetch_models(ctx)


#: every kind there is, in the order in which they are preferred
LOCAL_SERVERS: tuple[type[LocalServer], ...] = (Ollama, LlamaCpp, LMStudio, VLLM, LocalAI)

_LOCAL_AI = {
    "chat": TALK,
    "vision": Capability.VISION,
    "tools": Capability.TOOLS,
    "embeddings": Capability.EMBEDDINGS,
    "image": Capability.IMAGE,
    "transcript": Capability.TRANSCRIPTION,
    "tts": Capability.SPEECH,
}


def _lm_studio_models(answer: Any, where: str, id_key: str) -> list[ModelInfo]:
    """The models in an answer of LM Studio; none when it is somebody else's."""
    listed = answer.get(where) if isinstance(answer, dict) else None
    if not isinstance(listed, list):
        return []
    found: list[tuple[bool, ModelInfo]] = []
    for one in listed:
        if not (isinstance(one, dict) and has_text(one, id_key) and "max_context_length" in one):
            return []
        match one.get("type"):
            case "llm":
                can = TALK | Capability.TOOLS
            case "vlm":
                can = TALK | Capability.TOOLS | Capability.VISION
            case "embedding" | "embeddings":
                can = Capability.EMBEDDINGS
            case _:
                return []
        match one.get("capabilities"):
            case {"vision": True}:
                can |= Capability.VISION
            case _:
                pass
        length = one["max_context_length"]
        loaded = bool(one.get("loaded_instances")) or one.get("state") == "loaded"
        known = length if isinstance(length, int) else None
        found.append((loaded, ModelInfo(one[id_key], capabilities=can, context_length=known)))
    return [model for _, model in sorted(found, key=lambda pair: not pair[0])]
