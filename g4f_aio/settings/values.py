"""One value at a time: from a text of the environment or the command line, or as the file has it.

A text is converted. What the file has must be of the right type already: ``"80"`` is no port.
Every mistake is a ValueError that says what was expected and never shows a secret.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from typing import Any

import attrs

from .options import Option
from .secret import SecretStr

_EXPECTED: dict[Any, str] = {
    str: "a string",
    int: "an integer",
    float: "a number",
    bool: "true or false",
    Path: "a path",
    SecretStr: 'a string, { env = "…" } or { file = "…" }',
    tuple[str, ...]: "an array of strings",
    tuple[SecretStr, ...]: 'an array of strings, { env = "…" } or { file = "…" }',
}
_YES_OR_NO = {
    **dict.fromkeys(("true", "t", "yes", "y", "on", "1"), True),
    **dict.fromkeys(("false", "f", "no", "n", "off", "0"), False),
}


def _yes_or_no(text: str) -> bool:
    try:
        return _YES_OR_NO[text.lower()]
    except KeyError:
        raise ValueError(text) from None


_CONVERT: dict[Any, Callable[[str], Any]] = {
    str: str,
    int: int,
    float: float,
    bool: _yes_or_no,
    Path: Path,
    SecretStr: SecretStr,
    tuple[str, ...]: lambda text: tuple(filter(None, map(str.strip, text.split(",")))),
}
_GIVEN: dict[type, str] = {
    str: "a string",
    bool: "a boolean",
    int: "an integer",
    float: "a number",
    list: "an array",
    dict: "a table",
}


@attrs.frozen
class Problem:
    """A mistake: the key it is at, what is wrong, and the flag or variable it came from, if any."""

    path: str
    message: str
    source: str = ""

    def __str__(self) -> str:
        return f"{self.path}{self.source and f' ({self.source})'}: {self.message}"


@attrs.frozen
class Values:
    """What one source says, nested by table and key, without the values at fault."""

    source: str
    values: dict[str, Any] = attrs.field(factory=dict, repr=False)
    problems: tuple[Problem, ...] = ()


def wrong_type(expected: str, value: object) -> ValueError:
    """The error for a *value* of the file that is not what was *expected*."""
    return ValueError(f"expected {expected}, got {_GIVEN.get(type(value), 'a date or time')}")


def from_text(option: Option, text: str, base: Path) -> Any:
    """The value of *option* that *text* says; relative paths start at *base*."""
    if not text and option.type is SecretStr:
        raise ValueError("is empty; leave it out to have none")
    if not text and option.nullable:
        return None
    try:
        value = _CONVERT[option.type](text)
    except ValueError:
        raise ValueError(f"expected {_EXPECTED[option.type]}, got {text!r}") from None
    return _checked(option, base / home_expanded(value) if option.type is Path else value)


def from_data(option: Option, value: object, base: Path, environ: Mapping[str, str]) -> Any:
    """The value of *option* that is *value*, as a TOML file or a program gives it."""
    match value:
        case dict() if option.type is SecretStr:
            return from_text(option, _reference(value, base, environ), base)
        case str() if option.type in (str, Path, SecretStr):
            return from_text(option, value, base)
        case list() | tuple() if option.type == tuple[str, ...] and _all_strings(value):
            return _checked(option, tuple(value))
        case list() | tuple() if option.type == tuple[SecretStr, ...]:
            one = attrs.evolve(option, type=SecretStr, check=None)
            return _checked(option, tuple(from_data(one, item, base, environ) for item in value))
        case bool() | int() | float() if type(value) is option.type:
            return _checked(option, value)
        case int() if option.type is float and type(value) is int:
            return _checked(option, float(value))
        case Path() if option.type is Path:
            return _checked(option, base / value)
        case None if option.nullable:
            return None
        case _:
            raise wrong_type(_EXPECTED[option.type], value)


def _all_strings(values: Iterable[object]) -> bool:
    return all(type(item) is str for item in values)


def _checked(option: Option, value: Any) -> Any:
    problem = None if option.check is None else option.check(value)
    if problem is not None:
        raise ValueError(problem)
    return value


def home_expanded(path: Path) -> Path:
    """*path* with a leading ``~`` replaced; ValueError when nobody has that name."""
    try:
        return path.expanduser()
    except RuntimeError:
        raise ValueError(f"there is no home directory for {path.parts[0]}") from None


def _reference(table: dict[str, Any], base: Path, environ: Mapping[str, str]) -> str:
    """The secret that ``{env = …}`` or ``{file = …}`` stands for."""
    match table:
        case {"env": str(name)} if len(table) == 1:
            if not environ.get(name):
                raise ValueError(f"the environment variable {name} is not set")
            return environ[name]
        case {"file": str(name)} if len(table) == 1:
            path = base / home_expanded(Path(name))
            try:
                return path.read_text("utf-8").rstrip("\r\n")
            except OSError as error:
                raise ValueError(f"cannot read {path}: {error.strerror}") from None
            except UnicodeDecodeError:
                raise ValueError(f"{path} is not UTF-8 text") from None
        case _:
            raise wrong_type(_EXPECTED[SecretStr], table)
