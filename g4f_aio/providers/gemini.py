"""Google's Gemini by its own API."""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping
from typing import Any, ClassVar
from urllib.parse import quote, urlencode

import attrs

from ..core.errors import ModelNotFoundError, UpstreamError
from ..core.events import EventStream
from ..core.messages import FilePart, ImagePart, Part
from ..core.models import Capability, ModelInfo
from ..core.operations import EmbeddingRequest, Embeddings
from ..core.provider import CallContext, Provider, UpstreamResponse
from ..core.requests import ChatRequest
from ..dialects import gemini_embeddings
from ..dialects.gemini import GeminiChat
from ..dialects.gemini_contents import FILES
from ..dialects.gemini_errors import answered
from .openai_compatible import clean_url

#: pages of a list that are read at most; the first one has room for all models there are
PAGES = 20
_TALK = Capability.CHAT | Capability.STREAM | Capability.VISION
#: what every Gemini that talks can do
_GEMINI = (
    _TALK
    | Capability.AUDIO_INPUT
    | Capability.FILES
    | Capability.TOOLS
    | Capability.JSON_OBJECT
    | Capability.JSON_SCHEMA
    | Capability.LOGPROBS
    | Capability.SEVERAL_CHOICES
    | Capability.WEB_SEARCH
)
#: of the models that are listed: they talk, or they embed
_METHODS = frozenset(("generateContent", "embedContent"))
_SUCCESS = range(200, 300)
#: how the URLs begin of what the API has, or can look at
_GOOGLES = (
    FILES,
    "https://www.youtube.com/watch",
    "https://youtube.com/watch",
    "https://youtu.be/",
)


@attrs.frozen(kw_only=True)
class Gemini(Provider):
    """https://ai.google.dev/api

    *thoughts*: ask the models that think to show it, as ``reasoning_content``. *fetch_urls*: images
    and files that a request names by URL are fetched here, as older models cannot. Those that Google
    itself has are left to it in any case.
    """

    name: ClassVar[str] = "Gemini"
    label: ClassVar[str] = "Google Gemini"
    description: ClassVar[str] = "Hosted API; needs your own key"
    url: ClassVar[str | None] = "https://aistudio.google.com"
    capabilities: ClassVar[Capability] = _GEMINI | Capability.REASONING | Capability.EMBEDDINGS
    defaults: ClassVar[Mapping[Capability, str]] = {Capability.EMBEDDINGS: "gemini-embedding-001"}
    key: ClassVar[str] = "required"

    base_url: str = "https://generativelanguage.googleapis.com"
    thoughts: bool = True
    fetch_urls: bool = True
    _wire: GeminiChat = attrs.field(init=False, repr=False, eq=False)

    def __attrs_post_init__(self) -> None:
        root = clean_url(self.base_url).removesuffix("/v1beta")
        object.__setattr__(self, "base_url", root)
        object.__setattr__(self, "_wire", GeminiChat(thoughts=self.thoughts))

    async def fetch_models(self, ctx: CallContext) -> tuple[ModelInfo, ...]:
        """What ``GET /v1beta/models`` lists of those that talk, and of those that embed."""
        return tuple([_model(entry) async for entry in self._listed(ctx) if _is_for_us(entry)])

    def takes_url(self, part: Part, request: ChatRequest) -> bool:
        """Of files that were given to the API, and of videos; else if the settings say so."""
        match part:
            case ImagePart(url=str(url)) | FilePart(data=str(url)):
                return not self.fetch_urls or url.startswith(_GOOGLES)
            case _:
                return False

    async def chat(self, request: ChatRequest, ctx: CallContext) -> EventStream:
        """``generateContent``, or ``streamGenerateContent`` as server-sent events."""
        body = self._wire.encode_request(request, request.model)
        method = "streamGenerateContent?alt=sse" if request.stream else "generateContent"
        url = self._url(request.model, method, ctx)
        async with ctx.http.post(url, headers=_headers(ctx), json=body) as response:
            await _check(response, ctx)
            decoder = self._wire.decoder(request, ctx.provider, ctx.credential)
            if not response.headers.get("content-type", "").startswith("text/event-stream"):
                for event in decoder.body(await response.read()):
                    yield event
                return
            async for frames in response.frames():
                for event in decoder.feed(frames):
                    yield event
            for event in decoder.close():
                yield event

    async def embed(self, request: EmbeddingRequest, ctx: CallContext) -> Embeddings:
        """``batchEmbedContents``."""
        body = gemini_embeddings.encode_request(request, ctx.provider)
        url = self._url(request.model, "batchEmbedContents", ctx)
        async with ctx.http.post(url, headers=_headers(ctx), json=body) as response:
            await _check(response, ctx)
            return gemini_embeddings.decode_answer(await response.json(), request, ctx.provider)

    def _url(self, name: str, method: str, ctx: CallContext) -> str:
        """A method of a model, whose *name* may be without its folder; a tuned one has another."""
        model = name if "/" in name else f"models/{name}"
        if not {"", ".", ".."}.isdisjoint(model.split("/")):
            raise ModelNotFoundError(
                f"{ctx.provider} cannot have a model {name!r}",
                param="model",
                provider=ctx.provider,
            )
        return f"{self.base_url}/v1beta/{quote(model)}:{method}"

    async def _listed(self, ctx: CallContext) -> AsyncIterator[dict[str, Any]]:
        query = {"pageSize": "1000"}
        for _ in range(PAGES):
            url = f"{self.base_url}/v1beta/models?{urlencode(query)}"
            async with ctx.http.get(url, headers=_headers(ctx)) as response:
                await _check(response, ctx)
                page = await response.json()
            match page:
                case {"models": list(entries)}:
                    pass
                case _:
                    what = f"{ctx.provider} sent no list of models"
                    raise UpstreamError(what, provider=ctx.provider)
            for entry in entries:
                if isinstance(entry, dict) and isinstance(entry.get("name"), str):
                    yield entry
            token = page.get("nextPageToken")
            if not isinstance(token, str) or not token:
                return
            query["pageToken"] = token


def _headers(ctx: CallContext) -> dict[str, str]:
    """The key; never in a URL, which ends up in logs."""
    return {} if ctx.credential is None else {"x-goog-api-key": ctx.credential}


async def _check(response: UpstreamResponse, ctx: CallContext) -> None:
    if response.status not in _SUCCESS:
        raise answered(
            response.status,
            response.headers,
            await response.read(),
            provider=ctx.provider,
            credential=ctx.credential,
            own_credential=ctx.own_credential,
        )


def _is_for_us(entry: dict[str, Any]) -> bool:
    methods = entry.get("supportedGenerationMethods")
    return isinstance(methods, list) and not _METHODS.isdisjoint(map(str, methods))


def _model(entry: dict[str, Any]) -> ModelInfo:
    name = entry["name"].removeprefix("models/")
    length = entry.get("inputTokenLimit")
    return ModelInfo(
        id=name,
        capabilities=(
            _capabilities(name, thinking=entry.get("thinking") is True)
            if "generateContent" in entry["supportedGenerationMethods"]
            else Capability.EMBEDDINGS
        ),
        context_length=length if isinstance(length, int) else None,
        owned_by="google",
    )


def _capabilities(name: str, *, thinking: bool) -> Capability:
    """What a model can do; beyond thinking, only its name tells."""
    if "-tts" in name:
        return Capability.SPEECH
    can = _TALK if name.startswith("gemma-") else _GEMINI
    if "-image" in name:
        can |= Capability.IMAGE
    return can | Capability.REASONING if thinking else can
