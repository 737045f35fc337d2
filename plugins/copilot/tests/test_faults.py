"""Statuses of the service as errors."""

from __future__ import annotations

import pytest
from g4f_aio_copilot.faults import REMEDY, Faults
from g4f_aio_copilot.session import Session

from g4f_aio import (
    AuthenticationError,
    GatewayError,
    RateLimitError,
    UpstreamAuthError,
    UpstreamError,
)


@pytest.mark.parametrize(
    ("status", "kind"),
    [
        (302, UpstreamAuthError),
        (401, UpstreamAuthError),
        (403, UpstreamAuthError),
        (429, RateLimitError),
        (460, UpstreamError),
        (500, UpstreamError),
    ],
)
def test_every_status_has_its_error(status: int, kind: type[GatewayError]) -> None:
    error = Faults("Copilot", Session()).of_status(status)
    assert type(error) is kind
    assert str(status) in error.message
    assert (REMEDY in error.message) is (kind is UpstreamAuthError)
    assert error.provider == "Copilot"
    if isinstance(error, UpstreamError):
        assert error.upstream_status == status


@pytest.mark.parametrize(("given", "seconds"), [("7", 7.0), ("soon", None), (None, None)])
def test_the_service_s_wish_to_wait_is_handed_on(given: str | None, seconds: float | None) -> None:
    headers = {} if given is None else {"Retry-After": given}
    assert Faults("Copilot", Session()).of_status(429, headers).retry_after == seconds


def test_whose_session_it_is_decides_who_is_refused() -> None:
    assert (
        type(Faults("Copilot", Session(), own_credential=True).of_status(401))
        is AuthenticationError
    )


def test_what_the_service_says_is_quoted_without_secrets() -> None:
    secret = "s3cret/value-0123"
    faults = Faults("Copilot", Session(secret, {"a": "c00kie-0123"}))
    for body, said in (
        (b'{"message": "no s3cret/value-0123 c00kie-0123"}', "no *** ***"),
        (b'{"message": "no s3cret\\/value-0123"}', "no ***"),
        (b"<p>no s3cret/value-0123</p>", "no ***"),
        (b"a" * 990 + secret.encode(), "a" * 478),
        (secret.encode() * 70, "***" * 70),
    ):
        error = faults.of_answer(500, {}, body)
        assert error.message == f"Copilot answered 500: {said}"


def test_a_refusal_is_not_quoted() -> None:
    error = Faults("Copilot", Session()).of_answer(403, {}, b"<html>Attention required")
    assert "Attention" not in error.message
    assert type(error) is UpstreamAuthError
