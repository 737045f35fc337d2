"""Responses: the same over every database."""

from __future__ import annotations

from typing import Any

import pytest
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

from g4f_aio.core.stores import ResponseKey, ResponseStore, StoredResponse, Stores
from g4f_aio.storage.address import Address
from g4f_aio.storage.limits import Keeping
from g4f_aio.storage.responses import NOTED, Responses
from tests.storage.conftest import GENEROUS, Begin, Clock

Json = dict[str, Any]


@pytest.fixture
def store(stores: Stores) -> ResponseStore:
    return stores.responses


def key(name: str, owner: str = "alice") -> ResponseKey:
    return ResponseKey(owner, name)


def message(name: str, said: str = "Hi") -> Json:
    return {"type": "message", "id": name, "role": "assistant", "content": said}


def stored(
    name: str,
    *output: Any,
    before: tuple[Json, ...] = (),
    status: str | None = "completed",
    owner: str = "alice",
) -> StoredResponse:
    body = {"id": name, "status": status, "output": list(output), "model": "m"}
    return StoredResponse(key(name, owner), body, before, "P", native=True)


async def there(store: ResponseStore, *names: str) -> list[bool]:
    return [await store.known(name) for name in names]


async def test_it_comes_back_as_it_was(store: ResponseStore) -> None:
    whole = stored(
        "r1",
        message("m1", "half \ud83d, and a \0"),
        7,
        {"id": None, "deep": [{"x": [1.5, None]}]},
        before=({"role": "user", "content": "Hi"}, message("m0")),
    )
    await store.put(whole)
    found = await store.get(key("r1"))
    assert found == whole
    assert found is not None
    assert list(found.body) == ["id", "status", "output", "model"]


@pytest.mark.parametrize("output", [None, [], "text", {"a": 1}])
async def test_an_output_of_another_shape_comes_back_as_well(
    store: ResponseStore, output: Any
) -> None:
    whole = StoredResponse(key("r1"), {"id": "r1", "output": output}, (), "P")
    await store.put(whole)
    assert await store.get(key("r1")) == whole


async def test_it_belongs_to_its_owner(store: ResponseStore) -> None:
    await store.put(stored("r1", message("m1")))
    assert await store.get(key("r1", "bob")) is None
    assert not await store.delete(key("r1", "bob"))
    assert await store.items("bob", ["m1"]) == {}
    assert await store.known("r1")
    await store.put(stored("r1", message("m1", "his"), owner="bob"))
    assert (await store.items("alice", ["m1"]))["m1"]["content"] == "Hi"
    assert (await store.items("bob", ["m1"]))["m1"]["content"] == "his"


async def test_it_is_forgotten_with_its_items(store: ResponseStore) -> None:
    await store.put(stored("r1", message("m1")))
    assert await store.delete(key("r1"))
    assert not await store.delete(key("r1"))
    assert await store.get(key("r1")) is None
    assert await store.items("alice", ["m1"]) == {}
    assert not await store.known("r1")


async def test_items_are_found_in_whatever_response_they_are(store: ResponseStore) -> None:
    reference = {"type": "item_reference", "id": "m9"}
    nameless = {"role": "user", "content": "Hi"}
    await store.put(stored("r1", message("m1"), message("m2"), before=(nameless, message("m0"))))
    await store.put(stored("r2", message("m3"), {"id": 5}, before=(reference,)))
    found = await store.items("alice", ["m0", "m2", "m3", "m9", "none"])
    assert found == {name: message(name) for name in ("m0", "m2", "m3")}


async def test_any_number_of_items_may_be_looked_for(store: ResponseStore) -> None:
    await store.put(stored("r1", *(message(f"m{n}") for n in range(600))))
    wanted = [*(f"m{n}" for n in range(600)), *(f"none{n}" for n in range(600)), "\0", "\ud83d"]
    assert await store.items("alice", []) == {}
    assert len(await store.items("alice", wanted)) == 600


async def test_the_latest_response_with_an_item_has_it(store: ResponseStore) -> None:
    await store.put(stored("r1", message("m1", "a")))
    await store.put(stored("r2", message("m1", "b")))
    assert (await store.items("alice", ["m1"]))["m1"]["content"] == "b"
    await store.put(stored("r1", message("m1", "c")))
    assert (await store.items("alice", ["m1"]))["m1"]["content"] == "c"
    await store.delete(key("r1"))
    assert (await store.items("alice", ["m1"]))["m1"]["content"] == "b"


async def test_an_item_is_found_by_an_index_and_not_by_looking_through_all(
    store: Responses, kind: str
) -> None:
    if kind == "postgresql":
        pytest.skip("with few rows it rightly reads them all")
    statement = text(
        "EXPLAIN QUERY PLAN SELECT max(response) FROM response_items"
        " WHERE owner = 'a' AND item IN (x'00', x'01') GROUP BY item"
    )

    async def job(connection: AsyncConnection) -> str:
        return " ".join(str(row) for row in await connection.execute(statement))

    plan = await store._database.read(job)
    assert "USING COVERING INDEX ix_response_items_owner_item_response" in plan


async def test_a_response_takes_the_place_of_the_one_with_its_key(store: ResponseStore) -> None:
    await store.put(stored("r1", message("m1"), status="queued"))
    await store.put(stored("r1", message("m2")))
    found = await store.get(key("r1"))
    assert found is not None
    assert found.over
    assert await store.items("alice", ["m1"]) == {}


@pytest.mark.parametrize("name", ["\0", "half \ud83d", "x" * 1025])
async def test_what_no_database_takes_is_not_there(store: ResponseStore, name: str) -> None:
    await store.put(stored(name))
    assert await store.get(key(name)) is None
    assert not await store.known(name)
    assert not await store.delete(key(name))


async def test_the_one_unused_longest_makes_room(
    begin: Begin, address: Address, clock: Clock
) -> None:
    store = (await (await begin(address, responses=Keeping(10**9, 2, 10**9))).open()).responses
    for name in ("r1", "r2"):
        await store.put(stored(name))
        clock.now += NOTED + 1
    await store.get(key("r1"))
    await store.put(stored("r3"))
    await store.put(stored("r4", owner="bob"))
    assert await there(store, "r1", "r2", "r3", "r4") == [True, False, True, True]


async def test_a_use_is_noted_now_and_then(begin: Begin, address: Address, clock: Clock) -> None:
    """It takes a transaction that writes."""
    store = (await (await begin(address, responses=Keeping(10**9, 2, 10**9))).open()).responses
    for name in ("r1", "r2"):
        await store.put(stored(name))
        clock.now += 1
    await store.get(key("r1"))
    await store.put(stored("r3"))
    assert await there(store, "r1", "r2", "r3") == [False, True, True]


async def test_together_they_take_only_so_much_room(
    begin: Begin, address: Address, clock: Clock
) -> None:
    store = (await (await begin(address, responses=Keeping(10**9, 10**6, 1000))).open()).responses
    for name in ("r1", "r2", "r3"):
        clock.now += 1
        await store.put(stored(name, message(name, "x" * 300)))
    assert await there(store, "r1", "r2", "r3") == [False, True, True]
    await store.delete(key("r2"))
    clock.now += 1
    await store.put(stored("r4", message("r4", "x" * 300)))
    assert await there(store, "r3", "r4") == [True, True]
    # one that is too large for all the room is not kept, and neither is what it takes the place of
    await store.put(stored("r4", message("r4", "x" * 1000)))
    assert await there(store, "r4") == [False]


async def test_what_was_not_used_for_too_long_is_gone(
    begin: Begin, lasting: Address, clock: Clock
) -> None:
    keeping = Keeping.days(1, 100, 10**6)
    store = (await (await begin(lasting, responses=keeping)).open()).responses
    for name in ("r1", "r2", "r3"):
        await store.put(stored(name, message(name)))
    clock.now += 80_000
    await store.get(key("r2"))
    clock.now += 10_000
    again = (await (await begin(lasting, GENEROUS, keeping)).open()).responses
    await again.delete(key("r3"))  # writes are done in their order
    assert await there(again, "r1", "r2") == [False, True]
    assert set(await again.items("alice", ["r1", "r2"])) == {"r2"}
