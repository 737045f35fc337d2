"""Events into a response: a stream of them, or one body. Alone knows what an error is when."""

from __future__ import annotations

import asyncio
import logging
from contextlib import aclosing

from aiohttp import hdrs, web
from multidict import istr

from ..core.completion import Completion
from ..core.errors import GatewayError
from ..core.events import EventStream, Passthrough, Started
from ..core.requests import ChatRequest
from ..dialects.base import Dialect
from .answers import ANSWERS, Answer
from .errors import internal_error

_log = logging.getLogger(__name__)

# interned: the case of a plain string is folded at each use
_PROVIDER, _MODEL, _ATTEMPTS = istr("x-provider"), istr("x-model"), istr("x-attempts")
_JSON: dict[str, str] = {hdrs.CONTENT_TYPE: "application/json"}


async def send(
    request: web.Request, chat: ChatRequest, events: EventStream, dialect: Dialect
) -> web.StreamResponse:
    """Answer *request* with *events*: as a stream where *chat* asks for one, else as one body.

    Before the first byte an error is raised, for the boundary to answer with its status; after it,
    it becomes the stream's last event. A client that leaves cancels this, and everything below.
    """
    answers = request.app[ANSWERS]
    answer = answers.begin(request, streamed=chat.stream)
    try:
        async with aclosing(events):
            if chat.stream:
                return await _stream(answer, chat, events, dialect)
            return await _body(chat, events, dialect)
    except asyncio.CancelledError:
        if answer.failure is None:
            raise
        return await _ended(answer, chat, answer.failure, dialect)
    finally:
        answers.done(answer)


async def _stream(
    answer: Answer, chat: ChatRequest, events: EventStream, dialect: Dialect
) -> web.StreamResponse:
    encoder = dialect.encoder(chat)
    # the bytes that complete the answer go out together with the end of the body
    last = b""
    try:
        async for event in events:
            if type(event) is Started:
                answer.describe(_who(event))
            data = encoder.feed(event)
            if type(event) is Passthrough and event.last:
                last = data
            elif data:
                await answer.write(data)
        last += encoder.finish()
    except GatewayError as error:
        if not answer.started and not last:
            raise
        last += encoder.error(error)
    except ConnectionError:
        raise  # the client is gone
    except Exception:
        if not answer.started:
            raise
        # as the boundary does; but a second response would run into this one
        _log.exception("a stream failed after its first byte")
        last = encoder.error(internal_error(answer.request))
    return await answer.close(last)


async def _body(chat: ChatRequest, events: EventStream, dialect: Dialect) -> web.Response:
    completion = Completion()
    headers: dict[str, str] = _JSON
    async for event in events:
        if type(event) is Started:
            headers = _JSON | _who(event)
        completion.add(event)
    return web.Response(body=dialect.encode_completion(chat, completion), headers=headers)


async def _ended(
    answer: Answer, chat: ChatRequest, error: GatewayError, dialect: Dialect
) -> web.StreamResponse:
    """The last words of an answer that was ended from outside."""
    task = asyncio.current_task()
    if task is not None:
        task.uncancel()
    if not answer.started:
        raise error
    return await answer.close(dialect.encoder(chat).error(error))


def _who(started: Started) -> dict[str, str]:
    """Who answers, for the headers; names that fit into none are left out."""
    who = {
        _PROVIDER: started.provider,
        _MODEL: started.model,
        _ATTEMPTS: str(started.attempts),
    }
    return {name: value for name, value in who.items() if value.isascii() and value.isprintable()}
