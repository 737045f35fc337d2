"""Pollinations: a public service in OpenAI's dialect, for those who chose it."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, ClassVar

import attrs

from ..core.errors import BadRequestError, ModelNotFoundError, RateLimitError, UpstreamError
from ..core.events import EventStream
from ..core.models import Capability, ModelInfo
from ..core.provider import CallContext, UpstreamResponse
from ..core.requests import ChatRequest
from .openai_compatible import CHAT, OpenAICompatible, clean_url

#: where those who have a key are served, and those who have none
KEYED = "https://gen.pollinations.ai/v1"
ANONYMOUS = "https://text.pollinations.ai/v1"
_TALK = Capability.CHAT | Capability.STREAM | Capability.JSON_OBJECT | Capability.JSON_SCHEMA
_CAN = {
    "tool_calling": Capability.TOOLS,
    "reasoning": Capability.REASONING,
    "web_search": Capability.WEB_SEARCH,
}
#: yes or no, as older lists say it
_FLAGS = {
    "tools": Capability.TOOLS,
    "reasoning": Capability.REASONING,
    "search": Capability.WEB_SEARCH,
    "vision": Capability.VISION,
    "audio": Capability.AUDIO_INPUT,
}
_INPUT = {"image": Capability.VISION, "audio": Capability.AUDIO_INPUT, "file": Capability.FILES}
#: of a model that writes text, too, and of one that does not
_OUTPUT = {"text": _TALK, "audio": Capability.AUDIO_OUTPUT, "image": Capability.IMAGE}
_OTHER_OUTPUT = {
    "audio": Capability.SPEECH,
    "image": Capability.IMAGE,
    "video": Capability.VIDEO,
    "embedding": Capability.EMBEDDINGS,
}
#: marks of models that are never a default: they run at somebody else's, or cost money
_BY_NAME_ONLY = ("community", "agent", "paid_only")
_NOT_FOUND = 404


@attrs.frozen(kw_only=True)
class _Service(OpenAICompatible):
    """One of its two addresses. Errors: https://gen.pollinations.ai/docs#tag/errors"""

    reasoning_content: str = "never"

    async def _check(self, ctx: CallContext, response: UpstreamResponse) -> None:
        """Its codes are the names of the statuses; two of them have names of ours."""
        try:
            await ctx.check(response)
        except RateLimitError as error:
            error.code = RateLimitError.code
            raise
        except BadRequestError as error:
            if error.status != _NOT_FOUND:
                raise
            raise ModelNotFoundError(error.message, param="model", provider=ctx.provider) from None


@attrs.frozen(kw_only=True)
class PollinationsAI(_Service):
    """https://gen.pollinations.ai/docs

    A chat needs a key there. Without one it goes to the older service for anonymous use, which is
    limited to a small model and a few requests a minute:
    https://github.com/pollinations/pollinations/blob/main/LEGACY_MIGRATION.md. *anonymous_url* is
    its address; where only *base_url* is set, that one is for everybody.
    """

    name: ClassVar[str] = "PollinationsAI"
    label: ClassVar[str] = "Pollinations"
    description: ClassVar[str] = "Public service; used only when the settings name it"
    url: ClassVar[str | None] = "https://pollinations.ai"
    capabilities: ClassVar[Capability] = CHAT
    opt_in: ClassVar[bool] = True
    base_url: str = KEYED
    completions: bool = False
    anonymous_url: str = ""
    _anonymous: _Service = attrs.field(init=False, repr=False, eq=False)

    def __attrs_post_init__(self) -> None:
        super().__attrs_post_init__()
        open_to_all = clean_url(
            self.anonymous_url or (ANONYMOUS if self.base_url == KEYED else self.base_url)
        )
        service = _Service(
            base_url=open_to_all, headers=self.headers, stream_usage=self.stream_usage
        )
        object.__setattr__(self, "_anonymous", service)

    def chat(self, request: ChatRequest, ctx: CallContext) -> EventStream:
        """``POST /v1/chat/completions``, where the caller may."""
        if ctx.credential is None:
            return self._anonymous.chat(request, ctx)
        return super().chat(request, ctx)

    async def fetch_models(self, ctx: CallContext) -> tuple[ModelInfo, ...]:
        """What the list of text models tells, of the models that the caller may use."""
        async with ctx.http.get(self._list_url(ctx), headers=self._headers(ctx)) as response:
            await self._check(ctx, response)
            listed = await response.json()
        match listed:
            case list(entries) | {"data": list(entries)}:
                return tuple(_models(entries))
            case _:
                what = f"{ctx.provider} sent no list of models"
                raise UpstreamError(what, provider=ctx.provider)

    def _list_url(self, ctx: CallContext) -> str:
        """The list with capabilities, which the two services have at different places."""
        if ctx.credential is None and self._anonymous.base_url != self.base_url:
            return f"{self._anonymous.base_url.removesuffix('/v1')}/models"
        return f"{self.base_url.removesuffix('/v1')}/text/models"


def _models(entries: list[Any]) -> Iterator[ModelInfo]:
    for entry in entries:
        match entry:
            case str(name) if name:
                yield ModelInfo(name)
            case {"name": str(name)} | {"id": str(name)} if name:
                yield _model(name, entry)
            case _:
                pass


def _model(name: str, entry: dict[str, Any]) -> ModelInfo:
    lengths = (entry.get(key) for key in ("context_length", "context_window"))
    owners = (entry.get(key) for key in ("owned_by", "publisher", "brand"))
    added = entry.get("added_date")
    return ModelInfo(
        name,
        capabilities=_capabilities(entry),
        context_length=next((length for length in lengths if type(length) is int), None),
        aliases=tuple(dict.fromkeys(alias for alias in _texts(entry, "aliases") if alias != name)),
        owned_by=next((owner for owner in owners if isinstance(owner, str)), None),
        created=added // 1000 if type(added) is int else 0,
        by_name_only=any(entry.get(mark) is True for mark in _BY_NAME_ONLY)
        or entry.get("tier") not in (None, "anonymous"),
    )


def _capabilities(entry: dict[str, Any]) -> Capability | None:
    """What an entry says of its model, by any of the fields there were; None when nothing."""
    output = _texts(entry, "output_modalities")
    if output and "text" not in output:
        return _flags(output, _OTHER_OUTPUT)
    can = _flags(output, _OUTPUT)
    can |= _flags(_texts(entry, "input_modalities"), _INPUT)
    can |= _flags(_texts(entry, "capabilities"), _CAN)
    can |= _flags([name for name in _FLAGS if entry.get(name) is True], _FLAGS)
    said = ("output_modalities", "input_modalities", "capabilities", *_FLAGS)
    return can | _TALK if any(name in entry for name in said) else None


def _flags(words: list[str], meaning: dict[str, Capability]) -> Capability:
    can = Capability.NONE
    for word in words:
        can |= meaning.get(word, Capability.NONE)
    return can


def _texts(entry: dict[str, Any], key: str) -> list[str]:
    """The texts in an array; a single one is as good."""
    value = entry.get(key)
    if isinstance(value, str):
        return [value] if value else []
    return [one for one in value if isinstance(one, str)] if isinstance(value, list) else []
