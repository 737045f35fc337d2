"""Reading request bodies within their limits."""

from __future__ import annotations

import asyncio

import orjson
from aiohttp import web

from ..core.errors import BadRequestError
from ..keys import CURRENT
from .errors import too_large


async def read_json(request: web.Request) -> bytes:
    """The body of a JSON route, unparsed.

    415 for another content type (a form of another site could send one unasked), 413 for too large
    a body, 408 for one that does not come, 400 for one that is broken.
    """
    kind = request.headers.get("Content-Type", "")
    if kind != "application/json" and request.content_type != "application/json":
        raise BadRequestError(
            f"Content-Type must be application/json, not {kind!r}",
            status=415,
            code="unsupported_media_type",
        )
    length, limit = request.content_length or 0, request.client_max_size
    if length > limit:
        raise too_large(limit)
    try:
        if length and request.content.is_eof():
            # it came with the headers, as nearly always
            return request.content.read_nowait()
        async with asyncio.timeout(request.app[CURRENT].settings.server.body_timeout):
            return await request.read()
    except TimeoutError:
        seconds = request.app[CURRENT].settings.server.body_timeout
        raise BadRequestError(
            f"The body did not arrive within {seconds:g} s", status=408, code="request_timeout"
        ) from None
    except web.RequestPayloadError as error:
        what = str(error).rpartition("\n")[2].strip()
        raise BadRequestError(f"The body cannot be read: {what}") from None


def json_response(value: object, status: int = 200) -> web.Response:
    """*value* as a JSON body."""
    return web.Response(status=status, body=orjson.dumps(value), content_type="application/json")
