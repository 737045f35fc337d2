"""Any upstream that speaks OpenAI's chat completions."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable
from contextlib import aclosing
from typing import Any, ClassVar
from urllib.parse import quote

import attrs
from yarl import URL

from ..core.errors import BadRequestError, UpstreamError
from ..core.events import EventStream
from ..core.messages import FilePart, Part
from ..core.models import Capability, ModelInfo
from ..core.operations import (
    CompletionRequest,
    EmbeddingRequest,
    Embeddings,
    ModerationRequest,
)
from ..core.provider import CallContext, Provider, ResponseAction, UpstreamResponse
from ..core.requests import ChatRequest
from ..dialects import on_demand
from ..dialects.base import Dialect
from ..dialects.openai_chat import OpenAIChat
from ..dialects.openai_chat_quirks import REASONING, Quirks
from ..dialects.openai_responses_events import NAME as RESPONSES
from .relayed import preface

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
#: bytes of embeddings from which on their numbers are read in a thread
_LARGE = 2**20
#: statuses of an address that there is not
_NO_ROUTE = (404, 405)
_ACTIONS: dict[ResponseAction, tuple[str, str]] = {
    "get": ("GET", ""),
    "cancel": ("POST", "/cancel"),
    "delete": ("DELETE", ""),
}
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
    servers that refuse ``stream_options``. *responses*: it has the Responses API, too, and gets
    requests of that API as they are; otherwise they are translated. *completions*: the same of the
    older API for completions. For requests that are translated: *reasoning_content* says which
    thoughts of earlier answers are sent back under that name, ``never`` any, those of turns that
    called ``tools``, or ``always``; ``required`` is as ``tools``, and empty where none is known.
    *max_completion_tokens*: answers are bounded by that name, not by ``max_tokens``. *fetch_urls*:
    images and files that a request names by URL are fetched here, for an upstream that cannot.
    """

    name: ClassVar[str] = "openai-compatible"
    label: ClassVar[str] = "OpenAI-compatible server"
    description: ClassVar[str] = "Any server that speaks OpenAI's chat completions"
    capabilities: ClassVar[Capability] = CHAT | Capability.EMBEDDINGS
    key: ClassVar[str] = "optional"

    base_url: str = ""
    headers: dict[str, str] = attrs.field(factory=dict, repr=False)
    stream_usage: bool = True
    responses: bool = False
    completions: bool = True
    reasoning_content: str = "tools"
    max_completion_tokens: bool = False
    fetch_urls: bool = False
    _wire: Dialect = attrs.field(init=False, repr=False, eq=False)

    def __attrs_post_init__(self) -> None:
        # here and not in a converter: a subclass that sets its own default would lose that
        object.__setattr__(self, "base_url", clean_url(self.base_url) if self.base_url else "")
        if self.reasoning_content not in REASONING:
            raise ValueError(f"reasoning_content must be one of {', '.join(REASONING)}")
        quirks = Quirks(self.reasoning_content, self.max_completion_tokens)
        wire = OpenAIChat(ask_usage=self.stream_usage, quirks=quirks)
        object.__setattr__(self, "_wire", wire)

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

    def speaks(self, dialect: str) -> bool:
        """The Responses API, where the settings say so."""
        return self.responses and dialect == RESPONSES

    def takes_url(self, part: Part, request: ChatRequest) -> bool:
        """Unless the settings say otherwise; chats have no field for the URL of a file, though."""
        if isinstance(part, FilePart):
            as_it_came = request.dialect == self._wire.name or self.speaks(request.dialect)
            return not self.fetch_urls and request.raw is not None and as_it_came
        return not self.fetch_urls

    async def chat(self, request: ChatRequest, ctx: CallContext) -> EventStream:
        """``POST /chat/completions``; handed on byte for byte where the client speaks the same.

        ``POST /responses`` for a client that speaks that, where the upstream has it.
        """
        wire, url = self._wire, self._chat_url(request)
        # what was edited, or must be read, goes the way of all others
        native = request.raw is not None and request.accept == request.dialect
        native = native and self.speaks(request.dialect)
        if native:
            wire, url = on_demand.responses.OPENAI_RESPONSES, self._url("responses", request.model)
        body = wire.encode_request(request, request.model)
        async with ctx.http.post(url, headers=self._headers(ctx), json=body) as response:
            await self._check(ctx, response)
            streams = response.headers.get("content-type", "").startswith("text/event-stream")
            if streams != request.stream and not native:
                # some upstreams stream always, or never, or not for this model
                request = attrs.evolve(request, accept=None)
            decoder = wire.decoder(request, ctx.provider)
            told = preface(request, ctx, response.headers, wire.name)
            if not streams:
                for event in decoder.body(await response.read()):
                    if told is not None:
                        yield told
                        told = None
                    yield event
                return
            async for frames in response.frames():
                for event in decoder.feed(self._answer(frames)):
                    if told is not None:
                        yield told
                        told = None
                    yield event
                if decoder.done:
                    await response.end()
                    break
            for event in decoder.close():
                yield event

    async def kept_response(
        self, response_id: str, ctx: CallContext, action: ResponseAction = "get"
    ) -> dict[str, Any]:
        """``GET`` or ``DELETE /responses/{id}``, or ``POST /responses/{id}/cancel``."""
        if not self.speaks(RESPONSES):
            return await super().kept_response(response_id, ctx, action)
        method, end = _ACTIONS[action]
        url = self._url(f"responses/{quote(response_id, safe='')}{end}", "")
        async with ctx.http.request(method, url, headers=self._headers(ctx)) as response:
            await self._check(ctx, response)
            found = await response.json()
        if not isinstance(found, dict):
            raise UpstreamError(f"{ctx.provider} sent no response", provider=ctx.provider)
        return found

    def complete(self, request: CompletionRequest, ctx: CallContext) -> EventStream:
        """``POST /completions``, where the upstream has that."""
        if self.completions:
            return self._complete(request, ctx)
        return super().complete(request, ctx)

    async def _complete(self, request: CompletionRequest, ctx: CallContext) -> EventStream:
        body = on_demand.completions.encode_request(request, ask_usage=self.stream_usage)
        url = self._url("completions", request.model)
        async with ctx.http.post(url, headers=self._headers(ctx), json=body) as response:
            if await self._has_route(ctx, response):
                streams = response.headers.get("content-type", "").startswith("text/event-stream")
                decoder = on_demand.completions.decoder(request, ctx.provider, streams=streams)
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
                return
        async with aclosing(super().complete(request, ctx)) as events:
            async for event in events:
                yield event

    async def _has_route(self, ctx: CallContext, response: UpstreamResponse) -> bool:
        """Whether an upstream knows the address at all; GatewayError for what else is wrong."""
        try:
            await self._check(ctx, response)
        except BadRequestError as error:
            # a model that it does not know has a code
            if error.status not in _NO_ROUTE or error.code is not None:
                raise
            return False
        return True

    async def embed(self, request: EmbeddingRequest, ctx: CallContext) -> Embeddings:
        """``POST /embeddings``; an upstream that knows no encodings is not asked for one."""
        body = on_demand.embeddings.encode_request(request)
        try:
            data = await self._ask_for("embeddings", request.model, body, ctx)
        except BadRequestError as error:
            said = f"{error.param} {error.message}"
            if "encoding_format" not in body or "encoding_format" not in said:
                raise
            del body["encoding_format"]
            data = await self._ask_for("embeddings", request.model, body, ctx)
        decode = on_demand.embeddings.decode_answer
        if len(data) > _LARGE:
            return await asyncio.to_thread(decode, data, request, ctx.provider)
        return decode(data, request, ctx.provider)

    async def moderate(self, request: ModerationRequest, ctx: CallContext) -> bytes:
        """``POST /moderations``."""
        body = request.raw | {"model": request.model}
        data = await self._ask_for("moderations", request.model, body, ctx)
        return on_demand.moderations.decode_answer(data, ctx.provider)

    async def _ask_for(
        self, route: str, model: str, body: dict[str, Any], ctx: CallContext
    ) -> bytes:
        """What the upstream answers at another route than those for chats."""
        url = self._url(route, model)
        async with ctx.http.post(url, headers=self._headers(ctx), json=body) as response:
            await self._check(ctx, response)
            return await response.read()

    def _url(self, route: str, model: str) -> str:
        """The address of a route for a model."""
        return f"{self.base_url}/{route}"

    def _chat_url(self, request: ChatRequest) -> str:
        """Where a chat is asked for."""
        return self._url("chat/completions", request.model)

    def _check(self, ctx: CallContext, response: UpstreamResponse) -> Awaitable[None]:
        """Return when the answer to a chat is a success, else raise what its error means."""
        return ctx.check(response)

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
