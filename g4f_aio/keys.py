"""Where the parts of the application and of a request are found: one key for each."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any

import attrs
from aiohttp import web

from .core.record import Ledger, RequestRecord
from .dialects.base import Face
from .files.lazy import LazyFetcher
from .gateway.gateway import Gateway
from .gateway.limits import Limits
from .gateway.turnstile import Turnstile
from .settings import Settings, users

if TYPE_CHECKING:
    from .core.stores import QuotaStore, RequestStore, Storage


@attrs.frozen
class Caller:
    """Who asks. *admin* may do everything; *provider_key* is his own credential for providers.

    *limits* are those of his key; None when there are none.
    """

    name: str
    admin: bool = False
    provider_key: str | None = attrs.field(default=None, repr=False)
    limits: Limits | None = None

    def bringing(self, provider_key: str) -> Caller:
        """The same one with a credential of his own."""
        return Caller(self.name, self.admin, provider_key, self.limits)


#: who showed no key, where one is asked for
NOBODY = Caller(users.NOBODY)


@attrs.define
class Visit:
    """What is known of a request on its way through the server.

    *received* is monotonic, in seconds. *dialect* is the caller's once the handler has said it, and
    *record* is there when the request has been understood.
    """

    request_id: str
    received: float
    caller: Caller = NOBODY
    dialect: Face[Any] | None = None
    record: RequestRecord | None = None


@attrs.define
class Current:
    """What a reload replaces: the settings in force. *changed* tells that it did."""

    settings: Settings
    draining: bool = False
    changed: asyncio.Event = attrs.field(factory=asyncio.Event)


CURRENT = web.AppKey("CURRENT", Current)
GATEWAY = web.AppKey("GATEWAY", Gateway)
#: the one way to what a request, an answer or a page of the web names by URL
FETCH = web.AppKey("FETCH", LazyFetcher)
LEDGER = web.AppKey("LEDGER", Ledger)
STORAGE: web.AppKey[Storage] = web.AppKey("STORAGE")
QUOTAS: web.AppKey[QuotaStore] = web.AppKey("QUOTAS")
REQUESTS: web.AppKey[RequestStore] = web.AppKey("REQUESTS")
#: that of the whole process
TURNSTILE = web.AppKey("TURNSTILE", Turnstile)

VISIT = web.RequestKey("VISIT", Visit)
