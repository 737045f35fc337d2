"""Cloudflare Workers AI: OpenAI's dialect under the address of an account."""

from __future__ import annotations

import re
from collections.abc import AsyncIterator
from typing import Any, ClassVar
from urllib.parse import urlencode

import attrs
import orjson

from ..core.errors import BadRequestError, GatewayError, ModelNotFoundError, UpstreamError
from ..core.models import Capability, ModelInfo
from ..core.provider import CallContext, UpstreamResponse
from ..core.upstream_errors import error_of
from .openai_presets import Hosted

#: pages of the list of models that are read at most, and how many models one has
PAGES = 20
PER_PAGE = 100
_ACCOUNT = re.compile(r"[A-Za-z0-9_-]+")
_API = "https://api.cloudflare.com/client/v4/accounts/{account}/ai/v1"
_CHAT = Capability.CHAT | Capability.STREAM | Capability.JSON_OBJECT | Capability.JSON_SCHEMA
_PROPERTIES = {
    "function_calling": Capability.TOOLS,
    "reasoning": Capability.REASONING,
    "vision": Capability.VISION,
}
#: "No such model" and "Invalid model ID"
_UNKNOWN_MODEL = frozenset((5007, 3042))


@attrs.frozen(kw_only=True)
class Cloudflare(Hosted):
    """https://developers.cloudflare.com/workers-ai/configuration/open-ai-compatibility/

    *account_id* is the one in the address of the dashboard; *base_url* is for a gateway of yours.
    Its models take images as data alone.
    """

    name: ClassVar[str] = "Cloudflare"
    label: ClassVar[str] = "Cloudflare Workers AI"
    description: ClassVar[str] = "Hosted API; needs your own key and the id of your account"
    url: ClassVar[str | None] = "https://dash.cloudflare.com"
    account_id: str = ""
    base_url: str = ""
    fetch_urls: bool = True

    def __attrs_post_init__(self) -> None:
        if self.account_id and not _ACCOUNT.fullmatch(self.account_id):
            raise ValueError("account_id must be letters and digits")
        if self.account_id and not self.base_url:
            object.__setattr__(self, "base_url", _API.format(account=self.account_id))
        super().__attrs_post_init__()

    def missing(self) -> str | None:
        """The account."""
        if self.base_url:
            return None
        return "account_id, as in the address of your Cloudflare dashboard"

    async def fetch_models(self, ctx: CallContext) -> tuple[ModelInfo, ...]:
        """What ``GET …/ai/models/search`` finds that generates text; a gateway has no such list."""
        if not self.base_url.endswith("/ai/v1"):
            return ()
        return tuple([_model(entry) async for entry in self._listed(ctx)])

    async def _listed(self, ctx: CallContext) -> AsyncIterator[dict[str, Any]]:
        for page in range(1, PAGES + 1):
            query = urlencode({"task": "Text Generation", "per_page": PER_PAGE, "page": page})
            url = f"{self.base_url.removesuffix('/v1')}/models/search?{query}"
            async with ctx.http.get(url, headers=self._headers(ctx)) as response:
                await self._check(ctx, response)
                found = await response.json()
            match found:
                case {"result": list(entries)}:
                    pass
                case _:
                    what = f"{ctx.provider} sent no list of models"
                    raise UpstreamError(what, provider=ctx.provider)
            for entry in entries:
                if isinstance(entry, dict) and isinstance(entry.get("name"), str):
                    yield entry
            if len(entries) < PER_PAGE:
                return

    async def _check(self, ctx: CallContext, response: UpstreamResponse) -> None:
        """Errors come in the envelope of Cloudflare's own API."""
        if response.status < 300:  # noqa: PLR2004
            return
        code, body = _unwrapped(await response.read())
        error: GatewayError = error_of(
            response.status,
            response.headers,
            body,
            provider=ctx.provider,
            credential=ctx.credential,
            own_credential=ctx.own_credential,
        )
        if code in _UNKNOWN_MODEL and isinstance(error, BadRequestError):
            error = ModelNotFoundError(error.message, param="model", provider=ctx.provider)
        raise error


def _unwrapped(body: bytes) -> tuple[int | None, bytes]:
    """The first error of an envelope: its code, and a body as OpenAI would send it."""
    try:
        value = orjson.loads(body)
    except orjson.JSONDecodeError:
        return None, body
    match value:
        case {"errors": [{"message": str(message), **error}, *_]}:
            code = error.get("code")
            return (code if type(code) is int else None), orjson.dumps(
                {"error": {"message": message}}
            )
        case _:
            return None, body


def _model(entry: dict[str, Any]) -> ModelInfo:
    said = entry.get("properties")
    properties = {
        one["property_id"]: one.get("value")
        for one in (said if isinstance(said, list) else ())
        if isinstance(one, dict) and isinstance(one.get("property_id"), str)
    }
    can = _CHAT
    for name, capability in _PROPERTIES.items():
        if properties.get(name) in ("true", True):
            can |= capability
    length = str(properties.get("context_window", ""))
    return ModelInfo(
        id=entry["name"],
        capabilities=can,
        context_length=int(length) if length.isdecimal() else None,
        owned_by="cloudflare",
    )
