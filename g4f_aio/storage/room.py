"""Room for what is new: what was not used for longest goes, and what was not used for too long."""

from __future__ import annotations

from sqlalchemy import Table, bindparam, delete, func, or_, select
from sqlalchemy.ext.asyncio import AsyncConnection

from .limits import Keeping

#: the part of its limits by which an owner's things may exceed them before there is a look
SLACK = 1 / 16


class Room:
    """The limits of one *table*, which has the columns number, owner, used and size."""

    def __init__(self, table: Table, keeping: Keeping) -> None:
        self._table = table
        self._keeping = keeping
        #: how many things and bytes came since the last look, by their owner
        self._new: dict[str, tuple[int, int]] = {}
        columns = table.c
        newest = (columns.used.desc(), columns.number.desc())
        place = func.row_number().over(partition_by=columns.owner, order_by=newest)
        taken = func.sum(columns.size).over(
            partition_by=columns.owner, order_by=newest, rows=(None, 0)
        )
        ranked = (
            select(columns.number, place.label("place"), taken.label("taken"))
            .where(columns.owner == bindparam("whose"))
            .subquery()
        )
        self._trim = delete(table).where(
            columns.number.in_(
                select(ranked.c.number).where(
                    or_(
                        ranked.c.place > bindparam("most"),
                        ranked.c.taken > bindparam("room"),
                    )
                )
            )
        )
        self._expire = delete(table).where(columns.used < bindparam("before"))

    async def make(self, connection: AsyncConnection, owner: str, size: int) -> None:
        """Note that so many bytes came, in the same transaction; now and then what is too much goes."""
        keeping = self._keeping
        things, taken = self._new.get(owner, (0, 0))
        things, taken = things + 1, taken + size
        if things <= keeping.most * SLACK and taken <= keeping.room * SLACK:
            self._new[owner] = (things, taken)
            return
        self._new.pop(owner, None)
        await connection.execute(
            self._trim, {"whose": owner, "most": keeping.most, "room": keeping.room}
        )

    async def expire(self, connection: AsyncConnection, now: float) -> None:
        """What was not used for too long goes."""
        await connection.execute(self._expire, {"before": now - self._keeping.seconds})
