"""What the commands besides ``api`` work with: the settings, the providers, and a terminal."""

from __future__ import annotations

import asyncio
import logging
import sys
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager

import attrs

from .. import __version__, logs
from ..gateway.detect import detect
from ..gateway.gateway import Gateway
from ..gateway.plugins import find_plugins
from ..gateway.registry import Entry, Registry, closest
from ..providers.upstream import create_session
from ..settings import Settings, environment, load


@attrs.frozen
class Terminal:
    """Output for people: no secrets, nothing that could play tricks on a terminal."""

    redactor: logs.Redactor = attrs.field(factory=logs.Redactor)

    def say(self, text: str = "") -> None:
        """One line on standard output."""
        sys.stdout.write(self._clean(text) + "\n")

    def complain(self, text: str) -> None:
        """One line on standard error."""
        sys.stderr.write(f"g4f-aio: {self._clean(text)}\n")

    def table(self, rows: Sequence[tuple[str, ...]]) -> None:
        """Lines whose cells stand below each other."""
        cleaned = [tuple(map(self._clean, row)) for row in rows]
        widths = [max(map(len, column)) for column in zip(*cleaned, strict=True)]
        for row in cleaned:
            cells = (cell.ljust(width) for cell, width in zip(row, widths, strict=True))
            sys.stdout.write("  ".join(cells).rstrip() + "\n")

    def _clean(self, text: str) -> str:
        return logs.printable(self.redactor.text(text))


def open_settings(flags: Mapping[str, object], level: int) -> tuple[Settings, Terminal]:
    """The settings and a terminal that keeps their secrets; log lines from *level* on are shown."""
    settings = load(flags, environment())
    redactor = logs.configure(
        format="text", debug=settings.server.debug, secrets=settings.secrets()
    )
    if not settings.server.debug:
        logging.getLogger().setLevel(level)
    terminal = Terminal(redactor)
    for warning in settings.warnings:
        terminal.complain(warning)
    return settings, terminal


def open_registry(settings: Settings) -> Registry:
    """The providers, with the servers that run on this machine if the settings let look for them.

    SettingsError names what is wrong in the providers' tables.
    """
    registry = Registry(settings, find_plugins())
    if settings.routing.detect_local:
        asyncio.run(_detect(settings, registry))
    return registry


async def _detect(settings: Settings, registry: Registry) -> None:
    async with create_session() as session:
        await detect(registry, settings, session)


@asynccontextmanager
async def open_gateway(settings: Settings, registry: Registry) -> AsyncIterator[Gateway]:
    """A gateway without a server."""
    async with create_session() as session:
        yield Gateway(settings, registry, session, __version__)


def choose(
    registry: Registry, names: Sequence[str], terminal: Terminal
) -> tuple[Entry, ...] | None:
    """The providers of these *names*, or all; None, with a complaint, when one does not exist."""
    if not names:
        return registry.load_all()
    found = []
    for name in names:
        entry = registry.get(name)
        if entry is None:
            near = closest(name, registry.names())
            terminal.complain(f"no provider {name!r}" + (f"; did you mean {near}?" if near else ""))
            return None
        found.append(entry)
    return tuple(found)
