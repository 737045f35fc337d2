"""Errors as responses: one shape everywhere, in the caller's dialect."""

from __future__ import annotations

import math
from collections.abc import MutableMapping

from aiohttp import web
from multidict import istr

from ..core.errors import BadRequestError, GatewayError, PermissionDeniedError
from ..dialects.anthropic_errors import ANTHROPIC_ERRORS
from ..dialects.base import ErrorFormat
from ..dialects.openai_chat import OPENAI_CHAT
from ..keys import VISIT, Visit
from .headers import PROVIDER, about

#: seconds to wait where nobody knows better
RETRY_AFTER = 1.0
_WAITING = (429, 503)
#: by these a client of Anthropic's API is known before its handler runs
_MESSAGES = "/v1/messages"
VERSION = istr("anthropic-version")
# interned: the case of a plain string is folded at each use
_REQUEST_ID = istr("x-request-id")
_ANTHROPIC_ID = istr("request-id")


def dialect_of(request: web.BaseRequest, visit: Visit | None) -> ErrorFormat:
    """The caller's dialect, also where no handler has said it."""
    if visit is not None and visit.dialect is not None:
        return visit.dialect
    path = request.path
    if path == _MESSAGES or path.startswith(f"{_MESSAGES}/") or VERSION in request.headers:
        return ANTHROPIC_ERRORS
    return OPENAI_CHAT


def put_id(dialect: ErrorFormat, headers: MutableMapping[str, str], request_id: str) -> None:
    """Name the request in the headers of its answer, in the words of the caller's dialect, too."""
    headers[_REQUEST_ID] = request_id
    if dialect.name == ANTHROPIC_ERRORS.name:
        headers[_ANTHROPIC_ID] = request_id


def error_response(
    request: web.BaseRequest, error: GatewayError, request_id: str | None = None
) -> web.Response:
    """The response for an error before the first byte; *request_id* is for a request without one."""
    visit = request.get(VISIT)
    dialect = dialect_of(request, visit)
    error.request_id = request_id if visit is None else visit.request_id
    response = web.Response(
        status=dialect.status(error),
        body=dialect.encode_error(error),
        content_type="application/json",
    )
    headers = response.headers
    wait = error.retry_after
    if wait is None and error.status in _WAITING:
        wait = RETRY_AFTER
    if wait is not None:
        headers["retry-after"] = str(math.ceil(wait))
        headers["retry-after-ms"] = str(math.ceil(wait * 1000))
    if error.should_retry is not None:
        headers["x-should-retry"] = str(error.should_retry).lower()
    if visit is not None and visit.record is not None:
        headers.update(about(visit.record))
    if error.provider is not None and error.provider.isascii() and error.provider.isprintable():
        headers[PROVIDER] = error.provider
    return response


def from_http(request: web.BaseRequest, found: web.HTTPException) -> GatewayError:
    """aiohttp's own errors in our words."""
    where = f"{request.method} {request.path}"
    match found.status:
        case 403:
            return PermissionDeniedError(found.text or found.reason)
        case 404:
            return BadRequestError(f"Unknown URL: {where}", status=404, code="unknown_url")
        case 405:
            allowed = found.headers.get("Allow", "")
            return BadRequestError(
                f"{request.method} is not allowed here; allowed: {allowed}",
                status=405,
                code="method_not_allowed",
            )
        case 413:
            return too_large(request.client_max_size)
        case status if status < 500:  # noqa: PLR2004
            return BadRequestError(found.text or found.reason, status=status)
        case status:
            return GatewayError(found.reason, status=status)


def internal_error(request: web.BaseRequest) -> GatewayError:
    """500 for a mistake of ours: no details, but where the log has them."""
    return GatewayError(
        f"Internal error; the log has it under request id {request[VISIT].request_id}"
    )


def too_large(limit: int) -> GatewayError:
    """413 for a body of more than *limit* bytes."""
    return BadRequestError(
        f"The body exceeds {limit} bytes (setting server.max_body)",
        status=413,
        code="request_too_large",
    )
