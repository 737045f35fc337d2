"""Responses in the database: a row for each of their items, so that each can be found by its id."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Collection, Iterator
from itertools import islice
from typing import Any

from sqlalchemy import LargeBinary, bindparam, delete, func, insert, literal, select, update
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.ext.asyncio import AsyncConnection

from ..core.stores import ResponseKey, StoredResponse
from ..dialects.json_text import dumps, loads
from .database import Database
from .limits import Keeping
from .room import Room
from .tables import response_items, responses
from .texts import storable

#: seconds for which another use of a response is not noted
NOTED = 3600.0
#: ids that are looked for at one time; databases take only so many values in a statement
_MANY = 500

_r, _i = responses.c, response_items.c
_OWN = (_r.id == bindparam("name"), _r.owner == bindparam("whose"))
_FIND = select(_r.number, _r.provider, _r.native, _r.body, _r.used).where(*_OWN)
_ITEMS = select(_i.output, _i.data).where(_i.response == bindparam("one")).order_by(_i.position)
_DELETE = delete(responses).where(*_OWN)
_USE = update(responses).where(_r.number == bindparam("one")).values(used=bindparam("now"))
_KNOWN = select(literal(1)).where(_r.id == bindparam("name")).limit(1)
_LATEST = (
    select(_i.item, func.max(_i.response).label("response"))
    .where(
        _i.owner == bindparam("whose"),
        _i.item.in_(bindparam("wanted", expanding=True, type_=LargeBinary)),
    )
    .group_by(_i.item)
    .subquery()
)
_BY_ID = (
    select(_i.item, _i.data)
    .join(_LATEST, (_i.item == _LATEST.c.item) & (_i.response == _LATEST.c.response))
    .order_by(_i.position)
)


class Responses:
    """A ``ResponseStore``. *clock* is Unix time in seconds."""

    def __init__(self, database: Database, keeping: Keeping, clock: Callable[[], float]) -> None:
        self._database = database
        self._clock = clock
        self.room = Room(responses, keeping)
        # hardly ever is there one with its key
        add = (postgresql if database.dialect == "postgresql" else sqlite).insert(responses)
        self._insert = add.on_conflict_do_nothing(index_elements=[_r.id, _r.owner]).returning(
            _r.number
        )

    async def put(self, response: StoredResponse) -> None:
        """Keep it, in the place of one with its key."""
        key = response.key
        body, items = _taken_apart(response)
        size = len(body) + sum(len(item["data"]) for item in items)

        async def job(connection: AsyncConnection) -> None:
            now = self._clock()
            row = {
                "owner": key.owner,
                "id": key.id,
                "provider": response.provider,
                "native": response.native,
                "body": body,
                "created": now,
                "used": now,
                "size": size,
            }
            number = await connection.scalar(self._insert, row)
            if number is None:
                await connection.execute(_DELETE, {"name": key.id, "whose": key.owner})
                number = await connection.scalar(self._insert, row)
            if items:
                await connection.execute(
                    insert(response_items), [{"response": number, **item} for item in items]
                )
            await self.room.make(connection, key.owner, size)

        if storable(key.id):
            await self._database.write(job)

    async def get(self, key: ResponseKey) -> StoredResponse | None:
        """The response; None when there is none."""
        if not storable(key.id):
            return None

        async def job(connection: AsyncConnection) -> tuple[int, float, StoredResponse] | None:
            own = {"name": key.id, "whose": key.owner}
            row = (await connection.execute(_FIND, own)).one_or_none()
            if row is None:
                return None
            items = (await connection.execute(_ITEMS, {"one": row.number})).all()
            body = loads(row.body)
            if any(item.output for item in items):
                body["output"] = [loads(item.data) for item in items if item.output]
            before = tuple(loads(item.data) for item in items if not item.output)
            stored = StoredResponse(key, body, before, row.provider, row.native)
            return row.number, row.used, stored

        found = await self._database.read(job)
        if found is None:
            return None
        number, used, stored = found
        if self._clock() - used > NOTED:
            self._use(number)
        return stored

    async def delete(self, key: ResponseKey) -> bool:
        """Forget it; whether it was there."""

        async def job(connection: AsyncConnection) -> bool:
            found = await connection.execute(_DELETE, {"name": key.id, "whose": key.owner})
            return found.rowcount > 0

        return await self._database.write(job) if storable(key.id) else False

    async def items(self, owner: str, ids: Collection[str]) -> dict[str, dict[str, Any]]:
        """Those of the items with these *ids* that are in the responses of *owner*, by id."""
        names = {_digest(one): one for one in ids}
        digests = iter(names)
        found: dict[str, dict[str, Any]] = {}
        while wanted := [*islice(digests, _MANY)]:

            async def job(
                connection: AsyncConnection, wanted: list[bytes] = wanted
            ) -> list[tuple[bytes, bytes]]:
                rows = await connection.execute(_BY_ID, {"whose": owner, "wanted": wanted})
                return [(bytes(item), data) for item, data in rows]

            for item, data in await self._database.read(job):
                found[names[item]] = loads(data)
        return found

    async def known(self, id: str) -> bool:  # noqa: A002  (the wire's name)
        """Whether a response with that id belongs to anybody."""

        async def job(connection: AsyncConnection) -> bool:
            return await connection.scalar(_KNOWN, {"name": id}) is not None

        return await self._database.read(job) if storable(id) else False

    def _use(self, number: int) -> None:
        async def job(connection: AsyncConnection) -> None:
            await connection.execute(_USE, {"one": number, "now": self._clock()})

        self._database.post(job)


def _taken_apart(response: StoredResponse) -> tuple[bytes, list[dict[str, Any]]]:
    """The body without what it says, as JSON, and a row for each item."""
    body, output = response.body, response.body.get("output")
    match output:
        case [_, *_]:
            body = {**body, "output": []}
        case _:
            output = []
    rows = [*_rows(response, response.input, output=False)]
    rows += _rows(response, output, output=True)
    for position, row in enumerate(rows):
        row["position"] = position
    return dumps(body), rows


def _rows(
    response: StoredResponse, items: Collection[Any], *, output: bool
) -> Iterator[dict[str, Any]]:
    for item in items:
        match item:
            case {"type": "item_reference"}:
                name = None  # it says nothing itself
            case {"id": str(id_)}:
                name = _digest(id_)
            case _:
                name = None
        yield {
            "output": output,
            "owner": response.key.owner,
            "item": name,
            "data": dumps(item),
        }


def _digest(name: str) -> bytes:
    return hashlib.sha256(name.encode("utf-8", "surrogatepass")).digest()
