"""Models as Anthropic's API lists them.

https://platform.claude.com/docs/en/api/models/list
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

from ..core.errors import BadRequestError

#: models on a page, at most and unless asked for fewer
LIMIT = 1000
_LIMIT = re.compile(r"[1-9][0-9]{0,3}")

Json = dict[str, Any]


def model_page(listed: Sequence[Json], query: Mapping[str, str]) -> Json:
    """A page of *listed* models, which are in the shape of ``GET /v1/models``.

    Names of providers, which stand for a model each, are left out. BadRequestError for a *query*
    that asks for no such page.
    """
    models = [model_entry(one) for one in listed if not one["provider"]]
    ids = [one["id"] for one in models]
    limit = _limit(query.get("limit"))
    after, before = query.get("after_id"), query.get("before_id")
    if before:
        end = _at(ids, before, "before_id")
        begin = max(0, end - limit)
        more = begin > 0
    else:
        begin = _at(ids, after, "after_id") + 1 if after else 0
        end = begin + limit
        more = end < len(models)
    data = models[begin:end]
    return {
        "data": data,
        "has_more": more,
        "first_id": data[0]["id"] if data else None,
        "last_id": data[-1]["id"] if data else None,
    }


def model_entry(listed: Json) -> Json:
    """One model."""
    return {
        "type": "model",
        "id": listed["id"],
        "display_name": listed["id"],
        "created_at": _time(listed["created"]),
        "lifecycle": "active",
        "max_input_tokens": listed.get("context_length"),
        "max_tokens": None,
    }


def _time(created: int) -> str:
    """Unix time as RFC 3339 has it; its beginning where a provider says something impossible."""
    try:
        at = datetime.fromtimestamp(created, UTC)
    except (ValueError, OverflowError, OSError):
        at = datetime.fromtimestamp(0, UTC)
    return at.strftime("%Y-%m-%dT%H:%M:%SZ")


def _limit(given: str | None) -> int:
    if given is None:
        return LIMIT
    if not _LIMIT.fullmatch(given) or int(given) > LIMIT:
        raise BadRequestError(f"limit: must be from 1 to {LIMIT}", param="limit")
    return int(given)


def _at(ids: list[str], wanted: str, name: str) -> int:
    try:
        return ids.index(wanted)
    except ValueError:
        raise BadRequestError(f"{name}: there is no model {wanted!r}", param=name) from None
