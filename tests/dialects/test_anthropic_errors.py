"""Errors in the words of the Messages API."""

from __future__ import annotations

import pytest

from g4f_aio.core.errors import (
    AuthenticationError,
    BadRequestError,
    GatewayError,
    ModelNotFoundError,
    OverloadedError,
    PermissionDeniedError,
    RateLimitError,
    UpstreamError,
    UpstreamTimeoutError,
)
from g4f_aio.dialects.anthropic_errors import error_object, status_of


@pytest.mark.parametrize(
    ("error", "kind", "status"),
    [
        (BadRequestError("x"), "invalid_request_error", 400),
        (BadRequestError("x", status=402), "billing_error", 402),
        (BadRequestError("x", status=409), "conflict_error", 409),
        (BadRequestError("x", status=413), "request_too_large", 413),
        (BadRequestError("x", status=422), "invalid_request_error", 422),
        (AuthenticationError("x"), "authentication_error", 401),
        (PermissionDeniedError("x"), "permission_error", 403),
        (ModelNotFoundError("x"), "not_found_error", 404),
        (RateLimitError("x"), "rate_limit_error", 429),
        (GatewayError("x"), "api_error", 500),
        (UpstreamError("x"), "api_error", 502),
        (OverloadedError("x"), "overloaded_error", 529),
        (UpstreamTimeoutError("x"), "timeout_error", 504),
    ],
)
def test_each_status_has_its_type(error: GatewayError, kind: str, status: int) -> None:
    assert error_object(error) == {
        "type": "error",
        "error": {"type": kind, "message": "x"},
        "request_id": None,
    }
    assert status_of(error) == status


def test_what_is_wrong_with_a_conversation_is_told_by_its_code() -> None:
    error = BadRequestError("x", status=404, code="thread_not_found")
    assert error_object(error)["error"] == {
        "type": "not_found_error",
        "message": "x",
        "details": {"error_code": "thread_not_found", "unsupported": ["thread"]},
    }


def test_an_error_that_is_answered_names_its_request() -> None:
    error = RateLimitError("x")
    error.request_id = "req_1"
    assert error_object(error)["request_id"] == "req_1"


@pytest.mark.parametrize(
    ("message", "told"),
    [
        ("up answered 400: too much", "prompt is too long: up answered 400: too much"),
        ("up answered 400: prompt is too long", "up answered 400: prompt is too long"),
    ],
)
def test_what_is_too_long_is_said_in_the_words_by_which_clients_know_it(
    message: str, told: str
) -> None:
    error = BadRequestError(message, code="context_length_exceeded")
    assert error_object(error)["error"]["message"] == told
