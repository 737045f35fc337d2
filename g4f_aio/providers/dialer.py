"""Opening a connection: name, TCP, TLS, and a proxy's tunnel."""

from __future__ import annotations

import asyncio
import ssl
from collections.abc import Sequence
from socket import AF_INET, IPPROTO_TCP, SOCK_STREAM, TCP_NODELAY
from typing import Any, cast

from aiohappyeyeballs import AddrInfoType, start_connection

from .http_answer import TransportError
from .origin import Origin, Proxy
from .transport import Connection

#: seconds after which the next of a host's addresses is tried besides (RFC 8305)
NEXT_ADDRESS = 0.25
_SUCCESS = range(200, 300)


class Dialer:
    """Opens connections. *tls* is the context for all; by default the system's, made when needed."""

    def __init__(self, tls: ssl.SSLContext | None = None) -> None:
        self._tls = tls
        self._making = asyncio.Lock()

    async def dial(self, origin: Origin, connection: Connection) -> None:
        """Open *connection* to *origin*. OSError says why not; then nothing is left open."""
        first = origin if origin.proxy is None else origin.proxy
        try:
            await self._open(first, connection)
            if origin.proxy is not None:
                await self._tunnel(origin, origin.proxy, connection)
        except BaseException:
            connection.abort()
            raise

    async def _open(self, to: Origin | Proxy, connection: Connection) -> None:
        tls = await self._context() if to.scheme == "https" else None
        addresses = await self._addresses(to.host, to.port)
        if tls is None and len(addresses) == 1 and addresses[0][0] == AF_INET:
            await self._open_at(addresses[0][-1], connection)
            return
        sock = await start_connection(addresses, happy_eyeballs_delay=NEXT_ADDRESS, interleave=1)
        try:
            sock.setsockopt(IPPROTO_TCP, TCP_NODELAY, 1)
            await asyncio.get_running_loop().create_connection(
                lambda: connection,
                sock=sock,
                ssl=tls,
                server_hostname=None if tls is None else to.host.rstrip("."),
            )
        except BaseException:
            connection.abort()
            sock.close()
            raise

    async def _open_at(self, address: tuple[Any, ...], connection: Connection) -> None:
        """Where there is but one way, event loops go it themselves in a third of the time."""
        try:
            # they hold back no packets
            await asyncio.get_running_loop().create_connection(lambda: connection, *address)
        except OSError as error:
            # each loop has its own words; these are those of its sockets
            raise OSError(error.errno, f"Connect call failed {address}") from None

    async def _addresses(self, host: str, port: int) -> Sequence[AddrInfoType]:
        loop = asyncio.get_running_loop()
        try:
            return await loop.getaddrinfo(host, port, type=SOCK_STREAM)
        except UnicodeError:
            raise OSError("no such name") from None

    async def _tunnel(self, origin: Origin, proxy: Proxy, connection: Connection) -> None:
        """Have the proxy open a way, and speak TLS through it."""
        host = f"[{origin.host}]" if ":" in origin.host else origin.host
        to = f"{host}:{origin.port}".encode()
        head = b"CONNECT %b HTTP/1.1\r\nHost: %b\r\n%b\r\n" % (to, to, proxy.authorization)
        try:
            await connection.ask("CONNECT", head, None)
        except TransportError as error:
            raise OSError(f"the proxy {error}") from None
        if connection.answer.status not in _SUCCESS:
            raise OSError(f"the proxy answered {connection.answer.status}")
        tls = await self._context()
        if connection.gone or connection.answer.pieces:
            raise OSError("the proxy opened no way")
        transport = await asyncio.get_running_loop().start_tls(
            connection.transport.raw, connection, tls, server_hostname=origin.host.rstrip(".")
        )
        connection.upgrade(cast(asyncio.Transport, transport))

    async def _context(self) -> ssl.SSLContext:
        """The TLS context; reading the system's certificates takes its time, so in a thread."""
        async with self._making:
            if self._tls is None:
                self._tls = await asyncio.to_thread(_default_context)
        return self._tls


def _default_context() -> ssl.SSLContext:
    context = ssl.create_default_context()
    context.set_alpn_protocols(["http/1.1"])
    return context


def reason(error: OSError) -> str:
    """Why a connection could not be opened, for people."""
    match error:
        case ssl.SSLCertVerificationError():
            return f"its certificate is not valid: {error.verify_message}"
        case ssl.SSLError():
            return f"TLS failed: {error.reason or error}"
        case _:
            return error.strerror or str(error) or "it hung up"
