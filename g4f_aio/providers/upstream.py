"""The thin client through which every provider calls its upstream.

One pool of connections for the whole process: no cookies, no redirects (they could carry a
credential to another host), no proxies from the environment, no connection limit of its own.
"""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from types import TracebackType

import attrs
import orjson

from ..core.errors import BadRequestError, UpstreamError, UpstreamTimeoutError
from .dialer import reason
from .http_answer import TransportError
from .http_request import Target, encode_head
from .origin import Origin
from .pool import Pool
from .response import Response
from .transport import Connection

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
        kind = None
        if json is not None:
            data, kind = _encoded(json), _JSON
        try:
            target = self.session.target(method, url, self.proxy)
            head = encode_head(target, headers, None if data is None else len(data), kind)
        except ValueError as error:
            name = self.provider
            raise UpstreamError(f"{name} cannot be asked: {error}", provider=name) from None
        return Exchange(self, target, head, data)

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

    _response: Response | None = None
    _connecting = False

    def __init__(self, client: Client, target: Target, head: bytes, data: bytes | None) -> None:
        self._client = client
        self._target = target
        self._head = head
        self._data = data

    async def __aenter__(self) -> Response:
        client = self._client
        pool = client.session
        name = client.provider
        target = self._target
        connection = pool.take(target.origin)
        deadline = connection.deadline
        began = deadline.now()
        try:
            if connection.made:
                deadline.set(began + client.headers_timeout)
                try:
                    await connection.ask(target.method, self._head, self._data)
                except TransportError:
                    # The upstream closed a connection that was idle to it while the request was on
                    # its way. Had it sent a byte, or taken longer, then it could have begun its
                    # work, and to ask again would be to ask twice.
                    if not connection.silent or deadline.now() - began > STALE:
                        raise
                    deadline.close()
                    connection = pool.make()
            if not connection.made:
                await self._open(connection, target.origin, began + client.headers_timeout)
                await connection.ask(target.method, self._head, self._data)
            response = self._response = Response(connection, name, client.max_event)
        except BaseException as error:
            connection.abort()
            connection.deadline.close()
            match error:
                case asyncio.CancelledError() if connection.deadline.passed():
                    raise self._late() from None
                case TransportError():
                    raise UpstreamError(f"{name} {error}", provider=name) from None
                case _:
                    raise
        connection.deadline.rest()
        return response

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if self._response is not None:
            self._response.leave()
            # before the body's end this closes the connection
            self._client.session.give_back(self._response.connection)

    async def _open(self, connection: Connection, origin: Origin, end: float) -> None:
        """Open a new connection, and set its deadline to *end*."""
        client = self._client
        deadline = connection.deadline
        self._connecting = True
        deadline.set(min(end, deadline.now() + client.connect_timeout))
        try:
            await client.session.open(connection, origin)
        except OSError as error:
            name = client.provider
            failure = UpstreamError(
                f"{name}: cannot connect to {origin}: {reason(error)}", provider=name
            )
            failure.unreachable = True
            raise failure from None
        self._connecting = False
        deadline.set(end)

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


def _encoded(json: object) -> bytes:
    try:
        return orjson.dumps(json)
    except orjson.JSONEncodeError as error:
        if str(error) != _TOO_DEEP:
            raise
        raise BadRequestError("What the request says is nested too deeply") from None
