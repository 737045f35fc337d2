"""The server inside another program takes the documented names and refuses others."""

from __future__ import annotations

from pathlib import Path

import pytest

from g4f_aio.embedding import AppConfig, SettingsError, run_api


@pytest.fixture(autouse=True)
def fresh(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(AppConfig, "_values", {})
    monkeypatch.setenv("G4F_DATA_DIR", str(tmp_path))


def test_the_documented_names_are_settings() -> None:
    AppConfig.set_config(
        g4f_api_key="secret-key",
        provider="Copilot",
        model="gpt-4o",
        proxy="http://proxy.example.com:8080",
        timeout=300,
        ignored_providers=["SomeProvider"],
    )
    settings = AppConfig.settings(host="127.0.0.1", port=8080, debug=True)
    assert settings.server.api_key == "secret-key"
    assert settings.routing.provider == "Copilot"
    assert settings.routing.model == "gpt-4o"
    assert settings.routing.ignored_providers == ("SomeProvider",)
    assert settings.upstream.proxy == "http://proxy.example.com:8080"
    assert settings.upstream.timeout == 300
    assert settings.server.port == 8080
    assert settings.server.debug is True


def test_later_values_win_and_earlier_ones_stay() -> None:
    AppConfig.set_config(provider="a", model="m")
    AppConfig.set_config(provider="b")
    settings = AppConfig.settings()
    assert (settings.routing.provider, settings.routing.model) == ("b", "m")


def test_values_here_are_stronger_than_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("G4F_PORT", "1111")
    assert AppConfig.settings().server.port == 1111
    assert AppConfig.settings(port=2222).server.port == 2222


def test_a_name_that_means_nothing_is_refused_with_the_closest_one() -> None:
    with pytest.raises(TypeError, match="no setting 'prot'; did you mean port"):
        AppConfig.set_config(prot=1)


def test_settings_that_cannot_be_used_are_refused_before_anything_runs() -> None:
    with pytest.raises(SettingsError):
        run_api(host="0.0.0.0")  # noqa: S104  (that is the point)
