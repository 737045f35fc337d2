"""The settings by name: key in the file, flag, variable; and the table of them in the README."""

from __future__ import annotations

import difflib
from collections.abc import Iterable, Iterator
from functools import cache
from types import NoneType, UnionType
from typing import Any, get_args, get_origin, get_type_hints

import attrs

from .setting import METADATA_KEY, Check
from .tree import Settings

#: what says where settings are, by flag and variable; no settings themselves
PLACES = {"config": "G4F_CONFIG", "data_dir": "G4F_DATA_DIR"}


@attrs.frozen
class Option:
    """One setting. *path* is its key with its table, as in ``server.port``.

    *type* is str, int, float, bool, Path, SecretStr or ``tuple[str, ...]``; *nullable*: or None.
    *flag* and *env* are its names on the command line and in the environment. A *default* of
    ``attrs.NOTHING`` means that it must be given.
    """

    path: str
    name: str
    type: Any
    nullable: bool
    default: Any
    help: str
    flag: str
    env: str
    secret: bool
    restart: bool
    check: Check | None


@cache
def options() -> tuple[Option, ...]:
    """Every setting that has a key in the file, a flag and a variable."""
    return tuple(
        option
        for section, cls in get_type_hints(Settings).items()
        if attrs.has(cls)
        for option in table_options(cls, section)
    )


def table_options(cls: type[attrs.AttrsInstance], path: str) -> Iterator[Option]:
    """The keys of the table *path* that becomes a *cls*."""
    types = get_type_hints(cls)
    for field in attrs.fields(cls):
        meta = field.metadata.get(METADATA_KEY)
        if meta is None:
            continue
        declared = types[field.name]
        nullable = get_origin(declared) is UnionType
        yield Option(
            path=f"{path}.{field.name}",
            name=field.name,
            type=next(part for part in get_args(declared) if part is not NoneType)
            if nullable
            else declared,
            nullable=nullable,
            default=field.default,
            help=meta["help"],
            flag=meta["flag"] or f"--{field.name.replace('_', '-')}",
            env=meta["env"] or f"G4F_{field.name.upper()}",
            secret=meta["secret"],
            restart=meta["restart"],
            check=meta["check"],
        )


def suggestion(wrong: str, paths: Iterable[str]) -> str:
    """``; did you mean X?`` with the one of *paths* whose name is closest to that of *wrong*."""
    by_name = {_name(path): path for path in paths}
    close = difflib.get_close_matches(_name(wrong), by_name, n=1)
    return f"; did you mean {by_name[close[0]]}?" if close else ""


def option_suggestion(wrong: str) -> str:
    """A suggestion for the unknown key *wrong*: its name elsewhere, else a close one."""
    paths = [option.path for option in options()]
    table = wrong.removesuffix(_name(wrong))
    return (
        suggestion(wrong, [path for path in paths if _name(path) == _name(wrong)])
        or suggestion(wrong, [path for path in paths if path.startswith(table)])
        or suggestion(wrong, paths)
    )


def _name(path: str) -> str:
    return path.rpartition(".")[2]


def restart_needed(old: Settings, new: Settings) -> tuple[str, ...]:
    """The settings that differ and that a running server cannot change."""
    return tuple(
        option.path
        for option in options()
        if option.restart and _value(old, option) != _value(new, option)
    )


def _value(settings: Settings, option: Option) -> object:
    section, _, name = option.path.partition(".")
    return getattr(getattr(settings, section), name)


def settings_table() -> str:
    """The README's table of all settings, in Markdown."""
    rows = [
        "| setting | flag | variable | default | |",
        "| --- | --- | --- | --- | --- |",
    ]
    rows.extend(
        f"| `{o.path}` | `{o.flag}` | `{o.env}` | {_cell(o.default)} | {o.help} |"
        for o in options()
    )
    return "\n".join(rows) + "\n"


def toml(value: object) -> str:
    """A default as the file spells it; nothing when it is unset."""
    match value:
        case None:
            return ""
        case bool():
            return str(value).lower()
        case str():
            return f'"{value}"'
        case tuple():
            return f"[{', '.join(map(toml, value))}]"
        case _:
            return str(value)


def _cell(default: object) -> str:
    return f"`{toml(default)}`" if default is not None else ""
