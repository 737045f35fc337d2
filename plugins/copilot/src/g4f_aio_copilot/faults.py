"""What goes wrong with the service, as the errors that a client sees. None quotes a secret."""

from __future__ import annotations

from collections.abc import Mapping

import attrs

from g4f_aio import (
    AuthenticationError,
    GatewayError,
    RateLimitError,
    UpstreamAuthError,
    UpstreamError,
    UpstreamTimeoutError,
)
from g4f_aio.core.upstream_errors import error_of

from .session import Session

#: what the user can do when the service does not let him in
REMEDY = "Sign in to Copilot in your browser and export the session anew."
#: the service's own words are quoted up to this many characters
QUOTE = 500
_REDIRECTS = range(300, 400)
_TOO_MANY = 429


@attrs.frozen
class Faults:
    """Makes the errors of one call. *own_credential*: the caller brought the session."""

    provider: str
    session: Session
    own_credential: bool = False

    def quote(self, text: str) -> str:
        """Words of the service, fit for a message."""
        return self.session.mask(text)[:QUOTE]

    def failed(self, what: str) -> UpstreamError:
        """The service did not do its part."""
        return UpstreamError(f"{self.provider} {what}", provider=self.provider)

    def late(self, what: str) -> UpstreamTimeoutError:
        """The service took too long."""
        return UpstreamTimeoutError(f"{self.provider} {what}", provider=self.provider)

    def refused(self, what: str) -> GatewayError:
        """The service wants another session, or a person at a browser."""
        message = f"{self.provider} {what}. {REMEDY}"
        if self.own_credential:
            return AuthenticationError(message, provider=self.provider)
        return UpstreamAuthError(message, provider=self.provider)

    def of_answer(self, status: int, headers: Mapping[str, str], body: bytes) -> GatewayError:
        """As ``of_status``, with what the service says about it."""
        if status in (401, 403) or status in _REDIRECTS:
            return self.of_status(status)
        # before it is shortened, lest half a secret is left, and after, because JSON may hide one
        masked = self.session.mask(body.decode("utf-8", "replace")).encode()
        error = error_of(
            status, headers, masked, provider=self.provider, own_credential=self.own_credential
        )
        error.message = self.quote(error.message)
        return error

    def of_status(self, status: int, headers: Mapping[str, str] | None = None) -> GatewayError:
        """The service answered with another status than it should have."""
        error: GatewayError
        if status in (401, 403):
            error = self.refused(f"answered {status}, so it does not take the session")
        elif status in _REDIRECTS:
            # following it could take the session to another place
            error = self.refused(f"answered {status}, which leads elsewhere, perhaps to a sign-in")
        elif status == _TOO_MANY:
            wait = (headers or {}).get("Retry-After", "")
            error = RateLimitError(
                f"{self.provider} answered {status}: too many requests",
                retry_after=float(wait) if wait.isdecimal() else None,
                provider=self.provider,
            )
        else:
            error = self.failed(f"answered {status}")
        if isinstance(error, UpstreamError):
            error.upstream_status = status
        return error
