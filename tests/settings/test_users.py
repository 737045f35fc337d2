"""The keys of users: their digests, and what is wrong with several of them together."""

from __future__ import annotations

import hashlib
from typing import Any

import pytest

from g4f_aio.settings import KeySettings, ServerSettings, Settings
from g4f_aio.settings.secret import SecretStr
from g4f_aio.settings.users import clashes, digest, digests


def user(key: str | None = None, sha256: str | None = None, **fields: Any) -> KeySettings:
    """A table [keys.NAME]."""
    return KeySettings(key=None if key is None else SecretStr(key), sha256=sha256, **fields)


def settings(keys: dict[str, KeySettings], api_key: str | None = None) -> Settings:
    """Settings with these keys."""
    only = None if api_key is None else SecretStr(api_key)
    return Settings(server=ServerSettings(api_key=only), keys=keys)


def hexadecimal(key: str) -> str:
    """What ``sha256sum`` says of a key."""
    return hashlib.sha256(key.encode()).hexdigest()


def faults(found: Settings) -> list[str]:
    """What is wrong with settings."""
    return [str(problem) for problem in clashes(found)]


@pytest.mark.parametrize("key", ["k", "schlüssel", "🔑"])
def test_a_digest_is_that_of_sha256sum(key: str) -> None:
    assert digest(key) == bytes.fromhex(hexadecimal(key))


def test_a_header_that_is_no_text_has_a_digest_too() -> None:
    assert digest("\udcff") == hashlib.sha256(b"\xff").digest()


def test_a_user_has_a_key_or_its_digest() -> None:
    keys = {"alice": user("a"), "bob": user(sha256=hexadecimal("b").upper()), "nobody": user()}
    found = settings(keys, "own")
    assert dict(digests(found)) == {"alice": digest("a"), "bob": digest("b")}
    assert faults(found) == []


@pytest.mark.parametrize("name", ["key", "local", "anonymous"])
def test_some_names_are_taken(name: str) -> None:
    assert faults(settings({name: user("a")})) == [
        f"keys.{name}: this name is taken; choose another one for the key"
    ]


@pytest.mark.parametrize("second", [user("twice"), user(sha256=hexadecimal("twice"))])
@pytest.mark.parametrize("first", [user("twice"), user(sha256=hexadecimal("twice"))])
def test_a_key_belongs_to_one_user(first: KeySettings, second: KeySettings) -> None:
    found = settings({"alice": first, "other": user("x"), "b c": second})
    assert faults(found) == ['keys."b c": has the same key as keys.alice']


def test_the_key_of_the_server_is_nobody_elses() -> None:
    keys = {"alice": user("twice"), "bob": user(sha256=hexadecimal("twice"))}
    found = settings(keys, "twice")
    assert faults(found) == [
        "keys.alice: has the same key as server.api_key",
        "keys.bob: has the same key as server.api_key",
    ]
    assert "twice" not in "".join(faults(found))
