"""Any upstream that speaks OpenAI's chat completions."""

from __future__ import annotations

from typing import Any, ClassVar

import attrs
from yarl import URL

from ..core.errors import UpstreamError
from ..core.events import EventStream
from ..core.models import Capability, ModelInfo
from ..core.provider import CallContext, Provider, UpstreamResponse
from ..core.requests import ChatRequest
from ..dialects.base import Dialect
from ..dialects.openai_chat import OpenAIChat

#: what the API can carry; whether a model can do it, its upstream says
CHAT = (
    Capability.CHAT
    | Capability.STREAM
    | Capability.VISION
    | Capability.AUDIO_INPUT
    | Capability.AUDIO_OUTPUT
    | Capability.FILES
    | Capability.TOOLS
    | Capability.JSON_OBJECT
    | Capability.JSON_SCHEMA
    | Capability.LOGPROBS
    | Capability.SEVERAL_CHOICES
    | Capability.REASONING
)
_CONTEXT_LENGTH = ("context_length", "max_model_len", "context_window", "max_context_length")


def clean_url(url: str) -> str:
    """A base URL without the slash at its end; ValueError when it is none.

    A user or password in it would show up in logs, so it may not have any.
    """
    parsed = URL(url)
    if parsed.scheme not in ("http", "https") or not parsed.host:
        raise ValueError("base_url must begin with http:// or https:// and name a host")
    if parsed.user or parsed.password:
        raise ValueError("base_url may not hold a user or password; use api_key or headers")
    return url.rstrip("/")


@attrs.frozen(kw_only=True)
class OpenAICompatible(Provider):
    """An OpenAI-compatible server at *base_url* (usually ending in ``/v1``).

    *headers* are sent with every request. *stream_usage*: ask for usage in streams; false for
    servers that refuse ``stream_options``.
    """

    name: ClassVar[str] = "openai-compatible"
    label: ClassVar[str] = "OpenAI-compatible server"
    description: ClassVar[str] = "Any server that speaks OpenAI's chat completions"
    capabilities: ClassVar[Capability] = CHAT
    key: ClassVar[str] = "optional"

    base_url: str = ""
    headers: dict[str, str] = attrs.field(factory=dict, repr=False)
    stream_usage: bool = True
    _wire: Dialect = attrs.field(init=False, repr=False, eq=False)

    def __attrs_post_init__(self) -> None:
        # here and not in a converter: a subclass that sets its own default would lose that
        object.__setattr__(self, "base_url", clean_url(self.base_url) if self.base_url else "")
        object.__setattr__(self, "_wire", OpenAIChat(ask_usage=self.stream_usage))

    def missing(self) -> str | None:
        """A base URL, unless the class has one."""
        return None if self.base_url else 'base_url, such as "http://127.0.0.1:8000/v1"'

    async def fetch_models(self, ctx: CallContext) -> tuple[ModelInfo, ...]:
        """What ``GET /models`` lists."""
        async with ctx.http.get(f"{self.base_url}/models", headers=self._headers(ctx)) as response:
            await ctx.check(response)
            listed = await response.json()
        entries = listed.get("data") if isinstance(listed, dict) else listed
        if not isinstance(entries, list):
            raise UpstreamError(f"{ctx.provider} sent no list of models", provider=ctx.provider)
        return tuple(
            _model(entry)
            for entry in entries
            if isinstance(entry, dict) and isinstance(entry.get("id"), str)
        )

    async def chat(self, request: ChatRequest, ctx: CallContext) -> EventStream:
        """``POST /chat/completions``; handed on byte for byte where the client speaks the same."""
        body = self._wire.encode_request(request, request.model)
        url = self._chat_url(request)
        async with ctx.http.post(url, headers=self._headers(ctx), json=body) as response:
            await self._check(ctx, response)
            streams = response.headers.get("content-type", "").startswith("text/event-stream")
            if streams != request.stream:
                # some upstreams stream always, or never, or not for this model
                request = attrs.evolve(request, accept=None)
            decoder = self._wire.decoder(request, ctx.provider)
            if not streams:
                for event in decoder.body(await response.read()):
                    yield event
                return
            async for frames in response.frames():
                for event in decoder.feed(self._answer(frames)):
                    yield event
                if decoder.done:
                    await response.end()
                    break
            for event in decoder.close():
                yield event

    def _chat_url(self, request: ChatRequest) -> str:
        """Where a chat is asked for."""
        return f"{self.base_url}/chat/completions"

    async def _check(self, ctx: CallContext, response: UpstreamResponse) -> None:
        """Return when the answer to a chat is a success, else raise what its error means."""
        await ctx.check(response)

    def _answer(self, frames: bytes) -> bytes:
        """What of a stream's frames belongs to the answer."""
        return frames

    def _headers(self, ctx: CallContext) -> dict[str, str]:
        if ctx.credential is None:
            return self.headers
        return {"Authorization": f"Bearer {ctx.credential}", **self.headers}


def _model(entry: dict[str, Any]) -> ModelInfo:
    lengths = (entry.get(name) for name in _CONTEXT_LENGTH)
    created = entry.get("created")
    owner = entry.get("owned_by")
    return ModelInfo(
        id=entry["id"],
        context_length=next((length for length in lengths if isinstance(length, int)), None),
        owned_by=owner if isinstance(owner, str) else None,
        created=created if isinstance(created, int) else 0,
    )
