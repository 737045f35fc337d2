"""The answers that are being given just now: kept alive, cut off when nobody reads, ended at a stop."""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import AsyncIterator, Mapping
from types import MappingProxyType

from aiohttp import hdrs, web
from multidict import istr

from ..core.errors import GatewayError, OverloadedError
from ..dialects.sse import KEEP_ALIVE
from ..keys import CURRENT
from .reply import Reply, put_headers

_SSE_HEADERS: dict[str, str] = {
    hdrs.CONTENT_TYPE: "text/event-stream; charset=utf-8",
    hdrs.CACHE_CONTROL: "no-cache, no-transform",
    istr("X-Accel-Buffering"): "no",
}
_log = logging.getLogger(__name__)


class Answer:
    """One answer on its way; a stream's headers go out with its first bytes.

    *idle* is what it sends while there is nothing to say.
    """

    #: why it was ended from outside; then its task is cancelled
    failure: GatewayError | None = None
    #: since when a write waits for the client, or the client has taken nothing of it
    blocked_since: float | None = None
    _response: web.StreamResponse | None = None
    _headers: Mapping[str, str] = MappingProxyType({})
    _opening: asyncio.Lock | None = None
    _closing = False
    _waiting = 0

    def __init__(self, request: web.Request, *, streamed: bool, idle: bytes = KEEP_ALIVE) -> None:
        self.request = request
        self.streamed = streamed
        self._idle = idle
        # Python 3.11 asks the system for the process's id each time it is asked for the running loop
        self._task = asyncio.current_task(request.task.get_loop())
        self.last_write = time.monotonic()

    @property
    def started(self) -> bool:
        """Whether the headers are out, so that an error can no longer be a status."""
        return self._response is not None

    def describe(self, headers: Mapping[str, str]) -> None:
        """Headers to send with the first bytes; too late after them."""
        self._headers = headers

    async def write(self, data: bytes) -> None:
        """Send bytes; waits while the client is slow."""
        response = self._response or await self._open()
        self.last_write = self.blocked_since = time.monotonic()
        await response.write(data)
        self.blocked_since = None

    async def close(self, data: bytes = b"") -> web.StreamResponse:
        """Send the last bytes."""
        response = self._response or await self._open()
        self._closing = True
        self.blocked_since = time.monotonic()
        await response.write_eof(data)
        self.blocked_since = None
        return response

    async def keep_alive(self) -> None:
        """Say that it lives; before the first event this commits the stream to status 200."""
        response = self._response or await self._open()
        self.last_write = time.monotonic()
        await response.write(self._idle)

    def end(self, error: GatewayError) -> None:
        """End it from outside: with an error event, or with a status when nothing was sent yet.

        One whose last bytes are on their way has said all; it only takes its client to read them.
        """
        if self.failure is None and not self._closing and self._task is not None:
            self.failure = error
            self._task.cancel()

    def stalled(self, now: float) -> float:
        """Seconds for which the client has taken no byte of what waits for it."""
        transport = self.request.transport
        if self.blocked_since is None or transport is None:
            return 0.0
        waiting = transport.get_write_buffer_size()
        if waiting != self._waiting:
            self._waiting = waiting
            self.blocked_since = now
        return now - self.blocked_since

    def abort(self) -> None:
        """Cut the connection of a client that does not read."""
        if self.request.transport is not None:
            self.request.transport.abort()

    async def _open(self) -> web.StreamResponse:
        # the watch may open a silent stream just when its first event comes
        if self._opening is None:
            self._opening = asyncio.Lock()
        async with self._opening:
            if self._response is None:
                response = Reply({**_SSE_HEADERS, **self._headers})
                await put_headers(self.request.app, self.request, response)
                await response.prepare(self.request)
                self._response = response
            return self._response


class Answers:
    """All answers under way."""

    def __init__(self) -> None:
        self._live: set[Answer] = set()
        self._idle = asyncio.Event()
        self._idle.set()

    def __len__(self) -> int:
        return len(self._live)

    def begin(self, request: web.Request, *, streamed: bool, idle: bytes = KEEP_ALIVE) -> Answer:
        """Note a new one; ``done`` must follow."""
        answer = Answer(request, streamed=streamed, idle=idle)
        self._live.add(answer)
        self._idle.clear()
        return answer

    def done(self, answer: Answer) -> None:
        """It has ended, one way or the other."""
        self._live.discard(answer)
        if not self._live:
            self._idle.set()

    async def watch(self, app: web.Application) -> None:
        """Keep silent streams alive and cut off clients that do not read; runs until cancelled."""
        while True:
            server = app[CURRENT].settings.server
            await asyncio.sleep(min(1.0, server.keep_alive / 4, server.write_timeout / 4))
            now = time.monotonic()
            for answer in tuple(self._live):
                if answer.blocked_since is not None:
                    if answer.stalled(now) > server.write_timeout:
                        _log.info("a client read nothing for %g s: cut off", server.write_timeout)
                        answer.abort()
                elif answer.streamed and now - answer.last_write >= server.keep_alive:
                    await self._keep_alive(answer)

    async def drain(self, seconds: float) -> int:
        """Let the answers run on for a while, then end what is left; returns how many that were."""
        try:
            async with asyncio.timeout(seconds):
                await self._idle.wait()
        except TimeoutError:
            pass
        left = tuple(self._live)
        for answer in left:
            answer.end(
                OverloadedError("The server is shutting down; ask again", code="server_shutdown")
            )
        if left:
            try:
                async with asyncio.timeout(_LAST_WORDS):
                    await self._idle.wait()
            except TimeoutError:
                _log.warning("%d answers could not be ended in order", len(self._live))
        return len(left)

    async def _keep_alive(self, answer: Answer) -> None:
        try:
            async with asyncio.timeout(_COMMENT):
                await answer.keep_alive()
        except (ConnectionError, TimeoutError):
            pass  # its own task finds out
        except RuntimeError:
            # it ended between the look and the write
            _log.debug("no comment for an answer that has ended")


#: seconds for error events to get out at a stop, and for a comment
_LAST_WORDS = 2.0
_COMMENT = 0.5
ANSWERS = web.AppKey("ANSWERS", Answers)


async def answers_ctx(app: web.Application) -> AsyncIterator[None]:
    """The watch over all answers, as long as the application lives."""
    async with asyncio.TaskGroup() as group:
        watch = group.create_task(app[ANSWERS].watch(app))
        yield
        watch.cancel()
