"""The input of a response as a list that clients read page by page.

https://platform.openai.com/docs/api-reference/responses/input-items
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from ..core.errors import BadRequestError

Json = dict[str, Any]

LIMIT, MOST = 20, 100
#: how the ids of items begin, and what each item has besides what a client must send
_PREFIXES = {
    "message": "msg",
    "function_call": "fc",
    "function_call_output": "fco",
    "custom_tool_call": "ctc",
    "custom_tool_call_output": "ctco",
    "reasoning": "rs",
}
_COMPLETED: Json = {"status": "completed"}
_USUAL: dict[str, Json] = {
    "message": _COMPLETED,
    "function_call": _COMPLETED,
    "function_call_output": _COMPLETED,
    "custom_tool_call": _COMPLETED,
    "custom_tool_call_output": _COMPLETED,
    "reasoning": {"summary": []},
}
#: the same of parts
_PARTS: dict[str, Json] = {
    "output_text": {"annotations": [], "logprobs": []},
    "input_image": {"detail": "auto"},
}


def whole_item(item: Json, response_id: str, index: int) -> Json:
    """An item with all its fields, and an id where the client gave it none: always the same one."""
    kind = item.get("type") or "message"
    made = f"{_PREFIXES.get(kind, 'item')}_{response_id.removeprefix('resp_')}{index:04x}"
    found: Json = {"id": made, "type": kind, **_USUAL.get(kind, {})}
    found |= {key: value for key, value in item.items() if value is not None}
    if kind == "message":
        text = "output_text" if found.get("role") == "assistant" else "input_text"
        content = found.get("content")
        if isinstance(content, str):
            content = [{"type": text, "text": content}]
        found["content"] = [_whole_part(part) for part in content or ()]
    return found


def page(items: Sequence[Json], response_id: str, query: Mapping[str, str]) -> Json:
    """The list that *query* asks for: ``limit``, ``order`` and ``after``."""
    limit = _limit(query.get("limit", str(LIMIT)))
    order = query.get("order", "desc")
    if order not in ("asc", "desc"):
        raise BadRequestError("order: must be asc or desc", param="order")
    found = [whole_item(item, response_id, index) for index, item in enumerate(items)]
    if order == "desc":
        found.reverse()
    after = query.get("after")
    if after is not None:
        ids = [item["id"] for item in found]
        if after not in ids:
            raise BadRequestError(f"after: there is no item {after!r} here", param="after")
        found = found[ids.index(after) + 1 :]
    shown = found[:limit]
    return {
        "object": "list",
        "data": shown,
        "first_id": shown[0]["id"] if shown else None,
        "last_id": shown[-1]["id"] if shown else None,
        "has_more": len(found) > limit,
    }


def _limit(given: str) -> int:
    if not given.isascii() or not given.isdigit() or not 1 <= int(given) <= MOST:
        raise BadRequestError(f"limit: must be a number from 1 to {MOST}", param="limit")
    return int(given)


def _whole_part(part: Json) -> Json:
    return {**_PARTS.get(str(part.get("type")), {}), **part}
