"""What an upstream's failure means to our client (contract section 3)."""

from __future__ import annotations

import email.utils
import math
import re
import time
from collections.abc import Mapping
from typing import Any

import orjson

from .errors import (
    AuthenticationError,
    BadRequestError,
    GatewayError,
    OverloadedError,
    RateLimitError,
    UpstreamAuthError,
    UpstreamError,
    UpstreamTimeoutError,
)

#: an upstream's message is quoted up to this many characters
MESSAGE_LIMIT = 1000
#: bytes of a page in which its text is looked for
_PAGE = 16 * 2**10
#: how upstreams that give no code say that a request is too long
_TOO_LONG = re.compile(r"prompt is too long|exceed context limit")
#: what is not closed goes on to the end, and is not looked for again from every place
_TAGS = re.compile(r"<(script|style)\b(?:.*?</\1>|.*)|<[^<>]*>", re.DOTALL | re.IGNORECASE)


def retry_after(headers: Mapping[str, str]) -> float | None:
    """Seconds to wait, from ``retry-after-ms`` or ``retry-after`` (seconds or an HTTP date)."""
    for name, unit in (("retry-after-ms", 1000.0), ("retry-after", 1.0)):
        value = headers.get(name)
        if value is None:
            continue
        try:
            seconds = float(value) / unit
        except ValueError:
            try:
                when = email.utils.parsedate_to_datetime(value)
            except ValueError:
                continue
            seconds = when.timestamp() - time.time()
        if math.isfinite(seconds):
            return max(0.0, seconds)
    return None


def error_of(
    status: int,
    headers: Mapping[str, str],
    body: bytes,
    *,
    provider: str,
    credential: str | None = None,
    own_credential: bool = False,
) -> GatewayError:
    """The error for an answer that is no success.

    *own_credential* says that the caller supplied the *credential*: then a refusal of it is his.
    """
    try:
        detail = orjson.loads(body)
    except orjson.JSONDecodeError:
        detail = None
    fields = _fields(detail)
    said = fields["message"] or _plain(body) or f"status {status}"
    if credential:
        said = said.replace(credential, "***")
    message = f"{provider} answered {status}: {said[:MESSAGE_LIMIT]}"
    about: dict[str, Any] = {"provider": provider, "param": fields["param"]}
    code = fields["code"] or _code_of(fields["type"], said)
    error: GatewayError
    if status in (401, 402, 403):
        if own_credential:
            error = AuthenticationError(message, provider=provider)
        else:
            error = UpstreamAuthError(message, provider=provider)
    elif status == 429:  # noqa: PLR2004
        error = RateLimitError(message, code=code, retry_after=retry_after(headers), **about)
    elif status == 529:  # noqa: PLR2004  (Anthropic's; others took it over)
        error = OverloadedError(message, retry_after=retry_after(headers), **about)
    elif status in (408, 504):
        error = UpstreamTimeoutError(message, **about)
    elif status == 404 and detail is None:  # noqa: PLR2004
        error = UpstreamError(f"{message} (is its base_url right?)", **about)
    elif 400 <= status < 500:  # noqa: PLR2004
        error = BadRequestError(message, status=status, type=fields["type"], code=code, **about)
    elif 300 <= status < 400:  # noqa: PLR2004
        # following it could carry the credential to another host
        target = headers.get("location", "elsewhere")
        error = UpstreamError(f"{provider} redirects to {target}: set its base_url", **about)
    else:
        error = UpstreamError(message, retry_after=retry_after(headers), **about)
    if isinstance(error, UpstreamError):
        error.upstream_status = status
    return error


def error_in_answer(
    detail: object, *, provider: str, credential: str | None = None
) -> GatewayError:
    """The error for an ``error`` object inside an answer that began as a success."""
    fields = _fields({"error": detail})
    said = fields["message"] or "it sent an error without a message"
    if credential:
        said = said.replace(credential, "***")
    message = f"{provider} failed: {said[:MESSAGE_LIMIT]}"
    if fields["code"] in ("429", "rate_limit_exceeded") or fields["type"] == "rate_limit_error":
        return RateLimitError(message, provider=provider)
    if fields["type"] == "overloaded_error":
        return OverloadedError(message, provider=provider)
    if fields["type"] == "timeout_error":
        return UpstreamTimeoutError(message, provider=provider)
    return UpstreamError(message, provider=provider, param=fields["param"])


def _code_of(kind: str | None, said: str) -> str | None:
    """OpenAI's code for what Anthropic and its like say with a type and a message only."""
    match kind:
        case "not_found_error" if said.startswith("model:"):
            return "model_not_found"
        case "request_too_large":
            return kind
        case "invalid_request_error" if _TOO_LONG.search(said):
            return "context_length_exceeded"
        case _:
            return None


def _fields(detail: object) -> dict[str, str | None]:
    """Message, type, code and param, whichever of the usual shapes the body has."""
    empty: dict[str, str | None] = dict.fromkeys(("message", "type", "code", "param"))
    if isinstance(detail, list) and detail:
        detail = detail[0]
    if not isinstance(detail, dict):
        return empty
    error = detail.get("error", detail.get("detail", detail))
    if isinstance(error, str):
        return empty | {"message": error}
    if not isinstance(error, dict):
        return empty | {"message": orjson.dumps(error).decode()}
    found = {key: _text(error.get(key)) for key in empty}
    more = error.get("details")  # Anthropic's place for a code
    if isinstance(more, dict) and found["code"] is None:
        found["code"] = _text(more.get("error_code"))
    return found | {"message": found["message"] or _text(detail.get("message"))}


def _text(value: object) -> str | None:
    match value:
        case None | "":
            return None
        case str():
            return value
        case bool() | int() | float():
            return str(value)
        case _:
            return orjson.dumps(value).decode()


def _plain(body: bytes) -> str:
    """The text of a page or of whatever it is, on one line."""
    return " ".join(_TAGS.sub(" ", body[:_PAGE].decode("utf-8", "replace")).split())
