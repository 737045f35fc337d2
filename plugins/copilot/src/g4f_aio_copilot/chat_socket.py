"""The WebSocket of one answer: opened, asked, read, and closed in every case."""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager

import aiohttp
from yarl import URL

from g4f_aio import Timeouts, __version__

from .faults import Faults

#: bytes of one frame, at most
FRAME_LIMIT = 4 * 2**20
_NAME = f"g4f_aio/{__version__}"


class Socket:
    """An open WebSocket, as frames of text."""

    def __init__(self, socket: aiohttp.ClientWebSocketResponse, faults: Faults) -> None:
        self._socket = socket
        self._faults = faults

    async def send(self, text: str) -> None:
        """Send a frame; UpstreamError when nobody takes it."""
        try:
            await self._socket.send_str(text)
        except (aiohttp.ClientError, ConnectionError):
            raise self._cut() from None

    async def receive(self, within: float | None = None) -> str:
        """The next frame; TimeoutError after *within* seconds, UpstreamError when none comes."""
        message = await self._socket.receive(within)
        match message.type:
            case aiohttp.WSMsgType.TEXT:
                return str(message.data)
            case aiohttp.WSMsgType.BINARY:
                raise self._faults.failed("sent a frame that is no text")
            case aiohttp.WSMsgType.ERROR:
                large = self._socket.close_code == aiohttp.WSCloseCode.MESSAGE_TOO_BIG
                what = f"a frame of more than {FRAME_LIMIT} bytes" if large else "no proper frame"
                raise self._faults.failed(f"sent {what}")
            case _:
                raise self._cut()

    def _cut(self) -> Exception:
        code = self._socket.close_code
        why = "" if code is None else f" (code {int(code)})"
        return self._faults.failed(f"closed the WebSocket before the end of its answer{why}")


@asynccontextmanager
async def open_socket(
    url: URL,
    headers: Mapping[str, str],
    *,
    timeouts: Timeouts,
    proxy: str | None,
    faults: Faults,
) -> AsyncIterator[Socket]:
    """A WebSocket at *url*; leaving the context closes it at once, however it is left.

    It goes to the origin of *url* and nowhere else: redirects are refused, nothing is read from
    the environment, and cookies that come are not kept.
    """
    async with aiohttp.ClientSession(
        timeout=aiohttp.ClientTimeout(
            total=None, connect=timeouts.connect, sock_read=timeouts.headers
        ),
        cookie_jar=aiohttp.DummyCookieJar(),
        middlewares=(_refuse_redirects,),
        trust_env=False,
    ) as session:
        socket = await _connect(
            session, url, headers, timeouts=timeouts, proxy=proxy, faults=faults
        )
        try:
            yield Socket(socket, faults)
        finally:
            await socket.close()


async def _connect(
    session: aiohttp.ClientSession,
    url: URL,
    headers: Mapping[str, str],
    *,
    timeouts: Timeouts,
    proxy: str | None,
    faults: Faults,
) -> aiohttp.ClientWebSocketResponse:
    """The handshake. Its errors are not chained to aiohttp's, which hold the URL with its token."""
    try:
        return await session.ws_connect(
            url,
            headers={"User-Agent": _NAME, **headers},
            proxy=proxy,
            max_msg_size=FRAME_LIMIT,
            # nobody waits for the other side's goodbye
            timeout=aiohttp.ClientWSTimeout(ws_close=0),
        )
    except aiohttp.WSServerHandshakeError as error:
        if error.status in (101, 200):
            raise faults.failed("does not speak WebSocket there; is its base_url right?") from None
        raise faults.of_status(error.status, error.headers) from None
    except aiohttp.ConnectionTimeoutError:
        raise faults.late(f"gave no connection within {timeouts.connect:g} s") from None
    except TimeoutError:
        raise faults.late(f"did not begin to answer within {timeouts.headers:g} s") from None
    except aiohttp.ClientConnectorError as error:
        reason = error.os_error.strerror or type(error.os_error).__name__
        raise faults.failed(f"cannot be reached at {url.origin()}: {reason}") from None
    except (aiohttp.ClientError, ConnectionError, ValueError) as error:
        raise faults.failed(f"opened no WebSocket: {type(error).__name__}") from None


async def _refuse_redirects(
    request: aiohttp.ClientRequest, handler: aiohttp.ClientHandlerType
) -> aiohttp.ClientResponse:
    """They would take the session to another place; aiohttp has no switch for it here."""
    response = await handler(request)
    if 300 <= response.status < 400:  # noqa: PLR2004
        response.close()
        raise aiohttp.WSServerHandshakeError(
            response.request_info, response.history, status=response.status
        )
    return response
