"""Waiting for what another process does."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

from tests.e2e.gateway import PATIENCE


async def until(met: Callable[[], bool]) -> None:
    """Return as soon as *met* holds; TimeoutError when it does not for too long."""
    async with asyncio.timeout(PATIENCE):
        while not await asyncio.to_thread(met):  # noqa: ASYNC110  (no event comes from elsewhere)
            await asyncio.sleep(0.005)
