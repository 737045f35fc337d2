"""The thin client through which every provider calls its upstream.

One pool of connections for the whole process: no cookies, no redirects (they could carry a
credential to another host), no proxies from the environment, no connection limit of its own.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Mapping
from types import TracebackType
from typing import Any

import attrs
import orjson

from ..core.errors import BadRequestError, UpstreamError, UpstreamTimeoutError
from .content_coding import inflater_of
from .dialer import reason
from .frames import Frames
from .http_answer import TransportError
from .http_request import Target, encode_head
from .pool import Pool
from .transport import Connection

#: the largest body that is read in one piece
BODY_LIMIT = 64 * 2**20
#: seconds for an upstream to end its body after the last it had to say
LINGER = 0.1
#: seconds within which it shows that a connection had been closed while it was idle
STALE = 1.0
_JSON = "application/json"
#: what orjson says of more than 254 levels
_TOO_DEEP = "Recursion limit reached"


def create_session(keep_alive: float = 60.0) -> Pool:
    """The pool for all calls; *keep_alive* is how many seconds an idle connection is kept."""
    return Pool(keep_alive)


@attrs.frozen
class Client:
    """The way out for one call of one provider (``core.provider.HttpClient``).

    *connect_timeout* bounds, in seconds, the time for a connection (name, TCP and TLS),
    *headers_timeout* the time from the call to the answer's status; *max_event* is in bytes.
    """

    session: Pool
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
        """A request, sent when its context is entered.

        BadRequestError for *json* that is nested too deeply: nobody but the client nests so.
        """
        if json is None:
            return Exchange(self, method, url, headers, data)
        try:
            body = orjson.dumps(json)
        except orjson.JSONEncodeError as error:
            if str(error) != _TOO_DEEP:
                raise
            raise BadRequestError("What the request says is nested too deeply") from None
        return Exchange(self, method, url, headers, body, _JSON)

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

    def __init__(  # noqa: PLR0917  (made in one place)
        self,
        client: Client,
        method: str,
        url: str,
        headers: Mapping[str, str] | None,
        data: bytes | None,
        kind: str | None = None,
    ) -> None:
        self._client = client
        self._kind = kind
        self._method = method
        self._url = url
        self._headers = headers
        self._data = data
        self._connection: Connection | None = None
        self._response: Response | None = None
        self._connecting = False

    async def __aenter__(self) -> Response:
        client = self._client
        name = client.provider
        data = self._data
        try:
            target = client.session.target(self._method, self._url, client.proxy)
            length = None if data is None else len(data)
            head = encode_head(target, self._headers, length, self._kind)
        except ValueError as error:
            raise UpstreamError(f"{name} cannot be asked: {error}", provider=name) from None
        connection = self._connection = client.session.take(target.origin)
        try:
            connection = await self._ask(connection, target, head)
            self._response = Response(connection, client)
        except BaseException as error:
            connection = self._connection
            connection.abort()
            connection.deadline.close()
            match error:
                case asyncio.CancelledError() if connection.deadline.passed():
                    raise self._late() from None
                case TransportError():
                    raise UpstreamError(f"{name} {error}", provider=name) from None
                case _:
                    raise
        connection.deadline.clear()
        return self._response

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if self._connection is not None and self._response is not None:
            self._response.detach()
            # before the body's end this closes the connection
            self._client.session.give_back(self._connection)

    async def _ask(self, connection: Connection, target: Target, head: bytes) -> Connection:
        """The connection on which the head of the answer came: the given one if it is still good."""
        client = self._client
        deadline = connection.deadline
        began = deadline.now()
        end = began + client.headers_timeout
        if connection.made:
            deadline.set(end)
            try:
                await connection.ask(target.method, head, self._data)
            except TransportError:
                # The upstream closed a connection that was idle to it while the request was on its
                # way. Had it sent a byte, or taken longer, then it could have begun its work, and
                # to ask again would be to ask twice.
                if not connection.silent or deadline.now() - began > STALE:
                    raise
            else:
                return connection
            deadline.close()
            connection = self._connection = client.session.make()
            deadline = connection.deadline
        self._connecting = True
        deadline.set(min(end, deadline.now() + client.connect_timeout))
        try:
            await client.session.open(connection, target.origin)
        except OSError as error:
            name = client.provider
            failure = UpstreamError(
                f"{name}: cannot connect to {target.origin}: {reason(error)}", provider=name
            )
            failure.unreachable = True
            raise failure from None
        self._connecting = False
        deadline.set(end)
        await connection.ask(target.method, head, self._data)
        return connection

    def _late(self) -> UpstreamTimeoutError:
        client = self._client
        name = client.provider
        if self._connecting and client.connect_timeout <= client.headers_timeout:
            what = f"{name}: no connection within {client.connect_timeout:g} s"
        else:
            what = f"{name} did not begin to answer within {client.headers_timeout:g} s"
        failure = UpstreamTimeoutError(what, provider=name)
        failure.unreachable = self._connecting
        return failure


class Response:
    """An upstream's answer (``core.provider.UpstreamResponse``)."""

    def __init__(self, connection: Connection, client: Client) -> None:
        answer = connection.answer
        self.status = answer.status
        self.headers = answer.headers
        self._connection: Connection | None = connection
        self._client = client
        self._inflater = inflater_of(answer.headers.get("Content-Encoding"))

    async def read(self) -> bytes:
        """The whole body, up to ``BODY_LIMIT`` bytes."""
        pieces = []
        size = 0
        while data := await self._some():
            pieces.append(data)
            size += len(data)
            if size > BODY_LIMIT:
                raise self._failed(f"sent more than {BODY_LIMIT} bytes")
            if self._inflater is None and self._connection and self._connection.answer.spent:
                break
        return pieces[0] if len(pieces) == 1 else b"".join(pieces)

    async def json(self) -> Any:
        """The whole body as JSON."""
        try:
            return orjson.loads(await self.read())
        except orjson.JSONDecodeError:
            raise self._failed("sent malformed JSON") from None

    async def chunks(self) -> AsyncIterator[bytes]:
        """The body as it arrives."""
        while data := await self._some():
            yield data

    async def lines(self) -> AsyncIterator[bytes]:
        """The body by lines, without their ends."""
        rest = b""
        while data := await self._some():
            *lines, rest = (rest + data).split(b"\n")
            if len(rest) > self._client.max_event:
                raise self._failed(f"sent a line of more than {self._client.max_event} bytes")
            for line in lines:
                yield line.removesuffix(b"\r")
        if rest:
            yield rest

    def frames(self) -> AsyncIterator[bytes]:
        """Whole server-sent events, byte for byte."""
        return Frames(self._some, self._client.max_event)

    async def end(self) -> None:
        """Wait up to ``LINGER`` seconds for the end of a body of which nothing more is wanted."""
        connection = self._connection
        if connection is None or connection.answer.spent:
            return
        try:
            async with asyncio.timeout(LINGER):
                while await connection.read():
                    pass
        except (TimeoutError, TransportError):
            connection.abort()

    def detach(self) -> None:
        """The connection is somebody else's from now on."""
        self._connection = None

    async def _some(self) -> bytes:
        """Some of the body; empty at its end."""
        if self._connection is None:
            raise self._failed("was read after its answer had been left")
        try:
            if self._inflater is None:
                return await self._connection.read()
            while not (data := self._inflater.take()):
                if not (packed := await self._connection.read()):
                    self._inflater.close()
                    break
                self._inflater.feed(packed)
        except TransportError as error:
            raise self._failed(str(error)) from None
        return data

    def _failed(self, what: str) -> UpstreamError:
        return UpstreamError(f"{self._client.provider} {what}", provider=self._client.provider)
