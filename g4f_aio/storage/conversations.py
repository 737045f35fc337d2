"""Conversations in the database: a row for each message."""

from __future__ import annotations

import logging
from collections.abc import Callable
from typing import Any

from sqlalchemy import bindparam, delete, func, insert, select, update
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.ext.asyncio import AsyncConnection

from ..core.messages import Message
from ..core.stores import Conversation, ConversationKey
from ..dialects.json_text import dumps, loads
from .database import Database
from .limits import Keeping
from .message_json import MessageCodec
from .room import Room
from .tables import conversation_messages, conversation_states, conversations
from .texts import storable

#: the largest state that is kept, in bytes
STATE = 2**20
_log = logging.getLogger(__name__)

_c, _m, _s = conversations.c, conversation_messages.c, conversation_states.c
_OWN = (_c.owner == bindparam("whose"), _c.id == bindparam("name"))
_FIND = select(_c.number, _c.revision).where(*_OWN, _c.provider == bindparam("with"))
_MESSAGES = select(_m.data).where(_m.conversation == bindparam("one")).order_by(_m.position)
_STATES = select(_s.provider, _s.data).where(_s.conversation == bindparam("one"))
_CLEAR_MESSAGES = delete(conversation_messages).where(_m.conversation == bindparam("one"))
_CLEAR_STATES = delete(conversation_states).where(_s.conversation == bindparam("one"))
_CLEAR_STATE = _CLEAR_STATES.where(_s.provider == bindparam("with"))
_CLEAR_OTHERS = _CLEAR_STATES.where(_s.provider != bindparam("with"))
_GO_ON = (
    update(conversations)
    .where(_c.number == bindparam("one"))
    .values(revision=_c.revision + 1, used=bindparam("now"))
    .returning(_c.number, _c.revision)
)
_GROW = (
    update(conversations)
    .where(_c.number == bindparam("one"))
    .values(size=_c.size * bindparam("kept") + bindparam("more"))
)
_BEGAN = select(func.min(_c.created)).where(*_OWN)
_DELETE = delete(conversations).where(*_OWN)


class Conversations:
    """A ``ConversationStore``. *clock* is Unix time in seconds."""

    def __init__(self, database: Database, keeping: Keeping, clock: Callable[[], float]) -> None:
        self._database = database
        self._clock = clock
        self._codec = MessageCodec()
        self.room = Room(conversations, keeping)
        begin = (postgresql if database.dialect == "postgresql" else sqlite).insert(conversations)
        # somebody else may begin it at the same moment
        self._begin = begin.on_conflict_do_update(
            index_elements=[_c.owner, _c.id, _c.provider],
            set_={"revision": _c.revision + 1, "used": begin.excluded.used},
        ).returning(_c.number, _c.revision)

    async def get(self, key: ConversationKey) -> Conversation:
        """The conversation; empty when it is new."""
        if not storable(key.id, key.provider):
            return Conversation()

        async def job(connection: AsyncConnection) -> Conversation:
            own = {"whose": key.owner, "name": key.id, "with": key.provider}
            row = (await connection.execute(_FIND, own)).one_or_none()
            if row is None:
                return Conversation()
            one = {"one": row.number}
            messages = (await connection.scalars(_MESSAGES, one)).all()
            states = (await connection.execute(_STATES, one)).all()
            return Conversation(
                tuple(map(self._codec.load, messages)),
                {provider: loads(data) for provider, data in states},
                row.number,
                row.revision,
            )

        return await self._database.read(job)

    async def put(
        self,
        key: ConversationKey,
        before: Conversation,
        messages: tuple[Message, ...],
        provider: str,
        state: dict[str, Any] | None = None,
    ) -> None:
        """Keep *messages* in the place of those *before*."""

        async def job(connection: AsyncConnection) -> None:
            found = await self._turn(connection, key, before)
            if found is None:
                return  # it was deleted meanwhile
            number, revision = found
            one: dict[str, Any] = {"one": number}
            first = len(before.messages)
            if revision == before.revision + 1 and messages[:first] == before.messages:
                await connection.execute(_CLEAR_OTHERS, {**one, "with": provider})
            else:
                # another turn was faster, or the beginning is another one
                first = 0
                await connection.execute(_CLEAR_MESSAGES, one)
                await connection.execute(_CLEAR_STATES, one)
            new = [*map(self._codec.dump, messages[first:])]
            await connection.execute(
                insert(conversation_messages),
                [
                    {"conversation": number, "position": at, "data": data}
                    for at, data in enumerate(new, first)
                ],
            )
            if state is not None:
                await self._put_state(connection, number, provider, state)
            size = sum(map(len, new))
            await connection.execute(_GROW, {**one, "kept": int(first > 0), "more": size})
            await self.room.make(connection, key.owner, size)

        if storable(key.id, key.provider):
            await self._database.write(job)

    def put_state(
        self, key: ConversationKey, before: Conversation, provider: str, state: dict[str, Any]
    ) -> None:
        """Keep the state after a turn that did not come to its end."""

        async def job(connection: AsyncConnection) -> None:
            found = await self._turn(connection, key, before)
            # after another turn this provider would no longer know everything
            if found is not None and found[1] == before.revision + 1:
                await self._put_state(connection, found[0], provider, state)
                await self.room.make(connection, key.owner, 0)

        if storable(key.id, key.provider):
            self._database.post(job)

    async def began(self, owner: str, id: str) -> float | None:  # noqa: A002  (the wire's name)
        """When the oldest of his conversations of that name began; None: there is none."""

        async def job(connection: AsyncConnection) -> float | None:
            found: float | None = await connection.scalar(_BEGAN, {"whose": owner, "name": id})
            return found

        return await self._database.read(job) if storable(id) else None

    async def delete(self, owner: str, id: str) -> bool:  # noqa: A002  (the wire's name)
        """Forget his conversations of that name; whether there were any."""

        async def job(connection: AsyncConnection) -> bool:
            found = await connection.execute(_DELETE, {"whose": owner, "name": id})
            return found.rowcount > 0

        return await self._database.write(job) if storable(id) else False

    async def _turn(
        self, connection: AsyncConnection, key: ConversationKey, before: Conversation
    ) -> tuple[int, int] | None:
        """Number and revision of a conversation that goes on; None when it is there no more."""
        now = self._clock()
        if before.number is not None:
            row = await connection.execute(_GO_ON, {"one": before.number, "now": now})
        else:
            new = {
                "owner": key.owner,
                "id": key.id,
                "provider": key.provider,
                "created": now,
                "used": now,
                "revision": 1,
                "size": 0,
            }
            row = await connection.execute(self._begin, new)
        found = row.one_or_none()
        return None if found is None else (found.number, found.revision)

    async def _put_state(
        self, connection: AsyncConnection, number: int, provider: str, state: dict[str, Any]
    ) -> None:
        data = dumps(state)
        await connection.execute(_CLEAR_STATE, {"one": number, "with": provider})
        if len(data) > STATE:
            _log.warning("provider %s gave a state of %d bytes: not kept", provider, len(data))
            return
        row = {"conversation": number, "provider": provider, "data": data}
        await connection.execute(insert(conversation_states), row)
