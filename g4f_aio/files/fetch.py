"""The one way to a URL that a request, an answer or a page of the web names.

What it goes by is in ``guard`` and ``links``: what everybody can reach, at the ports of web servers.
Every fetch has connections of its own: no cookies, no credentials, no proxy, nothing of the
environment, and no name is looked up twice for one of them.
"""

from __future__ import annotations

import asyncio
import socket
import ssl
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import aiohttp
import attrs
from aiohttp.abc import AbstractResolver
from aiohttp.resolver import ThreadedResolver
from yarl import URL

from ..core.errors import GatewayError, UpstreamError, UpstreamTimeoutError
from ..core.fetch import Fetched
from .body import ACCEPTED, Body, too_large
from .guard import Guard
from .lazy import Wishes
from .links import blocked, led_on, link
from .sniff import media_type

#: redirects that are followed
HOPS = 3
#: fetches at one time; others wait for their turn
AT_ONCE = 32
_REDIRECTS = frozenset((301, 302, 303, 307, 308))
_SUCCESS = range(200, 300)
_HEADERS = {"User-Agent": "g4f_aio", "Accept": "*/*", "Accept-Encoding": ACCEPTED}


@attrs.frozen
class Rules:
    """What may be fetched, and how long that may take.

    *max_size* is in bytes. Times are in seconds: *max_time* for all of it, *connect* for a
    connection, *silence* between two pieces of an answer. *slowest*: the bytes a second that must
    come, once it has taken as long as *grace*.
    """

    enabled: bool = True
    guard: Guard = attrs.field(factory=Guard)
    max_size: int = 20 * 2**20
    max_time: float = 30.0
    connect: float = 3.0
    silence: float = 10.0
    slowest: int = 1024
    grace: float = 5.0


@attrs.frozen(eq=False)
class Fetcher:
    """``core.fetch.Fetch``, by these *rules*.

    *tls* is for servers whose certificates are not publicly signed.
    """

    rules: Rules = Rules()
    tls: ssl.SSLContext | None = attrs.field(default=None, repr=False)
    _turns: asyncio.Semaphore = attrs.field(
        init=False, repr=False, factory=lambda: asyncio.Semaphore(AT_ONCE)
    )

    async def __call__(self, url: str, *, limit: int) -> Fetched:
        """What is at *url*, of *limit* bytes at most, or fewer where the rules say so.

        BadRequestError with the code ``url_blocked`` when it may not be fetched and
        ``file_too_large`` when it is too large; UpstreamError with ``fetch_failed`` or
        ``fetch_timeout`` when it cannot be fetched.
        """
        rules = self.rules
        if not rules.enabled:
            raise blocked("fetching is switched off in the settings (fetch.urls)")
        place = link(url)
        limit = min(limit, rules.max_size)
        try:
            async with asyncio.timeout(rules.max_time), self._turns:
                for _ in range(HOPS + 1):
                    found = await self._visit(rules, place, limit)
                    if isinstance(found, Fetched):
                        return found
                    place = found
        except TimeoutError:
            raise _late(place, f"took more than {rules.max_time:g} s") from None
        raise _failed(place, f"leads on more than {HOPS} times")

    async def _visit(self, rules: Rules, place: URL, limit: int) -> Fetched | URL:
        """What is there, or where it leads on to."""
        async with self._asked(rules, place) as response:
            location = response.headers.get("Location")
            if response.status in _REDIRECTS and location is not None:
                return led_on(place, location)
            if response.status not in _SUCCESS:
                raise _failed(place, f"answers {response.status}")
            if (response.content_length or 0) > limit:
                raise too_large(f"larger than {limit} bytes")
            data = await _read(rules, place, response, limit)
            kind, charset = media_type(data, response.headers.get("Content-Type"))
            return Fetched(str(place), kind, data, charset)

    @asynccontextmanager
    async def _asked(self, rules: Rules, place: URL) -> AsyncIterator[aiohttp.ClientResponse]:
        """The answer to a request, with everything that goes wrong as an error of ours."""
        host, port = place.raw_host or "", place.port or 0
        dialer = Dialer(rules.guard, trusted=rules.guard.trusts(host, port))
        connector = aiohttp.TCPConnector(
            socket_factory=dialer,
            resolver=self._resolver(),
            use_dns_cache=False,
            force_close=True,
            limit=0,
            ssl=self.tls or True,
        )
        try:
            async with (
                aiohttp.ClientSession(
                    connector=connector,
                    cookie_jar=aiohttp.DummyCookieJar(),
                    trust_env=False,
                    auto_decompress=False,
                    timeout=aiohttp.ClientTimeout(
                        total=None, connect=rules.connect, sock_read=rules.silence
                    ),
                ) as session,
                session.get(place, headers=_HEADERS, allow_redirects=False) as response,
            ):
                try:
                    yield response
                finally:
                    response.close()  # nobody waits for what was not read
        except (aiohttp.ClientError, OSError, ValueError) as error:
            if dialer.refused and isinstance(error, aiohttp.ClientConnectorError):
                raise blocked(
                    "its host has no public address, or its port is no web server's"
                ) from None
            raise _error_of(error, place, rules) from None

    def _resolver(self) -> AbstractResolver:
        # by the system, as everything else here is
        return ThreadedResolver()


def fetcher_of(wishes: Wishes) -> Fetcher:
    """The one that the settings want."""
    guard = Guard.of(wishes.allow, wishes.deny)
    return Fetcher(Rules(wishes.urls, guard, wishes.max_size, wishes.max_time))


@attrs.define
class Dialer:
    """Makes the sockets of one connection, and none for an address that may not be dialled.

    It sees what is dialled in fact, whatever the URL, a redirect or a name made of it. *trusted*:
    the host is exempt by its name.
    """

    guard: Guard
    trusted: bool = False
    refused: bool = False

    def __call__(self, info: aiohttp.AddrInfoType) -> socket.socket:
        """A socket for that address; OSError when it may not be dialled."""
        family, kind, protocol, _, address = info
        if not self.guard.permits(str(address[0]), int(address[1]), trusted=self.trusted):
            self.refused = True
            raise PermissionError("not a public address")
        return socket.socket(family, kind, protocol)


async def _read(rules: Rules, place: URL, response: aiohttp.ClientResponse, limit: int) -> bytes:
    """The whole body."""
    body = Body(response.headers.get("Content-Encoding"), limit)
    clock = asyncio.get_running_loop().time
    began = clock()
    async for piece in response.content.iter_any():
        body.feed(piece)
        took = clock() - began
        if took > rules.grace and body.came < rules.slowest * took:
            raise _late(place, f"sends less than {rules.slowest} bytes a second")
    return body.close()


def _error_of(error: Exception, place: URL, rules: Rules) -> GatewayError:
    """What a failure means. Its own text is not told: it may have addresses in it."""
    match error:
        case aiohttp.ConnectionTimeoutError():
            return _late(place, f"gave no connection within {rules.connect:g} s")
        case aiohttp.SocketTimeoutError():
            return _late(place, f"sent nothing for {rules.silence:g} s")
        case aiohttp.InvalidURL():
            return blocked("its host is malformed")
        case aiohttp.ClientConnectorDNSError():
            return _failed(place, "is not known by any name server")
        case aiohttp.ClientSSLError():
            return _failed(place, "has no certificate that can be trusted, or no TLS")
        case aiohttp.ClientConnectorError():
            return _failed(place, "cannot be reached")
        case aiohttp.ClientResponseError():
            return _failed(place, "sends what is no HTTP")
        case aiohttp.ClientError() | OSError():
            return _failed(place, "broke off its answer")
        case _:
            return blocked("it is malformed")


def _failed(place: URL, what: str) -> UpstreamError:
    return UpstreamError(f"{place.raw_host} {what}", code="fetch_failed")


def _late(place: URL, what: str) -> UpstreamTimeoutError:
    return UpstreamTimeoutError(f"{place.raw_host} {what}", code="fetch_timeout")
