"""``g4f-aio new-plugin NAME``: a provider of your own to begin with, as a package with its test."""

from __future__ import annotations

import errno
import keyword
import re
from collections.abc import Mapping, Sequence
from pathlib import Path
from string import Template
from typing import Self

import attrs

from .. import __all__ as public_names
from ..gateway.plugins import find_plugins
from ..gateway.registry import closest, key_variable, same
from . import plugin_template
from .workbench import Terminal

_NAME = re.compile(r"[A-Za-z](?:[._-]?[A-Za-z0-9])*")
_LONGEST = 50
_PREFIX = re.compile(r"g4f[._-]aio[._-](?=[A-Za-z])", re.IGNORECASE)
#: where a word begins in a name like MyThing or XMLThing
_HUMP = re.compile(r"(?<=[a-z0-9])(?=[A-Z])|(?<=[A-Z])(?=[A-Z][a-z])")


@attrs.frozen
class Names:
    """What the parts of a plug-in are called, by the name it was given."""

    name: str
    slug: str
    label: str
    class_name: str

    @classmethod
    def of(cls, given: str) -> Self:
        """``my-provider`` has a class MyProvider, ``MyThing`` a module g4f_aio_my_thing."""
        name = _PREFIX.sub("", given, count=1)
        words = [word for part in re.split(r"[._-]", name) for word in _HUMP.split(part)]
        class_name = "".join(word[0].upper() + word[1:] for word in words)
        if class_name in public_names or keyword.iskeyword(class_name):
            class_name += "Provider"
        label = " ".join(word[0].upper() + word[1:] for word in words)
        return cls(name, "-".join(words).lower(), label, class_name)

    @property
    def module(self) -> str:
        """The Python module."""
        return f"g4f_aio_{self.slug.replace('-', '_')}"

    @property
    def distribution(self) -> str:
        """The package, as pip knows it."""
        return f"g4f-aio-{self.slug}"

    def files(self) -> dict[str, str]:
        """The text of each file by its path."""
        values = {
            **attrs.asdict(self),
            "module": self.module,
            "distribution": self.distribution,
            "variable": key_variable(self.name),
        }
        templates = {
            "pyproject.toml": plugin_template.PYPROJECT,
            "README.md": plugin_template.README,
            f"{self.module}.py": plugin_template.MODULE,
            f"tests/test_{self.slug.replace('-', '_')}.py": plugin_template.TEST,
        }
        return {path: Template(text).substitute(values) for path, text in templates.items()}


def run(_: Mapping[str, object], names: Sequence[str]) -> int:
    """Write the package into a folder of its name and say what comes next; the exit status."""
    terminal = Terminal()
    (given,) = names
    objection = _objection(given)
    if objection is not None:
        terminal.complain(objection)
        return 1
    made = Names.of(given)
    files = made.files()
    try:
        _write(Path(given), files)
    except OSError as error:
        terminal.complain(f"cannot write {error.filename}: {error.strerror}")
        return 1
    terminal.say(f"{given}: {', '.join(files)}")
    terminal.say("Next:")
    for command in (
        f"python -m pip install -e './{given}[test]'",
        f"python -m pytest {given}",
        f"python -m g4f_aio providers {made.name}",
    ):
        terminal.say(f"  {command}")
    return 0


def _objection(name: str) -> str | None:
    """Why a plug-in cannot have that name; None when it can."""
    if not _NAME.fullmatch(name) or len(name) > _LONGEST:
        return (
            f"{name!r} is no name for a plug-in: it begins with a letter and has letters and digits,"
            f" with single - _ or . between them, {_LONGEST} at most; such as my-provider"
        )
    known = find_plugins()
    taken = closest(Names.of(name).name, known)
    if taken is not None and same(taken, Names.of(name).name):
        return f"there is a provider {taken} already, of {known[taken].distribution}: take another name"
    return None


def _write(folder: Path, files: Mapping[str, str]) -> None:
    """Fill a new or empty folder; OSError, before anything is written, where it is neither."""
    if folder.is_symlink() or (folder.exists() and not folder.is_dir()):
        raise FileExistsError(errno.EEXIST, "it is there already and no folder", str(folder))
    if folder.exists() and any(folder.iterdir()):
        raise FileExistsError(errno.EEXIST, "the folder is not empty", str(folder))
    for name, text in files.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        with path.open("x", encoding="utf-8", newline="\n") as file:
            file.write(text)
