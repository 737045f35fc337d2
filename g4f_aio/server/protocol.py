"""A connection: aiohttp's own, with a time limit for the first headers and errors in our shape."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Coroutine
from typing import Any

from aiohttp import web

from ..core.errors import BadRequestError, GatewayError
from ..core.outbox import Outbox
from .errors import dialect_of, error_response, from_http, put_id
from .middlewares import new_request_id
from .reply import Reply

_log = logging.getLogger(__name__)


class Connection(web.RequestHandler):
    """Closes connections that begin no request in time, *header_timeout* seconds.

    *outbox* is that of all connections, where what they write is to go out together.

    aiohttp itself only limits the time between requests, so that clients which send their headers
    a byte at a time would hold their connections.
    """

    __slots__ = ("_header_timeout", "_header_timer", "_outbox")

    def __init__(
        self, *args: Any, header_timeout: float, outbox: Outbox | None = None, **kwargs: Any
    ) -> None:
        super().__init__(*args, **kwargs)
        self._outbox = outbox
        self._header_timeout = header_timeout
        self._header_timer: asyncio.TimerHandle | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Start the clock."""
        if self._outbox is not None:
            transport = self._outbox.transport(transport)
        super().connection_made(transport)
        self._header_timer = self._loop.call_later(self._header_timeout, self._check)

    def connection_lost(self, exc: BaseException | None) -> None:
        """Stop it."""
        if self._header_timer is not None:
            self._header_timer.cancel()
        super().connection_lost(exc)

    def resume_reading(self, resume_parser: bool = True) -> None:  # noqa: FBT001, FBT002  (aiohttp's)
        """Go on reading where that was paused; aiohttp would also parse nothing once more each time."""
        if self._reading_paused:
            super().resume_reading(resume_parser)

    def handle_error(
        self,
        request: web.BaseRequest,
        status: int = 500,
        exc: BaseException | None = None,
        message: str | None = None,
    ) -> web.StreamResponse:
        """The answer to what is not HTTP, or to what the boundary could not catch."""
        if request.writer.output_size > 0:
            raise ConnectionError("the response has begun; there is no way to say it failed")
        if status < 500:  # noqa: PLR2004
            # anybody who can reach the port can cause these: no line in the log for each
            _log.debug("bad request: %s", message)
            what = (message or "").partition("\n")[0].strip(" :") or "this is not HTTP"
            error: GatewayError = BadRequestError(f"Bad HTTP request: {what}", status=status)
        else:
            _log.error("request failed", exc_info=exc)
            error = GatewayError("Internal error")
        response = _answer(request, error)
        response.force_close()
        return response

    def finish_response(
        self, request: web.BaseRequest, resp: web.StreamResponse, start_time: float | None
    ) -> Coroutine[Any, Any, tuple[web.StreamResponse, bool]]:
        """Send a response. aiohttp's own errors from before the boundary get our shape here."""
        if type(resp) is not Reply and isinstance(resp, web.HTTPException):
            resp = _answer(request, from_http(request, resp))
        return super().finish_response(request, resp, start_time)

    def log_exception(self, *args: Any, **kwargs: Any) -> None:
        """Log what escaped; a broken body is no mistake of ours, and was answered already."""
        if not isinstance(kwargs.get("exc_info"), web.RequestPayloadError):
            super().log_exception(*args, **kwargs)

    def _check(self) -> None:
        self._header_timer = None
        if self._request_count == 0:
            self.force_close()


def _answer(request: web.BaseRequest, error: GatewayError) -> web.Response:
    """As from the boundary, which such requests do not reach."""
    request_id = new_request_id()
    response = error_response(request, error, request_id)
    put_id(dialect_of(request, None), response.headers, request_id)
    response.headers["openai-processing-ms"] = "0"
    response.headers["x-content-type-options"] = "nosniff"
    response.headers["Server"] = "g4f_aio"
    return response
