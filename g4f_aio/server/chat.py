"""Chat, in every dialect that clients speak."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from functools import partial

import attrs
from aiohttp import web

from ..core.errors import BadRequestError, GatewayError, PermissionDeniedError
from ..core.events import Events
from ..core.operations import Operation, Request
from ..core.record import RequestRecord
from ..core.requests import NO_ROUTING
from ..dialects.base import Face, R
from ..gateway.conversation import Chat as Ask
from ..gateway.conversation import converse
from ..keys import (
    CURRENT,
    GATEWAY,
    LEDGER,
    STORAGE,
    TURNSTILE,
    VISIT,
    Caller,
)
from ..settings import checks
from .admission import admit, stand_in_line
from .bodies import read_json
from .errors import internal_error
from .stream import send
from .web_search import WEB_SEARCH

Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]
#: what makes a chat complete that is not all in the body of its request
Complete = Callable[[R, web.Request], R]
#: what answers a chat once it is known to be allowed
Respond = Callable[[web.Application, web.Request, R, RequestRecord], Awaitable[web.StreamResponse]]


def chat_handler(
    dialect: Face[R], complete: Complete[R] | None = None, respond: Respond[R] | None = None
) -> Handler:
    """A handler for requests in *dialect*; the path may fix provider and conversation."""

    def plainly(
        app: web.Application, request: web.Request, chat: R, record: RequestRecord
    ) -> Awaitable[web.StreamResponse]:
        return send(app, request, chat, events_for(app, chat, record), dialect, record=record)

    answer: Respond[R] = respond or plainly

    async def handler(request: web.Request) -> web.StreamResponse:
        visit = request[VISIT]
        visit.dialect = dialect
        app = request.app
        turnstile = app[TURNSTILE]
        if not turnstile.try_enter():
            await stand_in_line(request)
        try:
            chat = dialect.decode_request(await read_json(request))
            if complete is not None:
                chat = complete(chat, request)
            chat = _with_path(chat, request)
            caller = visit.caller
            chat = with_caller(chat, caller, app)
            record = visit.record = RequestRecord(
                visit.request_id,
                caller.name,
                chat.dialect,
                chat.model,
                chat.routing.provider,
                chat.stream,
            )
            limits = caller.limits
            ticket = None
            try:
                if limits is not None:
                    ticket = await admit(request, chat, limits)
                return await answer(app, request, chat, record)
            except GatewayError as error:
                record.failed(error)
                raise
            except (asyncio.CancelledError, ConnectionError):
                record.cancelled()
                raise
            except Exception:
                record.failed(internal_error(request))  # the boundary answers with the same
                raise
            finally:
                app[LEDGER].close(record)
                if ticket is not None:
                    ticket.settle(record)
        finally:
            turnstile.leave()

    return handler


def events_for(app: web.Application, chat: Request, record: RequestRecord) -> Events:
    """The events that answer a chat, as part of its conversation where it names one."""
    gateway = app[GATEWAY]
    if isinstance(chat, Operation):
        return gateway.call(chat, record)
    routing = chat.routing
    if not (routing.conversation_id or routing.web_search):
        return gateway.chat(chat, record)
    ask: Ask = partial(gateway.chat, record=record)
    if routing.web_search:
        # inside of the conversation, which keeps what was said and not what was found
        ask = partial(app[WEB_SEARCH].chat, app, ask, record)
    if routing.conversation_id:
        return converse(ask, chat, record.caller, app[STORAGE])
    return ask(chat)


def _with_path(chat: R, request: web.Request) -> R:
    """The path's provider and conversation overrule the body's."""
    fixed = request.match_info
    if not fixed:
        return chat
    routing = attrs.evolve(
        chat.routing,
        provider=fixed.get("provider", chat.routing.provider),
        conversation_id=fixed.get("conversation_id", chat.routing.conversation_id),
    )
    return attrs.evolve(chat, routing=routing)


def with_caller(chat: R, caller: Caller, app: web.Application) -> R:
    """The caller's own keys for providers, and whether he may name a proxy.

    What could not be sent is his mistake; a provider that stumbles over it would get the blame.
    """
    routing = chat.routing
    if routing is NO_ROUTING and caller.provider_key is None:
        return chat
    if routing.proxy is not None:
        allowed = app[CURRENT].settings.upstream.allow_request_proxy
        if not (caller.admin or allowed):
            raise PermissionDeniedError(
                "$.proxy: only admins may name one (setting upstream.allow_request_proxy)",
                param="proxy",
            )
        if problem := checks.proxy(routing.proxy):
            raise BadRequestError(f"$.proxy: {problem}", param="proxy")
    for key in routing.api_keys.values():
        if not (key.isascii() and key.isprintable()):
            raise BadRequestError("$.api_key: must be printable ASCII", param="api_key")
    if caller.provider_key is None or "" in routing.api_keys:
        return chat
    keys = {"": caller.provider_key, **routing.api_keys}
    return attrs.evolve(chat, routing=attrs.evolve(routing, api_keys=keys))
