"""Anthropic's Messages API, beside what it has in common with every chat."""

from __future__ import annotations

import re

import attrs
from aiohttp import web

from ..core.requests import ChatRequest
from ..dialects.anthropic_messages import ANTHROPIC_MESSAGES
from ..gateway.counting import count_tokens as count
from ..keys import GATEWAY, VISIT
from .admission import admit
from .bodies import json_response, read_json
from .chat import chat_handler, with_caller
from .headers import EMULATED, MODEL, PROVIDER

#: headers of the API that are for whoever answers; a key would be ours, or somebody else's
_OWN = re.compile(r"anthropic-(?!.*(?:key|token|auth))[a-z0-9-]+")


def with_headers(chat: ChatRequest, request: web.Request) -> ChatRequest:
    """The request with the headers of the API that came with it."""
    found: dict[str, str] = {}
    for written, value in request.headers.items():
        name = written.lower()
        if _OWN.fullmatch(name) and value.isascii() and value.isprintable():
            # a list may be written on several lines
            found[name] = f"{found[name]},{value}" if name in found else value
    return attrs.evolve(chat, headers=found) if found else chat


#: ``POST /v1/messages``
answer = chat_handler(ANTHROPIC_MESSAGES, with_headers)


async def count_tokens(request: web.Request) -> web.Response:
    """``POST /v1/messages/count_tokens``: counted by the provider that would answer, or estimated.

    It takes nothing of a quota.
    """
    request[VISIT].dialect = ANTHROPIC_MESSAGES
    chat = ANTHROPIC_MESSAGES.decode_prompt(await read_json(request))
    chat = with_caller(with_headers(chat, request), request[VISIT].caller, request.app)
    limits = request[VISIT].caller.limits
    if limits is not None:
        await admit(request, chat, attrs.evolve(limits, quota=None))
    gateway = request.app[GATEWAY]
    found = await count(chat, gateway.now, gateway.desk)
    response = json_response({"input_tokens": found.tokens})
    told = {PROVIDER: found.provider, MODEL: found.model}
    response.headers.update(
        {name: value for name, value in told.items() if value.isascii() and value.isprintable()}
    )
    if found.estimated:
        response.headers[EMULATED] = "count_tokens"
    return response
