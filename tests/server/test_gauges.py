"""How things stand: read from the parts themselves."""

from __future__ import annotations

import asyncio

import pytest

from g4f_aio.core.errors import RateLimitError, UpstreamError
from g4f_aio.core.events import Finish, TextDelta
from g4f_aio.keys import CURRENT, GATEWAY
from g4f_aio.server.counters import OTHER, Counters
from g4f_aio.server.gauges import ProviderGauges, gauges
from g4f_aio.server.metrics import COUNTERS
from g4f_aio.settings.secret import SecretStr
from tests.e2e.waiting import until
from tests.server.conftest import Start
from tests.server.fakes import HELLO, STREAM, Keyed, Record, Script, Server, entry

SLOW = (TextDelta("One"), 30.0, Finish())


def of(server: Server, name: str = "script") -> ProviderGauges:
    found = gauges(server.app, server.app[COUNTERS]).providers
    return {one.name: one for one in found}[name]


async def test_a_server_at_rest(server: Server) -> None:
    found = gauges(server.app, Counters())
    assert (found.running, found.waiting, found.draining) == (0, 0, False)
    assert found.providers == (
        ProviderGauges("script", 0, None, left_alone=False, keys=0, resting=0),
    )
    assert found.left_alone == {}
    server.app[CURRENT].draining = True
    assert gauges(server.app, Counters()).draining


async def test_what_is_under_way_and_what_waits(start: Start) -> None:
    record = Record()
    server = await start(entry(Script(steps=SLOW, record=record)), max_requests=1)
    async with asyncio.TaskGroup() as group:
        first = group.create_task(server.chat(STREAM))
        await record.begun.wait()
        second = group.create_task(server.chat(STREAM))
        await until(lambda: gauges(server.app, Counters()).waiting > 0)
        found = gauges(server.app, Counters())
        assert (found.running, found.waiting) == (1, 1)
        assert of(server).running == 1
        first.cancel()
        second.cancel()


async def test_what_waits_for_a_provider(start: Start) -> None:
    record = Record()
    narrow = entry(Script(steps=SLOW, record=record), max_requests=1)
    server = await start(narrow, entry(Script(), "wide"))
    assert of(server).waiting == 0
    async with asyncio.TaskGroup() as group:
        asked = {**STREAM, "provider": "script"}
        first = group.create_task(server.chat(asked))
        await record.begun.wait()
        second = group.create_task(server.chat(asked))
        await until(lambda: bool(of(server).waiting))
        assert (of(server).running, of(server).waiting) == (1, 1)
        assert of(server, "wide").waiting is None
        first.cancel()
        second.cancel()


async def test_keys_that_rest(start: Start) -> None:
    steps = (RateLimitError("slow down", retry_after=60.0),)
    keys = (SecretStr("one-key"), SecretStr("two-key"))
    server = await start(entry(Keyed(steps=steps), api_keys=keys))
    assert (of(server).keys, of(server).resting) == (2, 0)
    assert (await server.chat()).status == 429
    assert (of(server).keys, of(server).resting) == (2, 2)


async def test_a_rest_that_is_over_is_none(start: Start) -> None:
    server = await start(entry(Keyed(), api_key=SecretStr("one-key")))
    desk = server.app[GATEWAY].desk
    (key,) = desk.credentials.of(server.app[GATEWAY].now.registry.chosen[0])
    key.failed("small", RateLimitError("no"), 0.0)
    assert key.rests
    assert of(server).resting == 0


@pytest.mark.parametrize("unreachable", [True, False])
async def test_who_keeps_failing(start: Start, *, unreachable: bool) -> None:
    error = UpstreamError("gone")
    error.unreachable = unreachable
    server = await start(entry(Script(steps=(error,))))
    for _ in range(9):
        await server.chat({**HELLO, "model": "small"})
    found = gauges(server.app, server.app[COUNTERS])
    assert of(server).left_alone is unreachable
    assert found.left_alone == {("script", OTHER): 1}
    counters = Counters()
    counters._lane("script", "small")
    assert gauges(server.app, counters).left_alone == {("script", "small"): 1}


async def test_who_does_well_is_told_of_as_well(server: Server) -> None:
    await server.chat({**HELLO, "model": "small"})
    assert gauges(server.app, Counters()).left_alone == {}
    assert gauges(server.app, server.app[COUNTERS]).left_alone == {("script", "small"): 0}
