"""How long a provider may take, and what counts as its time."""

from __future__ import annotations

import asyncio
import time

import attrs
import pytest

from g4f_aio import EventStream, Passthrough, Status, TextDelta, Timeouts, UpstreamTimeoutError
from g4f_aio.gateway.patience import Patience

LONG = Timeouts(first_token=10, idle=10, total=10)


async def words(*gaps: float) -> EventStream:
    """A word after each of these waits, in seconds."""
    for number, gap in enumerate(gaps):
        await asyncio.sleep(gap)
        yield TextDelta(f"w{number}")


async def collect(patience: Patience, events: EventStream, *, pause: float = 0) -> list[object]:
    """Everything, as a client that takes *pause* seconds for each event."""
    found: list[object] = []
    try:
        while (event := await patience.next(events)) is not None:
            found.append(event)
            await asyncio.sleep(pause)
    finally:
        patience.close()
        await events.aclose()
    return found


async def test_events_pass_and_the_first_ones_time_is_noted() -> None:
    patience = Patience("acme", LONG, streamed=True)
    assert await collect(patience, words(0.05, 0, 0)) == [TextDelta(f"w{i}") for i in range(3)]
    assert patience.first_after is not None
    assert 0.04 < patience.first_after < 0.5


async def test_the_first_token_is_not_waited_for_for_ever() -> None:
    patience = Patience("acme", attrs.evolve(LONG, first_token=0.1), streamed=True)
    begin = time.monotonic()
    with pytest.raises(UpstreamTimeoutError, match=r"acme began no answer for 0\.1 s") as caught:
        await collect(patience, words(5))
    assert 0.09 < time.monotonic() - begin < 1
    assert (caught.value.status, caught.value.code) == (504, "provider_timeout")
    assert caught.value.provider == "acme"


async def test_nor_is_the_next_one() -> None:
    patience = Patience("acme", attrs.evolve(LONG, idle=0.1), streamed=True)
    with pytest.raises(UpstreamTimeoutError, match=r"acme sent no token for 0\.1 s"):
        await collect(patience, words(0.2, 0, 5))


async def test_nor_is_the_end() -> None:
    patience = Patience("acme", attrs.evolve(LONG, total=0.2), streamed=True)
    begin = time.monotonic()
    with pytest.raises(UpstreamTimeoutError, match=r"acme did not finish within 0\.2 s"):
        await collect(patience, words(*[0.03] * 100))
    assert 0.19 < time.monotonic() - begin < 1


async def test_who_does_not_stream_gets_it_all_at_the_end() -> None:
    timeouts = attrs.evolve(LONG, first_token=0.05, idle=0.05)
    patience = Patience("acme", timeouts, streamed=False)
    assert await collect(patience, words(0.15)) == [TextDelta("w0")]


async def test_but_not_after_the_total_time() -> None:
    patience = Patience("acme", attrs.evolve(LONG, total=0.1), streamed=False)
    with pytest.raises(UpstreamTimeoutError, match=r"did not finish within 0\.1 s"):
        await collect(patience, words(5))


@pytest.mark.parametrize("notice", [Status("thinking"), Passthrough(b": hm\n\n", progress=False)])
async def test_notices_are_no_tokens(notice: Status | Passthrough) -> None:
    async def chatter() -> EventStream:
        yield TextDelta("w0")
        while True:
            await asyncio.sleep(0.01)
            yield notice

    patience = Patience("acme", attrs.evolve(LONG, idle=0.1), streamed=True)
    with pytest.raises(UpstreamTimeoutError, match="sent no token"):
        await collect(patience, chatter())


async def test_passed_on_bytes_are_tokens() -> None:
    async def frames() -> EventStream:
        for _ in range(6):
            await asyncio.sleep(0.04)
            yield Passthrough(b"data: {}\n\n")

    patience = Patience("acme", attrs.evolve(LONG, idle=0.1), streamed=True)
    assert len(await collect(patience, frames())) == 6


async def test_the_time_a_slow_client_takes_is_not_the_providers() -> None:
    timeouts = Timeouts(first_token=0.15, idle=0.15, total=0.3)
    patience = Patience("acme", timeouts, streamed=True)
    found = await collect(patience, words(0.02, 0.02, 0.02), pause=0.2)
    assert len(found) == 3


async def test_a_timeout_of_the_provider_itself_is_its_own() -> None:
    async def impatient() -> EventStream:
        yield TextDelta("w0")
        async with asyncio.timeout(0.01):
            await asyncio.sleep(5)

    with pytest.raises(TimeoutError):
        await collect(Patience("acme", LONG, streamed=True), impatient())


async def test_a_provider_that_is_out_of_time_is_stopped() -> None:
    stopped = asyncio.Event()

    async def stubborn() -> EventStream:
        try:
            await asyncio.sleep(5)
            yield TextDelta("never")
        finally:
            stopped.set()

    patience = Patience("acme", attrs.evolve(LONG, first_token=0.05), streamed=True)
    with pytest.raises(UpstreamTimeoutError):
        await collect(patience, stubborn())
    assert stopped.is_set()


async def test_a_client_that_leaves_is_no_timeout() -> None:
    patience = Patience("acme", attrs.evolve(LONG, first_token=0.2), streamed=True)
    async with asyncio.TaskGroup() as group:
        task = group.create_task(collect(patience, words(5)))
        await asyncio.sleep(0.02)
        task.cancel()
    assert task.cancelled()


async def test_a_timeout_leaves_no_mark_on_its_task() -> None:
    patience = Patience("acme", attrs.evolve(LONG, first_token=0.05), streamed=True)
    with pytest.raises(UpstreamTimeoutError):
        await collect(patience, words(5))
    task = asyncio.current_task()
    assert task is not None
    assert task.cancelling() == 0
    async with asyncio.timeout(1):
        await asyncio.sleep(0.1)
