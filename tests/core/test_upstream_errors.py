"""What an upstream's failure means to our client."""

from __future__ import annotations

import email.utils
import time

import orjson
import pytest
from multidict import CIMultiDict

from g4f_aio import (
    AuthenticationError,
    BadRequestError,
    GatewayError,
    OverloadedError,
    RateLimitError,
    UpstreamAuthError,
    UpstreamError,
    UpstreamTimeoutError,
)
from g4f_aio.core.upstream_errors import MESSAGE_LIMIT, error_in_answer, error_of, retry_after


def body(message: str = "it went wrong", **fields: object) -> bytes:
    """An error as OpenAI writes it."""
    return orjson.dumps({"error": {"message": message, "type": "t", **fields}})


def error(status: int, data: bytes = b"", **headers: str) -> GatewayError:
    """The error for an answer, with its headers in any case of letters."""
    found = CIMultiDict({name.replace("_", "-"): value for name, value in headers.items()})
    return error_of(status, found, data, provider="acme")


@pytest.mark.parametrize(
    ("status", "kind", "ours", "code", "fallback"),
    [
        (301, UpstreamError, 502, "provider_not_working", True),
        (400, BadRequestError, 400, None, False),
        (401, UpstreamAuthError, 502, "provider_auth_failed", True),
        (402, UpstreamAuthError, 502, "provider_auth_failed", True),
        (403, UpstreamAuthError, 502, "provider_auth_failed", True),
        (404, BadRequestError, 404, None, False),
        (408, UpstreamTimeoutError, 504, "provider_timeout", True),
        (504, UpstreamTimeoutError, 504, "provider_timeout", True),
        (409, BadRequestError, 409, None, False),
        (413, BadRequestError, 413, None, False),
        (422, BadRequestError, 422, None, False),
        (429, RateLimitError, 429, "rate_limit_exceeded", True),
        (500, UpstreamError, 502, "provider_not_working", True),
        (503, UpstreamError, 502, "provider_not_working", True),
        (529, OverloadedError, 503, "overloaded", True),
    ],
)
def test_every_status_has_its_meaning(
    status: int, kind: type[GatewayError], ours: int, code: str | None, *, fallback: bool
) -> None:
    found = error(status, body())
    assert type(found) is kind
    assert (found.status, found.code, found.fallback) == (ours, code, fallback)
    assert found.provider == "acme"
    if isinstance(found, UpstreamError):
        assert found.upstream_status == status


def test_an_answer_about_the_request_keeps_its_fields() -> None:
    found = error(400, body("too long", code="context_length_exceeded", param="messages"))
    assert found.message == "acme answered 400: too long"
    assert (found.type, found.code, found.param) == ("t", "context_length_exceeded", "messages")
    assert found.should_retry is False


def test_a_refused_key_of_the_callers_is_his_401() -> None:
    found = error_of(
        403, {}, body("no"), provider="acme", credential="sk-mine", own_credential=True
    )
    assert isinstance(found, AuthenticationError)
    assert (found.status, found.code) == (401, "invalid_api_key")


@pytest.mark.parametrize("status", [400, 401, 429, 500])
def test_a_credential_in_the_message_is_masked(status: int) -> None:
    found = error_of(status, {}, body("key sk-123 is bad"), provider="acme", credential="sk-123")
    assert found.message == f"acme answered {status}: key *** is bad"


@pytest.mark.parametrize(
    ("data", "said"),
    [
        (b'{"error": {"message": "plain"}}', "plain"),
        (b'{"error": "a string"}', "a string"),
        (b'{"detail": "of FastAPI"}', "of FastAPI"),
        (b'{"detail": [{"loc": ["body"]}]}', '[{"loc":["body"]}]'),
        (b'{"message": "at the top", "type": "x"}', "at the top"),
        (b'{"error": {"code": 5}, "message": "beside it"}', "beside it"),
        (b'[{"error": {"message": "of Google"}}]', "of Google"),
        (b'{"error": {"message": {"nested": 1}}}', '{"nested":1}'),
        (b'{"error": {"message": ""}}', '{"error": {"message": ""}}'),
        (b"[]", "[]"),
        (b"null", "null"),
        (b"<html><style>p{}</style><h1>Bad\n gateway</h1></html>", "Bad gateway"),
        (b"just text", "just text"),
        (b"\xff\xfe", "\ufffd\ufffd"),
        (b"", "status 500"),
    ],
)
def test_what_it_said_is_found_in_every_usual_shape(data: bytes, said: str) -> None:
    assert error(500, data).message == f"acme answered 500: {said}"


def test_codes_that_are_numbers_become_text() -> None:
    assert error(400, body(code=1234)).code == "1234"


def test_a_long_message_is_cut() -> None:
    found = error(500, body("x" * 5000))
    assert len(found.message) < MESSAGE_LIMIT + 50


def test_a_huge_page_is_not_searched_for_ever() -> None:
    begin = time.thread_time()
    error(500, b"<script" * 1_000_000)
    assert time.thread_time() - begin < 1


def test_a_404_that_is_no_json_is_a_wrong_address() -> None:
    found = error(404, b"<h1>Not Found</h1>")
    assert type(found) is UpstreamError
    assert found.message == "acme answered 404: Not Found (is its base_url right?)"


def test_a_redirect_is_not_followed_but_told() -> None:
    found = error(307, b"", Location="https://api.acme.example/v2")
    assert found.message == "acme redirects to https://api.acme.example/v2: set its base_url"


@pytest.mark.parametrize(
    ("kind", "message", "code"),
    [
        ("not_found_error", "model: claude-9", "model_not_found"),
        ("not_found_error", "file: file_1", None),
        ("request_too_large", "Request exceeds the maximum size", "request_too_large"),
        (
            "invalid_request_error",
            "prompt is too long: 208310 tokens > 200000 maximum",
            "context_length_exceeded",
        ),
        (
            "invalid_request_error",
            "input length and `max_tokens` exceed context limit: 188240 + 21333 > 200000",
            "context_length_exceeded",
        ),
        ("invalid_request_error", "max_tokens: Field required", None),
        (None, "prompt is too long", None),
    ],
)
def test_errors_with_a_type_and_no_code_get_openais(
    kind: str | None, message: str, code: str | None
) -> None:
    assert error(400, body(message, type=kind)).code == code


def test_a_code_of_the_upstreams_own_stays() -> None:
    found = error(400, body("model: x", type="not_found_error", code="own"))
    assert found.code == "own"


def test_anthropics_codes_are_among_the_details() -> None:
    lost = body("gone", type="not_found_error", details={"error_code": "thread_not_found"})
    assert error(404, lost).code == "thread_not_found"
    assert error(404, body("gone", code="own", details={"error_code": "other"})).code == "own"
    assert error(404, body("gone", details=None)).code is None


@pytest.mark.parametrize("status", [429, 503, 529])
def test_the_hint_when_to_come_back_is_passed_on(status: int) -> None:
    assert error(status, body(), Retry_After="7").retry_after == 7


@pytest.mark.parametrize(
    ("headers", "seconds"),
    [
        ({}, None),
        ({"retry-after": "3"}, 3.0),
        ({"retry-after": "0.5"}, 0.5),
        ({"retry-after": "-3"}, 0.0),
        ({"retry-after-ms": "250"}, 0.25),
        ({"retry-after-ms": "250", "retry-after": "1"}, 0.25),
        ({"retry-after-ms": "soon", "retry-after": "1"}, 1.0),
        ({"retry-after": "soon"}, None),
        ({"retry-after": "inf"}, None),
        ({"retry-after": "nan"}, None),
        ({"retry-after": "Wed, 21 Oct 2015 07:28:00 GMT"}, 0.0),
    ],
)
def test_when_to_come_back(headers: dict[str, str], seconds: float | None) -> None:
    assert retry_after(headers) == seconds


def test_when_to_come_back_as_a_date() -> None:
    date = email.utils.formatdate(time.time() + 60, usegmt=True)
    assert retry_after({"retry-after": date}) == pytest.approx(60, abs=3)


@pytest.mark.parametrize(
    ("detail", "kind", "message"),
    [
        ({"message": "broke", "type": "server_error"}, UpstreamError, "acme failed: broke"),
        ({"message": "slow", "code": "rate_limit_exceeded"}, RateLimitError, "acme failed: slow"),
        ({"message": "slow", "code": 429}, RateLimitError, "acme failed: slow"),
        ({"message": "slow", "type": "rate_limit_error"}, RateLimitError, "acme failed: slow"),
        ({"message": "busy", "type": "overloaded_error"}, OverloadedError, "acme failed: busy"),
        ({"message": "late", "type": "timeout_error"}, UpstreamTimeoutError, "acme failed: late"),
        ("a string", UpstreamError, "acme failed: a string"),
        ({}, UpstreamError, "acme failed: it sent an error without a message"),
        (True, UpstreamError, "acme failed: true"),
    ],
)
def test_an_error_inside_a_success(detail: object, kind: type[GatewayError], message: str) -> None:
    found = error_in_answer(detail, provider="acme")
    assert type(found) is kind
    assert found.message == message
    assert found.provider == "acme"


def test_a_credential_in_it_is_masked() -> None:
    found = error_in_answer({"message": "bad sk-123"}, provider="acme", credential="sk-123")
    assert found.message == "acme failed: bad ***"
