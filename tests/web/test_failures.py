"""A search that fails is told apart from a provider that does."""

from __future__ import annotations

import pytest

from g4f_aio.core.errors import UpstreamError
from g4f_aio.web.failures import failed, late


@pytest.mark.parametrize(
    ("error", "status", "code", "message"),
    [
        (failed("X", "broke"), 502, "search_failed", "The web search failed: X broke"),
        (
            late("X", 1.5),
            504,
            "search_timeout",
            "The web search failed: X found nothing within 1.5 s",
        ),
    ],
)
def test_it_names_the_search_and_no_provider(
    error: UpstreamError, status: int, code: str, message: str
) -> None:
    assert (error.status, error.code, error.message) == (status, code, message)
    assert (error.type, error.param, error.provider) == ("provider_error", "web_search", None)
