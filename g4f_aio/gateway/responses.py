"""Responses kept in memory, for clients that refer to them later."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Collection, Iterator
from typing import Any

import attrs

from ..core.stores import ResponseKey, StoredResponse
from ..dialects.json_text import dumps, loads

#: the most responses kept, and the most bytes that they may take together
RESPONSES = 1000
ROOM = 64 * 2**20


@attrs.frozen
class _Kept:
    """One response, its body and its input as JSON."""

    data: bytes
    provider: str
    native: bool
    items: tuple[str, ...]


class MemoryResponses:
    """Responses for as long as this process runs; the ones unused longest make room.

    One that takes more than all the *room*, in bytes, is not kept.
    """

    def __init__(self, limit: int = RESPONSES, room: int = ROOM) -> None:
        self._limit = limit
        self._room = room
        self._size = 0
        self._kept: OrderedDict[ResponseKey, _Kept] = OrderedDict()
        #: which response has an item, by its owner and the item's id
        self._places: dict[tuple[str, str], ResponseKey] = {}

    async def put(self, response: StoredResponse) -> None:
        """Keep it, in the place of one with its key."""
        key = response.key
        self._drop(key)
        data = dumps([response.body, response.input])
        if len(data) > self._room:
            return
        ids = tuple(item["id"] for item in _items(response) if isinstance(item.get("id"), str))
        self._kept[key] = _Kept(data, response.provider, response.native, ids)
        self._size += len(data)
        self._places.update(dict.fromkeys(((key.owner, one) for one in ids), key))
        while len(self._kept) > self._limit or self._size > self._room:
            self._drop(next(iter(self._kept)))

    async def get(self, key: ResponseKey) -> StoredResponse | None:
        """The response; None when there is none."""
        kept = self._kept.get(key)
        if kept is None:
            return None
        self._kept.move_to_end(key)
        body, before = loads(kept.data)
        return StoredResponse(key, body, tuple(before), kept.provider, kept.native)

    async def delete(self, key: ResponseKey) -> bool:
        """Forget it; whether it was there."""
        return self._drop(key)

    async def items(self, owner: str, ids: Collection[str]) -> dict[str, dict[str, Any]]:
        """Those of the items with these *ids* that are in the responses of *owner*, by id."""
        found: dict[str, dict[str, Any]] = {}
        places = dict.fromkeys(self._places.get((owner, one)) for one in ids)
        for key in places:
            response = None if key is None else await self.get(key)
            for item in () if response is None else _items(response):
                if item.get("id") in ids:
                    found[item["id"]] = item
        return found

    async def known(self, id: str) -> bool:  # noqa: A002  (the wire's name)
        """Whether a response with that id belongs to anybody."""
        return any(key.id == id for key in self._kept)

    def _drop(self, key: ResponseKey) -> bool:
        kept = self._kept.pop(key, None)
        if kept is None:
            return False
        self._size -= len(kept.data)
        for one in kept.items:
            if self._places.get((key.owner, one)) == key:
                del self._places[key.owner, one]
        return True


def _items(response: StoredResponse) -> Iterator[dict[str, Any]]:
    """Its items with what they say; a reference is none."""
    for item in (*response.input, *response.output):
        if item.get("type") != "item_reference":
            yield item
