"""The tree of settings: defaults, checks, and secrets that do not show."""

from __future__ import annotations

import attrs
import pytest

from g4f_aio.settings import (
    KeySettings,
    ProviderSettings,
    ServerSettings,
    Settings,
    StorageSettings,
    UpstreamSettings,
    is_loopback,
)
from g4f_aio.settings.secret import SecretStr


def test_a_value_that_cannot_be_is_refused_by_name_however_the_tree_is_made() -> None:
    with pytest.raises(ValueError, match=r"^port: must be between 0 and 65535, not 70000$"):
        ServerSettings(port=70000)
    with pytest.raises(ValueError, match=r"^timeout: must be a number of seconds above 0"):
        attrs.evolve(UpstreamSettings(), timeout=0.0)


def test_the_tree_cannot_be_changed() -> None:
    with pytest.raises(attrs.exceptions.FrozenInstanceError):
        ServerSettings().port = 80  # type: ignore[misc]


SECRETS = {
    "server-key",
    "Basic collector-key",
    "http://user:proxy-pass@proxy",
    "proxy-pass",
    "provider-key",
    "provider-key-2",
    "provider-key-3",
    "user-key",
    "environment-key",
    "option-token",
    "database-pass",
}
TREE = Settings(
    server=ServerSettings(
        api_key=SecretStr("server-key"),
        otlp_headers=SecretStr("authorization=Basic%20collector-key"),
    ),
    upstream=UpstreamSettings(proxy=SecretStr("http://user:proxy-pass@proxy")),
    storage=StorageSettings(database=SecretStr("postgresql://user:database-pass@host/name")),
    providers={
        "a": ProviderSettings(
            type="a",
            api_key=SecretStr("provider-key"),
            api_keys=(SecretStr("provider-key-2"), SecretStr("provider-key-3")),
            options={"session_token": "option-token", "base_url": "http://x", "max_tokens": 5},
        ),
        "b": ProviderSettings(type="b"),
    },
    keys={
        "bob": KeySettings(key=SecretStr("user-key")),
        "eve": KeySettings(sha256="0" * 64),
    },
    environment_keys={"A_API_KEY": SecretStr("environment-key")},
)


def test_all_secrets_of_the_tree_are_known_to_whoever_must_hide_them() -> None:
    assert TREE.secrets() == SECRETS
    assert Settings().secrets() == set()


def test_no_secret_shows_in_the_repr() -> None:
    assert not [secret for secret in SECRETS if secret in repr(TREE)]


@pytest.mark.parametrize("host", ["127.0.0.1", "127.8.8.8", "::1", "localhost"])
def test_loopback_addresses_are_known(host: str) -> None:
    assert is_loopback(host)


@pytest.mark.parametrize("host", ["0.0.0.0", "::", "10.0.0.1", "box", "localhost.evil", "127.1"])  # noqa: S104
def test_every_other_host_counts_as_reachable_by_others(host: str) -> None:
    assert not is_loopback(host)
