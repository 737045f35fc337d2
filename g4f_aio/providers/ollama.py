"""Ollama: OpenAI's dialect as it is, and its own API for what that cannot carry."""

from __future__ import annotations

import asyncio
import re
from datetime import datetime
from typing import Any, ClassVar

import attrs

from ..core.errors import BadRequestError, GatewayError, ModelNotFoundError
from ..core.events import EventStream
from ..core.models import Capability, ModelInfo
from ..core.provider import CallContext, UpstreamResponse
from ..core.requests import ChatRequest
from ..dialects.ollama import OllamaChat
from .local_server import TALK, LocalServer, capabilities_of, has_text, look

#: how many models are asked about at a time
AT_ONCE = 8
_MEANING = {
    "completion": TALK | Capability.JSON_OBJECT | Capability.JSON_SCHEMA | Capability.LOGPROBS,
    "vision": Capability.VISION,
    "tools": Capability.TOOLS,
    "thinking": Capability.REASONING,
    "embedding": Capability.EMBEDDINGS,
    "image": Capability.IMAGE,
}
#: families of models that only embed, for versions that do not say what a model can
_EMBEDDERS = ("bert", "nomic-bert")
_SECONDS = re.compile(r"-?\d+")
_DURATION = re.compile(r"-?(\d+(\.\d+)?(ns|us|µs|ms|s|m|h))+")
_NUM_CTX = re.compile(r"^num_ctx\s+(\d+)\s*$", re.MULTILINE)
_NOT_FOUND = 404


@attrs.frozen(kw_only=True)
class Ollama(LocalServer):
    """https://docs.ollama.com/api

    *base_url* is the address of the server, with or without ``/v1``. *num_ctx* is the size of the
    context in tokens, and *keep_alive* how long a model stays loaded after an answer: ``30m``, a
    number of seconds, or ``-1`` for ever. With one of the two, chats take Ollama's own API.
    """

    name: ClassVar[str] = "Ollama"
    label: ClassVar[str] = "Ollama"
    url: ClassVar[str | None] = "https://ollama.com"
    base_url: str = "http://127.0.0.1:11434/v1"
    num_ctx: int | None = None
    keep_alive: str | None = None
    _own: OllamaChat | None = attrs.field(init=False, repr=False, eq=False)

    def __attrs_post_init__(self) -> None:
        super().__attrs_post_init__()
        if self.base_url:
            root = self.base_url.removesuffix("/v1").removesuffix("/api")
            object.__setattr__(self, "base_url", f"{root}/v1")
        if self.num_ctx is not None and self.num_ctx <= 0:
            raise ValueError("num_ctx must be more than 0 tokens")
        own = None
        if self.num_ctx is not None or self.keep_alive is not None:
            own = OllamaChat(self.num_ctx, _duration(self.keep_alive))
        object.__setattr__(self, "_own", own)

    async def recognise(self, ctx: CallContext) -> bool:
        """``GET /api/version`` tells a version."""
        match await look(ctx, f"{self.root}/api/version"):
            case {"version": str()}:
                return True
            case _:
                return False

    async def fetch_models(self, ctx: CallContext) -> tuple[ModelInfo, ...]:
        """``GET /api/tags``, and what ``POST /api/show`` says about each; loaded ones first."""
        match await self._ask(ctx, f"{self.root}/api/tags"):
            case {"models": list(listed)}:
                pass
            case _:
                return await super().fetch_models(ctx)
        found = [one for one in listed if isinstance(one, dict) and has_text(one, "name")]
        # names for the same files share a digest; nothing is asked about what runs elsewhere
        asked = {_identity(one): one["name"] for one in found if not _elsewhere(one)}
        few = asyncio.Semaphore(AT_ONCE)
        loaded = await self._loaded(ctx)
        shown = await asyncio.gather(*(self._shown(ctx, name, few) for name in asked.values()))
        known = dict(zip(asked, shown, strict=True))
        models = [self._model(one, known.get(_identity(one), {})) for one in found]
        return tuple(sorted(models, key=lambda model: model.id not in loaded))

    def chat(self, request: ChatRequest, ctx: CallContext) -> EventStream:
        """As any server of OpenAI's dialect, or by ``POST /api/chat`` where the settings need it."""
        if self._own is None:
            return super().chat(request, ctx)
        return self._chat(self._own, request, ctx)

    async def _chat(self, wire: OllamaChat, request: ChatRequest, ctx: CallContext) -> EventStream:
        body = wire.encode_request(request, request.model)
        url = f"{self.root}/api/chat"
        async with ctx.http.post(url, headers=self._headers(ctx), json=body) as response:
            await self._check(ctx, response)
            decoder = wire.decoder(request, ctx.provider, ctx.credential)
            async for data in response.chunks():
                for event in decoder.feed(data):
                    yield event
                if decoder.done:
                    await response.end()
                    break
            for event in decoder.close():
                yield event

    async def _check(self, ctx: CallContext, response: UpstreamResponse) -> None:
        """It has no code for a model that was not pulled."""
        try:
            await ctx.check(response)
        except BadRequestError as error:
            if error.status != _NOT_FOUND:
                raise
            raise ModelNotFoundError(error.message, param="model", provider=ctx.provider) from None

    async def _loaded(self, ctx: CallContext) -> frozenset[str]:
        """The names of the models that are in memory now, as ``GET /api/ps`` tells."""
        try:
            match await self._ask(ctx, f"{self.root}/api/ps"):
                case {"models": list(running)}:
                    return frozenset(
                        one["name"]
                        for one in running
                        if isinstance(one, dict) and has_text(one, "name")
                    )
                case _:
                    return frozenset()
        except GatewayError:
            return frozenset()

    async def _shown(self, ctx: CallContext, name: str, few: asyncio.Semaphore) -> dict[str, Any]:
        """What ``POST /api/show`` says about a model; nothing when it fails."""
        try:
            async with few:
                shown = await self._ask(ctx, f"{self.root}/api/show", {"model": name})
        except GatewayError:
            return {}
        return shown if isinstance(shown, dict) else {}

    def _model(self, listed: dict[str, Any], shown: dict[str, Any]) -> ModelInfo:
        return ModelInfo(
            listed["name"],
            capabilities=capabilities_of(shown.get("capabilities"), _MEANING) or _by_family(listed),
            context_length=self._context_length(shown),
            created=_time(listed.get("modified_at")),
            # it runs in Ollama's cloud: a prompt goes there only when somebody says so
            by_name_only=_elsewhere(listed),
        )

    def _context_length(self, shown: dict[str, Any]) -> int | None:
        """What a model was made for, or less where the settings or its own file say so."""
        if not shown:
            return None
        said = shown.get("model_info")
        facts = said.items() if isinstance(said, dict) else ()
        found = [value for key, value in facts if key.endswith(".context_length")]
        if self.num_ctx is not None:
            found.append(self.num_ctx)
        elif (own := _NUM_CTX.search(str(shown.get("parameters")))) is not None:
            found.append(int(own[1]))
        return min((value for value in found if type(value) is int), default=None)


def _duration(keep_alive: str | None) -> str | int | None:
    """A time as the API takes it: a number counts seconds."""
    if keep_alive is None:
        return None
    if _SECONDS.fullmatch(keep_alive):
        return int(keep_alive)
    if _DURATION.fullmatch(keep_alive):
        return keep_alive
    raise ValueError('keep_alive must be a time such as "30m", seconds, or "-1" for ever')


def _elsewhere(listed: dict[str, Any]) -> bool:
    return has_text(listed, "remote_host") or has_text(listed, "remote_model")


def _identity(listed: dict[str, Any]) -> str:
    """The same for models that are the same files."""
    return str(listed.get("digest") or listed["name"])


def _by_family(listed: dict[str, Any]) -> Capability | None:
    match listed.get("details"):
        case {"family": str(family)} if family in _EMBEDDERS:
            return Capability.EMBEDDINGS
        case _:
            return None


def _time(said: Any) -> int:
    """Unix time; 0 when it is none."""
    try:
        return int(datetime.fromisoformat(said).timestamp())
    except (TypeError, ValueError, OverflowError):
        return 0
