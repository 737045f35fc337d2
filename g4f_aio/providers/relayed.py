"""Headers of an upstream's answer that are for the client."""

from __future__ import annotations

from collections.abc import Mapping

from ..core.events import Started
from ..core.provider import CallContext
from ..core.requests import ChatRequest

#: what is left of a quota, in the words of OpenAI's and of Anthropic's dialect
_QUOTAS = ("x-ratelimit-", "anthropic-ratelimit-")


def preface(
    request: ChatRequest, ctx: CallContext, headers: Mapping[str, str], dialect: str
) -> Started | None:
    """What goes before an answer in *dialect* that is handed on; None when there is nothing to say."""
    # most answers have none: one look at all names together costs a tenth of one at each
    if request.accept != dialect or "ratelimit-" not in "\n".join(headers).lower():
        return None
    lowered = ((name.lower(), value) for name, value in headers.items())
    found = {name: value for name, value in lowered if name.startswith(_QUOTAS)}
    return Started(ctx.provider, request.model, headers=found) if found else None
