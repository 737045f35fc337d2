"""Errors a client may see. Status and OpenAI's ``type`` and ``code`` are on the class.

- GatewayError 500 server_error
  - BadRequestError 400 invalid_request_error
    - UnsupportedError 400, code unsupported_parameter
  - AuthenticationError 401 authentication_error
  - PermissionDeniedError 403 permission_error
  - ModelNotFoundError 404 model_not_found
  - ProviderNotFoundError 404 provider_not_found
  - RateLimitError 429 rate_limit_error
  - OverloadedError 503 server_error
  - UpstreamError 502 provider_error
    - UpstreamAuthError 502 provider_error, code provider_auth_failed
    - UpstreamTimeoutError 504 provider_error, code provider_timeout

A subclass exists only where somebody acts on it: a status, a fall-back, a header. Anything that is
not a GatewayError is a bug of this program: logged with its traceback, answered 500 without details.
"""

from __future__ import annotations

from typing import ClassVar


class GatewayError(Exception):
    """An error with a status and the four fields of OpenAI's error object.

    *param* is the JSON path of the field at fault. *retry_after* is in seconds. *provider* names the
    provider the error comes from. *should_retry* False tells SDKs that another try cannot help.
    *request_id* is set where the error is answered, for the formats that have it in their bodies.
    """

    status: int = 500
    type: str = "server_error"
    code: str | None = "internal_error"
    should_retry: bool | None = None
    request_id: str | None = None
    #: whether the gateway may ask the next candidate after this error
    fallback: ClassVar[bool] = False

    def __init__(
        self,
        message: str,
        *,
        status: int | None = None,
        type: str | None = None,  # noqa: A002  (the wire's name for it)
        code: str | None = None,
        param: str | None = None,
        retry_after: float | None = None,
        provider: str | None = None,
    ) -> None:
        super().__init__(message)
        self.message = message
        self.param = param
        self.retry_after = retry_after
        self.provider = provider
        if status is not None:
            self.status = status
        if type is not None:
            self.type = type
        if code is not None:
            self.code = code


class BadRequestError(GatewayError):
    """The request itself is wrong; also any other 400-class answer about the request."""

    status = 400
    type = "invalid_request_error"
    code: str | None = None
    should_retry = False


class UnsupportedError(BadRequestError):
    """The request asks for something that nobody here can supply."""

    code = "unsupported_parameter"


class AuthenticationError(GatewayError):
    """No key, or a wrong one."""

    status = 401
    type = "authentication_error"
    code = "invalid_api_key"
    should_retry = False


class PermissionDeniedError(GatewayError):
    """A good key that may not do this."""

    status = 403
    type = "permission_error"
    code = "insufficient_permissions"
    should_retry = False


class ModelNotFoundError(GatewayError):
    """No provider has a model of that name."""

    status = 404
    type = "model_not_found"
    code = "model_not_found"
    should_retry = False


class ProviderNotFoundError(GatewayError):
    """No provider of that name."""

    status = 404
    type = "provider_not_found"
    code = "provider_not_found"
    should_retry = False


class RateLimitError(GatewayError):
    """Too many requests: the caller's own quota, or the upstream's."""

    status = 429
    type = "rate_limit_error"
    code = "rate_limit_exceeded"
    fallback = True


class OverloadedError(GatewayError):
    """Nobody can take the request now, but perhaps soon."""

    status = 503
    type = "server_error"
    code = "overloaded"
    fallback = True


class UpstreamError(GatewayError):
    """The upstream failed. *upstream_status* is its own HTTP status where it gave one.

    *unreachable*: there was no connection to it, so nothing of it can be reached.
    """

    status = 502
    type = "provider_error"
    code = "provider_not_working"
    fallback = True
    upstream_status: int | None = None
    unreachable: bool = False


class UpstreamAuthError(UpstreamError):
    """The upstream refused the credential this server holds."""

    code = "provider_auth_failed"
    should_retry = False


class UpstreamTimeoutError(UpstreamError):
    """The upstream did not answer in time."""

    status = 504
    code = "provider_timeout"
