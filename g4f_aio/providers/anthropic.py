"""Anthropic's Claude models over their own Messages API."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import datetime
from types import MappingProxyType
from typing import Any, ClassVar
from urllib.parse import quote

import attrs

from ..core.errors import GatewayError, UpstreamError
from ..core.events import EventStream
from ..core.messages import Part
from ..core.models import Capability, ModelInfo
from ..core.provider import CallContext, Provider
from ..core.requests import ChatRequest
from ..dialects.anthropic_messages import AnthropicMessages
from ..dialects.anthropic_request import Habits
from ..dialects.anthropic_thinking import FORMS
from .openai_compatible import clean_url
from .relayed import preface

#: what every model can do
_ALWAYS = Capability.CHAT | Capability.STREAM | Capability.TOOLS
#: what only some can, by the API's names for it
_SOMETIMES = {
    "image_input": Capability.VISION,
    "pdf_input": Capability.FILES,
    "structured_outputs": Capability.JSON_SCHEMA,
    "thinking": Capability.REASONING,
}
#: what a server of the API answers that does not count tokens
_COUNTS_NOTHING = (404, 405, 501)
#: pages of a list of models, a thousand each
_PAGES = 10
_NOTHING: Mapping[str, str] = MappingProxyType({})


@attrs.frozen(kw_only=True)
class Anthropic(Provider):
    """https://platform.claude.com/docs/en/api/messages

    Also for other servers of that API at *base_url*, with or without ``/v1``. *version* and *beta*
    are the headers ``anthropic-version`` and ``anthropic-beta``: a client of the same API may ask for
    another version and for more. *headers* are sent with every request. For requests of other dialects: *max_tokens* bounds answers whose length the caller left
    open (unset: what the model's name is known to allow); *thinking* is how to ask for it,
    ``adaptive`` or by ``budget``, and ``auto`` goes by the model's name; *cache_prompts* asks the
    API to cache the prompt for the next request.
    """

    name: ClassVar[str] = "Anthropic"
    label: ClassVar[str] = "Anthropic API"
    description: ClassVar[str] = "Claude models over their own API; needs your own key"
    url: ClassVar[str | None] = "https://platform.claude.com"
    capabilities: ClassVar[Capability] = (
        _ALWAYS
        | Capability.VISION
        | Capability.FILES
        | Capability.JSON_SCHEMA
        | Capability.REASONING
        | Capability.WEB_SEARCH
    )
    key: ClassVar[str] = "required"

    base_url: str = "https://api.anthropic.com"
    version: str = "2023-06-01"
    beta: tuple[str, ...] = ()
    headers: dict[str, str] = attrs.field(factory=dict, repr=False)
    max_tokens: int | None = None
    thinking: str = "auto"
    cache_prompts: bool = False
    _wire: AnthropicMessages = attrs.field(init=False, repr=False, eq=False)

    def __attrs_post_init__(self) -> None:
        if self.thinking not in FORMS:
            raise ValueError(f"thinking must be one of {', '.join(FORMS)}")
        if self.max_tokens is not None and self.max_tokens < 1:
            raise ValueError("max_tokens must be at least 1")
        object.__setattr__(self, "base_url", clean_url(self.base_url).removesuffix("/v1"))
        habits = Habits(self.max_tokens, self.thinking, self.cache_prompts)
        object.__setattr__(self, "_wire", AnthropicMessages(habits))

    async def fetch_models(self, ctx: CallContext) -> tuple[ModelInfo, ...]:
        """What ``GET /v1/models`` lists, the newest first."""
        found: dict[str, ModelInfo] = {}
        after = ""
        for _ in range(_PAGES):
            url = f"{self.base_url}/v1/models?limit=1000{after}"
            async with ctx.http.get(url, headers=self._headers(ctx)) as response:
                await ctx.check(response)
                listed = await response.json()
            if not (isinstance(listed, dict) and isinstance(listed.get("data"), list)):
                raise UpstreamError(f"{ctx.provider} sent no list of models", provider=ctx.provider)
            found.update((model.id, model) for model in _models(listed["data"]))
            last = listed.get("last_id")
            if not listed.get("has_more") or not isinstance(last, str):
                break
            after = f"&after_id={quote(last, safe='')}"
        return tuple(found.values())

    def takes_url(self, part: Part, request: ChatRequest) -> bool:
        """Of images and of PDFs."""
        return True

    async def chat(self, request: ChatRequest, ctx: CallContext) -> EventStream:
        """``POST /v1/messages``; handed on byte for byte where the client speaks the same."""
        body = self._wire.encode_request(request, request.model, ctx.provider)
        url = f"{self.base_url}/v1/messages"
        headers = self._headers(ctx, request.headers)
        async with ctx.http.post(url, headers=headers, json=body) as response:
            await ctx.check(response)
            streams = response.headers.get("content-type", "").startswith("text/event-stream")
            if streams != request.stream:
                request = attrs.evolve(request, accept=None)
            decoder = self._wire.decoder(request, ctx.provider)
            told = preface(request, ctx, response.headers, self._wire.name)
            if not streams:
                for event in decoder.body(await response.read()):
                    if told is not None:
                        yield told
                        told = None
                    yield event
                return
            async for frames in response.frames():
                for event in decoder.feed(frames):
                    if told is not None:
                        yield told
                        told = None
                    yield event
                if decoder.done:
                    await response.end()
                    break
            for event in decoder.close():
                yield event

    async def count_tokens(self, request: ChatRequest, ctx: CallContext) -> int | None:
        """``POST /v1/messages/count_tokens``; None where another server of the API has no such."""
        body = self._wire.encode_prompt(request, request.model)
        url = f"{self.base_url}/v1/messages/count_tokens"
        headers = self._headers(ctx, request.headers)
        async with ctx.http.post(url, headers=headers, json=body) as response:
            try:
                await ctx.check(response)
            except GatewayError as error:
                known = error.code == "model_not_found" or response.status not in _COUNTS_NOTHING
                if known:
                    raise
                return None
            counted = await response.json()
        match counted:
            case {"input_tokens": int(tokens)}:
                return tokens
            case _:
                raise UpstreamError(f"{ctx.provider} sent no count", provider=ctx.provider)

    def _headers(self, ctx: CallContext, client: Mapping[str, str] = _NOTHING) -> dict[str, str]:
        """Those of the settings and of the *client*; an entry of ``headers`` has the last word."""
        sent = {"anthropic-version": self.version, **client}
        beta = dict.fromkeys((*self.beta, *_items(client.get("anthropic-beta", ""))))
        if beta:
            sent["anthropic-beta"] = ",".join(beta)
        if ctx.credential is not None:
            sent["x-api-key"] = ctx.credential
        return sent | self.headers


def _items(listed: str) -> Iterator[str]:
    return filter(None, map(str.strip, listed.split(",")))


def _models(listed: list[Any]) -> Iterator[ModelInfo]:
    for entry in listed:
        match entry:
            case {"id": str(id_)}:
                length = entry.get("max_input_tokens")
                yield ModelInfo(
                    id_,
                    capabilities=_capabilities(entry.get("capabilities")),
                    context_length=length if isinstance(length, int) else None,
                    owned_by="anthropic",
                    created=_timestamp(entry.get("created_at")),
                )
            case _:
                pass


def _capabilities(said: Any) -> Capability | None:
    """The flags for what the API says a model supports; None when it says nothing."""
    if not isinstance(said, dict):
        return None
    can = _ALWAYS
    for name, flag in _SOMETIMES.items():
        match said.get(name):
            case {"supported": True}:
                can |= flag
            case _:
                pass
    return can


def _timestamp(said: Any) -> int:
    try:
        return max(0, int(datetime.fromisoformat(said).timestamp()))
    except (TypeError, ValueError, OverflowError):
        return 0
