"""An upstream for tests: a real HTTP server on this machine that answers by script."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from types import TracebackType
from typing import Any, Self

import attrs
import orjson
from aiohttp import StreamReader, web
from aiohttp.abc import AbstractStreamWriter
from aiohttp.http_parser import RawRequestMessage
from aiohttp.web_protocol import RequestHandler
from multidict import CIMultiDictProxy

from .answer import Answer

#: seconds within which what should happen at once has to happen
SOON = 1.0
_MAX_BODY = 64 * 2**20


@attrs.define(eq=False)
class Received:
    """A request that came in.

    *held* is set when a hanging answer has said all it will say, *left* when the client closed the
    connection before its answer was complete.
    """

    method: str
    path: str
    query: Mapping[str, str]
    headers: CIMultiDictProxy[str] = attrs.field(repr=False)
    body: bytes = attrs.field(repr=False)
    held: asyncio.Event = attrs.field(factory=asyncio.Event, repr=False)
    left: asyncio.Event = attrs.field(factory=asyncio.Event, repr=False)

    @property
    def json(self) -> Any:
        """The body as JSON; None when it has none."""
        return orjson.loads(self.body) if self.body else None


#: an answer; a dictionary stands for one with this JSON
Say = Answer | dict[str, Any]
#: what a path answers: always the same, one after the other (the last one again and again), or
#: what a function makes of the request
Script = Say | Sequence[Say] | Callable[[Received], Say]
Twist = Callable[[Received, Answer], Answer]


class FakeUpstream:
    """A server on a free port of this machine, as an asynchronous context.

    *answers* are scripts by path (``"/ask"``) or by method and path (``"POST /ask"``), and may be
    changed at any time. What is not among them is answered 404. The server runs on the event loop
    of the test: whoever blocks the one, blocks the other.
    """

    def __init__(self, answers: Mapping[str, Script] | None = None) -> None:
        self.answers: dict[str, Script] = dict(answers or {})
        #: what came in, oldest first
        self.requests: list[Received] = []
        #: those of them for which there is no answer
        self.unknown: list[Received] = []
        self._url = ""
        self._turns: dict[str, int] = {}
        self._twist: Twist | None = None
        self._busy: dict[RequestHandler, Received] = {}
        self._faults: list[Exception] = []
        self._closing = asyncio.Event()
        self._lost = asyncio.Event()
        self._server: _Server | None = None
        self._runner: web.ServerRunner | None = None

    @property
    def url(self) -> str:
        """Its address, such as ``http://127.0.0.1:40123``."""
        if self._runner is None:
            raise RuntimeError("a FakeUpstream runs inside `async with` only")
        return self._url

    async def __aenter__(self) -> Self:
        self._server = _Server(self._handle, self._gone)
        self._runner = web.ServerRunner(self._server, shutdown_timeout=SOON)
        await self._runner.setup()
        await web.TCPSite(self._runner, "127.0.0.1", 0).start()
        host, port = self._runner.addresses[0][:2]
        self._url = f"http://{host}:{port}"
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._closing.set()
        runner, self._runner = self._runner, None
        if runner is not None:
            await runner.cleanup()
        if error is None and self._faults:
            raise self._faults[0]

    async def left(self, within: float = SOON) -> Received:
        """The last request, once its client has closed the connection before the answer's end.

        AssertionError when it does not within so many seconds.
        """
        if not self.requests:
            raise AssertionError("nobody asked the upstream anything")
        request = self.requests[-1]
        try:
            async with asyncio.timeout(within):
                await request.left.wait()
        except TimeoutError:
            what = f"{request.method} {request.path}"
            raise AssertionError(f"the connection of {what} was not closed by its client") from None
        return request

    @property
    def connections(self) -> int:
        """How many connections are open, the idle ones included."""
        return len(self._server.open) if self._server is not None else 0

    async def abandoned(self, within: float = SOON) -> bool:
        """Whether all connections come to be closed within so many seconds."""
        try:
            async with asyncio.timeout(within):
                while self.connections:
                    self._lost.clear()
                    await self._lost.wait()
        except TimeoutError:
            return False
        return True

    @contextmanager
    def twisted(self, twist: Twist | None = None) -> Iterator[list[Received]]:
        """While it lasts, every answer goes through *twist*, and scripts begin anew.

        The requests of that time are apart from the others: they are in the list it gives.
        """
        kept = self.requests, self.unknown, self._turns, self._twist
        self.requests, self.unknown, self._turns, self._twist = [], [], {}, twist
        try:
            yield self.requests
        finally:
            self.requests, self.unknown, self._turns, self._twist = kept

    def answer_to(self, request: Received) -> Answer:
        """What the script says to a request; a list goes one further."""
        for key in (f"{request.method} {request.path}", request.path):
            if key in self.answers:
                return _answer(self._next(key, request))
        self.unknown.append(request)
        known = ", ".join(self.answers) or "nothing"
        said = f"the fake upstream has no answer for {request.method} {request.path}, but {known}"
        return Answer.json({"error": {"message": said}}, status=404)

    def _next(self, key: str, request: Received) -> Say:
        script = self.answers[key]
        if isinstance(script, Answer | dict):
            return script
        if not isinstance(script, Sequence):
            return script(request)
        turn = self._turns.get(key, 0)
        self._turns[key] = turn + 1
        return script[min(turn, len(script) - 1)]

    def _gone(self, connection: RequestHandler) -> None:
        self._lost.set()
        request = self._busy.pop(connection, None)
        if request is not None and not self._closing.is_set():
            request.left.set()

    async def _handle(self, request: web.BaseRequest) -> web.StreamResponse:
        body = await request.read()
        received = Received(request.method, request.path, request.query, request.headers, body)
        self.requests.append(received)
        self._busy[request.protocol] = received
        try:
            answer = self.answer_to(received)
            if self._twist is not None:
                answer = self._twist(received, answer)
        except Exception as error:  # noqa: BLE001  (it is the test's, and raised there)
            self._faults.append(error)
            return web.Response(status=500, text=f"the script of the fake upstream failed: {error}")
        response = await self._say(request, received, answer)
        self._busy.pop(request.protocol, None)
        return response

    async def _say(
        self, request: web.BaseRequest, received: Received, answer: Answer
    ) -> web.StreamResponse:
        response = web.StreamResponse(status=answer.status, headers=answer.headers)
        if answer.sized:
            # a body that is cut or held up lacks at least a byte
            response.content_length = len(answer.body) + (answer.end != "complete")
        if answer.steps or answer.end == "complete":
            await response.prepare(request)
        for step in answer.steps:
            if isinstance(step, bytes):
                await response.write(step)
            else:
                await self._pause(step)
        if answer.end == "hang":
            received.held.set()
            await self._pause(None)
        if answer.end != "complete":
            self._busy.pop(request.protocol, None)
            if request.transport is not None:
                request.transport.close()
        return response

    async def _pause(self, seconds: float | None) -> None:
        """Wait; not for longer than the server runs."""
        try:
            async with asyncio.timeout(seconds):
                await self._closing.wait()
        except TimeoutError:
            pass


class _Server(web.Server):
    """Tells when a connection is closed, at once and by whomever."""

    def __init__(
        self,
        handler: Callable[[web.BaseRequest], Any],
        gone: Callable[[RequestHandler], None],
    ) -> None:
        super().__init__(
            handler, request_factory=_request, handler_cancellation=True, access_log=None
        )
        self.open: set[RequestHandler] = set()
        self._gone = gone

    def connection_made(self, handler: RequestHandler, transport: asyncio.Transport) -> None:
        self.open.add(handler)
        super().connection_made(handler, transport)

    def connection_lost(self, handler: RequestHandler, exc: BaseException | None = None) -> None:
        self.open.discard(handler)
        self._gone(handler)
        super().connection_lost(handler, exc)


def _request(
    message: RawRequestMessage,
    payload: StreamReader,
    protocol: RequestHandler,
    writer: AbstractStreamWriter,
    task: asyncio.Task[None],
) -> web.BaseRequest:
    loop = asyncio.get_running_loop()
    return web.BaseRequest(
        message, payload, protocol, writer, task, loop, client_max_size=_MAX_BODY
    )


def _answer(said: Say) -> Answer:
    return said if isinstance(said, Answer) else Answer.json(said)
