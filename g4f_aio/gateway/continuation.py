"""Requests that go on from kept responses, and responses that their upstream still works at."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable
from contextlib import aclosing
from typing import Any

import attrs

from ..core.errors import (
    BadRequestError,
    GatewayError,
    UnsupportedError,
    UpstreamError,
    UpstreamTimeoutError,
)
from ..core.events import Events, EventStream
from ..core.provider import ResponseAction
from ..core.requests import ChatRequest
from ..core.stores import ResponseKey, Storage, StoredResponse
from ..dialects.openai_responses_events import NAME
from ..dialects.openai_responses_items import only_native, references
from ..dialects.openai_responses_request import continued
from .call import hide_secrets
from .candidates import Candidate
from .gateway import Gateway

#: items that a request may take over from the response it goes on from
ITEMS = 20_000
#: seconds for a provider to tell of a response that it keeps
TIMEOUT = 30.0
_NOT_FOUND = 404
_log = logging.getLogger(__name__)


def not_found(response_id: str) -> BadRequestError:
    """404 for a response that is not there, or not the caller's."""
    return BadRequestError(
        f"Response with id {response_id!r} not found.", status=_NOT_FOUND, param="response_id"
    )


async def resume(
    request: ChatRequest, owner: str, storage: Storage, gateway: Gateway
) -> ChatRequest:
    """The request with all that it refers to: a response of *owner*, or items of his responses.

    What is not kept here may be known to an upstream that speaks this API itself; then nobody else
    is asked. BadRequestError when there is none, and for what belongs to another.
    """
    raw = request.raw or {}
    previous = raw.get("previous_response_id")
    ids = references(raw)
    stored, known = None, {}
    if previous or ids:
        store = (await storage.open()).responses
        if previous:
            stored = await store.get(ResponseKey(owner, previous))
            if stored is None and await store.known(previous):
                raise _no_previous(previous)
        if ids:
            known = await store.items(owner, ids)
    before = None
    if stored is not None and stored.over:
        before = (*stored.input, *stored.output)
        if len(before) > ITEMS:
            raise BadRequestError(
                f"There are more than {ITEMS} items before this request; begin anew",
                param="previous_response_id",
                code="context_length_exceeded",
            )
    if before is not None or known:
        request = continued(request, before, known)
    beyond = next(only_native(request.raw or {}), None)
    if beyond is None:
        return request
    return await _for_native(request, beyond, gateway, stored)


async def kept(events: Events, keep: Callable[[], Awaitable[None]]) -> EventStream:
    """The *events*, and when all of them were read, before the last bytes go out, *keep*."""
    async with aclosing(events):
        async for event in events:
            yield event
    await keep()


async def act(
    stored: StoredResponse,
    action: ResponseAction,
    gateway: Gateway,
    own_key: str | None = None,
) -> dict[str, Any] | None:
    """What the upstream that keeps a response says to the *action*; None where none keeps it.

    *own_key* is the caller's credential for it. GatewayError for whatever goes wrong.
    """
    now = gateway.now
    entry = await now.registry.find(stored.provider) if stored.native else None
    if entry is None or entry.provider is None or not entry.provider.speaks(NAME):
        return None
    context = now.context(
        entry,
        credential=own_key or gateway.desk.credentials.any(entry),
        own=own_key is not None,
    )
    try:
        async with asyncio.timeout(TIMEOUT):
            return await entry.provider.kept_response(stored.key.id, context, action)
    except GatewayError as error:
        hide_secrets(error, context, entry)
        raise
    except TimeoutError:
        raise UpstreamTimeoutError(
            f"{entry.name} did not answer within {TIMEOUT:g} s", provider=entry.name
        ) from None
    except Exception as error:
        _log.exception("provider %s raised over a response that it keeps", entry.name)
        raise UpstreamError(
            f"{entry.name} failed with {type(error).__name__}", provider=entry.name
        ) from error


async def _for_native(
    request: ChatRequest,
    beyond: tuple[str, str],
    gateway: Gateway,
    stored: StoredResponse | None,
) -> ChatRequest:
    """The request for one that speaks this API itself: the first such, or whoever works at *stored*.

    *beyond* is the path of what nobody else can supply, and what it is.
    """
    routing = request.routing
    if routing.conversation_id or routing.web_search:
        # with these the request is edited, and then it goes to a provider as a chat
        with_it = "conversation_id" if routing.conversation_id else "web_search"
        raise UnsupportedError(
            f"$.{beyond[0]}: {beyond[1]} cannot be had together with the field {with_it}",
            param=beyond[0],
        )
    found = await gateway.now.catalog.candidates(request)
    able = [one for one in found if _is_native(one, request)]
    if stored is not None:
        able.sort(key=lambda one: one.entry.name != stored.provider)
    if not able:
        raise _unsupplied(request, *beyond)
    chosen = able[0]
    # a key without a provider's name is for the one that it was found for
    keys = {} if chosen.own_key is None else {"": chosen.own_key}
    routing = attrs.evolve(request.routing, provider=chosen.entry.name, api_keys=keys)
    return attrs.evolve(request, model=chosen.model, routing=routing)


def _is_native(candidate: Candidate, request: ChatRequest) -> bool:
    provider = candidate.entry.provider
    return provider is not None and provider.speaks(request.dialect)


def _no_previous(response_id: str) -> BadRequestError:
    return BadRequestError(
        f"Previous response with id {response_id!r} not found.",
        status=_NOT_FOUND,
        code="previous_response_not_found",
        param="previous_response_id",
    )


def _unsupplied(request: ChatRequest, path: str, what: str) -> BadRequestError:
    """The error for what only an upstream that speaks this API could supply."""
    raw = request.raw or {}
    if what == "previous_response_id":
        return _no_previous(raw[what])
    if what == "item_reference":
        return BadRequestError(
            f"$.{path}: this item is not kept here", status=_NOT_FOUND, param=path
        )
    who = f"who has the model {request.model!r}" if request.model else "who is asked by default"
    return UnsupportedError(
        f"$.{path}: {what} takes a provider that speaks the Responses API itself, "
        f"which nobody does {who}",
        param=path,
    )
