"""Failures that may pass: another try of the same may help."""

from __future__ import annotations

from ..core.errors import (
    GatewayError,
    OverloadedError,
    RateLimitError,
    UpstreamAuthError,
    UpstreamError,
    UpstreamTimeoutError,
)

#: upstream's statuses after which another try may help
_STATUSES = frozenset((408, 500, 502, 503, 504, 529))


def may_pass(error: GatewayError) -> bool:
    """Whether another try of the same may help."""
    match error:
        case UpstreamTimeoutError(upstream_status=None) | UpstreamAuthError():
            return False
        case UpstreamError(code="fetch_failed"):
            # no fault of a provider: something that the request names by URL cannot be had
            return False
        case UpstreamError(upstream_status=status):
            return status is None or status in _STATUSES
        case RateLimitError():
            return error.retry_after is not None
        case OverloadedError():
            # ours, which names no provider, has stood in line already
            return error.provider is not None
        case _:
            return False
