"""How a search fails."""

from __future__ import annotations

from ..core.errors import UpstreamError, UpstreamTimeoutError


def failed(engine: str, what: str) -> UpstreamError:
    """502 for a search engine that does not work; *what* goes on from its name."""
    return UpstreamError(
        f"The web search failed: {engine} {what}", code="search_failed", param="web_search"
    )


def late(engine: str, seconds: float) -> UpstreamTimeoutError:
    """504 for one that takes too long."""
    return UpstreamTimeoutError(
        f"The web search failed: {engine} found nothing within {seconds:g} s",
        code="search_timeout",
        param="web_search",
    )
