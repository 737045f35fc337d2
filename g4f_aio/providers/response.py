"""An upstream's answer, and the ways to read it."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from functools import partial
from typing import Any, NoReturn

import orjson

from ..core.errors import UpstreamError
from .content_coding import Inflater, inflater_of
from .frames import Frames
from .http_answer import AnswerParser, TransportError
from .transport import Connection

#: the largest body that is read in one piece
BODY_LIMIT = 64 * 2**20
#: seconds for an upstream to end its body after the last it had to say
LINGER = 0.1


class Response:
    """An upstream's answer (``core.provider.UpstreamResponse``).

    It came on *connection*; *max_event* bounds an event or a line, in bytes.
    """

    def __init__(self, connection: Connection, provider: str, max_event: int) -> None:
        answer = connection.answer
        self.status = answer.status
        self.headers = headers = answer.headers
        self.connection = connection
        self._provider = provider
        self._max_event = max_event
        coding = headers.get("Content-Encoding")
        inflater = inflater_of(coding) if coding else None
        self._plain = inflater is None
        #: some of the body; empty at its end, None as long as there is nothing
        self.take: Callable[[], bytes | None] = answer.take
        if inflater is not None:
            self.take = partial(_inflated, answer, inflater)
        #: for who has to wait: it is done when something happens
        self.arrival = connection.arrival

    async def read(self) -> bytes:
        """The whole body, up to ``BODY_LIMIT`` bytes."""
        pieces = []
        size = 0
        while data := await self._some():
            pieces.append(data)
            size += len(data)
            if size > BODY_LIMIT:
                raise self.failed(f"sent more than {BODY_LIMIT} bytes")
            if self._plain and self.connection.answer.spent:
                break
        return b"".join(pieces)

    async def json(self) -> Any:
        """The whole body as JSON."""
        try:
            return orjson.loads(await self.read())
        except orjson.JSONDecodeError:
            raise self.failed("sent malformed JSON") from None

    async def chunks(self) -> AsyncIterator[bytes]:
        """The body as it arrives."""
        while data := await self._some():
            yield data

    async def lines(self) -> AsyncIterator[bytes]:
        """The body by lines, without their ends."""
        rest = b""
        while data := await self._some():
            *lines, rest = (rest + data).split(b"\n")
            if len(rest) > self._max_event:
                raise self.failed(f"sent a line of more than {self._max_event} bytes")
            for line in lines:
                yield line.removesuffix(b"\r")
        if rest:
            yield rest

    def frames(self) -> AsyncIterator[bytes]:
        """Whole server-sent events, byte for byte."""
        return Frames(self, self._max_event)

    async def end(self) -> None:
        """Wait up to ``LINGER`` seconds for the end of a body of which nothing more is wanted."""
        connection = self.connection
        if self.take is _left or connection.answer.spent:
            return
        try:
            async with asyncio.timeout(LINGER):
                while await connection.read():
                    pass
        except (TimeoutError, TransportError):
            connection.abort()

    def leave(self) -> None:
        """The connection is somebody else's from now on."""
        self.take = _left

    def failed(self, what: object) -> UpstreamError:
        """What the upstream did wrong, as an error."""
        return UpstreamError(f"{self._provider} {what}", provider=self._provider)

    async def _some(self) -> bytes:
        """Some of the body; empty at its end."""
        try:
            while (data := self.take()) is None:
                await self.arrival()
        except TransportError as error:
            raise self.failed(error) from None
        return data


def _left() -> NoReturn:
    raise TransportError("was read after its answer had been left")


def _inflated(answer: AnswerParser, inflater: Inflater) -> bytes | None:
    """Some of a compressed body, as it had been before."""
    while not (data := inflater.take()):
        packed = answer.take()
        if packed is None:
            return None
        if not packed:
            inflater.close()
            break
        inflater.feed(packed)
    return data
