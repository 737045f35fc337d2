"""A client that leaves takes its upstream connection with it, at once."""

from __future__ import annotations

import asyncio
import json
import time

import pytest

from tests.conftest import Upstream
from tests.e2e.conftest import KEY
from tests.e2e.gateway import Gateway
from tests.e2e.waiting import until

#: seconds, for the 99th of a hundred
LIMIT = 0.25
CROWD = 200


async def ask(gateway: Gateway, model: str, *, stream: bool) -> Client:
    """A client that has sent its request."""
    body = {"model": model, "stream": stream, "messages": [{"role": "user", "content": "Hi"}]}
    data = json.dumps(body).encode()
    reader, writer = await asyncio.open_connection("127.0.0.1", gateway.port)
    writer.write(
        b"POST /v1/chat/completions HTTP/1.1\r\nHost: localhost\r\n"
        b"Authorization: Bearer %b\r\nContent-Type: application/json\r\n"
        b"Content-Length: %d\r\n\r\n%b" % (KEY.encode(), len(data), data)
    )
    await writer.drain()
    return Client(reader, writer)


class Client:
    """One connection."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.reader = reader
        self.writer = writer

    async def leave(self, *, reset: bool = False) -> float:
        """Hang up; when that was."""
        if reset:
            self.writer.transport.abort()
        else:
            self.writer.close()
        now = time.monotonic()
        await self.writer.wait_closed()
        return now


async def closings(upstream: Upstream, model: str, count: int) -> list[float]:
    """When the upstream saw its connections close, all of them."""

    def times() -> list[float]:
        found = (one["closed_at"] for one in upstream.fetch_records(model))
        return sorted(at for at in found if at is not None)

    await until(lambda: len(times()) == count)
    return await asyncio.to_thread(times)


@pytest.mark.parametrize("reset", [False, True])
@pytest.mark.parametrize(
    ("model", "stream"),
    [
        ("hang-headers", True),
        ("hang-headers", False),
        ("hang-token", True),
        ("hang-mid", True),
        ("hang-mid", False),
        ("slow-json-9000", False),
        ("paced-20-1000", True),
        ("comments-only", True),
    ],
)
async def test_whoever_leaves_closes_the_upstream(
    keyed: Gateway, upstream: Upstream, model: str, *, stream: bool, reset: bool
) -> None:
    """Before the headers, before the first token, in the middle, and when nothing is streamed."""
    tagged = f"{model}@{stream}{reset}"
    client = await ask(keyed, tagged, stream=stream)
    if stream and model in ("hang-mid", "paced-20-1000"):
        await client.reader.readuntil(b'"content":"')
    await until(lambda: len(upstream.fetch_records(tagged)) == 1)
    left = await client.leave(reset=reset)
    record = await upstream.closed(tagged)
    assert record["closed_at"] - left <= LIMIT


@pytest.mark.parametrize("model", ["hang-token@crowd", "hang-mid@crowd"])
async def test_a_crowd_that_leaves_at_once(keyed: Gateway, upstream: Upstream, model: str) -> None:
    clients = await asyncio.gather(*(ask(keyed, model, stream=True) for _ in range(CROWD)))
    if model.startswith("hang-mid"):
        for client in clients:
            await client.reader.readuntil(b'"content":"')
    await until(lambda: len(upstream.fetch_records(model)) == CROWD)
    left = await asyncio.gather(*(client.leave() for client in clients))
    closed = await closings(upstream, model, CROWD)
    assert closed[CROWD * 99 // 100] - max(left) <= LIMIT


async def test_a_client_that_stays_is_not_disturbed(keyed: Gateway, upstream: Upstream) -> None:
    stays = await ask(keyed, "paced-20-30@stays", stream=True)
    others = [await ask(keyed, "paced-20-30@leaves", stream=True) for _ in range(10)]
    for other in others:
        await other.reader.readuntil(b'"content":"')
        await other.leave()
    await closings(upstream, "paced-20-30@leaves", len(others))
    said = await stays.reader.readuntil(b"0\r\n\r\n")
    assert b" w29" in said
    assert b"data: [DONE]\n\n" in said
    await stays.leave()
