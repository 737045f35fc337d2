"""What the headers of an answer tell about how it came about."""

from __future__ import annotations

import math
import re
from collections.abc import Mapping
from functools import lru_cache
from typing import TYPE_CHECKING

from multidict import CIMultiDict, istr

from ..core.events import Started
from ..core.record import Attempt, RequestRecord

if TYPE_CHECKING:
    from ..core.stores import Balance

# interned: the case of a plain string is folded at each use
PROVIDER = istr("x-provider")
MODEL = istr("x-model")
ATTEMPTS = istr("x-attempts")
CACHE = istr("x-cache")
#: what was done here because the provider cannot do it
EMULATED = istr("x-emulated")
#: how many sources of the web are before the request
SOURCES = istr("x-web-search")
_TOKEN = re.compile(r"[A-Za-z*][\w!#$%&'*+.^`|~:/-]*", re.ASCII)
_QUOTA = re.compile(r"(?:x|anthropic)-ratelimit-", re.IGNORECASE)
_OF_REQUESTS, _OF_TOKENS = (
    tuple(istr(f"x-ratelimit-{name}-{kind}") for name in ("limit", "remaining", "reset"))
    for kind in ("requests", "tokens")
)


def about(record: RequestRecord, started: Started | None = None) -> Mapping[str, str]:
    """Who answers, and who was asked before; names that fit into no header are left out."""
    attempts = record.attempts
    more = record.emulated or record.cache is not None or record.sources is not None
    if started is not None and started.headers is None and len(attempts) == 1 and not more:
        (attempt,) = attempts
        if attempt.outcome not in ("failed", "cancelled"):
            return _plain(attempt.provider, attempt.model, started.provider, started.model)
    told: dict[str, str] = {}
    if attempts:
        told[ATTEMPTS] = ", ".join(map(_attempt, attempts))
    if started is not None:
        told[PROVIDER] = started.provider
        told[MODEL] = started.model
        if started.headers is not None:
            told.update(started.headers)
    if record.emulated:
        told[EMULATED] = ", ".join(record.emulated)
    if record.sources is not None:
        told[SOURCES] = str(record.sources)
    if record.cache is not None:
        told[CACHE] = record.cache
    return _sendable(told)


@lru_cache(maxsize=256)
def _plain(provider: str, model: str, by: str, of: str) -> Mapping[str, str]:
    """What there is to tell where the first who was asked answers, as nearly always."""
    attempt = Attempt(provider, model, 0.0)
    told: dict[str, str] = {ATTEMPTS: _attempt(attempt), PROVIDER: by, MODEL: of}
    return _sendable(told)


def _sendable(told: dict[str, str]) -> dict[str, str]:
    return {name: value for name, value in told.items() if value.isascii() and value.isprintable()}


def _attempt(attempt: Attempt) -> str:
    """One item of a list as RFC 9651 writes it: a string, with parameters when the call failed."""
    who = f"{attempt.provider}/{attempt.model}".replace("\\", "\\\\").replace('"', '\\"')
    who = f'"{who}"'
    if attempt.outcome == "cancelled":
        return f"{who};cancelled"
    if attempt.outcome != "failed":
        return who
    took = round((attempt.duration or 0.0) * 1000)
    # it may be an upstream's own
    code = attempt.code if attempt.code and _TOKEN.fullmatch(attempt.code) else "error"
    return f"{who};error={code};status={attempt.status};ms={took}"


def drop_quotas(headers: CIMultiDict[str]) -> None:
    """Leave out what an upstream said of its own quota."""
    for name in tuple(headers):
        if _QUOTA.match(name):
            del headers[name]


def quota_headers(balance: Balance) -> dict[str, str]:
    """What is left of the quota of a key, as OpenAI says it."""
    told: dict[str, str] = {}
    for names, allowance in ((_OF_REQUESTS, balance.requests), (_OF_TOKENS, balance.tokens)):
        if allowance is not None:
            values = (str(allowance.limit), str(allowance.left), duration(allowance.reset))
            told.update(zip(names, values, strict=True))
    return told


def duration(seconds: float) -> str:
    """A time rounded up to milliseconds, such as ``120ms``, ``1.5s`` and ``6m0s``."""
    milliseconds = math.ceil(seconds * 1000)
    if 0 < milliseconds < 1000:  # noqa: PLR2004
        return f"{milliseconds}ms"
    minutes, rest = divmod(milliseconds, 60_000)
    return f"{minutes}m" * bool(minutes) + f"{rest / 1000:g}s"
