"""Fill the tree: the command line before the environment before the file before the defaults."""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any

import attrs

from . import toml_file
from .options import PLACES, Option, option_suggestion, options, suggestion
from .secret import SecretStr
from .setting import SettingsError
from .tree import Settings, is_loopback
from .users import clashes
from .values import Problem, Values, from_data, from_text, home_expanded


def environment() -> Mapping[str, str]:
    """This process's environment. Nothing else reads it; what needs it gets it as an argument."""
    return os.environ  # noqa: TID251


def load(flags: Mapping[str, object], environ: Mapping[str, str]) -> Settings:
    """The settings in force, or a SettingsError with everything that is wrong.

    *flags* are the command line's values by key (``{"server.port": "8080"}``, and ``config`` and
    ``data_dir``): texts, or values of the right type where a program gives them; None is not given.
    Nothing is created on disk. A second call reads the file again.
    """
    flags = {key: value for key, value in flags.items() if value is not None}
    environ = {name: value for name, value in environ.items() if value}
    try:
        data_dir = _data_dir(flags, environ)
        config = _named(flags, environ, "config")
    except ValueError as error:
        raise SettingsError((str(error),)) from None
    try:
        file = toml_file.read(config or data_dir / "gateway.toml", environ)
        config = config or data_dir / "gateway.toml"
    except FileNotFoundError:
        file = Values("file", problems=_missing(config))
    derived = Values(
        "derived",
        {
            "data_dir": data_dir,
            "config": config,
            "environment_keys": _environment_keys(environ),
            "warnings": _unknown_variables(environ),
        },
    )
    sources = [file, _from_environment(environ), _from_flags(flags, environ), derived]
    problems = [problem for source in sources for problem in source.problems]
    settings = _tree(sources)
    if config is None or str(config) not in {problem.path for problem in problems}:
        problems += _contradictions(settings, {problem.path for problem in problems})
    if problems:
        raise SettingsError(tuple(map(str, problems)), config)
    return settings


def _tree(sources: Iterable[Values]) -> Settings:
    """The tree of checked values, where each source overrules those before it."""
    defaults = Settings()
    parts: dict[str, Any] = {}
    for source in sources:
        for name, said in source.values.items():
            known = parts.get(name, getattr(defaults, name))
            parts[name] = attrs.evolve(known, **said) if attrs.has(type(known)) else said
    return Settings(**parts)


def _missing(config: Path | None) -> tuple[Problem, ...]:
    return () if config is None else (Problem(str(config), "there is no such file"),)


def _named(flags: Mapping[str, object], environ: Mapping[str, str], place: str) -> Path | None:
    """The path that a flag or else a variable names."""
    given = flags.get(place) or environ.get(PLACES[place])
    return Path.cwd() / home_expanded(Path(str(given))) if given else None


def _data_dir(flags: Mapping[str, object], environ: Mapping[str, str]) -> Path:
    named = _named(flags, environ, "data_dir")
    if named is not None:
        return named
    if "STATE_DIRECTORY" in environ:  # systemd's; a list when the unit asks for several
        return Path(environ["STATE_DIRECTORY"].partition(":")[0])
    shared = Path(environ.get("XDG_DATA_HOME", ""))
    if not shared.is_absolute():
        shared = home_expanded(Path(environ.get("HOME", "~"))) / ".local" / "share"
    return shared / "g4f_aio"


def _from_environment(environ: Mapping[str, str]) -> Values:
    values: dict[str, Any] = {}
    problems = []
    for option in options():
        if option.env not in environ:
            continue
        try:
            _put(values, option, from_text(option, environ[option.env], Path.cwd()))
        except ValueError as error:
            problems.append(Problem(option.path, str(error), option.env))
    return Values("environment", values, tuple(problems))


def _from_flags(flags: Mapping[str, object], environ: Mapping[str, str]) -> Values:
    known = {option.path: option for option in options()}
    values: dict[str, Any] = {}
    problems = []
    for path, value in flags.items():
        if path in PLACES:
            continue
        if path not in known:
            problems.append(Problem(path, f"unknown setting{option_suggestion(path)}"))
            continue
        option = known[path]
        try:
            match value:
                case str():
                    found = from_text(option, value, Path.cwd())
                case _:
                    found = from_data(option, value, Path.cwd(), environ)
        except ValueError as error:
            problems.append(Problem(path, str(error), option.flag))
        else:
            _put(values, option, found)
    return Values("flags", values, tuple(problems))


def _put(values: dict[str, Any], option: Option, value: object) -> None:
    """Have *value* among the *values* of its table."""
    section = option.path.partition(".")[0]
    values.setdefault(section, {})[option.name] = value


def _environment_keys(environ: Mapping[str, str]) -> dict[str, SecretStr]:
    own = {option.env for option in options()}
    return {
        name: SecretStr(value)
        for name, value in environ.items()
        if name.endswith("_API_KEY") and name not in own
    }


def _unknown_variables(environ: Mapping[str, str]) -> tuple[str, ...]:
    known = {option.env for option in options()} | set(PLACES.values())
    return tuple(
        f"{name} is set but is not a setting{suggestion(name, known)}"
        for name in sorted(environ)
        if name.startswith("G4F_") and name not in known
    )


def _contradictions(settings: Settings, faulty: set[str]) -> Iterator[Problem]:
    """Values that are good by themselves but not together; not those that are *faulty* anyway."""
    server = settings.server
    keys = [path for path in faulty if path.startswith("keys")]
    for needs, problem in (
        (
            ("server.host", "server.api_key", "server.insecure_no_auth", *keys),
            _open_to_all(settings),
        ),
        (("server.ssl_certfile", "server.ssl_keyfile"), _half_a_certificate(settings)),
        (("server.ssl_certfile",), _no_file("server.ssl_certfile", server.ssl_certfile)),
        (("server.ssl_keyfile",), _no_file("server.ssl_keyfile", server.ssl_keyfile)),
        (("search.engine", "search.searxng"), _no_instance(settings)),
    ):
        if problem is not None and faulty.isdisjoint(needs):
            yield problem
    yield from clashes(settings)


def _open_to_all(settings: Settings) -> Problem | None:
    server = settings.server
    if server.api_key or settings.keys or server.insecure_no_auth or is_loopback(server.host):
        return None
    return Problem(
        "server.host",
        f"{server.host} can be reached from other machines, so clients need a key: set"
        " server.api_key (--g4f-api-key, G4F_API_KEY) or a table [keys.NAME] for each user, or"
        " server.insecure_no_auth (--insecure-no-auth) to let everybody in",
    )


def _no_instance(settings: Settings) -> Problem | None:
    search = settings.search
    if search.engine != "searxng" or search.searxng:
        return None
    return Problem("search.engine", "searxng needs search.searxng, the URL of an instance")


def _half_a_certificate(settings: Settings) -> Problem | None:
    match settings.server.ssl_certfile, settings.server.ssl_keyfile:
        case Path(), None:
            return Problem("server.ssl_certfile", "needs server.ssl_keyfile as well")
        case None, Path():
            return Problem("server.ssl_keyfile", "needs server.ssl_certfile as well")
        case _:
            return None


def _no_file(path: str, value: Path | None) -> Problem | None:
    if value is None or value.is_file():
        return None
    return Problem(path, f"there is no file {value}")
