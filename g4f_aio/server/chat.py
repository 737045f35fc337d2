"""Chat, in every dialect that clients speak."""

from __future__ import annotations

from collections.abc import Awaitable, Callable

import attrs
from aiohttp import web

from ..core.errors import BadRequestError, PermissionDeniedError
from ..core.requests import ChatRequest
from ..dialects.base import Dialect
from ..gateway.conversation import converse
from ..keys import CALLER, CONVERSATIONS, CURRENT, DIALECT, GATEWAY
from ..settings import checks
from .bodies import read_json
from .stream import send

Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]


def chat_handler(dialect: Dialect) -> Handler:
    """A handler for requests in *dialect*; the path may fix provider and conversation."""

    async def handler(request: web.Request) -> web.StreamResponse:
        request[DIALECT] = dialect
        chat = dialect.decode_request(await read_json(request))
        chat = _with_path(chat, request)
        chat = _with_caller(chat, request)
        ask = request.app[GATEWAY].chat
        if chat.routing.conversation_id:
            store = request.app[CONVERSATIONS]
            events = converse(ask, chat, request[CALLER].name, store)
        else:
            events = ask(chat)
        return await send(request, chat, events, dialect)

    return handler


def _with_path(chat: ChatRequest, request: web.Request) -> ChatRequest:
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


def _with_caller(chat: ChatRequest, request: web.Request) -> ChatRequest:
    """The caller's own keys for providers, and whether he may name a proxy.

    What could not be sent is his mistake; a provider that stumbles over it would get the blame.
    """
    caller = request[CALLER]
    routing = chat.routing
    if routing.proxy is not None:
        allowed = request.app[CURRENT].settings.upstream.allow_request_proxy
        if not (caller.admin or allowed):
            raise PermissionDeniedError(
                "proxy: only admins may name one (setting upstream.allow_request_proxy)",
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
