"""Model servers on this machine are found without being configured."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Mapping
from typing import TYPE_CHECKING

import attrs
from yarl import URL

from ..core.errors import GatewayError, UpstreamTimeoutError
from ..core.lazy import LazyModule
from ..core.provider import CallContext
from ..providers.pool import Pool
from ..providers.upstream import Client
from ..settings import Settings, is_loopback
from .registry import Entry, Registry, same

if TYPE_CHECKING:
    from ..providers import local_servers, openai_compatible
else:  # they are imported when somebody is looked for, in a thread
    local_servers = LazyModule("..providers.local_servers", __package__)
    openai_compatible = LazyModule("..providers.openai_compatible", __package__)

#: seconds for one look; on this machine an answer takes a few milliseconds
WITHIN = 0.7
_log = logging.getLogger(__name__)


async def detect(
    registry: Registry,
    settings: Settings,
    session: Pool,
    addresses: Mapping[str, str] | None = None,
) -> tuple[Entry, ...]:
    """Look for the servers that nobody configured; return the entries that came or went.

    One that is found becomes ``chosen`` in *registry*, one that is gone is so no longer, and one
    that takes its time stays what it was. Takes ``WITHIN`` seconds at most. *addresses* are base
    URLs by provider's name, for servers that are not at their usual place.
    """
    sought = await asyncio.to_thread(_sought, registry, settings, addresses or {})
    answers = await asyncio.gather(*(_runs(server, session) for _, server in sought))
    changed = []
    for (entry, server), runs in zip(sought, answers, strict=True):
        if runs is None or runs == entry.chosen:
            continue
        changed.append(attrs.evolve(entry, provider=server, chosen=runs))
        registry.add(changed[-1])
        _log.info("%s %s at %s", "found" if runs else "lost", entry.name, server.base_url)
    return tuple(changed)


def _sought(
    registry: Registry, settings: Settings, addresses: Mapping[str, str]
) -> list[tuple[Entry, local_servers.LocalServer]]:
    """The servers to look for: not those that the settings decide about, and never this program.

    It may import, so it runs in a thread.
    """
    taken = {_place(f"http://127.0.0.1:{settings.server.port}")}
    for name in settings.providers:
        configured = registry.get(name)
        match configured.provider if configured is not None else None:
            case openai_compatible.OpenAICompatible(base_url=base_url):
                taken.add(_place(base_url))
            case _:
                pass
    found = []
    for cls in local_servers.LOCAL_SERVERS:
        entry = registry.get(cls.name)
        if entry is None or _decided(entry, settings):
            continue
        match entry.provider:
            case local_servers.LocalServer() as server:
                server = attrs.evolve(server, base_url=addresses.get(cls.name, server.base_url))
                if _place(server.base_url) not in taken:
                    found.append((entry, server))
            case _:
                pass
    return found


def _decided(entry: Entry, settings: Settings) -> bool:
    """Whether the settings say already if this provider is to be used."""
    ignored = any(same(entry.name, name) for name in settings.routing.ignored_providers)
    return ignored or entry.name in settings.providers or entry.settings.api_key is not None


async def _runs(server: local_servers.LocalServer, session: Pool) -> bool | None:
    """Whether a server answers as its kind does; None when it did not say in time."""
    client = Client(session, server.name, WITHIN, WITHIN, max_event=0)
    try:
        async with asyncio.timeout(WITHIN):
            return await server.recognise(CallContext(client, server.name))
    except (TimeoutError, UpstreamTimeoutError):
        return None
    except GatewayError:
        return False


def _place(base_url: str) -> tuple[str, int | None]:
    """Host and port, with one name for this machine."""
    url = URL(base_url)
    host = url.host or ""
    return ("127.0.0.1" if is_loopback(host) else host, url.port)
