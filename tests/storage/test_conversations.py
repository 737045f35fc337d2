"""Conversations: the same over every database."""

from __future__ import annotations

import asyncio
from typing import Any

import attrs
import pytest

from g4f_aio.core.messages import Message, TextPart
from g4f_aio.core.stores import Conversation, ConversationKey, ConversationStore, Stores
from g4f_aio.storage import conversations as module
from g4f_aio.storage.address import Address
from g4f_aio.storage.limits import Keeping
from tests.storage.conftest import GENEROUS, Begin, Clock

KEY = ConversationKey("alice", "", "c1")


def said(*texts: str) -> tuple[Message, ...]:
    roles = ("user", "assistant")
    return tuple(
        Message(roles[at % 2], (TextPart(text),))  # type: ignore[arg-type]
        for at, text in enumerate(texts)
    )


@pytest.fixture
def store(stores: Stores) -> ConversationStore:
    return stores.conversations


async def turn(
    store: ConversationStore,
    *texts: str,
    key: ConversationKey = KEY,
    provider: str = "P",
    state: dict[str, Any] | None = None,
) -> None:
    await store.put(key, await store.get(key), said(*texts), provider, state)


async def texts(store: ConversationStore, key: ConversationKey = KEY) -> list[str]:
    return [message.text for message in (await store.get(key)).messages]


async def test_one_that_is_new_is_empty(store: ConversationStore) -> None:
    assert await store.get(KEY) == Conversation()


async def test_it_grows_turn_by_turn(store: ConversationStore) -> None:
    await turn(store, "a", "b")
    assert await texts(store) == ["a", "b"]
    await turn(store, "a", "b", "c", "d")
    assert await texts(store) == ["a", "b", "c", "d"]


async def test_another_beginning_takes_the_place_of_the_old_one(store: ConversationStore) -> None:
    await turn(store, "a", "b", "c", "d")
    await turn(store, "new", "b")
    assert await texts(store) == ["new", "b"]


@pytest.mark.parametrize("field", ["owner", "provider", "id"])
async def test_each_belongs_to_its_key(store: ConversationStore, field: str) -> None:
    await turn(store, "a", "b")
    assert await texts(store, attrs.evolve(KEY, **{field: "other"})) == []


async def test_of_two_turns_at_one_time_the_last_one_counts(store: ConversationStore) -> None:
    before = await store.get(KEY)
    await store.put(KEY, before, said("a", "b"), "P", {"of": "the first"})
    await store.put(KEY, before, said("c", "d"), "Q")
    assert await texts(store) == ["c", "d"]
    assert (await store.get(KEY)).states == {}
    before = await store.get(KEY)
    await store.put(KEY, before, said("c", "d", "e", "f", "g", "h"), "Q")
    await store.put(KEY, before, said("c", "d", "i", "j"), "Q")
    assert await texts(store) == ["c", "d", "i", "j"]


async def test_many_turns_at_one_time_leave_a_whole_transcript(store: ConversationStore) -> None:
    before = await store.get(KEY)
    await asyncio.gather(*(store.put(KEY, before, said(str(n), str(n)), "P") for n in range(8)))
    first, second = await texts(store)
    assert first == second


# states of providers


async def test_a_state_is_kept_for_its_provider(store: ConversationStore) -> None:
    await turn(store, "a", "b", state={"id": 1})
    assert (await store.get(KEY)).states == {"P": {"id": 1}}
    await turn(store, "a", "b", "c", "d")
    assert (await store.get(KEY)).states == {"P": {"id": 1}}
    await turn(store, "a", "b", "c", "d", "e", "f", state={"id": 2})
    assert (await store.get(KEY)).states == {"P": {"id": 2}}


async def test_who_does_not_know_the_last_turn_gets_no_state(store: ConversationStore) -> None:
    await turn(store, "a", "b", state={"id": 1})
    await turn(store, "a", "b", "c", "d", provider="Q")
    assert (await store.get(KEY)).states == {}


async def test_with_another_beginning_the_state_is_gone(store: ConversationStore) -> None:
    await turn(store, "a", "b", state={"id": 1})
    await turn(store, "z", "b")
    assert (await store.get(KEY)).states == {}


async def test_the_state_of_an_unfinished_turn_is_kept(store: ConversationStore) -> None:
    store.put_state(KEY, await store.get(KEY), "P", {"id": 1})
    await settled(store)
    assert (await store.get(KEY)).states == {"P": {"id": 1}}
    await turn(store, "a", "b")
    store.put_state(KEY, await store.get(KEY), "P", {"id": 2})
    await settled(store)
    found = await store.get(KEY)
    assert (found.states, len(found.messages)) == ({"P": {"id": 2}}, 2)


async def test_an_unfinished_turn_that_was_overtaken_leaves_no_state(
    store: ConversationStore,
) -> None:
    before = await store.get(KEY)
    await turn(store, "a", "b", provider="Q")
    store.put_state(KEY, before, "P", {"id": 1})
    await settled(store)
    assert (await store.get(KEY)).states == {}


async def test_a_state_without_measure_is_not_kept(
    store: ConversationStore, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(module, "STATE", 10)
    await turn(store, "a", "b", state={"id": "x" * 10})
    assert (await store.get(KEY)).states == {}
    assert "provider P gave a state of 19 bytes: not kept" in caplog.text


async def settled(store: ConversationStore) -> None:
    """Writes are done in their order."""
    await store.delete("nobody", "nothing")


# that it is there, and no more


async def test_when_it_began(store: ConversationStore, clock: Clock) -> None:
    assert await store.began("alice", "c1") is None
    await turn(store, "a", "b")
    clock.now += 60
    await turn(store, "a", "b", "c", "d")
    await turn(store, "a", "b", key=attrs.evolve(KEY, provider="other"))
    assert await store.began("alice", "c1") == clock.now - 60
    assert await store.began("bob", "c1") is None


async def test_it_is_forgotten_with_every_provider(store: ConversationStore) -> None:
    other = attrs.evolve(KEY, provider="other")
    await turn(store, "a", "b", state={"id": 1})
    await turn(store, "a", "b", key=other)
    await turn(store, "a", "b", key=attrs.evolve(KEY, id="c2"))
    assert not await store.delete("bob", "c1")
    assert await store.delete("alice", "c1")
    assert not await store.delete("alice", "c1")
    assert await store.get(KEY) == await store.get(other) == Conversation()
    assert await texts(store, attrs.evolve(KEY, id="c2")) == ["a", "b"]


async def test_what_is_deleted_in_the_middle_of_a_turn_stays_deleted(
    store: ConversationStore,
) -> None:
    await turn(store, "a", "b")
    before = await store.get(KEY)
    await store.delete("alice", "c1")
    await store.put(KEY, before, said("a", "b", "c", "d"), "P", {"id": 1})
    store.put_state(KEY, before, "P", {"id": 1})
    await settled(store)
    assert await store.began("alice", "c1") is None
    await turn(store, "x", "y")
    await store.put(KEY, before, said("a", "b", "c", "d"), "P")
    assert await texts(store) == ["x", "y"]


@pytest.mark.parametrize("name", ["\0", "half \ud83d", "x" * 1025])
async def test_what_no_database_takes_is_not_there(store: ConversationStore, name: str) -> None:
    for key in (ConversationKey("alice", "", name), ConversationKey("alice", name, "c1")):
        await turn(store, "a", "b", key=key)
        store.put_state(key, Conversation(), "P", {})
        assert await store.get(key) == Conversation()
    assert await store.began("alice", name) is None
    assert not await store.delete("alice", name)


# how much, and how long


async def test_the_ones_unused_longest_make_room(
    begin: Begin, address: Address, clock: Clock
) -> None:
    storage = await begin(address, conversations=Keeping(10**9, 2, 10**9))
    store = (await storage.open()).conversations
    names = [attrs.evolve(KEY, id=name) for name in ("c1", "c2", "c3")]
    for key in (*names[:2], names[0], names[2]):
        clock.now += 1
        await turn(store, *[str(clock.now)] * 2, key=key)
    await turn(store, "a", "b", key=attrs.evolve(KEY, owner="bob"))
    assert [bool(await texts(store, key)) for key in names] == [True, False, True]


async def test_together_they_take_only_so_much_room(
    begin: Begin, address: Address, clock: Clock
) -> None:
    storage = await begin(address, conversations=Keeping(10**9, 10**6, 1500))
    store = (await storage.open()).conversations
    names = [attrs.evolve(KEY, id=name) for name in ("c1", "c2", "c3")]
    for key in names:
        clock.now += 1
        await turn(store, "x" * 300, "y" * 300, key=key)
    assert [bool(await texts(store, key)) for key in names] == [False, True, True]
    # it grows, and what it had before counts
    await turn(store, "x" * 300, "y" * 300, "z" * 300, "z", key=names[2])
    assert [bool(await texts(store, key)) for key in names] == [False, False, True]


async def test_what_was_not_used_for_too_long_is_gone(
    begin: Begin, lasting: Address, clock: Clock
) -> None:
    keeping = Keeping.days(1, 100, 10**6)
    store = (await (await begin(lasting, conversations=keeping)).open()).conversations
    await turn(store, "a", "b")
    clock.now += 80_000
    await turn(store, "a", "b", key=attrs.evolve(KEY, id="c2"))
    clock.now += 10_000
    # it looks as soon as it is open
    again = (await (await begin(lasting, keeping, GENEROUS)).open()).conversations
    await settled(again)
    assert await again.began("alice", "c1") is None
    assert await again.began("alice", "c2") is not None
