"""Requests of the fake upstream's API."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from g4f_aio.providers.upstream import Client

if TYPE_CHECKING:
    from tests.conftest import Upstream

MESSAGES = [{"role": "user", "content": "Hello big world"}]


def chat(model: str, *, stream: bool = True) -> dict[str, Any]:
    """A request of the fake upstream's API."""
    return {"model": model, "messages": MESSAGES, "stream": stream}


async def frames(client: Client, upstream: Upstream, model: str) -> list[bytes]:
    """What comes as server-sent events."""
    url = f"{upstream.base_url}/chat/completions"
    async with client.post(url, json=chat(model)) as response:
        return [frame async for frame in response.frames()]
