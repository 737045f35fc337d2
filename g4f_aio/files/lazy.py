"""The way to what is named by URL, of which nothing is loaded before somebody takes it."""

from __future__ import annotations

import asyncio
from importlib import import_module
from typing import Any, Protocol

from ..core.fetch import Fetch, Fetched


class Wishes(Protocol):
    """What the settings say; ``Rules`` and ``Guard`` say what that is."""

    @property
    def urls(self) -> bool:
        """Whether anything is fetched at all."""

    @property
    def allow(self) -> tuple[str, ...]:
        """Places that are exempt."""

    @property
    def deny(self) -> tuple[str, ...]:
        """Networks that are never dialled."""

    @property
    def max_size(self) -> int:
        """Bytes of a file."""

    @property
    def max_time(self) -> float:
        """Seconds for a file."""


class LazyFetcher:
    """``core.fetch.Fetch`` by the settings: a ``Fetcher``, loaded and made when it is used first."""

    def __init__(self, wishes: Wishes) -> None:
        self._wishes = wishes
        self._module: Any = None
        self._fetcher: Fetch | None = None

    def apply(self, wishes: Wishes) -> None:
        """Go by these from now on; a fetch under way keeps those it began with."""
        self._wishes = wishes
        self._fetcher = None

    async def __call__(self, url: str, *, limit: int) -> Fetched:
        """As ``Fetcher``."""
        if self._module is None:
            self._module = await asyncio.to_thread(import_module, ".fetch", __package__)
        if self._fetcher is None:
            self._fetcher = self._module.fetcher_of(self._wishes)
        return await self._fetcher(url, limit=limit)
