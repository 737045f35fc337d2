"""``g4f-aio check [NAME…]``: the doctor. Settings, data directory, and a call of each provider."""

from __future__ import annotations

import asyncio
import logging
import os
import tempfile
import time
from collections.abc import Mapping, Sequence
from contextlib import aclosing
from pathlib import Path

from ..core.errors import GatewayError
from ..core.events import Started
from ..core.messages import Message, TextPart
from ..core.models import Capability
from ..core.requests import ChatRequest, Routing
from ..gateway.catalog import FALLBACK
from ..gateway.gateway import Gateway
from ..gateway.plugins import find_plugins
from ..gateway.registry import Entry, Registry
from ..settings import Settings, SettingsError
from .advice import about_error, about_state
from .check_storage import examine_database
from .providers import state
from .workbench import Terminal, choose, open_gateway, open_registry, open_settings

#: seconds for the call of a provider, at most
CALL_TIMEOUT = 60.0
QUESTION = "Reply with the word OK."


#: how a line of the report begins; what is marked "-" does not count
OK, FAIL, OPEN = "ok", "FAIL", "-"

#: a line of the report: how it is, what, and the rest
Finding = tuple[str, str, str]


def run(flags: Mapping[str, object], names: Sequence[str]) -> int:
    """Report; 0 when everything that is configured (or named) works, otherwise 1."""
    try:
        settings, terminal = open_settings(flags, logging.CRITICAL)
        registry = open_registry(settings)
    except SettingsError as error:
        Terminal().table([(FAIL, "settings", problem) for problem in error.problems])
        return 1
    entries = choose(registry, names, terminal)
    if entries is None:
        return 1
    findings = [
        (OK, "settings", str(settings.config or "good; there is no settings file")),
        examine_directory(settings.data_dir),
        asyncio.run(examine_database(settings)),
        *asyncio.run(_examine_all(settings, registry, entries, named=bool(names))),
    ]
    terminal.table(findings)
    return 1 if any(mark == FAIL for mark, _, _ in findings) else 0


def examine_directory(path: Path) -> Finding:
    """Whether the data directory can be written to, or made. It is not made."""
    subject = "data directory"
    if path.exists():
        try:
            with tempfile.TemporaryFile(dir=path):
                return (OK, subject, str(path))
        except OSError as error:
            return (FAIL, subject, f"{path}: {error.strerror}; set --data-dir")
    parent = next(above for above in path.parents if above.exists())
    if parent.is_dir() and os.access(parent, os.W_OK | os.X_OK):
        return (OK, subject, f"{path} (it will be made when it is needed)")
    return (FAIL, subject, f"{path} cannot be made in {parent}; set --data-dir")


async def _examine_all(
    settings: Settings, registry: Registry, entries: Sequence[Entry], *, named: bool
) -> list[Finding]:
    async with open_gateway(settings, registry) as gateway:
        return await asyncio.gather(*(_examine(gateway, entry, named=named) for entry in entries))


async def _examine(gateway: Gateway, entry: Entry, *, named: bool) -> Finding:
    """How a provider is. A question goes only to one that somebody chose, or into this program."""
    matters = named or (entry.chosen and entry.settings.enabled)
    fault = FAIL if matters else OPEN
    if entry.provider is None or not entry.usable:
        advice = await asyncio.to_thread(_about_state, entry) if matters else None
        return (fault, entry.name, _advised(state(entry), advice))
    if not matters and entry.name != FALLBACK:
        return (OPEN, entry.name, f"{state(entry)}; not called")
    request = ChatRequest(
        model="",
        messages=(Message("user", (TextPart(QUESTION),)),),
        stream=Capability.STREAM in entry.capabilities,
        routing=Routing(provider=entry.name, timeout=CALL_TIMEOUT),
    )
    began, model = time.monotonic(), ""
    try:
        async with aclosing(gateway.chat(request)) as events:
            async for event in events:
                if isinstance(event, Started):
                    model = event.model
    except GatewayError as error:
        advice = await asyncio.to_thread(about_error, entry, error, gateway.now.settings)
        return (fault, entry.name, _advised(error.message, advice))
    seconds = time.monotonic() - began
    return (OK, entry.name, f"{model} answered in {seconds:.2f} s")


def _about_state(entry: Entry) -> str | None:
    return about_state(entry, find_plugins().get(entry.plugin))


def _advised(what: str, advice: str | None) -> str:
    return f"{what}; {advice}" if advice else what
