"""What would become of a chat, without asking anybody."""

from __future__ import annotations

from typing import Any

import attrs
from aiohttp import web

from ..core.errors import GatewayError
from ..core.requests import ChatRequest
from ..dialects.openai_chat import OPENAI_CHAT
from ..gateway.explain import Explanation, Prospect, explain
from ..keys import GATEWAY, VISIT
from .admission import admit
from .bodies import json_response, read_json
from .chat import with_caller
from .providers import health_object


async def explain_chat(request: web.Request) -> web.Response:
    """``POST /v1/route``: the providers that a chat would be asked of, in order, and who not, and why.

    No provider gets the chat; only lists of models may be fetched. It takes nothing of a quota.
    """
    chat = OPENAI_CHAT.decode_request(await read_json(request))
    chat = with_caller(chat, request[VISIT].caller, request.app)
    limits = request[VISIT].caller.limits
    if limits is not None:
        await admit(request, chat, attrs.evolve(limits, quota=None))
    gateway = request.app[GATEWAY]
    desk = gateway.desk
    found = await explain(chat, gateway.now.catalog, desk)
    return json_response(route_object(chat, found))


def route_object(chat: ChatRequest, found: Explanation) -> dict[str, Any]:
    """An explanation on the wire."""
    return {
        "object": "route",
        "model": chat.model,
        "provider": chat.routing.provider,
        "needs": list(chat.needs.names),
        "rule": found.rule,
        "candidates": [_candidate(one) for one in found.prospects],
        "error": None if found.error is None else _error(found.error),
    }


def _candidate(one: Prospect) -> dict[str, Any]:
    return {
        "provider": one.provider,
        "model": one.model or None,
        "asked": one.asked,
        "why": one.why or None,
        "emulated": list(one.emulated),
        "wait_ms": None if one.wait is None else round(one.wait * 1000),
        "condition": None if one.when is None else {"when": one.when, "values": dict(one.values)},
        "health": None if one.health is None else health_object(one.health),
    }


def _error(error: GatewayError) -> dict[str, Any]:
    """What the chat would be answered."""
    return {
        "message": error.message,
        "type": error.type,
        "param": error.param,
        "code": error.code,
        "status": error.status,
    }
