"""``g4f-aio providers [NAME…]``: what is installed, how it is, and where it comes from."""

from __future__ import annotations

import logging
from collections.abc import Mapping, Sequence

import attrs

from ..gateway.plugins import find_plugins
from ..gateway.registry import Entry, key_variable
from ..providers.local_servers import LocalServer
from .advice import about_state
from .workbench import Terminal, choose, open_registry, open_settings


def run(flags: Mapping[str, object], names: Sequence[str]) -> int:
    """List them all in a table, or those of these *names* in full; the exit status."""
    settings, terminal = open_settings(flags, logging.CRITICAL)
    entries = choose(open_registry(settings), names, terminal)
    if entries is None:
        return 1
    if not names:
        head = ("PROVIDER", "ORIGIN", "STATE", "CAPABILITIES")
        terminal.table([head, *map(_row, entries)])
        return 0
    for entry in entries:
        _describe(entry, terminal)
    return 0


def state(entry: Entry) -> str:
    """How a provider is, in a few words."""
    if entry.error is not None:
        return f"broken: {entry.error}"
    if not entry.settings.enabled:
        return "switched off in the settings"
    if entry.missing is not None:
        return f"needs {entry.missing}"
    if entry.chosen:
        return "ready"
    match entry.provider:
        case LocalServer(base_url=base_url):
            return f"not found at {base_url}"
        case _:
            return "ready when asked for by name"


def origin(entry: Entry) -> str:
    """The distribution it comes from, with its version."""
    return f"{entry.distribution} {entry.version}"


def _row(entry: Entry) -> tuple[str, ...]:
    return entry.name, origin(entry), state(entry), ",".join(entry.capabilities.names)


def _describe(entry: Entry, terminal: Terminal) -> None:
    facts = [
        ("provider", entry.name),
        ("type", entry.plugin),
        ("origin", origin(entry)),
        ("state", state(entry)),
        ("to do", about_state(entry, find_plugins().get(entry.plugin)) or ""),
    ]
    provider = entry.provider
    if provider is not None:
        models = ", ".join(model.id for model in entry.static_models())
        fields = [field.name for field in attrs.fields(type(provider)) if field.init]
        key = f", in {key_variable(entry.name)} or api_key" if entry.takes_key else ""
        facts += [
            ("label", provider.label),
            ("description", provider.description),
            ("web site", provider.url or ""),
            ("capabilities", ", ".join(entry.capabilities.names)),
            ("models", models or "asked from it"),
            ("key", f"{provider.key}{key}"),
            ("own settings", ", ".join(fields)),
            ("table", f"[providers.{entry.name}]"),
        ]
    terminal.table([fact for fact in facts if fact[1]])
    terminal.say()
