"""The request log on the wire: what was noted about finished requests, without what was said."""

from __future__ import annotations

import asyncio
import math
from collections.abc import Callable
from typing import Any, TypeVar, get_args

import attrs
import orjson
from aiohttp import hdrs, web

from ...core.errors import BadRequestError, PermissionDeniedError
from ...core.events import Usage
from ...core.record import Attempt, Outcome, RequestRecord
from ...core.stores import RequestQuery
from ...dialects.sse import KEEP_ALIVE
from ...gateway.request_log import fits
from ...keys import CURRENT, REQUESTS, VISIT, Caller
from ..bodies import json_response
from .followers import FOLLOWERS

#: entries of a page: by default, and at most
PAGE = 100
LONGEST_PAGE = 1000
#: statuses of errors whose messages may quote the request; only who sent it gets to see them
QUOTING = frozenset((400, 413, 415, 422))
_Number = TypeVar("_Number", int, float)
_OUTCOMES = tuple(name for name in get_args(Outcome) if name != "running")
_SSE: dict[str, str] = {
    hdrs.CONTENT_TYPE: "text/event-stream; charset=utf-8",
    hdrs.CACHE_CONTROL: "no-cache, no-transform",
    "X-Accel-Buffering": "no",
}


async def list_requests(request: web.Request) -> web.Response:
    """``GET /backend-api/v2/requests``: the newest first; those of others for admins only."""
    caller = request[VISIT].caller
    query = _query(request, caller)
    # one more tells whether there is a further page
    more = attrs.evolve(query, limit=query.limit + 1)
    found = await request.app[REQUESTS].list(more)
    page = found[: query.limit]
    return json_response(
        {
            "object": "list",
            "data": [request_object(kept.record, caller) for kept in page],
            "next": page[-1].number if len(found) > len(page) else None,
        }
    )


async def get_request(request: web.Request) -> web.Response:
    """``GET /backend-api/v2/requests/{request_id}``."""
    caller = request[VISIT].caller
    name = request.match_info["request_id"]
    found = await request.app[REQUESTS].get(name, None if caller.admin else caller.name)
    if found is None:
        raise BadRequestError(
            f"No request {name!r} is remembered", status=404, code="request_not_found"
        )
    return json_response(request_object(found.record, caller))


async def follow_requests(request: web.Request) -> web.StreamResponse:
    """``GET /backend-api/v2/requests/stream``: each request as it ends, as server-sent events."""
    caller = request[VISIT].caller
    query = _query(request, caller)
    server = request.app[CURRENT].settings.server
    with request.app[FOLLOWERS].follow() as queue:
        response = web.StreamResponse(headers=_SSE)
        await response.prepare(request)
        while request.method != hdrs.METH_HEAD:
            data = KEEP_ALIVE
            try:
                async with asyncio.timeout(server.keep_alive):
                    record = await queue.get()
            except TimeoutError:
                pass
            else:
                if record is None:
                    break
                if not fits(record, query):
                    continue
                data = b"event: request\ndata: %s\n\n" % orjson.dumps(
                    request_object(record, caller)
                )
            try:
                async with asyncio.timeout(server.write_timeout):
                    await response.write(data)
            except TimeoutError:
                if request.transport is not None:
                    request.transport.abort()
                raise ConnectionError("the client reads nothing") from None
        return response


def request_object(record: RequestRecord, viewer: Caller) -> dict[str, Any]:
    """A finished request on the wire, as *viewer* may see it. Durations are in milliseconds."""
    answered = record.answered_by
    own = record.caller == viewer.name
    return {
        "id": record.id,
        "object": "request",
        "created": record.began,
        "caller": record.caller,
        "dialect": record.dialect,
        "model": record.model,
        "provider": record.provider,
        "stream": record.streamed,
        "outcome": record.outcome,
        "status": record.status,
        "code": record.code,
        "message": record.message if own or record.status not in QUOTING else None,
        "answered_by": None
        if answered is None
        else {"provider": answered.provider, "model": answered.model},
        "usage": _usage(record.usage),
        "ttft_ms": _milliseconds(record.ttft),
        "duration_ms": _milliseconds(record.duration),
        "cache": record.cache,
        "emulated": list(record.emulated),
        "attempts": [_attempt(attempt, record.started) for attempt in record.attempts],
    }


def _attempt(attempt: Attempt, started: float) -> dict[str, Any]:
    return {
        "provider": attempt.provider,
        "model": attempt.model,
        "why": attempt.why or None,
        "outcome": attempt.outcome,
        "status": attempt.status,
        "code": attempt.code,
        "after_ms": _milliseconds(attempt.started - started),
        "ttft_ms": _milliseconds(attempt.ttft),
        "duration_ms": _milliseconds(attempt.duration),
    }


def _usage(usage: Usage | None) -> dict[str, Any] | None:
    if usage is None:
        return None
    return {
        "input_tokens": usage.input,
        "output_tokens": usage.output,
        "cached_tokens": usage.cached,
        "reasoning_tokens": usage.reasoning,
        "estimated": usage.estimated,
    }


def _milliseconds(seconds: float | None) -> int | None:
    return None if seconds is None else round(seconds * 1000)


def _query(request: web.Request, caller: Caller) -> RequestQuery:
    """What the URL asks for; who is no admin gets his own requests and no others."""
    given = request.query
    name = given.get("caller")
    if not caller.admin:
        if name not in (None, caller.name):
            raise PermissionDeniedError(
                "caller: only admins see requests of others", param="caller"
            )
        name = caller.name
    outcome = given.get("outcome")
    if outcome is not None and outcome not in _OUTCOMES:
        raise _wrong("outcome", f"must be one of {', '.join(_OUTCOMES)}")
    since = _number(request, "since", float)
    if since is not None and not math.isfinite(since):
        raise _wrong("since", "must be Unix time in seconds")
    limit = _number(request, "limit", int)
    if limit is not None and not 1 <= limit <= LONGEST_PAGE:
        raise _wrong("limit", f"must be between 1 and {LONGEST_PAGE}")
    return RequestQuery(
        name,
        given.get("provider"),
        given.get("model"),
        outcome,
        since,
        _number(request, "before", int),
        PAGE if limit is None else limit,
    )


def _number(request: web.Request, name: str, kind: Callable[[str], _Number]) -> _Number | None:
    value = request.query.get(name)
    if value is None:
        return None
    try:
        return kind(value)
    except ValueError:
        raise _wrong(name, "must be a number") from None


def _wrong(name: str, problem: str) -> BadRequestError:
    return BadRequestError(f"{name}: {problem}", param=name)
