"""Providers, keys and links of chains: what cannot be is refused, and secrets do not show."""

from __future__ import annotations

import attrs
import pytest

from g4f_aio.settings import KeySettings, ModelTarget, ProviderSettings
from g4f_aio.settings.secret import SecretStr


def test_a_condition_that_is_none_is_refused() -> None:
    with pytest.raises(ValueError, match=r"^when: no name 'tftt' at character 1; did you mean"):
        ModelTarget("a", when="tftt < 3")


def test_keys_are_checked_wherever_they_are() -> None:
    with pytest.raises(ValueError, match=r"^api_keys: has a key twice$"):
        ProviderSettings("a", api_keys=(SecretStr("hidden"), SecretStr("hidden")))
    with pytest.raises(ValueError, match=r"^sha256: must be 64 hexadecimal digits$"):
        KeySettings(sha256="hidden")
    for table in (KeySettings, ProviderSettings):
        assert "hidden" not in repr(attrs.fields_dict(table))


def test_every_secret_of_a_provider_is_known() -> None:
    table = ProviderSettings(
        "a",
        api_key=SecretStr("key-1"),
        api_keys=(SecretStr("key-2"),),
        options={"password": "word", "headers": {"x": "head"}, "base_url": "http://x", "token": 5},
    )
    assert table.secrets() == {"key-1", "key-2", "word", "head"}
