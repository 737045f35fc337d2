"""Settings of web search: what they may be, alone and together."""

from __future__ import annotations

from pathlib import Path

import pytest

from g4f_aio.settings import SearchSettings, SettingsError, load


def problems(home: Path, **flags: object) -> tuple[str, ...]:
    """What is wrong with these settings of ``[search]``."""
    with pytest.raises(SettingsError) as caught:
        load(
            {f"search.{name}": value for name, value in flags.items()},
            {"HOME": str(home), "G4F_DATA_DIR": str(home)},
        )
    return caught.value.problems


def test_nothing_is_set_by_default() -> None:
    assert (SearchSettings().engine, SearchSettings().searxng) == ("", None)


def test_an_instance_that_is_asked_has_an_address(tmp_path: Path) -> None:
    assert problems(tmp_path, engine="searxng") == (
        "search.engine: searxng needs search.searxng, the URL of an instance",
    )
    environ = {"HOME": str(tmp_path), "G4F_SEARXNG": "http://127.0.0.1:8080/searx"}
    settings = load({"search.engine": "searxng"}, environ)
    assert settings.search.searxng == "http://127.0.0.1:8080/searx"


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("engine", "google"),
        ("searxng", "http://me:pass@127.0.0.1"),
        ("searxng", "127.0.0.1:8080"),
        ("results", "0"),
        ("length", "0"),
        ("time_limit", "0"),
    ],
)
def test_what_cannot_be_is_refused_by_name(tmp_path: Path, name: str, value: str) -> None:
    (problem,) = problems(tmp_path, **{name: value})
    assert problem.startswith(f"search.{name} (--sear")
    assert "pass" not in problem
