"""Which providers a request goes to."""

from __future__ import annotations

from typing import Any

import attrs
import pytest

from g4f_aio import (
    Capability,
    ChatRequest,
    ImagePart,
    Message,
    ModelInfo,
    ModelNotFoundError,
    OverloadedError,
    ProviderNotFoundError,
    Tool,
    UnsupportedError,
    UpstreamAuthError,
    UpstreamError,
)
from g4f_aio.core.operations import EmbeddingRequest, ModerationRequest, Operation
from g4f_aio.gateway.candidates import Found
from g4f_aio.gateway.catalog import Catalog
from g4f_aio.gateway.registry import Entry
from g4f_aio.providers.openai_presets import Groq, Mistral, OpenAI
from g4f_aio.providers.scripted import Scripted
from g4f_aio.settings import ModelTarget, ProviderSettings
from g4f_aio.settings.conditions import Condition
from tests.gateway.catalogs import ASSISTANT, Lists, catalog, chosen, entry, request, target
from tests.patience import Stopwatch

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
    watch = Stopwatch()
    assert await chosen(known, request()) == [("a", "a1")]
    assert watch.seconds < 1


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


async def test_the_default_model_is_treated_as_if_the_request_had_named_it() -> None:
    known = catalog(
        entry("a", "a1"),
        entry("b", "b1"),
        provider="b",
        model="best",
        models={"best": (target("a", "x"),)},
    )
    assert await chosen(known, request()) == [("a", "x")]
    assert await chosen(known, request(provider="b")) == [("b", "b1")], "no model of b's"
    known = catalog(entry("a", "a1"), entry("b", "b1"), provider="b", model="a:a9")
    assert await chosen(known, request("auto")) == [("a", "a9")]


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


async def test_before_that_the_others_are_asked_whether_they_have_it() -> None:
    lists = Lists(b=("m",))
    known = catalog(entry("a", "m"), entry("b"), lists=lists, ignored_providers=("a",))
    assert await chosen(known, request("m")) == [("b", "m")]


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


async def test_what_a_model_is_called_goes_before_what_another_answers_to() -> None:
    models = (ModelInfo("new", aliases=("m",)), ModelInfo("m"), ModelInfo("old", aliases=("m",)))
    known = catalog(entry("a"), lists=Lists(a=models))
    await known.refresh_chosen()
    for asked in (request("m"), request("a:m"), request("m", "a")):
        assert await chosen(known, asked) == [("a", "m")]


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


async def test_the_nearest_ones_are_found_in_any_case_of_letters() -> None:
    with pytest.raises(ModelNotFoundError, match=r"Did you mean Qwen3-32B\?"):
        await catalog(entry("a", "Qwen3-32B")).candidates(request("QWEN3-32b"))


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


async def test_one_that_needs_consent_does_not_and_says_so() -> None:
    known = catalog(entry("free", provider=Scripted(), chosen=False))
    with pytest.raises(ModelNotFoundError) as caught:
        await known.candidates(request("scripted"))
    assert caught.value.message == (
        "Model 'scripted' not found. Provider free is not configured; "
        "it needs your consent: add [providers.free] to the settings."
    )


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


# who is left out, and why


def left_out(found: Found) -> dict[str, str]:
    """What is said of those who are not asked, by provider and model."""
    return {f"{one.provider}:{one.model}": one.error.message for one in found.left_out}


async def test_links_of_a_chain_keep_their_conditions(caplog: pytest.LogCaptureFixture) -> None:
    chain = (
        ModelTarget("a", "a1", when="error_rate < 20%"),
        ModelTarget("nowhere", when="open"),
        ModelTarget("b"),
    )
    known = catalog(entry("a", "a1"), entry("b", "b1"), models={"best": chain})
    found = await known.find(request("best"))
    assert [one.when for one in found.candidates] == [Condition.parse("error_rate < 20%"), None]
    assert left_out(found) == {"nowhere:best": "Provider 'nowhere' not found."}
    assert found.rule == "the chain of best in the settings"
    assert not found.anybody
    assert "a link in the chain of best is left out: Provider 'nowhere'" in caplog.text
    (alone,) = (await known.find(request("a:a1"))).candidates
    assert alone.when is None, "who is named is asked anyway"


async def test_a_chain_without_a_usable_link_tells_of_each() -> None:
    chain = (target("OpenAI"), target("nowhere", "x"))
    known = catalog(entry("OpenAI", provider=OpenAI()), models={"best": chain})
    found = await known.find(request("best"))
    assert found.candidates == ()
    assert list(left_out(found)) == ["OpenAI:best", "nowhere:x"]
    assert found.error is found.left_out[0].error


@pytest.mark.parametrize(
    ("asked", "rule", "anybody"),
    [
        (request("m", "a"), "the request names the provider", False),
        (request("a:m"), "the model names the provider", False),
        (request("A"), "the model names the provider", False),
        (request("m"), "the providers that list the model", True),
        (request(""), "automatic choice", True),
    ],
)
async def test_the_rule_that_chose_is_told(asked: ChatRequest, rule: str, *, anybody: bool) -> None:
    found = await catalog(entry("a", "m"), entry("b", "m")).find(asked)
    assert (found.rule, found.anybody, found.error) == (rule, anybody, None)


@pytest.mark.parametrize(
    ("routing", "rule"),
    [
        ({"provider": "a"}, "routing.provider"),
        ({"model": "m"}, "routing.model is m; the providers that list the model"),
        ({"model": "m", "provider": "a"}, "routing.model is m; routing.provider"),
    ],
)
async def test_the_rule_of_a_default_is_told(routing: dict[str, Any], rule: str) -> None:
    assert (await catalog(entry("a", "m"), **routing).find(request())).rule == rule


async def test_of_an_automatic_choice_those_without_a_model_and_the_ignored_are_told() -> None:
    known = catalog(
        entry("a", "a1"), entry("empty"), entry("off", "o1"), ignored_providers=("off",)
    )
    found = await known.find(request())
    assert left_out(found) == {
        "empty:": "empty lists no model for a default; name one",
        "off:": "Provider off is switched off by routing.ignored_providers",
    }


async def test_the_fallback_is_a_rule_of_its_own() -> None:
    assert (await catalog(ASSISTANT).find(request())).rule == (
        "automatic choice; nobody else is configured"
    )


async def test_of_those_who_list_a_model_the_ignored_are_told() -> None:
    known = catalog(entry("a", "m"), entry("b", "m"), ignored_providers=("a",))
    found = await known.find(request("m"))
    assert list(left_out(found)) == ["a:m"]
    known = catalog(entry("a", "m"), ignored_providers=("a",))
    found = await known.find(request("m"))
    assert (found.candidates, list(left_out(found))) == ((), ["a:m"])
    assert found.error is not None


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


TALK = Capability.CHAT | Capability.STREAM
SEES = TALK | Capability.VISION
PICTURE = (Message("user", (ImagePart("data:image/png;base64,"),)),)


def pictured(model: str = "", provider: str | None = None) -> ChatRequest:
    """A question about a picture."""
    return attrs.evolve(request(model, provider), messages=PICTURE)


async def test_a_model_that_is_known_not_to_see_gets_no_picture_when_another_can() -> None:
    lists = Lists(a=(ModelInfo("m", TALK),), b=(ModelInfo("m", SEES),), c=("m",))
    known = catalog(
        entry("a"),
        entry("b"),
        entry("c"),
        lists=lists,
        models={"best": (target("a", "m"), target("b", "m"))},
    )
    await known.refresh_chosen()
    assert await chosen(known, pictured("m")) == [("b", "m"), ("c", "m")]
    assert await chosen(known, request("m")) == [("a", "m"), ("b", "m"), ("c", "m")]
    found = await known.find(pictured("best"))
    assert [one.entry.name for one in found.candidates] == ["b"]
    assert left_out(found) == {"a:m": "m of a cannot supply: vision"}


async def test_where_no_other_can_its_upstream_is_the_judge() -> None:
    known = catalog(entry("a"), lists=Lists(a=(ModelInfo("m", TALK),)))
    await known.refresh_chosen()
    for asked in (pictured("m"), pictured("a:m"), pictured("m", "a"), pictured()):
        assert await chosen(known, asked) == [("a", "m")]


async def test_a_model_may_do_more_than_its_provider_as_a_rule() -> None:
    words = attrs.evolve(entry("words"), provider=Scripted())
    known = catalog(words, lists=Lists(words=("blind", ModelInfo("seeing", SEES))))
    await known.refresh_chosen()
    assert await chosen(known, pictured("seeing")) == [("words", "seeing")]
    with pytest.raises(UnsupportedError, match="words cannot supply: vision"):
        await known.candidates(pictured("blind"))


async def test_an_open_model_is_the_first_that_can_do_what_is_asked() -> None:
    lists = Lists(a=(ModelInfo("embed", Capability.EMBEDDINGS), ModelInfo("m", TALK)))
    lists.models["b"] = (ModelInfo("blind", TALK), ModelInfo("seeing", SEES))
    known = catalog(entry("a"), entry("b"), lists=lists)
    assert await chosen(known, request()) == [("a", "m"), ("b", "blind")]
    assert await chosen(known, pictured()) == [("b", "seeing")]
    assert await chosen(known, pictured("b")) == [("b", "seeing")]
    assert await chosen(known, pictured(provider="b")) == [("b", "seeing")]
    assert await chosen(known, pictured("b:blind")) == [("b", "blind")], "it was named"


async def test_when_nobody_can_all_are_told_of() -> None:
    words = attrs.evolve(entry("words", "m"), provider=Scripted())
    asked = attrs.evolve(request("m"), tools=(Tool("f"),))
    found = await catalog(words).find(asked)
    assert found.candidates == ()
    assert left_out(found) == {"words:m": "m of words cannot supply: tools"}
    assert isinstance(found.error, UnsupportedError)


# what is no chat

EMBEDS = ModelInfo("e", capabilities=Capability.EMBEDDINGS)
CHATS = ModelInfo("c", capabilities=Capability.CHAT)


def embedding(model: str = "", **fields: Any) -> Operation:
    """Texts to be turned into vectors."""
    return EmbeddingRequest(model=model, input=("a",), write=lambda *_: b"", **fields)


async def asked_for(known: Catalog, operation: Operation) -> list[tuple[str, str]]:
    """The candidates as provider and model."""
    return [(one.entry.name, one.model) for one in await known.candidates(operation)]


async def test_without_a_model_one_that_embeds_is_asked() -> None:
    lists = Lists(a=(CHATS, "unknown"), b=(CHATS, EMBEDS))
    known = catalog(entry("a"), entry("b"), ASSISTANT, lists=lists, model="c")
    assert await asked_for(known, embedding()) == [("b", "e")]


async def test_without_a_model_a_class_may_know_one() -> None:
    known = catalog(entry("a", "x", provider=OpenAI(), key="k"))
    assert await asked_for(known, embedding()) == [("a", "text-embedding-3-small")]
    moderation = ModerationRequest(raw={"input": "a"})
    assert await asked_for(known, moderation) == [("a", "omni-moderation-latest")]


async def test_without_a_model_that_is_known_to_embed_one_has_to_be_named() -> None:
    known = catalog(entry("a", "x"), ASSISTANT)
    with pytest.raises(ModelNotFoundError, match="name one"):
        await known.candidates(embedding())
    assert await asked_for(known, embedding("x")) == [("a", "x")]


async def test_a_model_that_is_known_to_chat_is_not_asked_to_embed() -> None:
    known = catalog(entry("a"), lists=Lists(a=(CHATS,)))
    await known.refresh_chosen()
    with pytest.raises(UnsupportedError, match="cannot supply: embeddings") as caught:
        await known.candidates(embedding("c"))
    assert caught.value.param == "model"


async def test_nobody_who_only_chats_is_asked() -> None:
    groq = entry("Groq", "x", provider=Groq(), key="k")
    for known in (catalog(groq), catalog(ASSISTANT), catalog(groq, provider="Groq")):
        with pytest.raises(UnsupportedError, match="cannot supply: embeddings"):
            await known.candidates(embedding())
    both = catalog(groq, entry("a", "x"))
    assert await asked_for(both, embedding("x")) == [("a", "x")]
