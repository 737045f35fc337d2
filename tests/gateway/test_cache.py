"""The same request of the same caller is answered from memory, and never with half an answer."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import aclosing
from typing import Any

import attrs
import orjson
import pytest

from g4f_aio import ChatRequest, EventStream, Finish, Passthrough, TextDelta, UpstreamError, Usage
from g4f_aio.core.events import Event, Started
from g4f_aio.core.record import RequestRecord
from g4f_aio.dialects.openai_chat import OPENAI_CHAT
from g4f_aio.gateway.cache import ResponseCache
from g4f_aio.settings import CacheSettings

LIMITS = CacheSettings(ttl=60.0, size=80_000)
BODY: dict[str, Any] = {"model": "m", "messages": [{"role": "user", "content": "Hi"}]}


@attrs.define
class Upstream:
    """Whoever is asked when an answer is not there; it says its number."""

    error: Exception | None = None
    text: str = "answer"
    asked: int = 0
    stopped: int = 0
    go: asyncio.Event = attrs.field(factory=asyncio.Event)

    def __attrs_post_init__(self) -> None:
        self.go.set()

    async def ask(self, request: ChatRequest, record: RequestRecord) -> EventStream:
        self.asked += 1
        number = self.asked
        try:
            yield Started("p", request.model)
            yield TextDelta(f"{self.text} {number}")
            await self.go.wait()
            if self.error is not None:
                raise self.error
            yield Usage(3, 4)
            yield Finish()
        finally:
            self.stopped += 1


@attrs.define
class Clock:
    now: float = 100.0

    def __call__(self) -> float:
        return self.now


@attrs.define
class Stage:
    """A cache in front of an upstream, and a clock that is moved by hand."""

    upstream: Upstream
    cache: ResponseCache
    clock: Clock
    limits: CacheSettings = LIMITS

    def open(self, body: dict[str, Any], caller: str) -> tuple[AsyncIterator[Event], RequestRecord]:
        request = OPENAI_CHAT.decode_request(orjson.dumps(body))
        record = RequestRecord("id", caller, "openai-chat", "m")
        return self.cache.chat(request, record, self.limits), record  # type: ignore[return-value]

    async def ask(self, caller: str = "me", **fields: Any) -> tuple[str, RequestRecord]:
        events, record = self.open(BODY | fields, caller)
        async with aclosing(events) as stream:  # type: ignore[type-var]
            text = "".join([e.text async for e in stream if isinstance(e, TextDelta)])
        return text, record


@pytest.fixture
async def stage() -> AsyncIterator[Stage]:
    """A cache that lives as long as the test."""
    upstream, clock = Upstream(), Clock()
    async with asyncio.TaskGroup() as tasks:
        cache = ResponseCache(upstream.ask, tasks, clock)
        yield Stage(upstream, cache, clock)
        cache.close()


async def test_a_repeated_request_is_answered_from_memory(stage: Stage) -> None:
    first, record = await stage.ask()
    assert (first, record.cache, record.usage) == ("answer 1", "miss", Usage(3, 4))
    again, record = await stage.ask()
    assert (again, record.cache, record.usage) == ("answer 1", "hit", Usage(3, 4))
    assert (stage.upstream.asked, record.attempts) == (1, [])


async def test_an_answer_in_the_upstream_s_own_bytes_is_kept_as_it_is(stage: Stage) -> None:
    whole = Passthrough(b'{"id":"1"}', Usage(1, 2), last=True)

    async def bytes_of(_: ChatRequest, __: RequestRecord) -> EventStream:
        yield Started("p", "m")
        yield whole

    async with asyncio.TaskGroup() as tasks:
        made = Stage(stage.upstream, ResponseCache(bytes_of, tasks), stage.clock)
        heard = []
        for _ in range(2):
            events, record = made.open(BODY, "me")
            heard.append([event async for event in events])
            assert record.usage == Usage(1, 2)
    assert heard[0] == heard[1] == [Started("p", "m"), whole]


@pytest.mark.parametrize(
    "other",
    [
        {"caller": "you"},
        {"model": "n"},
        {"temperature": 0.5},
        {"stream": True},
        {"provider": "q"},
        {"api_key": "sk-other"},
        {"seed": 1},
        {"x_unknown": [1]},
        {"messages": [{"role": "user", "content": "Hi "}]},
    ],
    ids=lambda other: next(iter(other)),
)
async def test_whatever_differs_makes_another_request(stage: Stage, other: dict[str, Any]) -> None:
    await stage.ask()
    text, record = await stage.ask(**other)
    assert (text, record.cache) == ("answer 2", "miss")


async def test_the_order_of_the_fields_does_not(stage: Stage) -> None:
    await stage.ask(temperature=1, seed=2)
    _, record = await stage.ask(seed=2, temperature=1)
    assert record.cache == "hit"


async def test_a_request_without_a_body_of_its_own_is_known_by_what_it_asks(stage: Stage) -> None:
    def asked(seed: int) -> tuple[AsyncIterator[Event], RequestRecord]:
        request = OPENAI_CHAT.decode_request(orjson.dumps(BODY | {"seed": seed}))
        record = RequestRecord("id", "me", "x", "m")
        events = stage.cache.chat(attrs.evolve(request, raw=None), record, LIMITS)
        return events, record  # type: ignore[return-value]

    found = []
    for seed in (1, 1, 2):
        events, record = asked(seed)
        assert [event async for event in events]
        found.append(record.cache)
    assert found == ["miss", "hit", "miss"]


async def test_an_answer_grows_old(stage: Stage) -> None:
    await stage.ask()
    stage.clock.now += LIMITS.ttl
    text, record = await stage.ask()
    assert (text, record.cache) == ("answer 2", "miss")
    assert (await stage.ask())[0] == "answer 2"


async def test_after_a_reload_nothing_is_known(stage: Stage) -> None:
    await stage.ask()
    stage.cache.clear()
    assert (await stage.ask())[0] == "answer 2"


async def test_a_failed_answer_is_not_kept(stage: Stage) -> None:
    stage.upstream.error = UpstreamError("it broke off")
    for number in (1, 2):
        with pytest.raises(UpstreamError, match="it broke off"):
            await stage.ask()
        assert stage.upstream.asked == number


async def test_a_mistake_of_ours_is_told_to_who_asked_and_harms_nobody_else(stage: Stage) -> None:
    stage.upstream.error = ZeroDivisionError("oops")
    with pytest.raises(ZeroDivisionError):
        await stage.ask()
    stage.upstream.error = None
    assert (await stage.ask())[0] == "answer 2"


async def test_equal_requests_under_way_share_one_call(stage: Stage) -> None:
    stage.upstream.go.clear()
    asking = [asyncio.ensure_future(stage.ask()) for _ in range(5)]
    await asyncio.sleep(0)
    await asyncio.sleep(0)
    stage.upstream.go.set()
    answers = await asyncio.gather(*asking)
    assert {text for text, _ in answers} == {"answer 1"}
    assert [record.cache for _, record in answers] == ["miss", *["shared"] * 4]
    assert all(record.usage == Usage(3, 4) for _, record in answers)


async def test_they_share_its_failure_too(stage: Stage) -> None:
    stage.upstream.go.clear()
    stage.upstream.error = UpstreamError("it broke off")
    asking = [asyncio.ensure_future(stage.ask()) for _ in range(3)]
    await asyncio.sleep(0)
    stage.upstream.go.set()
    found = await asyncio.gather(*asking, return_exceptions=True)
    assert [str(error) for error in found] == ["it broke off"] * 3
    assert stage.upstream.asked == 1


async def test_who_made_the_call_may_leave_it_to_the_others(stage: Stage) -> None:
    stage.upstream.go.clear()
    first, second = (asyncio.ensure_future(stage.ask()) for _ in range(2))
    await asyncio.sleep(0.01)
    first.cancel()
    with pytest.raises(asyncio.CancelledError):
        await first
    assert stage.upstream.stopped == 0
    stage.upstream.go.set()
    assert (await second)[0] == "answer 1"
    assert stage.upstream.asked == 1


async def test_when_all_have_left_the_call_ends_and_the_next_one_makes_its_own(
    stage: Stage,
) -> None:
    stage.upstream.go.clear()
    asking = [asyncio.ensure_future(stage.ask()) for _ in range(2)]
    await asyncio.sleep(0.01)
    for one in asking:
        one.cancel()
    await asyncio.wait(asking)
    stage.upstream.go.set()
    assert (await stage.ask())[0] == "answer 2"
    assert stage.upstream.stopped == 2


async def test_who_used_it_last_stays_when_room_is_needed(stage: Stage) -> None:
    stage.limits = CacheSettings(size=8 * 3200)
    stage.upstream.text = "x" * 2300  # about an eighth of the room
    for seed in range(7):
        await stage.ask(seed=seed)
    assert (await stage.ask(seed=0))[1].cache == "hit"
    for seed in range(7, 10):
        await stage.ask(seed=seed)
    assert [(await stage.ask(seed=seed))[1].cache for seed in (0, 9, 1)] == ["hit", "hit", "miss"]


async def test_an_answer_that_is_too_large_is_not_kept_but_given(stage: Stage) -> None:
    stage.upstream.text = "x" * LIMITS.size
    for number in (1, 2):
        text, record = await stage.ask()
        assert (text, record.cache) == (f"{'x' * LIMITS.size} {number}", "miss")


async def test_at_the_end_calls_under_way_are_ended(stage: Stage) -> None:
    stage.upstream.go.clear()
    asking = asyncio.ensure_future(stage.ask())
    await asyncio.sleep(0.01)
    stage.cache.close()
    with pytest.raises(Exception, match="The server is stopping"):
        await asking


async def test_what_was_supplied_is_told_again_each_time() -> None:
    headers = {"x-ratelimit-remaining-requests": "5"}

    async def ask(request: ChatRequest, _: RequestRecord) -> EventStream:
        yield Started("p", request.model, 1, ("tools",), headers)
        yield Finish()

    async with asyncio.TaskGroup() as tasks:
        cache = ResponseCache(ask, tasks)
        for expected, told in (("miss", headers), ("hit", None)):
            record = RequestRecord("", "", "", "")
            chat = OPENAI_CHAT.decode_request(orjson.dumps(BODY))
            async with aclosing(cache.chat(chat, record, LIMITS)) as events:
                started, _ = [event async for event in events]
            # what is left of a quota is told of the moment
            assert started == Started("p", "m", 1, ("tools",), told)
            assert (record.cache, record.emulated) == (expected, ("tools",))
        other = RequestRecord("", "", "", "")
        forbidden = OPENAI_CHAT.decode_request(orjson.dumps({**BODY, "emulate": False}))
        await cache.chat(forbidden, other, LIMITS).aclose()
        assert other.cache == "miss"
