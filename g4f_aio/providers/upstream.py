"""The thin client through which every provider calls its upstream.

One ``aiohttp.ClientSession`` for the whole process: no cookies, no redirects (they could carry a
credential to another host), no proxies from the environment, no connection limit of its own.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Mapping
from ipaddress import ip_address
from types import TracebackType
from typing import Any

import aiohttp
import attrs
import orjson
from aiohttp.http import HttpProcessingError
from yarl import URL

from ..core.deadline import Deadline
from ..core.errors import UpstreamError, UpstreamTimeoutError
from ..dialects.sse import FrameSplitter

#: the largest body that is read in one piece
BODY_LIMIT = 64 * 2**20
#: seconds for an upstream to end its body after the last it had to say
LINGER = 0.5
_JSON = {"Content-Type": "application/json"}
#: what a connection that breaks or makes no sense shows up as
_HUNG_UP = (aiohttp.ClientError, ConnectionError, HttpProcessingError)


def create_session(connect: float = 5.0, keep_alive: float = 60.0) -> aiohttp.ClientSession:
    """The session for all calls; *keep_alive* is how many seconds an idle connection is kept.

    *connect* bounds a connection in seconds for who says nothing else; each ``Client`` does.
    """
    return aiohttp.ClientSession(
        connector=aiohttp.TCPConnector(limit=0, keepalive_timeout=keep_alive),
        cookie_jar=aiohttp.DummyCookieJar(),
        timeout=aiohttp.ClientTimeout(total=None, connect=connect),
        skip_auto_headers={"User-Agent", "Accept", "Accept-Encoding"},
        read_bufsize=2**18,
        trust_env=False,
    )


@attrs.frozen
class Client:
    """The way out for one call of one provider (``core.provider.HttpClient``).

    *connect_timeout* bounds, in seconds, the time for a connection (name, TCP and TLS),
    *headers_timeout* the time from the call to the answer's status; *max_event* is in bytes.
    """

    session: aiohttp.ClientSession
    provider: str
    connect_timeout: float
    headers_timeout: float
    max_event: int
    proxy: str | None = attrs.field(default=None, repr=False)

    def request(
        self,
        method: str,
        url: str,
        *,
        headers: Mapping[str, str] | None = None,
        json: object = None,
        data: bytes | None = None,
    ) -> Exchange:
        """A request, sent when its context is entered."""
        if json is not None:
            data = orjson.dumps(json)
            headers = _JSON if headers is None else {**_JSON, **headers}
        return Exchange(self, method, url, headers, data)

    def get(self, url: str, *, headers: Mapping[str, str] | None = None) -> Exchange:
        """``request("GET", …)``."""
        return self.request("GET", url, headers=headers)

    def post(
        self,
        url: str,
        *,
        headers: Mapping[str, str] | None = None,
        json: object = None,
        data: bytes | None = None,
    ) -> Exchange:
        """``request("POST", …)``."""
        return self.request("POST", url, headers=headers, json=json, data=data)


class Exchange:
    """A request and its answer, as an asynchronous context."""

    def __init__(
        self,
        client: Client,
        method: str,
        url: str,
        headers: Mapping[str, str] | None,
        data: bytes | None,
    ) -> None:
        self._client = client
        self._method = method
        self._url = url
        self._headers = headers
        self._data = data
        self._response: aiohttp.ClientResponse | None = None

    async def __aenter__(self) -> Response:
        client = self._client
        name = client.provider
        deadline = Deadline()
        deadline.set(deadline.now() + client.headers_timeout)
        try:
            self._response = await client.session.request(
                self._method,
                self._url,
                headers=self._headers,
                data=self._data,
                timeout=aiohttp.ClientTimeout(total=None, connect=client.connect_timeout),
                proxy=None if client.proxy is None or _is_local(self._url) else client.proxy,
                allow_redirects=False,
            )
        except asyncio.CancelledError:
            if not deadline.passed():
                raise
            raise UpstreamTimeoutError(
                f"{name} did not begin to answer within {client.headers_timeout:g} s", provider=name
            ) from None
        except aiohttp.ConnectionTimeoutError:
            raise UpstreamTimeoutError(
                f"{name}: no connection within {client.connect_timeout:g} s", provider=name
            ) from None
        except aiohttp.ClientConnectorError as error:
            where = URL(self._url).origin()
            raise UpstreamError(
                f"{name}: cannot connect to {where}: {error.strerror or error.os_error}",
                provider=name,
            ) from None
        except _HUNG_UP as error:
            raise UpstreamError(
                f"{name} hung up before it answered ({type(error).__name__})", provider=name
            ) from None
        finally:
            deadline.close()
        return Response(self._response, client)

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        # before the body's end this closes the connection; after it the connection is back in the pool
        if self._response is not None:
            self._response.close()


class Response:
    """An upstream's answer (``core.provider.UpstreamResponse``)."""

    def __init__(self, response: aiohttp.ClientResponse, client: Client) -> None:
        self._response = response
        self._client = client
        self.status = response.status
        self.headers: Mapping[str, str] = response.headers

    async def read(self) -> bytes:
        """The whole body, up to ``BODY_LIMIT`` bytes."""
        pieces = []
        size = 0
        async for piece in self.chunks():
            pieces.append(piece)
            size += len(piece)
            if size > BODY_LIMIT:
                raise self._failed(f"sent more than {BODY_LIMIT} bytes")
        return pieces[0] if len(pieces) == 1 else b"".join(pieces)

    async def json(self) -> Any:
        """The whole body as JSON."""
        try:
            return orjson.loads(await self.read())
        except orjson.JSONDecodeError:
            raise self._failed("sent malformed JSON") from None

    async def chunks(self) -> AsyncIterator[bytes]:
        """The body as it arrives."""
        content = self._response.content
        try:
            while data := await content.readany():
                yield data
        except _HUNG_UP:
            raise self._failed("hung up in the middle of its answer") from None

    async def lines(self) -> AsyncIterator[bytes]:
        """The body by lines, without their ends."""
        rest = b""
        async for data in self.chunks():
            *lines, rest = (rest + data).split(b"\n")
            if len(rest) > self._client.max_event:
                raise self._failed(f"sent a line of more than {self._client.max_event} bytes")
            for line in lines:
                yield line.removesuffix(b"\r")
        if rest:
            yield rest

    async def frames(self) -> AsyncIterator[bytes]:
        """Whole server-sent events, byte for byte."""
        splitter = FrameSplitter(self._client.max_event)
        content = self._response.content
        try:
            while data := await content.readany():
                if whole := splitter.feed(data):
                    yield whole
        except _HUNG_UP:
            raise self._failed("hung up in the middle of its answer") from None
        if rest := splitter.close():
            yield rest

    async def end(self) -> None:
        """Wait up to ``LINGER`` seconds for the end of a body of which nothing more is wanted."""
        try:
            async with asyncio.timeout(LINGER):
                while await self._response.content.readany():
                    pass
        except (TimeoutError, *_HUNG_UP):
            self._response.close()

    def _failed(self, what: str) -> UpstreamError:
        return UpstreamError(f"{self._client.provider} {what}", provider=self._client.provider)


def _is_local(url: str) -> bool:
    """Whether a URL leads to this machine, where a proxy would be a detour."""
    host = URL(url).host or ""
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"
