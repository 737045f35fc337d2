"""The tables of the settings that there may be any number of: providers, keys, links of chains."""

# ruff: noqa: RUF009  (setting() makes an attrs field)

from __future__ import annotations

from typing import Any

import attrs

from . import checks
from .secret import SecretStr
from .setting import setting

_SECRET_WORDS = ("key", "token", "secret", "password", "cookie")


@attrs.frozen
class ProviderSettings:
    """[providers.NAME]: one provider under a name of your own choice.

    *type* is an entry-point name in the group ``g4f.providers``; by default the table's name.
    *options* is the rest of the table: the attrs fields of the provider's class.
    """

    type: str = setting(
        attrs.NOTHING, "name of the plug-in; unset: the table's name", check=checks.filled
    )
    api_key: SecretStr | None = setting(
        None, 'a string, { env = "…" } or { file = "…" }', secret=True, check=checks.key
    )
    api_keys: tuple[SecretStr, ...] = setting(
        (), "several keys, used in turn; one that is refused rests", secret=True, check=checks.keys
    )
    enabled: bool = setting(default=True, help="false: configured, but never used")
    max_requests: int | None = setting(
        None, "calls at one time; further ones wait, or go elsewhere", check=checks.count
    )
    models: tuple[str, ...] = setting((), "the models it has; unset: it is asked")
    connect_timeout: float | None = setting(None, "as in [upstream]", check=checks.seconds)
    headers_timeout: float | None = setting(None, "as in [upstream]", check=checks.seconds)
    first_token_timeout: float | None = setting(None, "as in [upstream]", check=checks.seconds)
    stream_timeout: float | None = setting(None, "as in [upstream]", check=checks.seconds)
    timeout: float | None = setting(None, "as in [upstream]", check=checks.seconds)
    options: dict[str, Any] = attrs.field(factory=dict, repr=False)

    def secrets(self) -> frozenset[str]:
        """Every secret value of the table."""
        found: list[object] = [self.api_key, *self.api_keys]
        for key, value in self.options.items():
            if type(value) is str and any(word in key.lower() for word in _SECRET_WORDS):
                found.append(value)
        headers = self.options.get("headers")
        # any of them may be a credential, and which ones only their upstream knows
        found += headers.values() if type(headers) is dict else ()
        return frozenset(str(value) for value in found if value)


@attrs.frozen
class KeySettings:
    """[keys.NAME]: one of several users of the server. Its limits count each minute."""

    key: SecretStr | None = setting(
        None, 'a string, { env = "…" } or { file = "…" }', secret=True, check=checks.key
    )
    sha256: str | None = setting(
        None, "in the place of the key, its SHA-256 in hexadecimal", check=checks.sha256
    )
    requests_per_minute: int | None = setting(
        None, "requests in a minute; unset: no limit", check=checks.count
    )
    tokens_per_minute: int | None = setting(
        None, "tokens in a minute, of questions and answers; unset: no limit", check=checks.count
    )
    models: tuple[str, ...] = setting((), "the only models it may ask for; unset: all")
    admin: bool = setting(default=False, help="may do everything, also what only admins may")


@attrs.frozen
class ModelTarget:
    """One link of a model's chain; no *model* means the name that was asked for."""

    provider: str = setting(attrs.NOTHING, "name of a provider", check=checks.filled)
    model: str | None = setting(None, "what that provider calls the model; unset: the same")
    when: str | None = setting(None, "a condition; unset: always", check=checks.condition)
