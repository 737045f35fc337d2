"""Sealed thoughts as the ``encrypted_content`` of reasoning items.

What a model of another API thought comes back to it only with its seal, which this API has no word
for. To clients it is opaque; it names the provider that it is for.
"""

from __future__ import annotations

import base64
import binascii
from collections.abc import Iterable
from typing import Any

import attrs

from ..core.messages import Thought
from .json_text import dumps, loads

#: how those begin that were written here, with the version of what follows
_OURS = "g4f_aio."
_FIRST = f"{_OURS}1."


def seal(provider: str, thoughts: Iterable[Thought]) -> str | None:
    """Those of the *thoughts* that are sealed or redacted, for *provider*; None when there is none."""
    kept = [one for one in thoughts if one.signature is not None or one.redacted is not None]
    if not kept:
        return None
    said = [provider, [[one.text, one.signature, one.redacted] for one in kept]]
    return _FIRST + base64.urlsafe_b64encode(dumps(said)).decode()


def is_ours(content: object) -> bool:
    """Whether an ``encrypted_content`` was written here, in whatever version."""
    return isinstance(content, str) and content.startswith(_OURS)


def opened(content: str | None) -> tuple[Thought, ...]:
    """The thoughts in an ``encrypted_content``; none in one of somebody else, or that is damaged."""
    if content is None or not content.startswith(_FIRST):
        return ()
    try:
        said = loads(base64.urlsafe_b64decode(content.removeprefix(_FIRST)))
    except (ValueError, binascii.Error):
        return ()
    match said:
        case [str(provider), list(thoughts)]:
            found = [_thought(one) for one in thoughts]
            return tuple(attrs.evolve(one, by=provider) for one in found if one is not None)
        case _:
            return ()


def _thought(said: Any) -> Thought | None:
    match said:
        case [str(text), str(signature), None]:
            return Thought(text, signature)
        case [str(text), None, str(redacted)]:
            return Thought(text, None, redacted)
        case _:
            return None
