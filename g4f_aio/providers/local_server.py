"""What model servers on this machine have in common: they are looked at before anybody uses them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar

import attrs
import orjson

from ..core.models import Capability
from ..core.provider import CallContext, UpstreamResponse
from .openai_compatible import OpenAICompatible

#: bytes of an answer that are looked at; no genuine one is larger
LOOK = 2**20
#: what every model that chats can do
TALK = Capability.CHAT | Capability.STREAM
_OK = 200


@attrs.frozen(kw_only=True)
class LocalServer(OpenAICompatible):
    """Base of the servers that are found by themselves when they run.

    Most take images as data alone, and those that fetch them would fetch from this machine, too.
    """

    description: ClassVar[str] = "A server on this machine; found by itself when it runs"
    local: ClassVar[bool] = True

    fetch_urls: bool = True

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


async def look(ctx: CallContext, url: str) -> Any:
    """The JSON at *url* for anybody; None when there is none."""
    async with ctx.http.get(url) as response:
        return await _json(response)


def capabilities_of(said: Any, meaning: Mapping[str, Capability]) -> Capability | None:
    """The flags for a server's own words; None when it says nothing."""
    if not isinstance(said, list) or not said:
        return None
    can = Capability.NONE
    for word in said:
        if isinstance(word, str):
            can |= meaning.get(word, Capability.NONE)
    return can


def has_text(value: dict[str, Any], key: str) -> bool:
    """Whether there is a text under *key*."""
    return isinstance(value.get(key), str) and bool(value[key])


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
