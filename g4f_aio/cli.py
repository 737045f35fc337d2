"""The command line: words into settings and a command, which is only then imported."""

from __future__ import annotations

import argparse
import difflib
import pkgutil
import sys
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import attrs

from . import __version__
from .settings import Option, SettingsError, checks, options
from .settings.options import PLACES, toml

#: sysexits.h: something is wrong with the configuration
EX_CONFIG = 78

#: what runs a command: it gets the flags by key and the names it was given
Run = Callable[[Mapping[str, object], Sequence[str]], int]


@attrs.frozen
class Command:
    """A subcommand. *run* names its function; *add* gives its parser what it alone takes."""

    run: str
    help: str
    add: Callable[[argparse.ArgumentParser], None] | None = None


def main(argv: Sequence[str] | None = None) -> int:
    """Run the command that *argv* asks for and return the process's exit status."""
    words = list(sys.argv[1:] if argv is None else argv)
    name = words.pop(0) if words and words[0] in COMMANDS else "api"
    flags = parse(name, words)
    names = flags.pop("names", ())
    run: Run = pkgutil.resolve_name(COMMANDS[name].run)
    try:
        return run(flags, names)
    except SettingsError as error:
        where = f" of {error.config}" if error.config else ""
        lines = [f"g4f-aio: the settings{where} cannot be used", *error.problems]
        sys.stderr.write("\n  ".join(lines) + "\n")
        return EX_CONFIG
    except KeyboardInterrupt:
        return 130  # as a shell reports SIGINT


def parse(name: str, words: Sequence[str]) -> dict[str, Any]:
    """The flags in *words* for the command *name*, by key, and ``names`` where it takes any.

    A word that means nothing ends the process with status 2 and the closest one that does.
    """
    parser = parser_of(name)
    found, unknown = parser.parse_known_args(words)
    if unknown:
        parser.error(_complaint(unknown[0].partition("=")[0], parser))  # the value may be a secret
    return vars(found)


def parser_of(name: str) -> argparse.ArgumentParser:
    """The parser of the command *name*."""
    command = COMMANDS[name]
    parser = argparse.ArgumentParser(
        prog=f"g4f-aio {name}",
        usage="g4f-aio [COMMAND] [FLAGS]" if name == "api" else None,
        description=f"{command.help[0].upper()}{command.help[1:]}.",
        epilog=_command_list() if name == "api" else None,
        formatter_class=argparse.RawDescriptionHelpFormatter,
        argument_default=argparse.SUPPRESS,
        allow_abbrev=False,
    )
    parser.add_argument("--version", action="version", version=f"g4f-aio {__version__}")
    if command.add is not None:
        command.add(parser)
    places = parser.add_argument_group("places")
    places.add_argument(
        "--config",
        metavar="FILE",
        help=f"settings file (default: gateway.toml in the data directory; {PLACES['config']})",
    )
    places.add_argument(
        "--data-dir",
        metavar="DIR",
        help=f"the data directory (default: ~/.local/share/g4f_aio; {PLACES['data_dir']})",
    )
    return parser


def _complaint(wrong: str, parser: argparse.ArgumentParser) -> str:
    if wrong in COMMANDS:
        return f"the command {wrong} must be the first word"
    if not wrong.startswith("-"):
        known, kind = list(COMMANDS), "command"
    else:
        known = [flag for action in parser._actions for flag in action.option_strings]  # noqa: SLF001
        kind = "flag"
    close = difflib.get_close_matches(wrong, known, n=1)
    return f"no {kind} {wrong!r}" + (f"; did you mean {close[0]}?" if close else "")


def _command_list() -> str:
    lines = [f"  {name:<12}{command.help}" for name, command in COMMANDS.items()]
    return "\n".join(["commands (g4f-aio COMMAND --help says more):", *lines])


def _add_settings(parser: argparse.ArgumentParser) -> None:
    groups: dict[str, argparse._ArgumentGroup] = {}
    for option in options():
        section = option.path.partition(".")[0]
        if section not in groups:
            groups[section] = parser.add_argument_group(section)
        _add_setting(groups[section], option)


def _add_setting(group: argparse._ArgumentGroup, option: Option) -> None:
    default = toml(option.default) or "none"
    text = f"{option.help} (default: {default}; {option.env})".replace("%", "%%")
    word = (
        _METAVARS.get(option.check)
        or _METAVARS.get(option.type)
        or option.name.rpartition("_")[2].upper()
    )
    if option.type is bool:
        group.add_argument(
            option.flag, dest=option.path, help=text, action=argparse.BooleanOptionalAction
        )
    elif option.type == tuple[str, ...]:
        group.add_argument(
            option.flag, dest=option.path, help=text, metavar=word, nargs="+", action="extend"
        )
    else:
        group.add_argument(option.flag, dest=option.path, help=text, metavar=word)


_METAVARS: dict[object, str] = {
    checks.share: "SHARE",
    checks.days: "DAYS",
    checks.database: "URL",
    int: "N",
    float: "SECONDS",
    Path: "FILE",
}


def _add_names(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("names", nargs="*", metavar="NAME", help="only the providers so named")


def _add_models(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--provider",
        dest="names",
        action="append",
        metavar="NAME",
        help="only this one's models; with --explain: the one that the request names",
    )
    parser.add_argument(
        "--explain",
        nargs="?",
        const="",
        metavar="MODEL",
        help="tell who would answer a request for MODEL (or for none), and why; status 1 if nobody",
    )


def _add_new_name(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("names", nargs=1, metavar="NAME", help="its name, and that of its folder")


COMMANDS = {
    "api": Command(
        "g4f_aio.commands.api:run", "run the server; what happens by default", _add_settings
    ),
    "providers": Command(
        "g4f_aio.commands.providers:run",
        "list providers and plug-ins, and how they are",
        _add_names,
    ),
    "models": Command("g4f_aio.commands.models:run", "list the models", _add_models),
    "check": Command(
        "g4f_aio.commands.check:run",
        "test the settings, the data directory and each provider with a call",
        _add_names,
    ),
    "new-plugin": Command(
        "g4f_aio.commands.new_plugin:run",
        "write a provider of your own to begin with, into a new folder",
        _add_new_name,
    ),
    "openapi": Command("g4f_aio.commands.openapi:run", "print the OpenAPI document of the API"),
}
