"""Errors a client may see: each has the status, type and code that the contract promises."""

from __future__ import annotations

import pytest

from g4f_aio.core import errors
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

TABLE: list[tuple[type[GatewayError], int, str, str | None]] = [
    (GatewayError, 500, "server_error", "internal_error"),
    (BadRequestError, 400, "invalid_request_error", None),
    (UnsupportedError, 400, "invalid_request_error", "unsupported_parameter"),
    (AuthenticationError, 401, "authentication_error", "invalid_api_key"),
    (PermissionDeniedError, 403, "permission_error", "insufficient_permissions"),
    (ModelNotFoundError, 404, "model_not_found", "model_not_found"),
    (ProviderNotFoundError, 404, "provider_not_found", "provider_not_found"),
    (RateLimitError, 429, "rate_limit_error", "rate_limit_exceeded"),
    (OverloadedError, 503, "server_error", "overloaded"),
    (UpstreamError, 502, "provider_error", "provider_not_working"),
    (UpstreamAuthError, 502, "provider_error", "provider_auth_failed"),
    (UpstreamTimeoutError, 504, "provider_error", "provider_timeout"),
]


def test_the_table_is_complete() -> None:
    defined = [value for value in vars(errors).values() if isinstance(value, type)]
    assert {kind for kind, *_ in TABLE} == {
        value for value in defined if issubclass(value, GatewayError)
    }


@pytest.mark.parametrize(("kind", "status", "type_", "code"), TABLE, ids=str)
def test_status_type_and_code(
    kind: type[GatewayError], status: int, type_: str, code: str | None
) -> None:
    error = kind("it went wrong")
    assert (error.status, error.type, error.code) == (status, type_, code)
    assert error.message == str(error) == "it went wrong"
    assert (error.param, error.retry_after, error.provider) == (None, None, None)


def test_what_is_known_better_goes_before_the_class() -> None:
    error = BadRequestError(
        "too long",
        status=422,
        type="odd_error",
        code="context_length_exceeded",
        param="messages",
        retry_after=1.5,
        provider="Groq",
    )
    assert (error.status, error.type, error.code) == (
        422,
        "odd_error",
        "context_length_exceeded",
    )
    assert (error.param, error.retry_after, error.provider) == ("messages", 1.5, "Groq")
    assert (BadRequestError.status, BadRequestError.code) == (400, None)


def test_the_next_provider_is_asked_after_failures_that_are_not_the_callers() -> None:
    falling = {kind for kind, *_ in TABLE if kind.fallback}
    assert falling == {
        RateLimitError,
        OverloadedError,
        UpstreamError,
        UpstreamAuthError,
        UpstreamTimeoutError,
    }


def test_clients_are_told_not_to_retry_what_cannot_work() -> None:
    hopeless = {kind for kind, *_ in TABLE if kind.should_retry is False}
    assert hopeless == {
        BadRequestError,
        UnsupportedError,
        AuthenticationError,
        PermissionDeniedError,
        ModelNotFoundError,
        ProviderNotFoundError,
        UpstreamAuthError,
    }
