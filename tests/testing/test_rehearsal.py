"""What is left behind after a call is found."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from typing import Any, ClassVar

import aiohttp
import attrs
import pytest

from g4f_aio import CallContext, ChatRequest, EventStream, Finish, TextDelta
from g4f_aio.testing import Answer, FakeUpstream, Received
from g4f_aio.testing.rehearsal import main_of, same
from tests.testing.judged import Good, faults

kept: list[Any] = []


@pytest.fixture(autouse=True)
def _forget() -> Iterator[None]:
    yield
    kept.clear()


@attrs.frozen(kw_only=True)
class LeaksTask(Good):
    """It starts a task for each call and forgets it."""

    name: ClassVar[str] = "zoo"

    async def chat(self, request: ChatRequest, ctx: CallContext) -> EventStream:
        kept.append(asyncio.ensure_future(self.refresh()))
        async for event in Good.chat(self, request, ctx):
            yield event

    async def refresh(self) -> None:
        await asyncio.sleep(60)


async def test_a_task_that_is_left_running() -> None:
    (found,) = await faults(LeaksTask)
    assert found == (
        "it leaves the task LeaksTask.refresh running after a call: await or cancel it before chat"
        " ends, as asyncio.TaskGroup does"
    )
    assert all(task.cancelled() for task in kept)


@attrs.frozen(kw_only=True)
class LeaksConnection(Good):
    """It has a session of its own, for ever."""

    name: ClassVar[str] = "zoo"

    async def chat(self, request: ChatRequest, ctx: CallContext) -> EventStream:
        if not kept:
            kept.append(aiohttp.ClientSession())
        async with kept[0].post(f"{self.base_url}/ask") as response:
            await response.read()
        yield TextDelta("done")
        yield Finish()


async def test_a_connection_that_is_left_open() -> None:
    found = await faults(LeaksConnection)
    await kept[0].close()
    assert (
        "it leaves a connection to its upstream open after a call: use ctx.http, or close the"
        " session of your own before chat ends" in found
    )


async def test_the_answer_proper_is_the_last_streamed_one_or_the_last() -> None:
    async with FakeUpstream({"/a": {}}) as upstream, aiohttp.ClientSession() as session:
        for path in ("/a", "/b", "/c"):
            await session.get(f"{upstream.url}{path}")
        first, second, third = upstream.requests
    whole, streamed = Answer.json({}), Answer.stream("a", "b")
    assert main_of({first: streamed, second: streamed, third: whole}) == (second, streamed)
    assert main_of({first: whole, second: whole}) == (second, whole)
    assert main_of({}) is None
    assert same(first, first)
    assert not same(first, second)


def test_nobody_sees_the_credential() -> None:
    assert "sk-" not in repr(Received("GET", "/", {}, {}, b"sk-"))  # type: ignore[arg-type]
