"""A setting: one attrs field with its default, its help and what values it takes."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import attrs

#: under this name the metadata of a field has what is known about a setting
METADATA_KEY = "g4f_aio"
#: what is wrong with a value of the right type, or None
Check = Callable[[Any], str | None]


class SettingsError(Exception):
    """Settings that cannot be used: every mistake that was found, one line each in *problems*."""

    def __init__(self, problems: tuple[str, ...], config: Path | None = None) -> None:
        super().__init__("\n".join(problems))
        self.problems = problems
        self.config = config


def setting(
    default: Any,
    help: str,  # noqa: A002  (what every option library calls it)
    *,
    flag: str | None = None,
    env: str | None = None,
    secret: bool = False,
    check: Check | None = None,
    restart: bool = False,
) -> Any:
    """A field of the tree. *flag* and *env* default to its name; *restart*: SIGHUP cannot change it."""
    return attrs.field(
        default=default,
        repr=not secret,
        validator=None if check is None else _enforced(check),
        metadata={
            METADATA_KEY: {
                "help": help,
                "flag": flag,
                "env": env,
                "secret": secret,
                "check": check,
                "restart": restart,
            }
        },
    )


def _enforced(check: Check) -> Callable[[object, attrs.Attribute[Any], object], None]:
    def validate(_: object, attribute: attrs.Attribute[Any], value: object) -> None:
        problem = None if value is None else check(value)
        if problem is not None:
            raise ValueError(f"{attribute.name}: {problem}")

    return validate
