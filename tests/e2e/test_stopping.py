"""SIGTERM: answers under way are finished, or ended with an error; nobody is left in the dark."""

from __future__ import annotations

import asyncio
import signal
import time
from collections.abc import Awaitable, Callable

import aiohttp
import attrs
import pytest

from tests.conftest import Upstream
from tests.e2e.gateway import Gateway, Start
from tests.e2e.waiting import until
from tests.e2e.wire import Answer, checked, post, read

SETTINGS = """
[server]
drain = {drain}

[routing]
provider = "work"
detect_local = false

[providers.work]
type = "openai-compatible"
base_url = "{base_url}"
models = ["echo"]
"""
CROWD = 200


async def stop(gateway: Gateway) -> None:
    """Send SIGTERM, and wait until it has taken effect."""
    gateway.signal(signal.SIGTERM)
    await asyncio.to_thread(gateway.log.wait, "stopping")


async def end(gateway: Gateway) -> int:
    """Its exit status."""
    return await asyncio.to_thread(gateway.end)


async def under_way(
    group: asyncio.TaskGroup,
    ask: Callable[[], Awaitable[Answer]],
    upstream: Upstream,
    count: int = 1,
) -> list[asyncio.Task[Answer]]:
    """Requests that the upstream has got."""

    async def answer() -> Answer:
        return await ask()

    tasks = [group.create_task(answer()) for _ in range(count)]
    await until(lambda: len(upstream.fetch_records()) == count)
    return tasks


async def begun(
    group: asyncio.TaskGroup, client: aiohttp.ClientSession, gateway: Gateway, count: int
) -> list[asyncio.Task[Answer]]:
    """Streams that have said two words, and will say no more."""
    body = {"model": "hang-mid", "stream": True, "messages": [{"role": "user", "content": "Hi"}]}
    spoke = asyncio.Semaphore(0)

    async def ask() -> Answer:
        async with client.post(gateway.chat, json=body) as response:
            said = b""
            while b" two" not in said:
                said += await response.content.readany()
            spoke.release()
            answer = await read(response)
            return attrs.evolve(answer, body=said + answer.body)

    tasks = [group.create_task(ask()) for _ in range(count)]
    for _ in tasks:
        await spoke.acquire()
    return tasks


async def test_streams_that_end_in_time_are_complete(
    start: Start, upstream: Upstream, client: aiohttp.ClientSession
) -> None:
    gateway = start(SETTINGS.format(drain=20, base_url=upstream.base_url))

    async def ask() -> Answer:
        return await post(client, gateway.chat, "paced-100-20", stream=True)

    async with asyncio.TaskGroup() as group:
        tasks = await under_way(group, ask, upstream, CROWD)
        await stop(gateway)
        with pytest.raises(ConnectionRefusedError):
            await asyncio.open_connection("127.0.0.1", gateway.port)
        assert gateway.process.poll() is None
    answers = [task.result() for task in tasks]
    assert sum(answer.done for answer in answers) == CROWD
    assert {answer.text() for answer in answers} == {" ".join(f"w{i}" for i in range(20))}
    assert await end(gateway) == 0
    assert f"stopping; {CROWD} answers under way" in gateway.log.rest()


async def test_streams_that_last_longer_end_with_an_error(
    start: Start, upstream: Upstream, client: aiohttp.ClientSession
) -> None:
    gateway = start(SETTINGS.format(drain=0.3, base_url=upstream.base_url))
    async with asyncio.TaskGroup() as group:
        tasks = await begun(group, client, gateway, 50)
        await stop(gateway)
        stopped = time.monotonic()
        assert await end(gateway) == 0
        assert 0.2 < time.monotonic() - stopped < 3
    for task in tasks:
        answer = task.result()
        assert not answer.cut
        assert answer.text() == "One two"
        assert "[DONE]" not in answer.data()
        assert checked(answer.chunks()[-1]["error"])["code"] == "server_shutdown"
    assert "ended 50 answers that had not finished" in gateway.log.rest()
    for record in await upstream.records("hang-mid"):
        assert record["closed_at"] is not None


@pytest.mark.parametrize(
    ("model", "stream"), [("hang-token", True), ("hang-headers", True), ("hang-headers", False)]
)
async def test_what_has_not_begun_is_refused(
    start: Start, upstream: Upstream, client: aiohttp.ClientSession, model: str, *, stream: bool
) -> None:
    gateway = start(SETTINGS.format(drain=0.1, base_url=upstream.base_url))

    async def ask() -> Answer:
        return await post(client, gateway.chat, model, stream=stream)

    async with asyncio.TaskGroup() as group:
        (task,) = await under_way(group, ask, upstream)
        await stop(gateway)
    answer = task.result()
    assert answer.status == 503
    assert answer.error()["code"] == "server_shutdown"
    assert answer.headers["retry-after"] == "1"
    assert await end(gateway) == 0


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
async def test_a_second_signal_ends_it_at_once(
    start: Start, upstream: Upstream, client: aiohttp.ClientSession, number: signal.Signals
) -> None:
    gateway = start(SETTINGS.format(drain=60, base_url=upstream.base_url))
    async with asyncio.TaskGroup() as group:
        tasks = await begun(group, client, gateway, 5)
        await stop(gateway)
        before = time.monotonic()
        gateway.signal(number)
        assert await end(gateway) == 0
        assert time.monotonic() - before < 3
    for task in tasks:
        assert task.result().chunks()[-1]["error"]["code"] == "server_shutdown"


async def test_open_connections_are_told_to_close(
    start: Start, upstream: Upstream, client: aiohttp.ClientSession
) -> None:
    """A load balancer that keeps its connections hears at once that it should go elsewhere."""
    gateway = start(SETTINGS.format(drain=20, base_url=upstream.base_url))
    async with client.get(f"{gateway.url}/readyz") as response:
        assert response.status == 200
        assert response.headers.get("Connection", "keep-alive") == "keep-alive"

    async def ask() -> Answer:
        return await post(client, gateway.chat, "paced-50-20", stream=True)

    reader, writer = await asyncio.open_connection("127.0.0.1", gateway.port)
    async with asyncio.TaskGroup() as group:
        (task,) = await under_way(group, ask, upstream)
        await stop(gateway)
        writer.write(b"GET /readyz HTTP/1.1\r\nHost: localhost\r\n\r\n")
        said = (await reader.read()).decode()  # until it closes the connection
        assert said.startswith("HTTP/1.1 503")
        assert "connection: close" in said.lower()
    writer.close()
    await writer.wait_closed()
    assert task.result().done
    assert await end(gateway) == 0


async def test_idle_connections_do_not_hold_it_up(
    start: Start, upstream: Upstream, client: aiohttp.ClientSession
) -> None:
    gateway = start(SETTINGS.format(drain=60, base_url=upstream.base_url))
    assert (await post(client, gateway.chat, "echo")).status == 200
    before = time.monotonic()
    gateway.signal(signal.SIGTERM)
    assert await end(gateway) == 0
    assert time.monotonic() - before < 3
