"""Events into a response: a stream of them, or one body. Alone knows what an error is when."""

from __future__ import annotations

import asyncio
import logging

from aiohttp import hdrs, web

from ..core.completion import Completion
from ..core.errors import GatewayError
from ..core.events import Events, Passthrough, Started
from ..core.record import RequestRecord
from ..dialects.base import Face, R
from ..keys import VISIT
from .answers import ANSWERS, Answer
from .errors import internal_error
from .headers import about
from .reply import Reply

_log = logging.getLogger(__name__)

_JSON: dict[str, str] = {hdrs.CONTENT_TYPE: "application/json"}


async def send(
    app: web.Application,
    request: web.Request,
    chat: R,
    events: Events,
    dialect: Face[R],
    *,
    record: RequestRecord,
) -> web.StreamResponse:
    """Answer *request* with *events*: as a stream where *chat* asks for one, else as one body.

    Before the first byte an error is raised, for the boundary to answer with its status; after it,
    it becomes the stream's last event. A client that leaves cancels this, and everything below.
    """
    answers = app[ANSWERS]
    answer = answers.begin(request, streamed=chat.stream, idle=dialect.keep_alive)
    try:
        try:
            if chat.stream:
                return await _stream(answer, chat, events, dialect, record)
            return await _body(chat, events, dialect, record)
        finally:
            await events.aclose()
    except asyncio.CancelledError:
        if answer.failure is None:
            raise
        record.failed(answer.failure)
        return await _ended(answer, chat, answer.failure, dialect)
    finally:
        answers.done(answer)


async def _stream(
    answer: Answer, chat: R, events: Events, dialect: Face[R], record: RequestRecord
) -> web.StreamResponse:
    encoder = dialect.encoder(chat)
    # the bytes that complete the answer go out together with the end of the body
    last = b""
    try:
        async for event in events:
            if isinstance(event, Started):
                answer.describe(about(record, event))
            data = encoder.feed(event)
            if type(event) is Passthrough and event.last:
                last = data
            elif data:
                await answer.write(data)
        last += encoder.finish()
    except GatewayError as error:
        if not answer.started and not last:
            raise
        record.failed(error)
        last += encoder.error(_named(answer, error))
    except ConnectionError:
        raise  # the client is gone
    except Exception:
        if not answer.started:
            raise
        # as the boundary does; but a second response would run into this one
        _log.exception("a stream failed after its first byte")
        ours = internal_error(answer.request)
        record.failed(ours)
        last = encoder.error(_named(answer, ours))
    return await answer.close(last)


async def _body(chat: R, events: Events, dialect: Face[R], record: RequestRecord) -> Reply:
    completion = Completion()
    headers: dict[str, str] = _JSON
    async for event in events:
        if isinstance(event, Started):
            headers = {**_JSON, **about(record, event)}
        completion.add(event)
    return Reply(headers, dialect.encode_completion(chat, completion))


async def _ended(
    answer: Answer, chat: R, error: GatewayError, dialect: Face[R]
) -> web.StreamResponse:
    """The last words of an answer that was ended from outside."""
    task = asyncio.current_task()
    if task is not None:
        task.uncancel()
    if not answer.started:
        raise error
    return await answer.close(dialect.encoder(chat).error(_named(answer, error)))


def _named(answer: Answer, error: GatewayError) -> GatewayError:
    """An error with the id of the request that it ends."""
    error.request_id = answer.request[VISIT].request_id
    return error
