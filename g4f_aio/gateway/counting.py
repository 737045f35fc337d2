"""How many tokens a request has, by whoever would answer it."""

from __future__ import annotations

import asyncio
import logging

import attrs

from ..core.errors import GatewayError, UpstreamError, UpstreamTimeoutError
from ..core.request_tokens import estimate_request
from ..core.requests import ChatRequest
from .call import hide_secrets
from .candidates import Candidate
from .choice import places
from .desk import Desk
from .snapshot import Snapshot

#: seconds for a provider to count
TIMEOUT = 10.0
_log = logging.getLogger(__name__)


@attrs.frozen
class Count:
    """The *tokens* of a request for a model of a provider; *estimated*: it counts none, so it was done here."""

    tokens: int
    provider: str
    model: str
    estimated: bool


async def count_tokens(request: ChatRequest, now: Snapshot, desk: Desk) -> Count:
    """The count of the first candidate that gives one; where it never counts, ours.

    A failure says nothing about how well it would answer, so nothing is learned from it.
    """
    candidates = await now.catalog.candidates(request)
    failure: GatewayError | None = None
    for place in places(candidates, desk.health, desk.credentials, desk.quarantine):
        candidate = place.candidate
        try:
            tokens = await _ask(candidate, request, now, desk)
        except GatewayError as error:
            if not error.fallback:
                raise
            failure = error
            continue
        name = candidate.entry.name
        if tokens is None:
            tokens = await desk.tokens.prompt(request, candidate.model)
            if tokens is None:
                tokens = estimate_request(request)
            return Count(tokens, name, candidate.model, estimated=True)
        return Count(tokens, name, candidate.model, estimated=False)
    assert failure is not None  # noqa: S101  (the catalogue gives one candidate or raises)
    raise failure


async def _ask(candidate: Candidate, request: ChatRequest, now: Snapshot, desk: Desk) -> int | None:
    """What one provider counts; GatewayError for whatever goes wrong."""
    entry = candidate.entry
    assert entry.provider is not None  # noqa: S101  (the catalogue offers no broken ones)
    own = candidate.own_key is not None
    context = now.context(
        entry,
        routing=request.routing,
        credential=candidate.own_key if own else desk.credentials.any(entry),
        own=own,
    )
    asked = attrs.evolve(request, model=candidate.model)
    try:
        async with asyncio.timeout(TIMEOUT):
            tokens = await entry.provider.count_tokens(asked, context)
    except GatewayError as error:
        hide_secrets(error, context, entry)
        raise
    except TimeoutError:
        raise UpstreamTimeoutError(
            f"{entry.name} counted no tokens within {TIMEOUT:g} s", provider=entry.name
        ) from None
    except Exception as error:
        _log.exception("provider %s raised while it counted tokens", entry.name)
        raise UpstreamError(
            f"{entry.name} failed with {type(error).__name__}", provider=entry.name
        ) from error
    if tokens is not None and type(tokens) is not int:
        raise UpstreamError(f"{entry.name} counted tokens, but not in numbers", provider=entry.name)
    return tokens
