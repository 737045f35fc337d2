"""Which providers a request goes to, and what is known of their models."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable

import attrs
import pytest
from typed_settings import SecretStr

from g4f_aio import (
    Capability,
    ChatRequest,
    GatewayError,
    ImagePart,
    Message,
    ModelInfo,
    ModelNotFoundError,
    OverloadedError,
    Provider,
    ProviderNotFoundError,
    Routing,
    TextPart,
    Tool,
    UnsupportedError,
    UpstreamAuthError,
    UpstreamError,
)
from g4f_aio.gateway import catalog as module
from g4f_aio.gateway.catalog import Catalog
from g4f_aio.gateway.registry import Entry, Registry
from g4f_aio.providers.offline_assistant import OfflineAssistant
from g4f_aio.providers.openai_compatible import OpenAICompatible
from g4f_aio.providers.openai_presets import Mistral, OpenAI
from g4f_aio.providers.scripted import Scripted
from g4f_aio.settings import ModelTarget, ProviderSettings, RoutingSettings, Settings

ASSISTANT = Entry(
    "OfflineAssistant",
    "OfflineAssistant",
    "g4f_aio",
    "1",
    ProviderSettings("OfflineAssistant"),
    OfflineAssistant(),
)


def entry(
    name: str,
    *models: str,
    chosen: bool = True,
    provider: Provider | None = None,
    key: str | None = None,
) -> Entry:
    """A provider of that name; without *models* it is asked for them."""
    table = ProviderSettings(name, models=models, api_key=SecretStr(key) if key else None)
    instance = provider or OpenAICompatible(base_url="http://127.0.0.1:9/v1")
    return Entry(name, name, "d", "1", table, instance, chosen=chosen)


class Lists:
    """The lists of models that upstreams would send; counts how often each is asked."""

    def __init__(self, **models: tuple[ModelInfo | str, ...] | GatewayError) -> None:
        self.models = models
        self.asked: list[str] = []
        self.delay = 0.0

    async def __call__(self, asked: Entry) -> tuple[ModelInfo, ...]:
        self.asked.append(asked.name)
        await asyncio.sleep(self.delay)
        found = self.models.get(asked.name, ())
        if isinstance(found, GatewayError):
            raise found
        return tuple(ModelInfo(one) if isinstance(one, str) else one for one in found)


def catalog(
    *entries: Entry,
    lists: Lists | None = None,
    models: dict[str, tuple[ModelTarget, ...]] | None = None,
    **routing: object,
) -> Catalog:
    """A catalogue of these providers under these settings."""
    settings = Settings(routing=RoutingSettings(**routing), models=models or {})  # type: ignore[arg-type]
    return Catalog(settings, Registry.of(*entries, settings=settings), lists or Lists())


def request(
    model: str = "", provider: str | None = None, keys: dict[str, str] | None = None
) -> ChatRequest:
    """A question for *model*."""
    routing = Routing(provider=provider, api_keys=keys or {})
    return ChatRequest(model, (Message("user", (TextPart("Hello"),)),), routing=routing)


async def chosen(known: Catalog, asked: ChatRequest) -> list[tuple[str, str]]:
    """The candidates as provider and model."""
    return [(one.entry.name, one.model) for one in await known.candidates(asked)]


def target(provider: str, model: str | None = None) -> ModelTarget:
    """A link of a chain."""
    return ModelTarget(provider, model)


# no model named


@pytest.mark.parametrize("model", ["", "default", "auto", "AUTO"])
async def test_without_a_model_every_configured_provider_may_answer_in_order(model: str) -> None:
    known = catalog(entry("b", "b1", "b2"), entry("a", "a1"), ASSISTANT)
    assert await chosen(known, request(model)) == [("b", "b1"), ("a", "a1")]


async def test_the_built_in_fallback_answers_only_when_nobody_is_configured() -> None:
    assert await chosen(catalog(ASSISTANT), request()) == [
        ("OfflineAssistant", "offline-assistant")
    ]


async def test_the_built_in_fallback_is_not_configured_by_being_configured() -> None:
    known = catalog(attrs.evolve(ASSISTANT, chosen=True), entry("a", "a1"))
    assert await chosen(known, request()) == [("a", "a1")]


async def test_a_provider_that_nobody_chose_gets_no_prompt_unasked() -> None:
    known = catalog(entry("found", "f1", chosen=False), ASSISTANT)
    assert await chosen(known, request()) == [("OfflineAssistant", "offline-assistant")]


async def test_a_provider_without_models_is_passed_over() -> None:
    known = catalog(
        entry("empty"), entry("down"), entry("a", "a1"), lists=Lists(down=UpstreamError("down"))
    )
    assert await chosen(known, request()) == [("a", "a1")]


async def test_several_that_are_down_are_waited_for_together() -> None:
    lists = Lists()
    lists.delay = 0.4
    known = catalog(entry("one"), entry("two"), entry("three"), entry("a", "a1"), lists=lists)
    begin = time.monotonic()
    assert await chosen(known, request()) == [("a", "a1")]
    assert time.monotonic() - begin < 1


async def test_a_default_model_can_chat_and_stays_where_its_provider_is() -> None:
    models = (
        ModelInfo("embed", capabilities=Capability.EMBEDDINGS),
        ModelInfo("cloud", by_name_only=True),
        ModelInfo("chat", capabilities=Capability.CHAT | Capability.STREAM),
    )
    known = catalog(entry("Ollama"), lists=Lists(Ollama=models))
    assert await chosen(known, request()) == [("Ollama", "chat")]
    # the others answer to their names
    assert await chosen(known, request("cloud")) == [("Ollama", "cloud")]


async def test_a_provider_with_no_model_for_a_default_is_passed_over_and_says_so_when_named() -> (
    None
):
    lists = Lists(Ollama=(ModelInfo("cloud", by_name_only=True),))
    known = catalog(entry("Ollama"), ASSISTANT, lists=lists)
    assert await chosen(known, request()) == [("OfflineAssistant", "offline-assistant")]
    with pytest.raises(ModelNotFoundError, match="Ollama lists no model for a default; name one"):
        await known.candidates(request(provider="Ollama"))


async def test_with_nobody_at_all_it_is_503() -> None:
    with pytest.raises(OverloadedError) as caught:
        await catalog().candidates(request())
    assert caught.value.code == "no_provider_available"


async def test_the_settings_name_a_default_provider_in_any_case_of_letters() -> None:
    known = catalog(entry("A", "a1"), entry("B", "b1", "b2"), provider="b")
    assert await chosen(known, request()) == [("B", "b1")]


async def test_the_settings_name_a_default_model_of_a_default_provider() -> None:
    known = catalog(entry("A", "a1"), entry("B", "b1", "b2"), provider="b", model="b2")
    assert await chosen(known, request()) == [("B", "b2")]
    assert await chosen(known, request(provider="B")) == [("B", "b2")]
    assert await chosen(known, request(provider="A")) == [("A", "a1")]


async def test_the_settings_name_a_default_model_alone() -> None:
    known = catalog(entry("a", "a1"), entry("b", "b1", "b2"), model="b2")
    assert await chosen(known, request()) == [("b", "b2")]


async def test_the_default_model_may_be_a_chain() -> None:
    known = catalog(
        entry("a", "a1"), entry("b", "b1"), model="best", models={"best": (target("b", "x"),)}
    )
    assert await chosen(known, request()) == [("b", "x")]


async def test_a_default_model_called_default_is_no_endless_loop() -> None:
    assert await chosen(catalog(entry("a", "a1"), model="auto"), request()) == [("a", "a1")]


async def test_a_chain_called_default_is_the_default() -> None:
    known = catalog(entry("a", "a1"), entry("b"), models={"default": (target("b", "x"),)})
    assert await chosen(known, request("default")) == [("b", "x")]


async def test_an_unusable_default_provider_is_an_error_and_no_crash() -> None:
    known = catalog(entry("OpenAI", provider=OpenAI()), provider="OpenAI", model="gpt-4o")
    for asked in (request(), request("something")):
        with pytest.raises(UpstreamAuthError, match="set OPENAI_API_KEY"):
            await known.candidates(asked)


# a provider named


async def test_a_named_provider_gets_the_model_as_it_is() -> None:
    known = catalog(entry("a", "a1"), entry("b", "b1"))
    assert await chosen(known, request("unheard-of", "a")) == [("a", "unheard-of")]
    assert await chosen(known, request("b1", "A")) == [("a", "b1")]


async def test_a_named_provider_without_a_model_gives_its_first() -> None:
    known = catalog(entry("a"), lists=Lists(a=("a1", "a2")))
    assert await chosen(known, request(provider="a")) == [("a", "a1")]


async def test_a_named_provider_is_not_asked_for_its_models_when_the_model_is_named() -> None:
    lists = Lists()
    await catalog(entry("a"), lists=lists).candidates(request("m", "a"))
    assert lists.asked == []


async def test_a_server_that_was_not_found_is_tried_when_it_is_named() -> None:
    known = catalog(entry("Ollama", chosen=False))
    assert await chosen(known, request("llama3:8b", "Ollama")) == [("Ollama", "llama3:8b")]


async def test_an_unknown_provider_is_404_with_the_nearest_name() -> None:
    with pytest.raises(ProviderNotFoundError) as caught:
        await catalog(entry("OpenAI")).candidates(request(provider="OpenIA"))
    assert caught.value.message == "Provider 'OpenIA' not found. Did you mean OpenAI?"
    assert caught.value.param == "provider"


async def test_a_callers_own_key_makes_up_for_a_missing_one() -> None:
    known = catalog(entry("OpenAI", provider=OpenAI(), chosen=False))
    with pytest.raises(UpstreamAuthError):
        await known.candidates(request("gpt-4o", "OpenAI"))
    for keys in ({"": "sk"}, {"openai": "sk"}):
        found = await known.candidates(request("gpt-4o", "OpenAI", keys))
        assert [one.own_key for one in found] == ["sk"]


async def test_an_ignored_provider_is_never_used() -> None:
    known = catalog(entry("a", "m"), entry("b", "m"), ignored_providers=("A",))
    assert await chosen(known, request()) == [("b", "m")]
    assert await chosen(known, request("m")) == [("b", "m")]
    for asked in (request("m", "a"), request("a"), request("a:m")):
        with pytest.raises(ProviderNotFoundError, match=r"routing\.ignored_providers"):
            await known.candidates(asked)


async def test_a_model_that_only_ignored_providers_have_is_503() -> None:
    known = catalog(entry("a", "m"), ignored_providers=("a",))
    with pytest.raises(OverloadedError, match="names all that have it"):
        await known.candidates(request("m"))


async def test_the_fallback_may_be_ignored_as_well() -> None:
    known = catalog(ASSISTANT, ignored_providers=("OfflineAssistant",))
    with pytest.raises(OverloadedError):
        await known.candidates(request())


# the model's name


async def test_a_model_goes_to_everybody_who_has_it_in_order() -> None:
    known = catalog(entry("a", "x", "shared"), entry("b", "shared"), entry("c", "y"))
    assert await chosen(known, request("shared")) == [("a", "shared"), ("b", "shared")]


async def test_a_models_other_names_are_its_names() -> None:
    lists = Lists(a=(ModelInfo("llama-3.3-70b-instruct", aliases=("llama-3.3-70b",)),))
    known = catalog(entry("a"), lists=lists)
    for asked in (request("llama-3.3-70b"), request("a:llama-3.3-70b")):
        await known.refresh(known.registry.chosen[0])
        assert await chosen(known, asked) == [("a", "llama-3.3-70b-instruct")]


async def test_a_providers_name_as_the_model_means_its_default_model() -> None:
    known = catalog(entry("OpenAI", "o1", "o2"), entry("a", "a1"))
    assert await chosen(known, request("OpenAI")) == [("OpenAI", "o1")]
    assert await chosen(known, request("openai")) == [("OpenAI", "o1")]


@pytest.mark.parametrize(
    ("model", "found"),
    [
        ("work:m", ("work", "m")),
        ("work:llama3:8b", ("work", "llama3:8b")),
        ("work:org/model", ("work", "org/model")),
        ("WORK:m", ("work", "m")),
    ],
)
async def test_provider_and_model_in_one(model: str, found: tuple[str, str]) -> None:
    known = catalog(entry("a", "a1"), entry("work", "w1"))
    assert await chosen(known, request(model)) == [found]


async def test_a_colon_in_an_id_is_just_a_character() -> None:
    known = catalog(entry("Ollama", "llama3:8b", "hf.co/x/y:Q4_K_M"))
    assert await chosen(known, request("llama3:8b")) == [("Ollama", "llama3:8b")]
    assert await chosen(known, request("hf.co/x/y:Q4_K_M")) == [("Ollama", "hf.co/x/y:Q4_K_M")]


async def test_a_local_model_is_not_sent_to_a_hosted_namesake() -> None:
    mistral = entry("Mistral", "mistral-large-latest", provider=Mistral(), key="k")
    known = catalog(mistral, entry("Ollama"), lists=Lists(Ollama=("mistral:7b",)))
    assert await chosen(known, request("mistral:7b")) == [("Ollama", "mistral:7b")]
    assert await chosen(known, request("Mistral:7b")) == [("Mistral", "7b")]


@pytest.mark.parametrize("model", ["work:", ":m", ":"])
async def test_half_an_address_is_none(model: str) -> None:
    with pytest.raises(ModelNotFoundError):
        await catalog(entry("work", "w1")).candidates(request(model))


async def test_an_unknown_model_is_404_with_the_nearest_ones() -> None:
    known = catalog(
        entry("a", "gpt-4o", "gpt-4o-mini", "llama"), models={"gpt-4-best": (target("a"),)}
    )
    with pytest.raises(ModelNotFoundError) as caught:
        await known.candidates(request("gpt-4oo"))
    assert "Did you mean gpt-4o, gpt-4o-mini" in caught.value.message
    assert (caught.value.status, caught.value.code) == (404, "model_not_found")
    assert caught.value.param == "model"


async def test_an_unknown_model_with_no_relatives_leads_to_the_listing() -> None:
    with pytest.raises(ModelNotFoundError, match=r"'zzz' not found\. GET /v1/models lists"):
        await catalog(entry("a", "gpt-4o")).candidates(request("zzz"))


async def test_before_a_model_is_unknown_the_upstreams_are_asked() -> None:
    lists = Lists(a=("fresh",))
    known = catalog(entry("a"), entry("b", "b1"), lists=lists)
    assert await chosen(known, request("fresh")) == [("a", "fresh")]
    assert lists.asked == ["a"]


async def test_a_model_that_is_known_asks_nobody() -> None:
    lists = Lists()
    await catalog(entry("slow"), entry("b", "b1"), lists=lists).candidates(request("b1"))
    assert lists.asked == []


async def test_the_default_provider_gets_unknown_names_as_they_are() -> None:
    known = catalog(entry("a", "a1"), entry("b", "b1"), provider="b")
    assert await chosen(known, request("unheard-of")) == [("b", "unheard-of")]
    # also one that another provider has: the settings say whom to ask
    assert await chosen(known, request("a1")) == [("b", "a1")]
    assert await chosen(known, request("a:a1")) == [("a", "a1")]


async def test_a_usable_provider_that_nobody_chose_answers_to_its_model() -> None:
    known = catalog(entry("a", "a1"), ASSISTANT)
    assert await chosen(known, request("offline-assistant")) == [
        ("OfflineAssistant", "offline-assistant")
    ]


async def test_one_that_needs_consent_does_not() -> None:
    known = catalog(entry("free", provider=Scripted(), chosen=False))
    with pytest.raises(ModelNotFoundError):
        await known.candidates(request("scripted"))


# chains


async def test_a_chain_is_followed_in_order() -> None:
    known = catalog(
        entry("a", "a1"),
        entry("b", "b1"),
        models={"best": (target("b", "big"), target("a"), target("B", "b1"))},
    )
    assert await chosen(known, request("best")) == [("b", "big"), ("a", "best"), ("b", "b1")]


async def test_a_chain_hides_a_model_of_the_same_name() -> None:
    known = catalog(entry("a", "gpt-4o"), entry("b", "b1"), models={"gpt-4o": (target("b", "b1"),)})
    assert await chosen(known, request("gpt-4o")) == [("b", "b1")]
    assert await chosen(known, request("a:gpt-4o")) == [("a", "gpt-4o")]


async def test_a_link_that_cannot_be_used_is_left_out(caplog: pytest.LogCaptureFixture) -> None:
    broken = Entry("broken", "x", "d", "1", ProviderSettings("x"), error="no module named x")
    chain = (target("broken"), target("OpenAI"), target("nowhere"), target("a", "a1"))
    known = catalog(
        broken, entry("OpenAI", provider=OpenAI()), entry("a", "a1"), models={"best": chain}
    )
    assert await chosen(known, request("best")) == [("a", "a1")]
    assert "no module named x" in caplog.text


async def test_a_chain_without_a_usable_link_fails_as_its_first_does() -> None:
    known = catalog(
        entry("OpenAI", provider=OpenAI()),
        models={"best": (target("OpenAI"), target("nowhere"))},
    )
    with pytest.raises(UpstreamAuthError, match="OPENAI_API_KEY"):
        await known.candidates(request("best"))


# the caller's keys


@pytest.mark.parametrize(
    ("keys", "got"),
    [
        ({"": "any"}, ["any", None]),
        ({"b": "for b"}, [None, "for b"]),
        ({"": "any", "b": "for b"}, ["any", "for b"]),
    ],
)
@pytest.mark.parametrize("model", ["", "shared", "best"])
async def test_an_unnamed_key_is_for_the_first_only(
    model: str, keys: dict[str, str], got: list[str | None]
) -> None:
    known = catalog(
        entry("a", "shared"),
        entry("b", "shared"),
        models={"best": (target("a", "shared"), target("b", "shared"))},
    )
    found = await known.candidates(request(model, keys=keys))
    assert [one.own_key for one in found] == got


async def test_an_unnamed_key_is_for_nobody_when_the_first_link_is_left_out() -> None:
    known = catalog(entry("a", "a1"), models={"best": (target("nowhere"), target("a", "a1"))})
    found = await known.candidates(request("best", keys={"": "meant for nowhere"}))
    assert [one.own_key for one in found] == [None]


async def test_a_callers_key_is_not_the_next_callers() -> None:
    known = catalog(entry("a", "a1"))
    for keys, own in (({"": "mine"}, "mine"), ({}, None), ({"a": "his"}, "his"), ({}, None)):
        (found,) = await known.candidates(request("a1", keys=keys))
        assert found.own_key == own


# what changes meanwhile


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


# capabilities


async def test_those_who_cannot_see_are_not_asked_about_pictures() -> None:
    picture = Message("user", (ImagePart("data:image/png;base64,"),))
    asked = attrs.evolve(request("m"), messages=(picture,))
    words = attrs.evolve(entry("words", "m"), provider=Scripted())
    assert await chosen(catalog(words, entry("full", "m")), asked) == [("full", "m")]


@pytest.mark.parametrize("named", [None, "words"])
@pytest.mark.parametrize("model", ["", "m", "words", "words:m"])
async def test_what_nobody_can_supply_is_400_and_never_ignored(
    model: str, named: str | None
) -> None:
    words = attrs.evolve(entry("words", "m"), provider=Scripted())
    asked = attrs.evolve(request(model, named), tools=(Tool("f"),))
    with pytest.raises(UnsupportedError) as caught:
        await catalog(words).candidates(asked)
    assert caught.value.param == "tools"


# lists of models


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
