"""A connection: aiohttp's own, with a time limit for the first headers and errors in our shape."""

from __future__ import annotations

import asyncio
import logging
from typing import Any

from aiohttp import web

from ..core.errors import BadRequestError, GatewayError
from .errors import error_response

_log = logging.getLogger(__name__)


class Connection(web.RequestHandler):
    """Closes connections that begin no request in time, *header_timeout* seconds.

    aiohttp itself only limits the time between requests, so that clients which send their headers
    a byte at a time would hold their connections.
    """

    __slots__ = ("_header_timeout", "_header_timer")

    def __init__(self, *args: Any, header_timeout: float, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._header_timeout = header_timeout
        self._header_timer: asyncio.TimerHandle | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Start the clock."""
        super().connection_made(transport)
        self._header_timer = self._loop.call_later(self._header_timeout, self._check)

    def connection_lost(self, exc: BaseException | None) -> None:
        """Stop it."""
        if self._header_timer is not None:
            self._header_timer.cancel()
        super().connection_lost(exc)

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
            what = (message or "").partition("\n")[0].strip() or "not a valid HTTP request"
            error: GatewayError = BadRequestError(f"Bad HTTP request: {what}", status=status)
        else:
            _log.error("request failed", exc_info=exc)
            error = GatewayError("Internal error")
        response = error_response(request, error)
        response.force_close()
        return response

    def _check(self) -> None:
        self._header_timer = None
        if self._request_count == 0:
            self.force_close()
