"""What becomes of upstreams that fail: they are spared, tried again, and used as soon as they are well.

Counted where it matters: at the upstream.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import re
import socket
import subprocess
import sys
from collections import Counter
from collections.abc import Iterator
from itertools import pairwise
from typing import Any

import aiohttp
import attrs
import pytest

from tests.conftest import SERVER, Upstream
from tests.e2e.gateway import Gateway, running
from tests.e2e.waiting import until
from tests.e2e.wire import Answer, Attempt, post

SETTINGS = """
[server]
queue = 8
queue_timeout = 10

[routing]
detect_local = false
provider = "work"
"""
PROVIDER = """
[providers.{name}]
type = "openai-compatible"
base_url = "{base_url}"
models = ["not asked for a list"]
stream_timeout = 10
{more}
"""
CHAIN = """
[models."{name}"]
providers = [{links}]
"""
PROVIDERS = {
    "work": "",
    "limited": "max_requests = 2",
    "narrow": "max_requests = 1",
    "hasty": "first_token_timeout = 0.3",
    "keyed": 'api_keys = ["wrong-key", "good-key"]',
    "spent": 'api_keys = ["spent-1500-key", "good-key"]',
    **dict.fromkeys(("x1", "x2", "x3", "y1", "y2", "y3", "z1", "z2"), ""),
    **dict.fromkeys(("v1", "v2", "v3", "w1", "w2", "w3"), ""),
}
CHAINS = {
    "three": ["x1:status-500@x1", "x2:status-500@x2", "x3:status-500@x3"],
    "three at once": ["y1:status-500@y1", "y2:status-500@y2", "y3:status-500@y3"],
    "three in one moment": ["v1:status-500@v1", "v2:status-500@v2", "v3:status-500@v3"],
    "one of three is well": ["w1:status-500@w1", "w2:status-500@w2", "w3:words-3@w3"],
    "mixed": ["z1:status-429-700@mute", "z2:first-5-500-500@z2"],
}


def settings_for(upstream: Upstream, providers: dict[str, str]) -> str:
    """Settings with these providers."""
    text = SETTINGS
    for name, more in providers.items():
        text += PROVIDER.format(name=name, base_url=upstream.base_url, more=more)
    for name, links in CHAINS.items():
        pairs = (link.split(":") for link in links)
        written = (f'{{ provider = "{who}", model = "{model}" }}' for who, model in pairs)
        text += CHAIN.format(name=name, links=", ".join(written))
    return text


@pytest.fixture(scope="module")
def gateway(
    upstream_process: Upstream, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Gateway]:
    """A gateway as it is by default, but for its time limits."""
    settings = settings_for(upstream_process, PROVIDERS)
    with running(tmp_path_factory.mktemp("resilience"), settings) as gateway:
        yield gateway


async def ask(
    gateway: Gateway, client: aiohttp.ClientSession, model: str, times: int, at_once: int = 1
) -> list[Answer]:
    """So many answers, so many at one time."""
    room = asyncio.Semaphore(at_once)

    async def one() -> Answer:
        async with room:
            return await post(client, gateway.chat, model)

    return await asyncio.gather(*(one() for _ in range(times)))


def statuses(answers: list[Answer]) -> Counter[int]:
    """How often each status came."""
    return Counter(answer.status for answer in answers)


# further tries


@attrs.frozen
class Try:
    """A model, what comes of it in the end, how often it is asked, and the shortest pause between."""

    model: str
    status: int
    calls: int
    pause: float = 0.0
    stream: bool = False

    def __str__(self) -> str:
        return self.model


TRIES = (
    Try("once-500", 200, 2),
    Try("once-503-300", 200, 2, pause=0.3),
    Try("once-429-300", 200, 2, pause=0.3),
    Try("once-429-2500", 429, 1),
    Try("once-503-2500", 502, 1),
    Try("once-408", 200, 2),
    Try("first-2-502", 200, 3),
    Try("first-2-502", 200, 3, stream=True),
    Try("status-500", 502, 3),
    Try("status-503", 502, 3, pause=1.0),
    Try("status-529", 503, 3),
    Try("status-429@mute", 429, 1),
    Try("status-401", 502, 1),
    Try("status-403", 502, 1),
    Try("status-400", 400, 1),
    Try("status-404", 404, 1),
    Try("status-301", 502, 1),
    Try("cut-mid-event", 502, 3),
    Try("cut-before-token", 502, 3, stream=True),
    Try("cut-between-events", 200, 1, stream=True),
    Try("hang-token", 504, 1, stream=True),
)


@pytest.fixture(scope="module")
def tried(
    upstream_process: Upstream, tmp_path_factory: pytest.TempPathFactory
) -> dict[Try, tuple[Answer, list[dict[str, Any]]]]:
    """All of them at once, each with a provider of its own."""
    hasty = "first_token_timeout = 0.8"
    providers = {f"p{number}": hasty for number in range(len(TRIES))}
    settings = settings_for(upstream_process, PROVIDERS | providers)
    upstream_process.forget()

    async def play(url: str) -> list[Answer]:
        async with aiohttp.ClientSession() as client:
            # a fifth of the requests of the last seconds may be tried again
            good = [post(client, url, "echo") for _ in range(200)]
            assert statuses(await asyncio.gather(*good)) == {200: 200}
            return await asyncio.gather(
                *(
                    post(client, url, f"p{number}:{one.model}@{number}", stream=one.stream)
                    for number, one in enumerate(TRIES)
                )
            )

    with running(tmp_path_factory.mktemp("tried"), settings) as gateway:
        answers = asyncio.run(play(gateway.chat))
    return {
        one: (answer, upstream_process.fetch_records(f"{one.model}@{number}"))
        for number, (one, answer) in enumerate(zip(TRIES, answers, strict=True))
    }


@pytest.mark.parametrize("one", TRIES, ids=str)
def test_only_what_may_pass_is_tried_again_and_not_too_soon(
    tried: dict[Try, tuple[Answer, list[dict[str, Any]]]], one: Try
) -> None:
    answer, records = tried[one]
    assert answer.status == one.status
    assert len(records) == len(answer.attempts) == one.calls
    pauses = [later["at"] - sooner["at"] for sooner, later in pairwise(records)]
    assert all(pause >= one.pause for pause in pauses)
    assert all(pause < 4 for pause in pauses)
    failed = answer.attempts[:-1] if one.status == 200 else answer.attempts
    assert all(attempt.error for attempt in failed[: one.calls - 1])


async def test_a_hint_that_is_too_long_to_wait_for_is_handed_on(
    gateway: Gateway, client: aiohttp.ClientSession
) -> None:
    answer = await post(client, gateway.chat, "once-429-2500@handed on")
    assert answer.status == 429
    assert answer.headers["retry-after"] == "3"
    assert answer.headers["retry-after-ms"] == "2500"


# how often an upstream is called that fails


async def test_one_that_always_fails_is_hardly_called(
    gateway: Gateway, client: aiohttp.ClientSession, upstream: Upstream
) -> None:
    answers = await ask(gateway, client, "status-500@always", 200, at_once=10)
    assert set(statuses(answers)) == {502, 503}
    calls = len(await upstream.records("status-500@always"))
    assert 5 <= calls <= 20
    for answer in answers:
        if answer.status == 503:
            assert answer.error()["code"] == "no_provider_available"
            assert int(answer.headers["retry-after"]) in range(1, 6)


@pytest.mark.parametrize(
    ("model", "at_once"), [("three", 10), ("three at once", 50), ("three in one moment", 200)]
)
async def test_so_it_is_with_three_that_always_fail(
    gateway: Gateway,
    client: aiohttp.ClientSession,
    upstream: Upstream,
    model: str,
    at_once: int,
) -> None:
    answers = await ask(gateway, client, model, 200, at_once=at_once)
    assert set(statuses(answers)) <= {502, 503}
    calls = len(await upstream.records())
    assert 15 <= calls <= 1.2 * 200


async def test_all_that_fail_in_one_moment_are_answered_by_the_one_that_is_well(
    gateway: Gateway, client: aiohttp.ClientSession, upstream: Upstream
) -> None:
    answers = await ask(gateway, client, "one of three is well", 200, at_once=200)
    assert statuses(answers) == {200: 200}
    calls = Counter(one["body"]["model"] for one in await upstream.records())
    assert calls.pop("words-3@w3") == 200
    assert sum(calls.values()) <= 1.2 * 200


async def test_one_that_hangs_does_not_hold_everybody_up(
    gateway: Gateway, client: aiohttp.ClientSession, upstream: Upstream
) -> None:
    answers = [
        await post(client, gateway.chat, "hasty:hang-token@always", stream=True) for _ in range(20)
    ]
    assert statuses(answers) == {504: 5, 503: 15}
    assert len(await upstream.records("hang-token@always")) == 5


# getting well


async def test_one_that_is_well_again_is_used_again(
    gateway: Gateway, client: aiohttp.ClientSession, upstream: Upstream
) -> None:
    """After the time it said, with one probe that all others wait for."""
    model = "first-5-500-500@recovers"
    while (answer := await post(client, gateway.chat, model)).status != 503:
        assert answer.status == 502
    assert len(await upstream.records(model)) == 5
    wait = int(answer.headers["retry-after-ms"]) / 1000
    assert 3 < wait <= 5
    early = await post(client, gateway.chat, model)
    assert early.status == 503
    await asyncio.sleep(wait + 0.1)
    answers = await ask(gateway, client, model, 50, at_once=50)
    assert statuses(answers) == {200: 1, 503: 49}
    assert len(await upstream.records(model)) == 6
    assert statuses(await ask(gateway, client, model, 10, at_once=10)) == {200: 10}


async def test_one_probe_is_enough_for_those_whom_another_one_failed(
    gateway: Gateway, client: aiohttp.ClientSession, upstream: Upstream
) -> None:
    """They all come at once from a provider without quota to one that may be well again."""
    model = "first-5-500-500@z2"
    while (answer := await post(client, gateway.chat, f"z2:{model}")).status != 503:
        assert answer.status == 502
    await asyncio.sleep(int(answer.headers["retry-after-ms"]) / 1000 + 0.1)
    answers = await ask(gateway, client, "mixed", 50, at_once=50)
    assert statuses(answers)[200] == 1
    assert set(statuses(answers)) <= {200, 429, 503}
    assert len(await upstream.records("status-429-700@mute")) > 10
    assert len(await upstream.records(model)) == 6


async def test_one_that_was_not_there_is_used_as_soon_as_it_is(
    tmp_path_factory: pytest.TempPathFactory, client: aiohttp.ClientSession
) -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
    base_url = f"http://127.0.0.1:{port}/v1"
    settings = SETTINGS + PROVIDER.format(name="work", base_url=base_url, more="")
    with running(tmp_path_factory.mktemp("away"), settings) as gateway:
        while (answer := await post(client, gateway.chat, "echo")).status != 503:
            assert answer.status == 502
        assert (await post(client, gateway.chat, "another-model")).status == 503
        command = [sys.executable, str(SERVER), "--port", str(port), "--with-parent"]
        with subprocess.Popen(  # noqa: ASYNC220
            command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL
        ) as process:
            assert process.stdout is not None
            assert process.stdin is not None
            with contextlib.closing(process.stdin):
                json.loads(await asyncio.to_thread(process.stdout.readline))
                await asyncio.sleep(int(answer.headers["retry-after-ms"]) / 1000 + 0.1)
                assert (await post(client, gateway.chat, "echo")).status == 200


# keys


def used(records: list[dict[str, Any]]) -> list[str]:
    """The keys in requests."""
    return [one["headers"]["authorization"].removeprefix("Bearer ") for one in records]


async def test_a_key_that_is_refused_costs_one_call_and_no_request(
    gateway: Gateway, client: aiohttp.ClientSession, upstream: Upstream
) -> None:
    answers = [await post(client, gateway.chat, "keyed:words-3@refused") for _ in range(5)]
    answers += await ask(gateway, client, "keyed:words-3@refused", 20, at_once=20)
    answers += [await post(client, gateway.chat, "keyed:words-3@other-model")]
    assert statuses(answers) == {200: 26}
    assert Counter(used(await upstream.records())) == {"wrong-key": 1, "good-key": 26}
    assert answers[0].attempts == [
        Attempt("keyed/words-3@refused", "provider_auth_failed", 502),
        Attempt("keyed/words-3@refused"),
    ]


async def test_a_key_without_quota_rests_as_long_as_it_was_told(
    gateway: Gateway, client: aiohttp.ClientSession, upstream: Upstream
) -> None:
    model = "words-3@quota"

    async def keys() -> list[str]:
        return used(await upstream.records(model))

    async with asyncio.timeout(20):
        while (await keys()).count("spent-1500-key") < 2:
            assert (await post(client, gateway.chat, f"spent:{model}")).status == 200
            await asyncio.sleep(0.05)
    records = await upstream.records(model)
    first, second = (one["at"] for one in records if used([one]) == ["spent-1500-key"])
    assert second - first >= 1.5
    between = [one for one in records if first < one["at"] < second]
    assert len(between) >= 3
    assert set(used(between)) == {"good-key"}
    await ask(gateway, client, f"spent:{model}", 4)
    assert Counter((await keys())[-4:]) == {"spent-1500-key": 2, "good-key": 2}


# places


def most_at_one_time(records: list[dict[str, Any]]) -> int:
    """How many requests were under way together, at most."""
    changes = sorted(
        change
        for one in records
        for change in ((one["at"], 1), (one["done_at"] or one["closed_at"], -1))
    )
    now = most = 0
    for _, step in changes:
        now += step
        most = max(most, now)
    return most


async def test_an_upstream_never_gets_more_at_one_time_than_it_takes(
    gateway: Gateway, client: aiohttp.ClientSession, upstream: Upstream
) -> None:
    model = "slow-json-200@places"
    answers = await ask(gateway, client, f"limited:{model}", 10, at_once=10)
    assert statuses(answers) == {200: 10}
    records = await upstream.records(model)
    assert len(records) == 10
    assert most_at_one_time(records) == 2


async def test_whom_the_line_has_no_room_for_is_told_when_to_come_back(
    gateway: Gateway, client: aiohttp.ClientSession, upstream: Upstream
) -> None:
    """Two are answered, eight wait, and nobody is lost."""
    model = "slow-json-300@full"
    answers = await ask(gateway, client, f"limited:{model}", 15, at_once=15)
    assert statuses(answers) == {200: 10, 503: 5}
    for answer in answers:
        if answer.status == 503:
            assert answer.error()["code"] == "overloaded"
            assert 1000 <= int(answer.headers["retry-after-ms"]) <= 2000
    records = await upstream.records(model)
    assert len(records) == 10
    assert most_at_one_time(records) == 2
    assert (await post(client, gateway.chat, f"limited:{model}")).status == 200


# clients that leave


async def send(gateway: Gateway, model: str) -> asyncio.StreamWriter:
    """A client that has sent its request."""
    body = {"model": model, "messages": [{"role": "user", "content": "Hi"}]}
    data = json.dumps(body).encode()
    _, writer = await asyncio.open_connection("127.0.0.1", gateway.port)
    writer.write(
        b"POST /v1/chat/completions HTTP/1.1\r\nHost: localhost\r\n"
        b"Content-Type: application/json\r\nContent-Length: %d\r\n\r\n%b" % (len(data), data)
    )
    await writer.drain()
    return writer


async def leave(writer: asyncio.StreamWriter) -> None:
    """Hang up."""
    writer.close()
    await writer.wait_closed()


async def test_who_leaves_the_line_calls_nobody_and_keeps_nobody_waiting(
    gateway: Gateway, client: aiohttp.ClientSession, upstream: Upstream
) -> None:
    """Its eight places would be lost for good."""

    async def turned_away() -> bool:
        """Whether the line is full; else this stands in it for a while."""
        try:
            async with asyncio.timeout(0.2):
                answer = await post(client, gateway.chat, "narrow:words-3@looks")
        except TimeoutError:
            return False
        assert answer.status == 503
        return True

    inside = await send(gateway, "narrow:hang-mid@inside")
    await until(lambda: bool(upstream.fetch_records("hang-mid@inside")))
    for _ in range(3):
        waiting = [await send(gateway, "narrow:words-3@leaves") for _ in range(8)]
        async with asyncio.timeout(10):
            while not await turned_away():
                pass
        for writer in waiting:
            await leave(writer)
        async with asyncio.timeout(10):
            while await turned_away():
                pass
    async with asyncio.TaskGroup() as group:
        last = group.create_task(post(client, gateway.chat, "narrow:words-3@last"))
        await asyncio.sleep(0.1)
        assert not last.done()
        await leave(inside)
    assert last.result().status == 200
    assert {one["body"]["model"] for one in await upstream.records()} == {
        "hang-mid@inside",
        "words-3@last",
    }


async def test_who_leaves_between_two_tries_calls_nobody_any_more(
    gateway: Gateway, client: aiohttp.ClientSession, upstream: Upstream
) -> None:
    model = "once-503-1500@leaves"
    writer = await send(gateway, model)
    line = await asyncio.to_thread(gateway.log.wait, "trying again in 1.5")
    await leave(writer)
    again = re.search(r"again in ([0-9.]+) s", line)
    assert again is not None
    await asyncio.sleep(float(again[1]) + 0.5)
    assert len(await upstream.records(model)) == 1
    assert (await post(client, gateway.chat, model)).status == 200
