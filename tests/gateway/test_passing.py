"""Which failures may pass. That they are acted on is in ``test_answering``."""

from __future__ import annotations

import pytest

from g4f_aio import BadRequestError, GatewayError, RateLimitError, UpstreamError
from g4f_aio.gateway.passing import may_pass


@pytest.mark.parametrize(
    ("error", "passes"),
    [
        (UpstreamError("hung up"), True),
        (UpstreamError("a picture", code="fetch_failed"), False),
        (RateLimitError("full", retry_after=1.0), True),
        (RateLimitError("full"), False),
        (BadRequestError("no"), False),
    ],
)
def test_another_try_may_help_or_not(error: GatewayError, *, passes: bool) -> None:
    assert may_pass(error) is passes
