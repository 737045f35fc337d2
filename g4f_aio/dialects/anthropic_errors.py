"""Errors as the Messages API writes them.

https://platform.claude.com/docs/en/api/errors
"""

from __future__ import annotations

from typing import Any

from ..core.errors import GatewayError
from .json_text import dumps

#: what the dialect is called here
NAME = "anthropic-messages"
_TYPES = {
    401: "authentication_error",
    402: "billing_error",
    403: "permission_error",
    404: "not_found_error",
    409: "conflict_error",
    413: "request_too_large",
    429: "rate_limit_error",
    503: "overloaded_error",
    504: "timeout_error",
}
#: the API has a status of its own for who has too much to do
_STATUSES = {503: 529}
#: what is wrong with a conversation that the upstream keeps: clients go on by these codes
_THREAD = "thread_"
#: by these words clients know that they have to shorten a conversation
_TOO_LONG = "prompt is too long"


class AnthropicErrors:
    """What of the dialect an error needs that comes before the rest of it is loaded."""

    name = NAME

    def encode_error(self, error: GatewayError) -> bytes:
        """``{"type": "error", "error": {"type", "message"}, "request_id"}``."""
        return dumps(error_object(error))

    def status(self, error: GatewayError) -> int:
        """The API has a status of its own for who has too much to do."""
        return status_of(error)


ANTHROPIC_ERRORS = AnthropicErrors()


def status_of(error: GatewayError) -> int:
    """The HTTP status of an error."""
    return _STATUSES.get(error.status, error.status)


def error_object(error: GatewayError) -> dict[str, Any]:
    """An error as the body of a response, or as an event of a stream."""
    usual = "api_error" if error.status >= 500 else "invalid_request_error"  # noqa: PLR2004
    message = error.message
    if error.code == "context_length_exceeded" and _TOO_LONG not in message:
        message = f"{_TOO_LONG}: {message}"
    said: dict[str, Any] = {"type": _TYPES.get(error.status, usual), "message": message}
    if error.code is not None and error.code.startswith(_THREAD):
        said["details"] = {"error_code": error.code, "unsupported": ["thread"]}
    return {"type": "error", "error": said, "request_id": error.request_id}
