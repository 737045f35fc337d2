"""Azure OpenAI: OpenAI's dialect under addresses and a header of its own."""

from __future__ import annotations

import re
from typing import ClassVar
from urllib.parse import quote, urlencode

import attrs
import orjson
from yarl import URL

from ..core.models import ModelInfo
from ..core.provider import CallContext
from ..dialects import sse
from .openai_compatible import clean_url
from .openai_presets import Hosted

_RESOURCE = re.compile(r"[A-Za-z0-9](?:[A-Za-z0-9-]*[A-Za-z0-9])?")
#: what the addresses of deployments, as the portal shows them, add to the endpoint
_PATH = re.compile(r"/openai(?:/.*)?$")
#: a version by date has an address for each deployment; the others share the v1 endpoint
_DATED = re.compile(r"\d{4}-\d{2}-\d{2}")


@attrs.frozen(kw_only=True)
class Azure(Hosted):
    """https://learn.microsoft.com/azure/foundry/openai/api-version-lifecycle

    A model is the name of a deployment of yours. *resource* is the first part of the endpoint's
    host; *base_url* is for any other host, and may be the address that the portal shows for a
    deployment. *api_version*: unset for the v1 endpoint, or a dated one such as ``2024-10-21``. The
    v1 endpoint has the Responses API as well.
    """

    name: ClassVar[str] = "Azure"
    label: ClassVar[str] = "Azure OpenAI"
    description: ClassVar[str] = "Hosted API; needs your own key and the names of your deployments"
    url: ClassVar[str | None] = "https://ai.azure.com"
    resource: str = ""
    base_url: str = ""
    api_version: str = ""
    responses: bool = True
    completions: bool = True
    max_completion_tokens: bool = True

    def __attrs_post_init__(self) -> None:
        root, version = self.base_url, self.api_version
        if self.resource and not _RESOURCE.fullmatch(self.resource):
            raise ValueError("resource must be a name; a whole address is for base_url")
        if root:
            given = URL(clean_url(root))
            root = f"{given.origin()}{_PATH.sub('', given.raw_path)}"
            version = version or given.query.get("api-version", "")
        elif self.resource:
            root = f"https://{self.resource}.openai.azure.com"
        object.__setattr__(self, "base_url", root)
        object.__setattr__(self, "api_version", version)
        super().__attrs_post_init__()

    def missing(self) -> str | None:
        """The address."""
        if self.base_url:
            return None
        return 'resource, such as "my-resource", or the base_url of another host'

    async def fetch_models(self, ctx: CallContext) -> tuple[ModelInfo, ...]:
        """None: Azure's list has what could be deployed, not what is."""
        return ()

    def speaks(self, dialect: str) -> bool:
        """The Responses API, at the v1 endpoint alone."""
        return super().speaks(dialect) and not _DATED.match(self.api_version)

    def _url(self, route: str, model: str) -> str:
        version = f"?{urlencode({'api-version': self.api_version})}" if self.api_version else ""
        if not _DATED.match(self.api_version):
            return f"{self.base_url}/openai/v1/{route}{version}"
        path = f"/openai/deployments/{quote(model, safe='')}/{route}"
        return f"{self.base_url}{path}{version}"

    def _headers(self, ctx: CallContext) -> dict[str, str]:
        if ctx.credential is None:
            return self.headers
        return {"api-key": ctx.credential, **self.headers}

    def _answer(self, frames: bytes) -> bytes:
        """Without the verdicts of the content filters, which are chunks that have no id.

        Clients that expect a choice and a delta in each chunk stumble over them.
        """
        if b'"id":""' not in frames:
            return frames
        return b"".join(_without_verdict(frame, data) for frame, data in sse.split(frames))


def _without_verdict(frame: bytes, data: bytes) -> bytes:
    """What a frame says of the answer: all of it, its end alone, or nothing."""
    try:
        chunk = orjson.loads(data)
    except orjson.JSONDecodeError:
        return frame
    match chunk:
        case {"id": "", "choices": list(choices)} if not (chunk.get("usage") or "error" in chunk):
            pass
        case _:
            return frame
    objects = (choice for choice in choices if isinstance(choice, dict))
    said = [choice for choice in objects if choice.get("delta") or choice.get("finish_reason")]
    if said and any("delta" not in choice for choice in said):
        ended = [{"delta": {}, **choice} for choice in said]
        whole = {**chunk, "object": "chat.completion.chunk", "choices": ended}
        return sse.event(orjson.dumps(whole))
    return frame if said else b""
