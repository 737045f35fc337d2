"""Errors as responses."""

from __future__ import annotations

import pytest
from aiohttp import web
from aiohttp.test_utils import make_mocked_request

from g4f_aio.core.errors import (
    AuthenticationError,
    BadRequestError,
    GatewayError,
    ModelNotFoundError,
    OverloadedError,
    PermissionDeniedError,
    ProviderNotFoundError,
    RateLimitError,
    UnsupportedError,
    UpstreamAuthError,
    UpstreamError,
    UpstreamTimeoutError,
)
from g4f_aio.server.errors import error_response, from_http
from tests.server.conftest import Start
from tests.server.fakes import STREAM, Script, entry

REQUEST = make_mocked_request("GET", "/some/path")
CLASSES = [
    GatewayError, BadRequestError, UnsupportedError, AuthenticationError, PermissionDeniedError,
    ModelNotFoundError, ProviderNotFoundError, RateLimitError, OverloadedError, UpstreamError,
    UpstreamAuthError, UpstreamTimeoutError,
]  # fmt: skip


@pytest.mark.parametrize("cls", CLASSES)
@pytest.mark.parametrize("body", [{}, STREAM], ids=["whole", "streamed"])
async def test_an_error_before_the_first_byte_is_an_answer_with_its_status(
    start: Start, cls: type[GatewayError], body: dict[str, object]
) -> None:
    error = cls("What happened", param="messages[0]", provider="script")
    server = await start(entry(Script(steps=(error,))))
    answer = await server.chat({**STREAM, "stream": bool(body)})
    assert answer.status == cls.status
    assert answer.headers["Content-Type"].startswith("application/json")
    assert answer.error() == {
        "message": "What happened",
        "type": cls.type,
        "param": "messages[0]",
        "code": cls.code,
    }
    assert answer.headers["x-provider"] == "script"
    told = answer.headers.get("x-should-retry")
    assert told == (None if cls.should_retry is None else str(cls.should_retry).lower())


@pytest.mark.parametrize(
    ("error", "seconds", "milliseconds"),
    [
        (RateLimitError("x"), "1", "1000"),
        (RateLimitError("x", retry_after=3), "3", "3000"),
        (RateLimitError("x", retry_after=0.25), "1", "250"),
        (RateLimitError("x", retry_after=1.0001), "2", "1001"),
        (RateLimitError("x", retry_after=0), "0", "0"),
        (OverloadedError("x"), "1", "1000"),
        (OverloadedError("x", retry_after=20), "20", "20000"),
        (UpstreamError("x", retry_after=2), "2", "2000"),
        (UpstreamError("x"), None, None),
        (BadRequestError("x"), None, None),
    ],
)
def test_when_to_try_again_is_said_in_seconds_and_milliseconds(
    error: GatewayError, seconds: str | None, milliseconds: str | None
) -> None:
    headers = error_response(REQUEST, error).headers
    assert headers.get("retry-after") == seconds
    assert headers.get("retry-after-ms") == milliseconds


@pytest.mark.parametrize("name", ["Größe", "a\r\nX-Evil: 1", "a\x00b", "a\u2028b", "a\x7f"])
def test_a_name_that_fits_in_no_header_is_left_out(name: str) -> None:
    assert "x-provider" not in error_response(REQUEST, UpstreamError("x", provider=name)).headers


@pytest.mark.parametrize(
    ("found", "status", "kind", "code"),
    [
        (web.HTTPNotFound(), 404, "invalid_request_error", "unknown_url"),
        (
            web.HTTPMethodNotAllowed("GET", ["POST"]),
            405,
            "invalid_request_error",
            "method_not_allowed",
        ),
        (web.HTTPRequestEntityTooLarge(1, 2), 413, "invalid_request_error", "request_too_large"),
        (web.HTTPForbidden(), 403, "permission_error", "insufficient_permissions"),
        (web.HTTPExpectationFailed(), 417, "invalid_request_error", None),
        (web.HTTPBadRequest(text="Wrong"), 400, "invalid_request_error", None),
        (web.HTTPServiceUnavailable(), 503, "server_error", "internal_error"),
    ],
)
def test_errors_of_aiohttp_get_our_words(
    found: web.HTTPException, status: int, kind: str, code: str | None
) -> None:
    error = from_http(REQUEST, found)
    assert (error.status, error.type, error.code) == (status, kind, code)
    assert error.message


def test_text_that_is_no_text_is_answered_all_the_same() -> None:
    """Half a character, say, from an upstream or from a header."""
    response = error_response(REQUEST, UpstreamError("it said \ud800"))
    assert response.status == 502
    assert isinstance(response.body, bytes)
