"""The settings file: TOML into checked values, with every mistake named by its full key."""

from __future__ import annotations

import tomllib
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from typing import Any

import attrs

from .options import Option, option_suggestion, options, suggestion, table_options
from .tables import KeySettings, ModelTarget, ProviderSettings
from .values import Problem, Values, from_data, wrong_type


def read(path: Path, environ: Mapping[str, str]) -> Values:
    """What the file *path* says; ``{ env = … }`` looks in *environ*, relative paths start beside it.

    FileNotFoundError when there is none; any other mistake is among the problems.
    """
    try:
        tables = tomllib.loads(path.read_bytes().decode("utf-8-sig"))
    except FileNotFoundError:
        raise
    except OSError as error:
        return Values("file", problems=(Problem(str(path), f"cannot be read: {error.strerror}"),))
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        return Values("file", problems=(Problem(str(path), f"is not valid TOML: {error}"),))
    reader = _Reader(path.parent, environ)
    return Values("file", reader.file(tables), tuple(reader.problems))


@attrs.define
class _Reader:
    """Walks the tables of one file and collects the mistakes on its way."""

    base: Path
    environ: Mapping[str, str]
    problems: list[Problem] = attrs.field(factory=list)

    def fault(self, path: str, message: object) -> None:
        self.problems.append(Problem(path, str(message)))

    def file(self, tables: dict[str, Any]) -> dict[str, Any]:
        sections: dict[str, list[Option]] = {}
        for option in options():
            sections.setdefault(option.path.partition(".")[0], []).append(option)
        own: dict[str, Callable[[dict[str, Any]], dict[str, Any]]] = {
            "providers": self.providers,
            "models": self.models,
            "keys": self.users,
        }
        values: dict[str, Any] = {}
        for name, table in tables.items():
            if name in sections:
                values[name] = self.section(name, table, sections[name])
            elif name in own:
                values[name] = own[name](self.table(name, table))
            elif name == "plugins":
                values |= self.plugins(self.table(name, table))
            elif type(table) is dict:
                known = (*sections, *own, "plugins")
                self.fault(name, f"unknown section{suggestion(name, known)}")
            else:
                self.fault(name, f"unknown setting{option_suggestion(name)}")
        return values

    def section(self, path: str, table: object, known: Iterable[Option]) -> dict[str, Any]:
        values, rest = self.keys(path, self.table(path, table), known)
        for name in rest:
            wrong = f"{path}.{name}"
            self.fault(wrong, f"unknown setting{option_suggestion(wrong)}")
        return values

    def providers(self, tables: dict[str, Any]) -> dict[str, ProviderSettings]:
        found = {}
        for name, table in tables.items():
            path = f"providers.{_quoted(name)}"
            if not name.isprintable() or not name or set(name) & set("/:"):
                self.fault(path, "a provider's name has no '/', no ':' and is not empty")
                continue
            known = table_options(ProviderSettings, path)
            values, rest = self.keys(path, self.table(path, table), known)
            found[name] = ProviderSettings(**{"type": name, **values, "options": rest})
        return found

    def users(self, tables: dict[str, Any]) -> dict[str, KeySettings]:
        found = {}
        for name, table in tables.items():
            path = f"keys.{_quoted(name)}"
            if not (name.isascii() and name.isprintable() and name):
                self.fault(path, "a key's name is of printable ASCII and not empty")
                continue
            known = tuple(table_options(KeySettings, path))
            values, rest = self.keys(path, self.table(path, table), known)
            self.unknown(path, rest, known)
            if type(table) is dict and ("key" in table) == ("sha256" in table):
                self.fault(path, "needs either key or sha256")
            found[name] = KeySettings(**values)
        return found

    def models(self, tables: dict[str, Any]) -> dict[str, tuple[ModelTarget, ...]]:
        found = {}
        for name, table in tables.items():
            path = f"models.{_quoted(name)}"
            chain = self.only(path, self.table(path, table), "providers")
            match chain:
                case None:
                    self.fault(f"{path}.providers", "is missing")
                case [_, *_]:
                    found[name] = tuple(
                        target
                        for index, item in enumerate(chain)
                        for target in self.target(f"{path}.providers[{index}]", item)
                    )
                case _:
                    error = wrong_type("an array of at least one { provider = … }", chain)
                    self.fault(f"{path}.providers", error)
        return found

    def target(self, path: str, item: object) -> Iterable[ModelTarget]:
        known = tuple(table_options(ModelTarget, path))
        before = len(self.problems)
        values, rest = self.keys(path, self.table(path, item), known)
        self.unknown(path, rest, known)
        if "provider" not in values and len(self.problems) == before:
            self.fault(f"{path}.provider", "is missing")
        return (ModelTarget(**values),) if len(self.problems) == before else ()

    def unknown(self, path: str, names: Iterable[str], known: Iterable[Option]) -> None:
        """Complain of each key of the table *path* that is none, with the closest *known* one."""
        paths = [option.path for option in known]
        for name in names:
            self.fault(f"{path}.{name}", f"unknown setting{suggestion(name, paths)}")

    def plugins(self, table: dict[str, Any]) -> dict[str, Any]:
        match self.only("plugins", table, "disabled"):
            case None:
                return {}
            case list(names) if all(type(name) is str for name in names):
                return {"disabled_plugins": tuple(names)}
            case other:
                error = wrong_type("an array of strings", other)
                self.fault("plugins.disabled", error)
                return {}

    def table(self, path: str, value: object) -> dict[str, Any]:
        """*value* when it is a table; otherwise an empty one and a problem."""
        match value:
            case dict():
                return value
            case _:
                self.fault(path, wrong_type("a table", value))
                return {}

    def only(self, path: str, table: dict[str, Any], key: str) -> Any:
        """The value of the one *key* that *table* may have; None when it is absent."""
        for name in table:
            if name != key:
                close = suggestion(name, (f"{path}.{key}",))
                self.fault(f"{path}.{name}", f"unknown setting{close}")
        return table.get(key)

    def keys(
        self, path: str, table: dict[str, Any], known: Iterable[Option]
    ) -> tuple[dict[str, Any], dict[str, Any]]:
        """The good values of the *known* keys in *table*, and what is left of it."""
        rest = dict(table)
        values = {}
        for option in known:
            if option.name not in rest:
                continue
            try:
                values[option.name] = from_data(
                    option, rest.pop(option.name), self.base, self.environ
                )
            except ValueError as error:
                self.fault(option.path, error)
        return values, rest


def _quoted(key: str) -> str:
    """*key* as TOML writes it."""
    bare = key.isascii() and key.replace("-", "").replace("_", "").isalnum()
    return key if bare else f'"{key}"'
