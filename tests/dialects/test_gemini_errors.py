"""What Google's errors mean to our client."""

from __future__ import annotations

import orjson
import pytest

from g4f_aio.core.errors import (
    AuthenticationError,
    BadRequestError,
    GatewayError,
    ModelNotFoundError,
    RateLimitError,
    UpstreamAuthError,
    UpstreamError,
    UpstreamTimeoutError,
)
from g4f_aio.dialects.gemini_errors import answered, in_answer


def body(code: int, status: str, message: str = "it went wrong", *details: object) -> bytes:
    return orjson.dumps(
        {"error": {"code": code, "message": message, "status": status, "details": details}}
    )


def error(code: int, status: str, message: str = "it went wrong", *details: object) -> GatewayError:
    return answered(code, {}, body(code, status, message, *details), provider="acme")


@pytest.mark.parametrize(
    ("code", "status", "kind", "ours"),
    [
        (400, "INVALID_ARGUMENT", BadRequestError, (400, "INVALID_ARGUMENT", False)),
        (400, "FAILED_PRECONDITION", UpstreamError, (502, "provider_not_working", True)),
        (401, "UNAUTHENTICATED", UpstreamAuthError, (502, "provider_auth_failed", True)),
        (403, "PERMISSION_DENIED", UpstreamAuthError, (502, "provider_auth_failed", True)),
        (404, "NOT_FOUND", ModelNotFoundError, (404, "model_not_found", False)),
        (429, "RESOURCE_EXHAUSTED", RateLimitError, (429, "rate_limit_exceeded", True)),
        (499, "CANCELLED", BadRequestError, (499, "CANCELLED", False)),
        (500, "INTERNAL", UpstreamError, (502, "provider_not_working", True)),
        (503, "UNAVAILABLE", UpstreamError, (502, "provider_not_working", True)),
        (504, "DEADLINE_EXCEEDED", UpstreamTimeoutError, (504, "provider_timeout", True)),
    ],
)
def test_a_status(
    code: int,
    status: str,
    kind: type[GatewayError],
    ours: tuple[int, str, bool],
) -> None:
    found = error(code, status)
    assert type(found) is kind
    assert (found.status, found.code, found.fallback) == ours
    assert found.message == f"acme answered {code}: it went wrong"
    assert found.provider == "acme"
    if isinstance(found, UpstreamError):
        assert found.upstream_status == code


@pytest.mark.parametrize("reason", ["API_KEY_INVALID", "API_KEY_EXPIRED"])
def test_a_refused_key_is_not_the_request_s_fault(reason: str) -> None:
    detail = {"@type": "type.googleapis.com/google.rpc.ErrorInfo", "reason": reason}
    found = error(400, "INVALID_ARGUMENT", "API key not valid.", detail)
    assert isinstance(found, UpstreamAuthError)
    assert found.upstream_status == 400
    own = answered(
        400,
        {},
        body(400, "INVALID_ARGUMENT", "API key not valid.", detail),
        provider="acme",
        own_credential=True,
    )
    assert isinstance(own, AuthenticationError)
    assert own.status == 401


def test_too_many_tokens_have_the_code_that_clients_know() -> None:
    said = "The input token count (2) exceeds the maximum number of tokens allowed (1)."
    assert error(400, "INVALID_ARGUMENT", said).code == "context_length_exceeded"


@pytest.mark.parametrize(
    ("delay", "seconds"),
    [("7s", 7.0), ("0.25s", 0.25), ("7", None), ("x", None), (None, None), (7, None)],
)
def test_when_to_come_back(delay: object, seconds: float | None) -> None:
    details = ("x", {"@type": "type.googleapis.com/google.rpc.RetryInfo", "retryDelay": delay})
    for code, status in ((429, "RESOURCE_EXHAUSTED"), (503, "UNAVAILABLE")):
        assert error(code, status, "later", *details).retry_after == seconds


def test_a_header_says_it_where_the_error_does_not() -> None:
    found = answered(429, {"retry-after": "3"}, body(429, "RESOURCE_EXHAUSTED"), provider="acme")
    assert found.retry_after == 3.0


def test_a_wrong_request_is_not_tried_again_whatever_is_said() -> None:
    assert error(400, "INVALID_ARGUMENT", "no", {"retryDelay": "7s"}).retry_after is None


def test_the_credential_is_not_quoted() -> None:
    data = body(403, "PERMISSION_DENIED", "The key secret-5310 may not")
    found = answered(403, {}, data, provider="acme", credential="secret-5310")
    assert found.message == "acme answered 403: The key *** may not"


@pytest.mark.parametrize(
    "data",
    [b"", b"<h1>Oh</h1>", b"[]", b"{}", b'{"error": 1}', b'{"error": {"details": 1}}', b"null"],
)
def test_what_is_no_error_object_still_is_an_error(data: bytes) -> None:
    found = answered(500, {}, data, provider="acme")
    assert type(found) is UpstreamError
    assert found.upstream_status == 500


def test_a_page_in_the_place_of_the_api_points_to_the_address() -> None:
    found = answered(404, {}, b"<h1>Not Found</h1>", provider="acme")
    assert type(found) is UpstreamError
    assert "base_url" in found.message


def test_an_error_in_an_array_is_one() -> None:
    data = b"[" + body(429, "RESOURCE_EXHAUSTED", "no", {"retryDelay": "2s"}) + b"]"
    assert answered(429, {}, data, provider="acme").retry_after == 2.0


@pytest.mark.parametrize(
    ("detail", "kind"),
    [
        ({"code": 429, "message": "no", "status": "RESOURCE_EXHAUSTED"}, RateLimitError),
        ({"code": 400, "message": "no", "status": "INVALID_ARGUMENT"}, BadRequestError),
        ({"code": 0, "message": "no"}, UpstreamError),
        ({"message": "no"}, UpstreamError),
        ("no", UpstreamError),
        (True, UpstreamError),
    ],
)
def test_an_error_inside_an_answer(detail: object, kind: type[GatewayError]) -> None:
    found = in_answer(detail, provider="acme")
    assert type(found) is kind
    assert found.provider == "acme"
