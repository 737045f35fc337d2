"""Model servers on this machine, and how each is told from whatever else listens there.

They stand on fixed ports that belong to everybody, so each is known by a mark of its own. A look
sends no key and no prompt. What a look and a listing rely on is documented by each server.
"""

from __future__ import annotations

import asyncio
from typing import Any, ClassVar

import attrs
import orjson

from ..core.errors import GatewayError
from ..core.models import Capability, ModelInfo
from ..core.provider import CallContext, UpstreamResponse
from .openai_compatible import OpenAICompatible

#: bytes of an answer that are looked at; no genuine one is larger
LOOK = 2**20
#: how many models are asked about at a time
AT_ONCE = 8
_OK = 200
_CHAT = Capability.CHAT | Capability.STREAM


@attrs.frozen(kw_only=True)
class LocalServer(OpenAICompatible):
    """Base of the servers that are found by themselves when they run."""

    description: ClassVar[str] = "A server on this machine; found by itself when it runs"
    local: ClassVar[bool] = True

    @property
    def root(self) -> str:
        """The address of the server itself."""
        return self.base_url.removesuffix("/v1")

    async def recognise(self, ctx: CallContext) -> bool:
        """Whether this kind of server answers there and is ready; GatewayError when nobody does."""
        raise NotImplementedError

    async def _ask(self, ctx: CallContext, url: str, body: object = None) -> Any:
        """The JSON at *url* for somebody who has a key; None when there is none."""
        method = "GET" if body is None else "POST"
        headers = self._headers(ctx)
        async with ctx.http.request(method, url, headers=headers, json=body) as response:
            return await _json(response)


@attrs.frozen(kw_only=True)
class Ollama(LocalServer):
    """https://docs.ollama.com/api"""

    name: ClassVar[str] = "Ollama"
    label: ClassVar[str] = "Ollama"
    url: ClassVar[str | None] = "https://ollama.com"
    base_url: str = "http://127.0.0.1:11434/v1"

    async def recognise(self, ctx: CallContext) -> bool:
        """``GET /api/version`` tells a version."""
        match await _look(ctx, f"{self.root}/api/version"):
            case {"version": str()}:
                return True
            case _:
                return False

    async def fetch_models(self, ctx: CallContext) -> tuple[ModelInfo, ...]:
        """``GET /api/tags``, and what ``POST /api/show`` says about each."""
        match await self._ask(ctx, f"{self.root}/api/tags"):
            case {"models": list(listed)}:
                few = asyncio.Semaphore(AT_ONCE)
                names = [one for one in listed if isinstance(one, dict) and _text(one, "name")]
                return tuple(await asyncio.gather(*(self._model(ctx, one, few) for one in names)))
            case _:
                return await super().fetch_models(ctx)

    async def _model(
        self, ctx: CallContext, listed: dict[str, Any], few: asyncio.Semaphore
    ) -> ModelInfo:
        name = listed["name"]
        if _text(listed, "remote_host") or _text(listed, "remote_model"):
            # it runs in Ollama's cloud: a prompt goes there only when somebody says so
            return ModelInfo(name, by_name_only=True)
        try:
            async with few:
                shown = await self._ask(ctx, f"{self.root}/api/show", {"model": name})
        except GatewayError:
            shown = None
        if not isinstance(shown, dict):
            return ModelInfo(name)
        return ModelInfo(
            name,
            capabilities=_capabilities(shown.get("capabilities"), _OLLAMA),
            context_length=_context_length(shown.get("model_info")),
        )


@attrs.frozen(kw_only=True)
class LMStudio(LocalServer):
    """https://lmstudio.ai/docs/developer/rest"""

    name: ClassVar[str] = "LMStudio"
    label: ClassVar[str] = "LM Studio"
    url: ClassVar[str | None] = "https://lmstudio.ai"
    base_url: str = "http://127.0.0.1:1234/v1"

    async def recognise(self, ctx: CallContext) -> bool:
        """``GET /api/v1/models``, or before version 0.4 ``/api/v0/models``, lists typed models."""
        found = _lm_studio_models(await _look(ctx, f"{self.root}/api/v1/models"), "models", "key")
        found = found or _lm_studio_models(
            await _look(ctx, f"{self.root}/api/v0/models"), "data", "id"
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
        match await _look(ctx, f"{self.root}/version"):
            case {"version": str()}:
                pass
            case _:
                return False
        match await _look(ctx, f"{self.base_url}/models"):
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
        match await _look(ctx, f"{self.root}/.well-known/localai.json"):
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
                        one["id"], capabilities=_capabilities(one.get("capabilities"), _LOCAL_AI)
                    )
                    for one in listed
                    if isinstance(one, dict) and _text(one, "id")
                )
            case _:
                return await super().fetch_models(ctx)


#: every kind there is, in the order in which they are preferred
LOCAL_SERVERS: tuple[type[LocalServer], ...] = (Ollama, LlamaCpp, LMStudio, VLLM, LocalAI)

_OLLAMA = {
    "completion": _CHAT,
    "vision": Capability.VISION,
    "tools": Capability.TOOLS,
    "thinking": Capability.REASONING,
    "embedding": Capability.EMBEDDINGS,
}
_LOCAL_AI = {
    "chat": _CHAT,
    "vision": Capability.VISION,
    "tools": Capability.TOOLS,
    "embeddings": Capability.EMBEDDINGS,
    "image": Capability.IMAGE,
    "transcript": Capability.TRANSCRIPTION,
    "tts": Capability.SPEECH,
}


async def _look(ctx: CallContext, url: str) -> Any:
    """The JSON at *url* for anybody; None when there is none."""
    async with ctx.http.get(url) as response:
        return await _json(response)


async def _json(response: UpstreamResponse) -> Any:
    """The JSON of a success that is not huge; None for anything else."""
    if response.status != _OK:
        return None
    body = b""
    async for piece in response.chunks():
        body += piece
        if len(body) > LOOK:
            return None
    try:
        return orjson.loads(body)
    except orjson.JSONDecodeError:
        return None


def _lm_studio_models(answer: Any, where: str, id_key: str) -> list[ModelInfo]:
    """The models in an answer of LM Studio; none when it is somebody else's."""
    listed = answer.get(where) if isinstance(answer, dict) else None
    if not isinstance(listed, list):
        return []
    found: list[tuple[bool, ModelInfo]] = []
    for one in listed:
        if not (isinstance(one, dict) and _text(one, id_key) and "max_context_length" in one):
            return []
        match one.get("type"):
            case "llm":
                can = _CHAT
            case "vlm":
                can = _CHAT | Capability.VISION
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


def _capabilities(said: Any, meaning: dict[str, Capability]) -> Capability | None:
    """The flags for a server's own words; None when it says nothing."""
    if not isinstance(said, list) or not said:
        return None
    can = Capability.NONE
    for word in said:
        if isinstance(word, str):
            can |= meaning.get(word, Capability.NONE)
    return can


def _context_length(model_info: Any) -> int | None:
    """What is under ``<architecture>.context_length``."""
    if not isinstance(model_info, dict):
        return None
    found = (value for key, value in model_info.items() if key.endswith(".context_length"))
    return next((value for value in found if isinstance(value, int)), None)


def _text(value: dict[str, Any], key: str) -> bool:
    """Whether there is a text under *key*."""
    return isinstance(value.get(key), str) and bool(value[key])
