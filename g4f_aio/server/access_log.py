"""The access log: one line for each request."""

from __future__ import annotations

from aiohttp import web
from aiohttp.abc import AbstractAccessLogger


class AccessLog(AbstractAccessLogger):
    """Who asked for what, and what became of it.

    The query of a URL is left out: some clients put their key there.
    """

    def log(self, request: web.BaseRequest, response: web.StreamResponse, time: float) -> None:
        """Log a request that took *time* seconds."""
        self.logger.info(
            "%s %s %s: %d, %d bytes, %.3f s",
            request.remote,
            request.method,
            request.path,
            response.status,
            response.body_length,
            time,
        )
