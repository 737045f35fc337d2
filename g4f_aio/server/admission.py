"""What a request passes before it is answered: the turnstile of the process, and its key's limits.

A handler enters the turnstile before it reads the body and leaves it when the answer is out. When it
knows what is asked, and the caller has limits, ``admit`` says whether he may::

    turnstile = request.app[TURNSTILE]
    if not turnstile.try_enter():
        await stand_in_line(request)
    try:
        ...
        ticket = None if limits is None else await admit(request, chat, limits)
        ...
    finally:
        turnstile.leave()
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import attrs
from aiohttp import web

from ..core.errors import PermissionDeniedError, RateLimitError
from ..core.operations import Request
from ..core.record import RequestRecord
from ..gateway.limits import (
    AUTOMATIC,
    Limits,
    answer_tokens,
    asked_model,
    bounds_answer,
    prompt_tokens,
    used_tokens,
)
from ..gateway.turnstile import Turnstile
from ..keys import CURRENT, GATEWAY, QUOTAS, TURNSTILE, VISIT, Caller
from ..settings import Settings
from .headers import quota_headers

if TYPE_CHECKING:
    from ..core.stores import QuotaStore


def turnstile_for(settings: Settings) -> Turnstile:
    """That of the whole process."""
    return Turnstile(settings.server.max_requests, settings.server.queue, "This server")


async def stand_in_line(request: web.Request) -> None:
    """Enter the turnstile when it is full: wait as long as the settings say, or OverloadedError."""
    patience = request.app[CURRENT].settings.server.queue_timeout
    await request.app[TURNSTILE].enter(patience)


@attrs.frozen
class Ticket:
    """What was reserved for a request; ``settle`` must follow."""

    quotas: QuotaStore
    name: str
    reserved: int
    prompt: int

    def settle(self, record: RequestRecord) -> None:
        """The request has ended: give back what it did not use, or charge what it used beyond."""
        self.quotas.settle(self.name, self.reserved, used_tokens(record, self.prompt))


async def admit(request: web.Request, chat: Request, limits: Limits) -> Ticket | None:
    """Hold a request against the limits of its caller; the ticket when tokens are reserved for it.

    PermissionDeniedError for a model that he may not ask for, RateLimitError when he has used up
    what he may.
    """
    name = request[VISIT].caller.name
    if limits.models is not None:
        gateway = request.app[GATEWAY].now
        model = asked_model(chat, gateway.settings, gateway.registry.resolve)
        if model not in limits.models:
            raise _forbidden(name, chat, model)
    quota = limits.quota
    if quota is None:
        return None
    quotas = request.app[QUOTAS]
    prompt = reserved = 0
    if quota.tokens is not None:
        prompt = prompt_tokens(chat)
        reserved = _reserved(name, chat, prompt, quota.tokens)
    short = await quotas.reserve(name, quota, reserved)
    if short is not None:
        limit = quota.requests if short.what == "requests" else quota.tokens
        raise RateLimitError(
            f"Key {name!r} may use {limit} {short.what} in a minute; "
            f"there are enough for this in {short.wait:.3g} s",
            retry_after=short.wait,
        )
    return None if quota.tokens is None else Ticket(quotas, name, reserved, prompt)


async def quota_left(app: web.Application, caller: Caller) -> dict[str, str]:
    """The headers that tell a caller what is left of his quota, if he has one."""
    quota = None if caller.limits is None else caller.limits.quota
    if quota is None:
        return {}
    return quota_headers(await app[QUOTAS].balance(caller.name, quota))


def _reserved(name: str, chat: Request, prompt: int, limit: int) -> int:
    """How many tokens to reserve; RateLimitError when they are more than there can ever be."""
    answer = answer_tokens(chat)
    bounded = bounds_answer(chat)
    if prompt + answer * bounded > limit:
        parts = f"about {prompt} of the prompt" + f" and {answer} of max_tokens" * bounded
        error = RateLimitError(
            f"The request is too large for key {name!r}, which may use {limit} tokens in a minute: "
            f"{parts}"
        )
        error.should_retry = False
        raise error
    # a guess must not be what makes it too large
    return min(prompt + answer, limit)


def _forbidden(caller: str, chat: Request, name: str) -> PermissionDeniedError:
    if name == AUTOMATIC:
        what = f"leave the choice of the model to the server ({AUTOMATIC!r})"
    else:
        what = f"ask for the {'' if chat.model else 'default '}model {name!r}"
    return PermissionDeniedError(
        f"Key {caller!r} may not {what}; GET /v1/models lists what it may ask for", param="model"
    )
