"""What is installed, and what is wrong with it."""

from __future__ import annotations

import logging
import sys
from collections.abc import Callable

import attrs
import pytest

from g4f_aio import ModelInfo, Provider
from g4f_aio.gateway.plugins import fault_of, find_plugins, instantiate, load_class

Install = Callable[..., None]

GOOD = """
    import attrs
    from g4f_aio import Provider

    @attrs.frozen(kw_only=True)
    class Good(Provider):
        name = "good"
"""


def test_nothing_is_imported_to_find_plugins(install: Install) -> None:
    install("acme", "raise RuntimeError('imported')", acme="Acme")
    found = find_plugins()["acme"]
    assert (found.distribution, found.version, found.built_in) == ("acme", "1.0", False)
    assert "acme" not in sys.modules


def test_ours_come_through_the_same_door() -> None:
    assert find_plugins()["OpenAI"].built_in


def test_of_two_distributions_with_one_name_the_first_on_the_path_has_it(
    install: Install, caplog: pytest.LogCaptureFixture
) -> None:
    install("second", GOOD, good="Good")
    install("first", GOOD, good="Good")
    assert find_plugins()["good"].distribution == "first"
    assert "two distributions offer a provider 'good': first, second" in caplog.text


def test_nobody_takes_the_name_of_one_of_ours(
    install: Install, caplog: pytest.LogCaptureFixture
) -> None:
    install("evil", GOOD, OpenAI="Good")
    assert find_plugins()["OpenAI"].distribution == "g4f_aio"
    assert "two distributions offer a provider 'OpenAI'" in caplog.text


def test_a_lonely_plugin_is_nothing_to_log(
    install: Install, caplog: pytest.LogCaptureFixture
) -> None:
    install("acme", GOOD, good="Good")
    with caplog.at_level(logging.DEBUG):
        find_plugins()
    assert not caplog.records


def test_a_good_class_is_loaded(install: Install) -> None:
    install("acme", GOOD, good="Good")
    cls = load_class(find_plugins()["good"])
    assert not isinstance(cls, str)
    assert cls.name == "good"


@pytest.mark.parametrize(
    ("source", "fault"),
    [
        ("import nowhere_to_be_found", "cannot be imported: ModuleNotFoundError: No module named"),
        ("class Bad(", "cannot be imported: SyntaxError"),
        ("1 / 0", "cannot be imported: ZeroDivisionError: division by zero"),
        ("raise SystemExit(3)", "calls exit(3) when it is imported"),
        ("", "cannot be imported: AttributeError"),
        ("Bad = 5", "is no subclass of g4f_aio.Provider"),
        ("class Bad: name = 'bad'", "is no subclass of g4f_aio.Provider"),
        (
            "from g4f_aio import Provider\nclass Bad(Provider): name = 'bad'",
            "is not decorated with attrs.frozen(kw_only=True)",
        ),
        (
            "import attrs, g4f_aio\n@attrs.frozen\nclass Bad(g4f_aio.Provider): pass",
            "has no name",
        ),
        (
            "import attrs, g4f_aio\n@attrs.frozen\nclass Bad(g4f_aio.Provider): name = 5",
            "has no name",
        ),
    ],
)
def test_what_is_wrong_with_a_class_is_said(install: Install, source: str, fault: str) -> None:
    install("acme", source, bad="Bad")
    said = load_class(find_plugins()["bad"])
    assert isinstance(said, str)
    assert said.startswith("acme:Bad ")
    assert fault in said


def test_a_request_to_stop_is_not_swallowed(install: Install) -> None:
    install("acme", "raise KeyboardInterrupt", bad="Bad")
    plugin = find_plugins()["bad"]
    with pytest.raises(KeyboardInterrupt):
        load_class(plugin)


@attrs.frozen(kw_only=True)
class Sound(Provider):
    """A provider with nothing wrong; its settings are of every usual type."""

    name = "sound"
    base_url: str = "https://api.example"
    retries: int = 1
    ratio: float = 0.5
    strict: bool = False
    tags: tuple[str, ...] = ()
    note: str | None = None

    def models(self) -> tuple[ModelInfo, ...]:
        return (ModelInfo("sound-1"),)


def test_a_sound_provider_has_no_fault() -> None:
    assert fault_of(Sound()) is None


@attrs.frozen(kw_only=True)
class RaisesInModels(Sound):
    """Its list of models fails."""

    def models(self) -> tuple[ModelInfo, ...]:
        raise KeyError("region")


@attrs.frozen(kw_only=True)
class RaisesInMissing(Sound):
    """What it lacks cannot be told."""

    def missing(self) -> str | None:
        raise OSError("disk on fire")


@attrs.frozen(kw_only=True)
class NamesForModels(Sound):
    """Its models are mere names."""

    def models(self) -> tuple[ModelInfo, ...]:
        return ("sound-1",)  # type: ignore[return-value]


@attrs.frozen(kw_only=True)
class ListOfModels(Sound):
    """Its models are in a list."""

    def models(self) -> tuple[ModelInfo, ...]:
        return [ModelInfo("sound-1")]  # type: ignore[return-value]


@attrs.frozen(kw_only=True)
class MissingIsFalse(Sound):
    """It says False for nothing."""

    def missing(self) -> str | None:
        return False  # type: ignore[return-value]


@attrs.frozen(kw_only=True)
class NamesForCapabilities(Sound):
    """Its capabilities are words."""

    capabilities = ("chat",)  # type: ignore[assignment]


@attrs.frozen(kw_only=True)
class IgnoresTooMuch(Sound):
    """It cannot take what nobody supplies."""

    ignores = frozenset(("stop", "seed"))


@attrs.frozen(kw_only=True)
class IgnoresAList(Sound):
    """What it cannot take is in a list."""

    ignores = ["stop"]  # type: ignore[assignment]  # noqa: RUF012  (that is its fault)


@pytest.mark.parametrize(
    ("cls", "fault"),
    [
        (RaisesInModels, "what it says of itself fails: KeyError: 'region'"),
        (RaisesInMissing, "what it says of itself fails: OSError: disk on fire"),
        (NamesForModels, "models() returns no tuple of ModelInfo"),
        (ListOfModels, "models() returns no tuple of ModelInfo"),
        (MissingIsFalse, "missing() returns neither None nor a string"),
        (NamesForCapabilities, "its capabilities are no Capability"),
        (IgnoresTooMuch, "its ignores are no frozenset of max_tokens, stop, system"),
        (IgnoresAList, "its ignores are no frozenset of max_tokens, stop, system"),
    ],
)
def test_a_provider_that_says_nonsense_of_itself_has_a_fault(
    cls: type[Provider], fault: str
) -> None:
    assert fault_of(cls()) == fault


def test_a_table_fills_the_fields() -> None:
    table = {"retries": 3, "ratio": 1, "strict": True, "tags": ["a", "b"], "note": "x"}
    made = instantiate(Sound, table, "providers.sound")
    assert made == Sound(retries=3, ratio=1, strict=True, tags=("a", "b"), note="x")


@pytest.mark.parametrize(
    ("table", "problems"),
    [
        ({"base_ulr": ""}, ["p.base_ulr: unknown setting; did you mean p.base_url?"]),
        ({"api_kye": ""}, ["p.api_kye: unknown setting; did you mean p.api_key?"]),
        ({"zzz": 1}, ["p.zzz: unknown setting"]),
        ({"retries": "3"}, ["p.retries: expected an integer, got a string"]),
        ({"retries": True}, ["p.retries: expected an integer, got a boolean"]),
        ({"strict": "no"}, ["p.strict: expected a boolean, got a string"]),
        ({"tags": ["a", 1]}, ["p.tags[1]: expected a string, got an integer"]),
        (
            {"retries": "3", "strict": 1},
            [
                "p.retries: expected an integer, got a string",
                "p.strict: expected a boolean, got an integer",
            ],
        ),
    ],
)
def test_mistakes_in_a_table_are_named_with_their_keys(
    table: dict[str, object], problems: list[str]
) -> None:
    assert instantiate(Sound, table, "p") == problems


@attrs.frozen(kw_only=True)
class Needy(Provider):
    """A provider with a setting that has no default, and one that is checked."""

    name = "needy"
    region: str
    size: int = attrs.field(default=1, validator=attrs.validators.ge(1))


def test_a_required_setting_is_asked_for() -> None:
    assert instantiate(Needy, {}, "p") == ["p.region: required field missing"]


def test_what_the_class_itself_refuses_is_a_problem_of_the_table() -> None:
    found = instantiate(Needy, {"region": "eu", "size": 0}, "p")
    assert isinstance(found, list)
    assert "must be >= 1" in found[0]
