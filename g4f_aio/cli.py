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
from typed_settings import SecretStr

from . import __version__
from .settings import Option, SettingsError, options
from .settings.options import PLACES, toml

#: sysexits.h: something is wrong with the configuration
EX_CONFIG = 78

#: what runs a command: it gets the flags by key and the names it was given
Run = Callable[[Mapping[str, object], Sequence[str]], int]


@attrs.frozen
class Command:
    """A subcommand. *run* names its function; *add* gives the parser what it takes besides."""

    run: str
    help: str
    add: Callable[[argparse.ArgumentParser], None]


def main(argv: Sequence[str] | None = None) -> int:
    """Run the command that *argv* asks for and return the process's exit status."""
    words = list(sys.argv[1:] if argv is None else argv)
    name = words.pop(0) if words and words[0] in COMMANDS else "api"
    flags = parse(name, words)
    names = flags.pop("names", None) or ()
    run: Run = pkgutil.resolve_name(COMMANDS[name].run)
    try:
        return run(flags, names)
    except SettingsError as error:
        where = f" of {error.config}" if error.config else ""
        lines = [f"g4f-aio: the settings{where} cannot be used", *error.problems]
        sys.stderr.write("\n  ".join(lines) + "\n")
        return EX_CONFIG


def parse(name: str, words: Sequence[str]) -> dict[str, Any]:
    """The flags in *words* for the command *name*, by key, and ``names`` where it takes any.

    A word that means nothing ends the process with status 2 and the closest one that does.
    """
    parser = parser_of(name)
    found, unknown = parser.parse_known_args(words)
    if unknown:
        wrong = unknown[0].partition("=")[0]  # a value may be a secret
        flags = [flag for action in parser._actions for flag in action.option_strings]  # noqa: SLF001
        known = flags if wrong.startswith("-") else COMMANDS
        close = difflib.get_close_matches(wrong, known, n=1)
        hint = f"; did you mean {close[0]}?" if close else ""
        kind = "flag" if wrong.startswith("-") else "command"
        parser.error(f"there is no {kind} {wrong}{hint}")
    return vars(found)


def parser_of(name: str) -> argparse.ArgumentParser:
    """The parser of the command *name*."""
    parser = argparse.ArgumentParser(
        prog="g4f-aio" if name == "api" else f"g4f-aio {name}",
        description=f"{COMMANDS[name].help[0].upper()}{COMMANDS[name].help[1:]}.",
        epilog=_COMMAND_LIST if name == "api" else None,
        formatter_class=argparse.RawDescriptionHelpFormatter,
        argument_default=argparse.SUPPRESS,
        allow_abbrev=False,
    )
    parser.add_argument("--version", action="version", version=f"g4f-aio {__version__}")
    COMMANDS[name].add(parser)
    files = parser.add_argument_group("files")
    files.add_argument(
        "--config",
        metavar="FILE",
        help=f"settings file (default: gateway.toml in the data directory; {PLACES['config']})",
    )
    files.add_argument(
        "--data-dir",
        metavar="DIR",
        help=f"where the server keeps its data (default: ~/.local/share/g4f_aio; {PLACES['data_dir']})",
    )
    return parser


def _add_settings(parser: argparse.ArgumentParser) -> None:
    groups: dict[str, argparse._ArgumentGroup] = {}
    for option in options():
        section = option.path.partition(".")[0]
        if section not in groups:
            groups[section] = parser.add_argument_group(section)
        _add_setting(groups[section], option)


def _add_setting(group: argparse._ArgumentGroup, option: Option) -> None:
    default = toml(option.default) or "unset"
    text = f"{option.help} (default: {default}; {option.env})".replace("%", "%%")
    if option.type is bool:
        group.add_argument(
            option.flag, dest=option.path, help=text, action=argparse.BooleanOptionalAction
        )
    elif option.type == tuple[str, ...]:
        group.add_argument(
            option.flag, dest=option.path, help=text, metavar="NAME", nargs="+", action="extend"
        )
    else:
        group.add_argument(option.flag, dest=option.path, help=text, metavar=_METAVARS[option.type])


_METAVARS = {str: "NAME", int: "N", float: "SECONDS", Path: "FILE", SecretStr: "SECRET"}


def _add_name(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("names", nargs="?", metavar="NAME", help="only this provider")


def _add_names(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("names", nargs="*", metavar="NAME", help="only these providers")


def _add_provider(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--provider", dest="names", metavar="NAME", help="only those of this provider")


def _add_nothing(parser: argparse.ArgumentParser) -> None:
    del parser


COMMANDS = {
    "api": Command("g4f_aio.commands:api", "run the server (the default command)", _add_settings),
    "providers": Command(
        "g4f_aio.commands:providers", "list the providers: state, capabilities, origin", _add_name
    ),
    "models": Command("g4f_aio.commands:models", "list the models", _add_provider),
    "check": Command(
        "g4f_aio.commands:check", "test the settings and call each configured provider", _add_names
    ),
    "openapi": Command("g4f_aio.commands:openapi", "print the OpenAPI document", _add_nothing),
}
_COMMAND_LIST = "commands:\n" + "\n".join(f"  {name:<12}{c.help}" for name, c in COMMANDS.items())
