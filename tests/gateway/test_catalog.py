"""What is found once is kept as long as nothing changes."""

from __future__ import annotations

import asyncio

import attrs
import pytest

from g4f_aio import ModelNotFoundError, Tool
from g4f_aio.gateway import catalog as module
from tests.gateway.catalogs import ASSISTANT, Lists, catalog, chosen, entry, request


async def test_a_provider_that_comes_or_goes_is_noticed_at_once() -> None:
    known = catalog(entry("a", "a1"), ASSISTANT)
    assert await chosen(known, request()) == [("a", "a1")]
    known.registry.add(entry("b", "b1"))
    assert await chosen(known, request()) == [("a", "a1"), ("b", "b1")]
    known.registry.add(entry("a", "a1", chosen=False))
    known.registry.add(entry("b", "b1", chosen=False))
    assert await chosen(known, request()) == [("OfflineAssistant", "offline-assistant")]


async def test_a_new_list_of_models_is_noticed_at_once() -> None:
    lists = Lists(a=("old",))
    known = catalog(entry("a"), lists=lists)
    assert await chosen(known, request()) == [("a", "old")]
    lists.models["a"] = ("new",)
    await known.refresh(known.registry.chosen[0], force=True)
    assert await chosen(known, request()) == [("a", "new")]
    lists.models["a"] = ("newer",)
    known.forget(known.registry.chosen[0])
    assert await chosen(known, request()) == [("a", "newer")]


async def test_however_many_names_are_asked_for_few_are_kept(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(module, "REMEMBERED", 10)
    known = catalog(entry("a", "a1"))
    for number in range(50):
        await known.candidates(request(f"a:{number}"))
    assert len(known._found) <= 10


async def test_what_was_found_is_not_looked_for_again() -> None:
    known = catalog(entry("a", "a1"))
    first = await known.candidates(request("a1"))
    assert await known.candidates(request("a1")) is first
    tools = attrs.evolve(request("a1"), tools=(Tool("f"),))
    assert await known.candidates(tools) is not first
    assert (await known.find(request("a1"))).candidates is first


async def test_a_failure_is_looked_into_each_time() -> None:
    lists = Lists()
    known = catalog(entry("a"), lists=lists)
    with pytest.raises(ModelNotFoundError):
        await known.candidates(request("m"))
    lists.models["a"] = ("m",)
    await known.refresh(known.registry.chosen[0], force=True)
    assert await chosen(known, request("m")) == [("a", "m")]


async def test_the_same_list_again_changes_nothing() -> None:
    known = catalog(entry("a"), lists=Lists(a=("m",)))
    first = await known.candidates(request("m"))
    assert await known.candidates(request("m")) is not first, "the list came with the first"
    first = await known.candidates(request("m"))
    await known.refresh(known.registry.chosen[0], force=True)
    assert await known.candidates(request("m")) is first


async def test_what_changed_while_somebody_looked_is_not_kept() -> None:
    lists = Lists(a=("old",), b=("b1",))
    lists.delay = 0.05
    known = catalog(entry("a"), entry("b"), lists=lists)
    looking = asyncio.ensure_future(known.candidates(request()))
    await asyncio.sleep(0)
    known.registry.add(entry("c", "c1"))
    await looking
    assert await chosen(known, request()) == [("a", "old"), ("b", "b1"), ("c", "c1")]
