"""A setting: its default, what is known about it, and what values it takes."""

from __future__ import annotations

from pathlib import Path

import attrs
import pytest

from g4f_aio.settings import SettingsError
from g4f_aio.settings.setting import METADATA_KEY, setting


def even(value: int) -> str | None:
    """A check."""
    return f"must be even, not {value}" if value % 2 else None


@attrs.frozen
class Table:
    """A table of settings."""

    plain: int = setting(1, "a number")
    number: int | None = setting(
        None, "an even number", flag="--even", env="EVEN", check=even, restart=True
    )
    word: str = setting("hidden word", "a secret", secret=True)


def test_its_default_is_the_fields() -> None:
    assert Table() == Table(plain=1, number=None, word="hidden word")


def test_what_is_known_about_it_is_with_the_field() -> None:
    known = {field.name: field.metadata[METADATA_KEY] for field in attrs.fields(Table)}
    assert known["plain"] == {
        "help": "a number",
        "flag": None,
        "env": None,
        "secret": False,
        "check": None,
        "restart": False,
    }
    assert known["number"] == {
        "help": "an even number",
        "flag": "--even",
        "env": "EVEN",
        "secret": False,
        "check": even,
        "restart": True,
    }
    assert known["word"]["secret"] is True


def test_a_value_that_cannot_be_is_refused_by_name_however_it_is_set() -> None:
    with pytest.raises(ValueError, match=r"^number: must be even, not 3$"):
        Table(number=3)
    with pytest.raises(ValueError, match=r"^number: must be even, not 5$"):
        attrs.evolve(Table(number=4), number=5)
    assert Table(number=4).number == 4


def test_what_is_unset_is_not_checked() -> None:
    assert Table(number=None).number is None


def test_a_secret_does_not_show() -> None:
    assert repr(Table()) == "Table(plain=1, number=None)"


def test_an_error_has_one_line_for_each_problem() -> None:
    error = SettingsError(("a: wrong", "b: wrong"), Path("gateway.toml"))
    assert str(error).splitlines() == ["a: wrong", "b: wrong"]
    assert (error.problems, error.config) == (("a: wrong", "b: wrong"), Path("gateway.toml"))
    assert SettingsError(("a: wrong",)).config is None
