"""Errors of Google's APIs, as an answer or inside one.

https://google.aip.dev/193 and https://ai.google.dev/gemini-api/docs/troubleshooting
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

import attrs
import orjson

from ..core.errors import (
    AuthenticationError,
    BadRequestError,
    GatewayError,
    ModelNotFoundError,
    RateLimitError,
    UpstreamAuthError,
    UpstreamError,
    UpstreamTimeoutError,
)
from ..core.upstream_errors import error_of
from . import json_text

#: a refused key is a 400 here
_KEY = frozenset(("API_KEY_INVALID", "API_KEY_EXPIRED", "API_KEY_SERVICE_BLOCKED"))
_TOO_LONG = re.compile(r"token count .*exceeds the maximum number of tokens", re.DOTALL)
_DURATION = re.compile(r"(\d+(?:\.\d+)?)s")
_INTERNAL = 500


@attrs.frozen
class _Said:
    """What an error object says beyond its message."""

    status: str = ""
    message: str = ""
    reasons: frozenset[str] = frozenset()
    retry_after: float | None = None


def answered(
    status: int,
    headers: Mapping[str, str],
    body: bytes,
    *,
    provider: str,
    credential: str | None = None,
    own_credential: bool = False,
) -> GatewayError:
    """The error for an answer that is no success; arguments as for ``core.upstream_errors``."""
    error = error_of(
        status,
        headers,
        body,
        provider=provider,
        credential=credential,
        own_credential=own_credential,
    )
    try:
        said = _said(orjson.loads(body))
    except orjson.JSONDecodeError:
        return error
    refined = _refined(error, said, own_credential=own_credential)
    if isinstance(refined, UpstreamError):
        refined.upstream_status = status
    if said.retry_after is not None and refined.fallback:
        refined.retry_after = said.retry_after
    return refined


def in_answer(detail: object, *, provider: str, credential: str | None = None) -> GatewayError:
    """The error for an ``error`` object in an answer that began as a success."""
    code = detail.get("code") if isinstance(detail, dict) else None
    status = code if type(code) is int and code >= 400 else _INTERNAL  # noqa: PLR2004
    body = json_text.dumps({"error": detail})
    return answered(status, {}, body, provider=provider, credential=credential)


def _refined(error: GatewayError, said: _Said, *, own_credential: bool) -> GatewayError:
    """The error that the object's own words call for."""
    message, provider = error.message, error.provider
    match error, said.status:
        case BadRequestError(), _ if _KEY & said.reasons:
            if own_credential:
                return AuthenticationError(message, provider=provider)
            return UpstreamAuthError(message, provider=provider)
        case BadRequestError(status=404), _:
            return ModelNotFoundError(message, param="model", provider=provider)
        case BadRequestError(), "FAILED_PRECONDITION":
            # a country or an account that may not use it: another provider may answer
            return UpstreamError(message, provider=provider)
        case BadRequestError(), status:
            error.code = "context_length_exceeded" if _TOO_LONG.search(message) else status
            error.code = error.code or None
        case RateLimitError(), _:
            error.code = RateLimitError.code
        case UpstreamError(), "DEADLINE_EXCEEDED":
            return UpstreamTimeoutError(message, provider=provider)
        case _:
            pass
    return error


def _said(value: Any) -> _Said:
    if type(value) is list and value:
        value = value[0]
    match value:
        case {"error": dict(error)}:
            details = error.get("details")
            found = [one for one in details if type(one) is dict] if type(details) is list else []
        case _:
            return _Said()
    delays = (_DURATION.fullmatch(str(one.get("retryDelay", ""))) for one in found)
    return _Said(
        str(error.get("status") or ""),
        str(error.get("message") or ""),
        frozenset(str(one["reason"]) for one in found if "reason" in one),
        next((float(delay[1]) for delay in delays if delay), None),
    )
