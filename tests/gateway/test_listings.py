"""What is known about the models of providers, and when they are asked."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

import pytest

from g4f_aio import GatewayError, ModelInfo, Provider, UpstreamError
from g4f_aio.gateway import listings as module
from g4f_aio.providers.offline_assistant import OfflineAssistant
from g4f_aio.providers.openai_compatible import OpenAICompatible
from g4f_aio.providers.openai_presets import OpenAI
from tests.gateway.catalogs import ASSISTANT, Lists, catalog, entry


async def test_what_is_listed_comes_before_what_is_known_anyway() -> None:
    known = catalog(ASSISTANT, lists=Lists(OfflineAssistant=("new", "offline-assistant")))
    (only,) = known.registry.load_all()
    assert [model.id for model in known.models_of(only)] == ["offline-assistant"]
    await known.refresh(only)
    assert [model.id for model in known.models_of(only)] == ["new", "offline-assistant"]


async def test_models_of_the_settings_are_all_there_are() -> None:
    lists = Lists(a=("more",))
    known = catalog(entry("a", "a1"), lists=lists)
    assert [model.id for model in await known.refresh(known.registry.chosen[0])] == ["a1"]
    assert lists.asked == []


async def test_a_provider_that_lacks_something_is_not_asked() -> None:
    lists = Lists()
    known = catalog(entry("OpenAI", provider=OpenAI()), lists=lists)
    assert await known.refresh(known.registry.load_all()[0]) == ()
    assert lists.asked == []


async def test_a_fresh_list_is_not_asked_for_again_unless_forced() -> None:
    lists = Lists(a=("a1",))
    known = catalog(entry("a"), lists=lists)
    (one,) = known.registry.chosen
    await known.refresh(one)
    await known.refresh(one)
    assert lists.asked == ["a"]
    await known.refresh(one, force=True)
    assert lists.asked == ["a", "a"]


async def test_many_who_want_a_list_at_a_time_share_it() -> None:
    lists = Lists(a=("a1",))
    lists.delay = 0.02
    known = catalog(entry("a"), lists=lists)
    (one,) = known.registry.chosen
    found = await asyncio.gather(*(known.refresh(one) for _ in range(5)))
    assert lists.asked == ["a"]
    assert found == [(ModelInfo("a1"),)] * 5


async def test_a_list_that_cannot_be_had_leaves_the_old_one(
    caplog: pytest.LogCaptureFixture,
) -> None:
    lists = Lists(a=("a1",))
    known = catalog(entry("a"), lists=lists)
    (one,) = known.registry.chosen
    await known.refresh(one)
    lists.models["a"] = UpstreamError("a is on fire")
    assert [model.id for model in await known.refresh(one, force=True)] == ["a1"]
    assert "no list of models from a: a is on fire" in caplog.text


Freshness = Callable[[str, float], None]


@pytest.fixture
def freshness(monkeypatch: pytest.MonkeyPatch) -> Freshness:
    """Set how long a list is fresh."""
    return lambda name, seconds: monkeypatch.setattr(module, name, seconds)


@pytest.mark.parametrize(
    ("name", "provider", "answer"),
    [
        ("FRESH", OpenAICompatible(base_url="http://x/v1"), ("a1",)),
        ("FRESH_LOCAL", OfflineAssistant(), ("a1",)),
        ("FRESH_FAILURE", OpenAICompatible(base_url="http://x/v1"), UpstreamError("no")),
    ],
)
async def test_each_kind_of_list_grows_old_in_its_own_time(
    freshness: Freshness,
    name: str,
    provider: Provider,
    answer: tuple[str, ...] | GatewayError,
) -> None:
    freshness(name, -1.0)
    lists = Lists(a=answer)
    known = catalog(entry("a", provider=provider), lists=lists)
    await known.refresh_chosen()
    await known.refresh_chosen()
    assert lists.asked == ["a", "a"]


async def test_somebody_who_gives_up_does_not_stop_the_others() -> None:
    lists = Lists(a=("a1",))
    lists.delay = 0.05
    known = catalog(entry("a"), lists=lists)
    (one,) = known.registry.chosen
    async with asyncio.TaskGroup() as group:
        first = group.create_task(known.refresh(one))
        second = group.create_task(known.refresh(one))
        await asyncio.sleep(0.01)
        first.cancel()
    assert second.result() == (ModelInfo("a1"),)


async def test_listings_show_what_can_be_used_and_somebody_chose_or_whose_models_are_known() -> (
    None
):
    known = catalog(
        entry("chosen"),
        entry("idle", chosen=False),
        entry("listed", "m", chosen=False),
        entry("OpenAI", provider=OpenAI()),
    )
    shown = [one.name for one in known.registry.load_all() if known.offers(one)]
    assert shown == ["chosen", "listed"]
