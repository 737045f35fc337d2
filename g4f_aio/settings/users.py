"""The keys of those who may ask the server: whose each is, and what is wrong with them together."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator

from .tree import Settings
from .values import Problem

#: what the user of ``server.api_key`` is called, who asks where there is no key, and who has none
ONLY, LOCAL, NOBODY = "key", "local", "anonymous"


def digest(key: str) -> bytes:
    """The SHA-256 of a key as it came in a header, or as the settings have it."""
    return hashlib.sha256(key.encode("utf-8", "surrogateescape")).digest()


def digests(settings: Settings) -> Iterator[tuple[str, bytes]]:
    """The name of each user in [keys] and the digest of his key."""
    for name, user in settings.keys.items():
        if user.key:
            yield name, digest(user.key)
        elif user.sha256:
            yield name, bytes.fromhex(user.sha256)


def clashes(settings: Settings) -> Iterator[Problem]:
    """Names that are taken, and keys that are there twice; the keys themselves are not told."""
    for name in settings.keys:
        if name in (ONLY, LOCAL, NOBODY):
            yield Problem(_path(name), "this name is taken; choose another one for the key")
    only = settings.server.api_key
    seen = {digest(only): "server.api_key"} if only else {}
    for name, found in digests(settings):
        if found in seen:
            yield Problem(_path(name), f"has the same key as {seen[found]}")
        seen.setdefault(found, _path(name))


def _path(name: str) -> str:
    """The table of a user, as TOML writes it."""
    bare = name.replace("-", "").replace("_", "").isalnum()
    return f"keys.{name}" if bare else f'keys."{name}"'
