"""Where the parts of the application are found: one key for each."""

from __future__ import annotations

from aiohttp import web

from .core.errors import GatewayError
from .dialects.base import Dialect
from .gateway.gateway import Gateway
from .settings import Settings


class Current:
    """What a reload of the settings puts in the place of the old."""

    def __init__(self, settings: Settings, gateway: Gateway) -> None:
        self.settings = settings
        self.gateway = gateway
