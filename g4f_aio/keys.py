"""Where the parts of the application and of a request are found: one key for each."""

from __future__ import annotations

import asyncio

import attrs
from aiohttp import web

from .core.stores import ConversationStore
from .dialects.base import Dialect
from .gateway.gateway import Gateway
from .settings import Settings


@attrs.frozen
class Caller:
    """Who asks. *admin* may do everything; *provider_key* is his own credential for providers."""

    name: str
    admin: bool = False
    provider_key: str | None = attrs.field(default=None, repr=False)


@attrs.define
class Current:
    """What a reload replaces: the settings in force. *changed* tells that it did."""

    settings: Settings
    draining: bool = False
    changed: asyncio.Event = attrs.field(factory=asyncio.Event)


CURRENT = web.AppKey("CURRENT", Current)
GATEWAY = web.AppKey("GATEWAY", Gateway)
CONVERSATIONS: web.AppKey[ConversationStore] = web.AppKey("CONVERSATIONS")

CALLER = web.RequestKey("CALLER", Caller)
DIALECT = web.RequestKey("DIALECT", Dialect)
REQUEST_ID = web.RequestKey("REQUEST_ID", str)
RECEIVED = web.RequestKey("RECEIVED", float)
