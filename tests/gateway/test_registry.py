"""Providers by name: of the settings, of the environment, and all that are installed."""

from __future__ import annotations

import asyncio
import sys
import threading
from collections.abc import Callable

import attrs
import pytest

from g4f_aio import ModelInfo, Provider
from g4f_aio.gateway.plugins import find_plugins
from g4f_aio.gateway.registry import Entry, Registry, key_variable
from g4f_aio.settings import (
    ModelTarget,
    ProviderSettings,
    RoutingSettings,
    Settings,
    SettingsError,
)
from g4f_aio.settings.secret import SecretStr

Install = Callable[..., None]

ACME = """
    import threading

    import attrs
    from g4f_aio import ModelInfo, Provider

    THREAD = threading.current_thread().name

    @attrs.frozen(kw_only=True)
    class Acme(Provider):
        name = "acme"
        key = "required"
        region: str = "eu"

        def models(self):
            return (ModelInfo(f"acme-{self.region}"),)

    @attrs.frozen(kw_only=True)
    class Free(Provider):
        name = "free"
        opt_in = True
"""


def registry(settings: Settings | None = None) -> Registry:
    """A registry of everything installed."""
    return Registry(settings or Settings(), find_plugins())


def configured(environment: dict[str, str] | None = None, **tables: ProviderSettings) -> Settings:
    """Settings with these tables of providers."""
    keys = {name: SecretStr(value) for name, value in (environment or {}).items()}
    return Settings(providers=tables, environment_keys=keys)


def got(entry: Entry | None) -> Entry:
    """An entry that there has to be."""
    assert entry is not None
    return entry


def test_a_plugin_that_nobody_needs_is_not_imported(install: Install) -> None:
    install("acme", ACME, acme="Acme")
    known = registry()
    assert "acme" in known.names()
    assert known.resolve("ACME") == "acme"
    assert "acme" not in sys.modules
    assert got(known.get("acme")).provider is not None
    assert "acme" in sys.modules


@pytest.fixture
def acme(install: Install) -> None:
    """A plug-in, installed before the event loop runs."""
    install("acme", ACME, acme="Acme")


@pytest.mark.usefixtures("acme")
async def test_the_event_loop_does_not_wait_for_an_import() -> None:
    known = await asyncio.to_thread(registry)
    entry = got(await known.find("acme"))
    assert entry is known.get("acme")
    assert threading.current_thread().name != sys.modules["acme"].THREAD


@pytest.mark.usefixtures("acme")
async def test_a_provider_asked_for_twice_at_a_time_is_one() -> None:
    known = await asyncio.to_thread(registry)
    first, second = await asyncio.gather(known.find("acme"), known.find("Acme"))
    assert first is second


async def test_a_name_that_nobody_has_is_none() -> None:
    known = await asyncio.to_thread(registry)
    assert known.get("nowhere") is None
    assert await known.find("nowhere") is None
    assert known.resolve("nowhere") is None


def test_names_are_found_in_any_case_of_letters() -> None:
    assert got(registry().get("openai")).name == "OpenAI"
    assert got(registry().get("OPENAI-COMPATIBLE")).name == "openai-compatible"


def test_one_type_serves_under_several_names(install: Install) -> None:
    install("acme", ACME, acme="Acme")
    east = ProviderSettings("acme", api_key=SecretStr("1"), options={"region": "east"})
    west = ProviderSettings("acme", api_key=SecretStr("2"), options={"region": "west"})
    known = registry(configured(east=east, west=west))
    assert got(known.get("east")).static_models() == (ModelInfo("acme-east"),)
    assert got(known.get("west")).static_models() == (ModelInfo("acme-west"),)
    assert got(known.get("west")).settings.api_key == "2"
    assert [entry.name for entry in known.chosen] == ["east", "west"]
    # the plug-in itself is there besides, and lacks its key
    assert not got(known.get("acme")).usable


def test_a_key_of_the_settings_comes_before_one_of_the_environment(install: Install) -> None:
    install("acme", ACME, acme="Acme")
    settings = configured(
        {"ACME_API_KEY": "environment", "WORK_API_KEY": "of work"},
        acme=ProviderSettings("acme", api_key=SecretStr("settings")),
        work=ProviderSettings("acme"),
    )
    known = registry(settings)
    assert got(known.get("acme")).settings.api_key == "settings"
    assert got(known.get("work")).settings.api_key == "of work"


def test_the_keys_of_all_providers() -> None:
    two = ProviderSettings("OpenAI", api_keys=(SecretStr("a"), SecretStr("b")))
    settings = Settings(
        providers={"work": two, "OfflineAssistant": ProviderSettings("OfflineAssistant")}
    )
    found = Registry(settings, find_plugins()).credentials
    assert found == {"work": ("a", "b"), "OfflineAssistant": (None,)}


def test_the_variable_goes_by_the_name_of_the_table(install: Install) -> None:
    install("acme", ACME, acme="Acme")
    settings = configured({"ACME_API_KEY": "1"}, work=ProviderSettings("acme"))
    entry = got(registry(settings).get("work"))
    assert entry.settings.api_key is None
    assert str(entry.missing).startswith("an API key: set WORK_API_KEY, or api_key in [")


def test_a_key_in_the_environment_chooses_a_provider(install: Install) -> None:
    install("acme", ACME, acme="Acme")
    known = registry(configured({"ACME_API_KEY": "k"}))
    assert [entry.name for entry in known.chosen] == ["acme"]


def test_the_settings_come_before_the_environment(install: Install) -> None:
    install("acme", ACME, acme="Acme", free="Free")
    known = registry(configured({"ACME_API_KEY": "k"}, free=ProviderSettings("free")))
    assert [entry.name for entry in known.chosen] == ["free", "acme"]


@pytest.mark.parametrize(
    ("name", "variable"),
    [
        ("OpenAI", "OPENAI_API_KEY"),
        ("openai-compatible", "OPENAI_COMPATIBLE_API_KEY"),
        ("my box", "MY_BOX_API_KEY"),
    ],
)
def test_the_variable_for_a_name(name: str, variable: str) -> None:
    assert key_variable(name) == variable


def test_without_its_key_a_provider_is_not_usable_except_with_the_callers(
    install: Install,
) -> None:
    install("acme", ACME, acme="Acme")
    entry = got(registry().get("acme"))
    assert not entry.usable
    assert entry.lacks(own_key=True) is None


def test_a_service_without_a_key_needs_consent(install: Install) -> None:
    install("acme", ACME, free="Free")
    entry = got(registry().get("free"))
    assert entry.missing == "your consent: add [providers.free] to the settings"
    assert entry.lacks(own_key=True) == entry.missing
    agreed = registry(configured(free=ProviderSettings("free")))
    assert got(agreed.get("free")).usable


def test_a_provider_that_is_switched_off_is_not_used(install: Install) -> None:
    install("acme", ACME, free="Free")
    known = registry(configured(free=ProviderSettings("free", enabled=False)))
    assert not got(known.get("free")).usable
    assert known.chosen == ()


def test_models_of_the_settings_replace_those_of_the_class(install: Install) -> None:
    install("acme", ACME, free="Free")
    table = ProviderSettings("free", models=("one", "two"))
    entry = got(registry(configured(free=table)).get("free"))
    assert [model.id for model in entry.static_models()] == ["one", "two"]


def test_a_disabled_plugin_is_not_there_and_not_imported(install: Install) -> None:
    install("acme", ACME, acme="Acme")
    settings = configured({"ACME_API_KEY": "k"})
    known = registry(attrs.evolve(settings, disabled_plugins=("acme",)))
    assert known.get("acme") is None
    assert "acme" not in [entry.name for entry in known.load_all()]
    assert "acme" not in sys.modules


@pytest.mark.parametrize(
    ("name", "table", "problem"),
    [
        (
            "work",
            ProviderSettings("openai-compatibel"),
            (
                "providers.work.type: no provider type 'openai-compatibel';"
                " did you mean 'openai-compatible'?"
            ),
        ),
        (
            "OpenAJ",
            ProviderSettings("OpenAJ"),
            (
                "providers.OpenAJ.(the table's name; set type): no provider type 'OpenAJ';"
                " did you mean 'OpenAI'?"
            ),
        ),
        (
            "acme",
            ProviderSettings("acme"),
            (
                "providers.acme.(the table's name; set type): no provider type 'acme';"
                " it is in plugins.disabled"
            ),
        ),
        (
            "OpenAI",
            ProviderSettings("OpenAI", options={"base_url": "ftp://x"}),
            "providers.OpenAI: base_url must begin with http:// or https:// and name a host",
        ),
    ],
)
def test_a_table_that_cannot_be_meant_is_a_mistake_in_the_settings(
    install: Install, name: str, table: ProviderSettings, problem: str
) -> None:
    install("acme", ACME, acme="Acme")
    with pytest.raises(SettingsError) as caught:
        registry(Settings(providers={name: table}, disabled_plugins=("acme",)))
    assert caught.value.problems == (problem,)


def test_all_mistakes_are_told_at_once() -> None:
    with pytest.raises(SettingsError) as caught:
        registry(
            configured(
                one=ProviderSettings("nothing-like-it"),
                OpenAI=ProviderSettings("OpenAI", options={"stream_usage": "no", "colour": 1}),
                Groq=ProviderSettings("Groq", options={"stream_usage": "no"}),
            )
        )
    assert [problem.split(":")[0] for problem in caught.value.problems] == [
        "providers.one.type",
        "providers.OpenAI.colour",
        "providers.Groq.stream_usage",
    ]


def test_a_broken_plugin_is_listed_with_its_reason_and_harms_nobody(
    install: Install, caplog: pytest.LogCaptureFixture
) -> None:
    install("broken", "import nowhere_to_be_found", broken="Broken", twin="Broken")
    install("acme", ACME, acme="Acme")
    known = registry(
        configured(
            broken=ProviderSettings("broken"),
            acme=ProviderSettings("acme", api_key=SecretStr("k")),
        )
    )
    assert [entry.name for entry in known.chosen] == ["acme"]
    for name in ("broken", "twin"):
        entry = got(known.get(name))
        assert "No module named 'nowhere_to_be_found'" in str(entry.error)
        assert f"provider {name} is broken" in caplog.text
        assert not entry.usable
        assert entry.missing is None
        assert entry.static_models() == ()
        assert entry.capabilities.names == ()
        assert not entry.local
    assert {"acme", "broken", "twin", "OpenAI"} <= {entry.name for entry in known.load_all()}


LIAR = """
    import attrs
    from g4f_aio import Provider

    @attrs.frozen(kw_only=True)
    class Liar(Provider):
        name = "liar"

        def models(self):
            raise KeyError("region")
"""


def test_a_provider_that_fails_to_describe_itself_is_broken(install: Install) -> None:
    install("liar", LIAR, liar="Liar")
    for known in (registry(), registry(configured(liar=ProviderSettings("liar")))):
        entry = got(known.get("liar"))
        assert entry.error == "what it says of itself fails: KeyError: 'region'"
        assert entry.provider is None


NEEDY = """
    import attrs
    from g4f_aio import Provider

    @attrs.frozen(kw_only=True)
    class Needy(Provider):
        name = "needy"
        region: str
"""


def test_a_setting_without_a_default_is_missed_in_the_listing_and_in_the_table(
    install: Install,
) -> None:
    install("needy", NEEDY, needy="Needy")
    problem = "providers.needy.region: required field missing"
    assert got(registry().get("needy")).error == problem
    with pytest.raises(SettingsError, match=problem):
        registry(configured(needy=ProviderSettings("needy")))


def test_all_are_listed_those_of_the_settings_first(install: Install) -> None:
    install("acme", ACME, acme="Acme", free="Free")
    known = registry(configured(zed=ProviderSettings("free"), acme=ProviderSettings("acme")))
    names = [entry.name for entry in known.load_all()]
    assert names[:2] == ["zed", "acme"]
    assert sorted(names) == sorted({*find_plugins(), "zed"})


@attrs.frozen(kw_only=True)
class Mine(Provider):
    """A provider of an embedding program."""

    name = "mine"


def test_a_program_may_bring_its_own() -> None:
    entry = Entry("mine", "mine", "me", "0", ProviderSettings("mine"), Mine(), chosen=True)
    known = Registry.of(entry)
    assert known.chosen == known.load_all() == (entry,)
    assert known.names() == ("mine",)


def test_an_entry_takes_the_place_of_the_one_with_its_name() -> None:
    entry = Entry("mine", "mine", "me", "0", ProviderSettings("mine"), Mine())
    known = Registry.of(entry)
    assert not any(one.chosen for one in known.load_all())
    known.add(attrs.evolve(entry, chosen=True))
    assert [one.name for one in known.chosen] == ["mine"]
    assert len(known.load_all()) == 1


def test_keys_do_not_show() -> None:
    settings = configured({"OPENAI_API_KEY": "sk-secret"})
    assert "sk-secret" not in repr(registry(settings).get("OpenAI"))


def test_names_in_the_settings_that_no_provider_has_are_told_with_the_closest_one() -> None:
    settings = Settings(
        routing=RoutingSettings(provider="Scripte"),
        models={"fast": (ModelTarget("scripted"), ModelTarget("nobody"))},
    )
    registry = Registry(settings, find_plugins())
    assert registry.unknown_names() == (
        "routing.provider: no provider 'Scripte'; did you mean 'scripted'?",
        "models.fast.providers: no provider 'nobody'",
    )
