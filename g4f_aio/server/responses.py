"""OpenAI's Responses API: answers, and the responses that are kept for later."""

from __future__ import annotations

import attrs
from aiohttp import web

from ..core.errors import BadRequestError, GatewayError, UnsupportedError
from ..core.provider import ResponseAction
from ..core.record import RequestRecord
from ..core.requests import ChatRequest
from ..core.stores import ResponseKey, StoredResponse
from ..dialects.openai_responses import OPENAI_RESPONSES, Answering
from ..dialects.openai_responses_items import items_of
from ..dialects.openai_responses_listing import page
from ..gateway.continuation import act, kept, not_found, resume
from ..keys import GATEWAY, STORAGE, VISIT
from .bodies import json_response
from .chat import chat_handler, events_for
from .stream import send

_NOT_FOUND = 404


async def _reply(
    app: web.Application, request: web.Request, chat: ChatRequest, record: RequestRecord
) -> web.StreamResponse:
    """The answer to a request, which goes on from kept responses and is kept itself."""
    raw = chat.raw or {}
    chat = await resume(chat, record.caller, app[STORAGE], app[GATEWAY])
    answering = Answering.of(chat, raw.get("previous_response_id"))
    # an answer that cannot be kept is not even asked for
    stores = None if raw.get("store") is False else await app[STORAGE].open()

    async def keep() -> None:
        body = answering.written.response()
        if stores is None or body is None or not isinstance(body.get("id"), str):
            return
        key = ResponseKey(record.caller, body["id"])
        written = answering.written
        before = tuple(items_of(chat.raw or {}))
        await stores.responses.put(
            StoredResponse(key, body, before, written.provider, written.native)
        )

    events = events_for(app, chat, record)
    if chat.stream:
        # whoever reads the end of a stream may refer to it at once
        return await send(app, request, chat, kept(events, keep), answering, record=record)
    answer = await send(app, request, chat, events, answering, record=record)
    await keep()
    return answer


#: ``POST /v1/responses``
create_response = chat_handler(OPENAI_RESPONSES, respond=_reply)


async def get_response(request: web.Request) -> web.Response:
    """``GET /v1/responses/{response_id}``: as it stands now."""
    stored = await _stored(request)
    if request.query.get("stream", "false") != "false":
        raise UnsupportedError("stream: a kept response is given in one piece", param="stream")
    if not stored.over:
        stored = await _renewed(request, stored, "get")
    return json_response(stored.body)


async def delete_response(request: web.Request) -> web.Response:
    """``DELETE /v1/responses/{response_id}``: here, and at an upstream that keeps it, too."""
    stored = await _stored(request)
    try:
        await act(stored, "delete", request.app[GATEWAY], request[VISIT].caller.provider_key)
    except GatewayError as error:
        if error.status != _NOT_FOUND:
            raise
    stores = await request.app[STORAGE].open()
    await stores.responses.delete(stored.key)
    return json_response({"id": stored.key.id, "object": "response", "deleted": True})


async def list_input_items(request: web.Request) -> web.Response:
    """``GET /v1/responses/{response_id}/input_items``, page by page."""
    stored = await _stored(request)
    return json_response(page(stored.input, stored.key.id, request.query))


async def cancel_response(request: web.Request) -> web.Response:
    """``POST /v1/responses/{response_id}/cancel``: only one that is made in the background."""
    stored = await _stored(request)
    if stored.body.get("background") is not True:
        raise BadRequestError("Cannot cancel a synchronous response.", param="response_id")
    if not stored.over:
        stored = await _renewed(request, stored, "cancel")
    return json_response(stored.body)


async def _stored(request: web.Request) -> StoredResponse:
    """The response that the path names, if it is the caller's."""
    request[VISIT].dialect = OPENAI_RESPONSES
    key = ResponseKey(request[VISIT].caller.name, request.match_info["response_id"])
    stores = await request.app[STORAGE].open()
    stored = await stores.responses.get(key)
    if stored is None:
        raise not_found(key.id)
    return stored


async def _renewed(
    request: web.Request, stored: StoredResponse, action: ResponseAction
) -> StoredResponse:
    """A response that was not over, as its upstream has it now."""
    body = await act(stored, action, request.app[GATEWAY], request[VISIT].caller.provider_key)
    if body is None:
        return stored
    stored = attrs.evolve(stored, body=body)
    stores = await request.app[STORAGE].open()
    await stores.responses.put(stored)
    return stored
