"""The response that carries an answer, and the headers on every response."""

from __future__ import annotations

import time
from collections.abc import Mapping
from email.utils import formatdate
from functools import lru_cache

from aiohttp import HttpVersion11, hdrs, web
from aiohttp.abc import AbstractStreamWriter
from multidict import istr

from ..keys import CURRENT, VISIT
from .admission import quota_left
from .errors import dialect_of, put_id
from .headers import drop_quotas
from .metrics import COUNTERS

# interned: the case of a plain string is folded at each use
_PROCESSING = istr("openai-processing-ms")
_SNIFF = istr("x-content-type-options")


class Reply(web.StreamResponse):
    """A response with *body*, or a stream where that is None; both send their head with the first bytes.

    aiohttp's own responses look with every request for what these never have: cookies, compression,
    ranges, payloads, statuses without a body. And they give each chunk of a stream to the socket in
    three pieces, which are put together there once more.
    """

    def __init__(self, headers: Mapping[str, str], body: bytes | None = None) -> None:
        super().__init__(headers=headers)
        self._whole = body
        self._chunks = False
        self._lasts = False
        self._ended = False
        self._out: AbstractStreamWriter | None = None

    @property
    def prepared(self) -> bool:
        """Whether its head has been written."""
        return self._out is not None

    @property
    def keep_alive(self) -> bool | None:
        """Whether the connection outlasts it; not known before it is prepared."""
        return self._lasts if self._out is not None else super().keep_alive

    @property
    def body_length(self) -> int:
        """Bytes sent for it, its head among them."""
        return 0 if self._out is None else self._out.output_size

    async def prepare(self, request: web.BaseRequest) -> AbstractStreamWriter:
        """Write its head."""
        if self._out is not None:
            return self._out
        headers, version = self.headers, request.version
        modern = version >= HttpVersion11
        lasts = request.keep_alive and super().keep_alive is not False
        if self._whole is not None:
            headers[hdrs.CONTENT_LENGTH] = str(len(self._whole))
        elif modern:
            headers[hdrs.TRANSFER_ENCODING] = "chunked"
            self._chunks = True
        else:
            lasts = False  # the end of the connection is the end of the body
        headers[hdrs.DATE] = _date(int(time.time()))
        if lasts != modern:
            headers[hdrs.CONNECTION] = "keep-alive" if lasts else "close"
        self._lasts = lasts
        if isinstance(request, web.Request):
            for app in request.match_info.apps:
                if app.on_response_prepare:
                    await app.on_response_prepare.send(request, self)
        out = self._out = request.writer
        await out.write_headers(f"HTTP/{version.major}.{version.minor} 200 OK", headers)
        return out

    async def write(self, data: bytes | bytearray | memoryview) -> None:
        """Send bytes of a stream; waits while the client is slow. RuntimeError after its end."""
        out = self._out
        if out is None or self._ended:
            raise RuntimeError("it has not begun, or has ended")
        if data:
            await out.write(
                b"".join((b"%x\r\n" % len(data), data, b"\r\n")) if self._chunks else data
            )

    async def write_eof(self, data: bytes = b"") -> None:
        """Send the last bytes, which of one with a body are all of it."""
        if self._ended:
            return
        assert self._out is not None  # noqa: S101  (aiohttp prepares it first, and so do we)
        self._ended = True
        if self._whole is not None:
            data = self._whole
        elif self._chunks:
            data = b"%x\r\n%b\r\n0\r\n\r\n" % (len(data), data) if data else b"0\r\n\r\n"
        await self._out.write_eof(data)


@lru_cache(maxsize=1)
def _date(second: int) -> str:
    """A time as HTTP writes it."""
    return formatdate(second, usegmt=True)


async def put_headers(
    app: web.Application, request: web.Request, response: web.StreamResponse
) -> None:
    """The headers on every answer, before it is sent; and with that it is counted."""
    headers = response.headers
    visit = request[VISIT]
    put_id(dialect_of(request, visit), headers, visit.request_id)
    headers[_PROCESSING] = str(int((time.monotonic() - visit.received) * 1000))
    headers[_SNIFF] = "nosniff"
    headers[hdrs.SERVER] = "g4f_aio"
    if hdrs.ORIGIN in request.headers:
        headers[hdrs.VARY] = "Origin"  # another page may get another answer
    if visit.caller.limits is not None:
        own = await quota_left(app, visit.caller)
        if own:
            drop_quotas(headers)
        headers.update(own)
    if app[CURRENT].draining:
        response.force_close()
    app[COUNTERS].count(request, response)
