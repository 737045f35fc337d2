"""Responses in memory: found by their owner, with their items, and bounded."""

from __future__ import annotations

from typing import Any

import attrs
import pytest

from g4f_aio.core.stores import ResponseKey, ResponseStore, StoredResponse
from g4f_aio.gateway.responses import MemoryResponses

Json = dict[str, Any]


def message(name: str, text: str = "x") -> Json:
    return {"type": "message", "id": name, "role": "assistant", "content": text}


def stored(
    name: str, *output: Json, owner: str = "alice", before: tuple[Json, ...] = (), **more: Any
) -> StoredResponse:
    body = {"id": name, "status": "completed", "output": list(output)} | more
    return StoredResponse(ResponseKey(owner, name), body, before, "up", native=True)


def key(name: str, owner: str = "alice") -> ResponseKey:
    return ResponseKey(owner, name)


async def test_a_response_is_found_again_as_it_was() -> None:
    store: ResponseStore = MemoryResponses()
    kept = stored("r1", message("m1"), before=({"role": "user", "content": "\ud83d Hi"},))
    await store.put(kept)
    assert await store.get(key("r1")) == kept
    kept.body["status"] = "changed"
    found = await store.get(key("r1"))
    assert found is not None
    assert found.body["status"] == "completed"


async def test_it_belongs_to_its_owner() -> None:
    store = MemoryResponses()
    await store.put(stored("r1", message("m1")))
    assert await store.get(key("r1", "bob")) is None
    assert await store.items("bob", ["m1"]) == {}
    assert not await store.delete(key("r1", "bob"))
    assert await store.known("r1")
    assert not await store.known("r2")


async def test_two_owners_may_have_the_same_id() -> None:
    store = MemoryResponses()
    await store.put(stored("r1", message("m1", "a")))
    await store.put(stored("r1", message("m1", "b"), owner="bob"))
    assert (await store.items("alice", ["m1"]))["m1"]["content"] == "a"
    assert await store.delete(key("r1"))
    assert await store.known("r1")
    assert (await store.items("bob", ["m1"]))["m1"]["content"] == "b"


async def test_what_was_deleted_is_gone() -> None:
    store = MemoryResponses()
    await store.put(stored("r1", message("m1")))
    assert await store.delete(key("r1"))
    assert not await store.delete(key("r1"))
    assert await store.get(key("r1")) is None
    assert await store.items("alice", ["m1"]) == {}
    assert not await store.known("r1")


async def test_items_are_found_in_whatever_response_they_are() -> None:
    store = MemoryResponses()
    reference = {"type": "item_reference", "id": "m9"}
    nameless = {"role": "user", "content": "Hi"}
    await store.put(stored("r1", message("m1"), message("m2"), before=(nameless, message("m0"))))
    await store.put(stored("r2", message("m3"), {"id": 5}, before=(reference,)))
    found = await store.items("alice", ["m0", "m2", "m3", "m9", "none"])
    assert found == {name: message(name) for name in ("m0", "m2", "m3")}


async def test_the_latest_response_with_an_item_has_it() -> None:
    store = MemoryResponses()
    await store.put(stored("r1", message("m1", "a")))
    await store.put(stored("r2", message("m1", "b")))
    assert (await store.items("alice", ["m1"]))["m1"]["content"] == "b"
    await store.delete(key("r1"))
    assert (await store.items("alice", ["m1"]))["m1"]["content"] == "b"


async def test_a_response_takes_the_place_of_the_one_with_its_key() -> None:
    store = MemoryResponses(limit=1)
    await store.put(stored("r1", message("m1"), status="queued"))
    await store.put(stored("r1", message("m2")))
    found = await store.get(key("r1"))
    assert found is not None
    assert found.over
    assert await store.items("alice", ["m1"]) == {}


async def test_the_one_unused_longest_makes_room() -> None:
    store = MemoryResponses(limit=2)
    for name in ("r1", "r2"):
        await store.put(stored(name))
    await store.get(key("r1"))
    await store.put(stored("r3"))
    assert [await store.known(name) for name in ("r1", "r2", "r3")] == [True, False, True]


async def test_together_they_take_only_so_much_room() -> None:
    store = MemoryResponses(room=1000)
    for name in ("r1", "r2", "r3"):
        await store.put(stored(name, message(name, "x" * 300)))
    assert [await store.known(name) for name in ("r1", "r2", "r3")] == [False, True, True]
    await store.delete(key("r2"))
    await store.put(stored("r4", message("r4", "x" * 300)))
    assert [await store.known(name) for name in ("r3", "r4")] == [True, True]


async def test_one_that_is_too_large_is_not_kept_and_nobody_suffers() -> None:
    store = MemoryResponses(room=1000)
    await store.put(stored("r1"))
    await store.put(stored("r2", message("m", "x" * 1000)))
    assert [await store.known(name) for name in ("r1", "r2")] == [True, False]
    await store.put(stored("r1", message("m", "x" * 1000)))
    assert not await store.known("r1")


@pytest.mark.parametrize(
    ("status", "over"),
    [
        ("queued", False),
        ("in_progress", False),
        ("completed", True),
        ("incomplete", True),
        ("cancelled", True),
        (None, True),
    ],
)
def test_when_a_response_is_over(status: str | None, over: bool) -> None:  # noqa: FBT001
    assert stored("r1", status=status).over is over


def test_the_output_is_items_alone() -> None:
    kept = stored("r1", message("m1"))
    assert kept.output == [message("m1")]
    assert attrs.evolve(kept, body={"output": [1, message("m1")]}).output == [message("m1")]
    assert attrs.evolve(kept, body={"output": None}).output == []
