"""Secrets among the settings."""

from __future__ import annotations


class SecretStr(str):
    """A text that nobody sees by accident: its ``repr``, which tracebacks show, does not tell it."""

    __slots__ = ()

    def __repr__(self) -> str:
        return "'*******'" if self else "''"
