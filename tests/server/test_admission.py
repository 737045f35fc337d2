"""Before an answer: the turnstile of the whole process, and the limits of each key."""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import Callable
from itertools import pairwise
from typing import Any

import attrs
import pytest
from hypothesis import HealthCheck, given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st

from g4f_aio.app import reload_app
from g4f_aio.core.errors import UpstreamError
from g4f_aio.core.events import Finish, Started, TextDelta, Usage
from g4f_aio.core.record import RequestRecord
from g4f_aio.core.stores import Allowance, Balance, Quota
from g4f_aio.gateway.limits import ANSWER, MemoryQuotas
from g4f_aio.gateway.registry import Registry
from g4f_aio.gateway.turnstile import Turnstile
from g4f_aio.keys import LEDGER, QUOTAS, TURNSTILE
from g4f_aio.settings import KeySettings, ModelTarget, RoutingSettings, Settings
from g4f_aio.settings.secret import SecretStr
from tests.e2e.wire import Answer
from tests.patience import at_some_pace
from tests.server.conftest import QUIET, Start
from tests.server.fakes import CHAT, HELLO, STREAM, Record, Script, Server, Step, entry

#: what nobody waits for in a test
LONG = 30.0
HEAD = (
    b"POST /v1/chat/completions HTTP/1.1\r\nHost: localhost\r\n"
    b"Content-Type: application/json\r\nContent-Length: %d\r\n%b\r\n"
)


async def met(condition: Callable[[], bool]) -> None:
    """Return as soon as it is so; TimeoutError when it is not for too long."""
    async with asyncio.timeout(20):
        while not condition():  # noqa: ASYNC110  (no event tells of it)
            await asyncio.sleep(0.002)


def turnstile_of(server: Server) -> Turnstile:
    """That of its process."""
    return server.app[TURNSTILE]


async def empty(server: Server) -> None:
    """Nobody is inside and nobody in line, after a moment at most."""
    turnstile = turnstile_of(server)
    await met(lambda: (turnstile.inside, turnstile.in_line) == (0, 0))


def head(length: int = 100, more: bytes = b"") -> bytes:
    """The beginning of a request whose body is still to come."""
    return HEAD % (length, more)


# the turnstile


async def full(start: Start, **server: Any) -> Server:
    """A server that answers one request for a long time."""
    script = Script(steps=(TextDelta("One"), LONG, Finish()))
    return await start(entry(script), max_requests=1, **server)


async def test_who_finds_no_room_is_turned_away_before_his_body_is_read(start: Start) -> None:
    server = await full(start, queue=0)
    async with server.stream() as stays:
        await stays.content.readany()
        answer = await server.raw(head())
        assert answer.status == 503
        error = answer.error()
        assert (error["type"], error["code"]) == ("server_error", "overloaded")
        assert error["message"].startswith("This server answers 1 requests just now")
        assert 1 <= int(answer.headers["retry-after"]) <= 2
        assert 1000 <= int(answer.headers["retry-after-ms"]) <= 2000
        assert answer.headers["x-request-id"]
        assert "x-should-retry" not in answer.headers
    await empty(server)


async def test_the_key_is_asked_for_before(start: Start) -> None:
    server = await start(entry(Script(steps=(LONG,))), api_key="k", max_requests=1, queue=0)
    async with asyncio.TaskGroup() as group:
        asking = group.create_task(server.chat(headers={"x-api-key": "k"}))
        await met(lambda: turnstile_of(server).inside == 1)
        assert (await server.raw(head())).status == 401
        assert (await server.raw(head(more=b"x-api-key: k\r\n"))).status == 503
        asking.cancel()
    await empty(server)


@pytest.mark.parametrize("path", ["/livez", "/readyz", "/v1/models", "/v1/providers", "/none"])
async def test_only_what_asks_a_provider_is_turned_away(start: Start, path: str) -> None:
    server = await full(start, queue=0)
    async with server.stream() as stays:
        await stays.content.readany()
        assert (await server.get(path)).status in (200, 404)


async def test_who_waits_in_line_is_answered_in_his_turn(start: Start) -> None:
    record = Record()
    steps: tuple[Step, ...] = (0.05, TextDelta("One"), Finish())
    server = await start(entry(Script(steps=steps, record=record)), max_requests=1, queue=5)
    answers = await asyncio.gather(*(server.chat() for _ in range(6)))
    assert {answer.status for answer in answers} == {200}
    assert len(record.closed) == 6
    assert all(later - one > 0.04 for one, later in pairwise(record.closed))
    await empty(server)


async def test_nobody_waits_for_longer_than_the_settings_say(start: Start) -> None:
    server = await full(start, queue=5, queue_timeout=0.05)
    async with server.stream() as stays:
        await stays.content.readany()
        answer = await server.chat()
        assert answer.status == 503
        assert "nobody left within 0.05 s" in answer.error()["message"]
    await empty(server)


async def test_who_leaves_the_line_takes_no_place(start: Start) -> None:
    server = await full(start, queue=5)
    turnstile = turnstile_of(server)
    async with server.stream() as stays:
        await stays.content.readany()
        _, writer = await server.connect()
        writer.write(head())
        await met(lambda: turnstile.in_line == 1)
        writer.close()
        await met(lambda: turnstile.in_line == 0)
        assert turnstile.inside == 1
    await empty(server)


@pytest.mark.parametrize(
    ("body", "steps"),
    [
        (HELLO, (TextDelta("One"), Finish())),
        (STREAM, (TextDelta("One"), Finish())),
        (b"{", ()),
        ({}, ()),
        ({**HELLO, "model": "none"}, ()),
        ({**HELLO, "proxy": "nonsense"}, ()),
        (HELLO, (UpstreamError("broken"),)),
        (STREAM, (TextDelta("One"), UpstreamError("broken"))),
        (STREAM, (TextDelta("One"), ZeroDivisionError())),
        (STREAM, (TextDelta("One"),)),
    ],
)
async def test_everybody_leaves(start: Start, body: Any, steps: tuple[Step, ...]) -> None:
    server = await start(entry(Script(steps=steps)), max_requests=1, queue=0)
    data = body if isinstance(body, bytes) else json.dumps(body).encode()
    for _ in range(2):
        answer = await server.ask(
            "POST", CHAT, headers={"Content-Type": "application/json"}, data=data
        )
        assert answer.status != 503
        await empty(server)


@pytest.mark.parametrize("steps", [(LONG,), (TextDelta("One"), LONG)])
@pytest.mark.parametrize("body", [HELLO, STREAM])
@pytest.mark.parametrize("sent", [0.0, 0.5, 1.0])
async def test_a_client_that_hangs_up_leaves(
    start: Start, steps: tuple[Step, ...], body: object, sent: float
) -> None:
    """Before its body has come, or while it is answered."""
    server = await start(entry(Script(steps=steps)), max_requests=1, queue=0)
    data = json.dumps(body).encode()
    _, writer = await server.connect()
    writer.write(head(len(data)) + data[: int(len(data) * sent)])
    await met(lambda: turnstile_of(server).inside == 1)
    writer.close()
    await empty(server)


async def test_a_body_that_does_not_come_leaves(start: Start) -> None:
    server = await start(max_requests=1, queue=0, body_timeout=0.05)
    assert (await server.raw(head())).status == 408
    await empty(server)


async def test_a_reload_makes_room(start: Start) -> None:
    server = await full(start, queue=0)
    async with server.stream() as stays:
        await stays.content.readany()
        assert (await server.raw(head())).status == 503
        new = attrs.evolve(QUIET, server=attrs.evolve(QUIET.server, max_requests=2, queue=7))
        reload_app(server.app, new, Registry.of(entry(Script()), settings=new))
        assert (await server.chat()).status == 200
        assert turnstile_of(server).waiting == 7
    await empty(server)


async def test_turning_somebody_away_takes_no_time() -> None:
    """A millisecond at most, and it is some microseconds."""
    turnstile = Turnstile(1, 0, "This server")
    assert turnstile.try_enter()
    began = time.thread_time()
    for _ in range(100):
        with pytest.raises(Exception, match="This server answers 1 requests"):
            await turnstile.enter(2.0)
    assert time.thread_time() - began < 0.1


async def test_ten_times_too_many_requests_leave_the_capacity_in_use(start: Start) -> None:
    """As many are answered as can be, the others are told so at once, and none is lost."""

    async def check(pace: float) -> None:
        took, limit, seconds = 0.25 * pace, 4, 2.0 * pace
        capacity = limit / took
        record = Record()
        steps: tuple[Step, ...] = (took, TextDelta("One"), Finish())
        server = await start(
            entry(Script(steps=steps, record=record)),
            max_requests=limit,
            queue=4,
            queue_timeout=2.0 * pace,
        )
        asked = round(10 * capacity * seconds)
        loop = asyncio.get_running_loop()
        began = loop.time()

        async def ask(number: int) -> Answer:
            await asyncio.sleep(began + number * seconds / asked - loop.time())
            return await server.chat()

        answers = await asyncio.gather(*map(ask, range(asked)))
        good = [answer for answer in answers if answer.status == 200]
        shed = [answer for answer in answers if answer.status == 503]
        assert len(good) + len(shed) == asked
        assert len(good) == len(record.closed) == len(record.requests)
        assert all(answer.json()["choices"][0]["message"]["content"] == "One" for answer in good)
        assert all(answer.error()["code"] == "overloaded" for answer in shed)
        assert all("retry-after" in answer.headers for answer in shed)
        # until the last answer all places were taken: what they gave compares with what they can
        assert len(good) / (record.closed[-1] - began) >= 0.9 * capacity
        await empty(server)

    await at_some_pace(check)


# keys

ALICE = {"x-api-key": "alice-key"}


@attrs.define
class Clock:
    """A monotonic clock in nanoseconds that goes on when a test says so."""

    now: int = 0

    def __call__(self) -> int:
        return self.now

    def advance(self, seconds: float) -> None:
        """Let time pass."""
        self.now += round(seconds * 10**9)


def settings_with(routing: RoutingSettings = QUIET.routing, **alice: Any) -> Settings:
    """Settings with a key for Alice, who has these limits."""
    key = KeySettings(key=SecretStr("alice-key"), **alice)
    other = KeySettings(key=SecretStr("bob-key"))
    return attrs.evolve(QUIET, routing=routing, keys={"alice": key, "bob": other})


@attrs.frozen
class Limited:
    """A server with a key for Alice, and the clock of its quotas."""

    server: Server
    clock: Clock
    record: Record
    records: list[RequestRecord] = attrs.field(factory=list)

    async def chat(self, body: object = None, headers: dict[str, str] | None = None) -> Answer:
        """The whole answer to Alice."""
        return await self.server.chat(body, headers=ALICE if headers is None else headers)

    async def tokens(self, limit: int) -> int:
        """How many of Alice's tokens are left."""
        balance = await self.server.app[QUOTAS].balance("alice", Quota(tokens=limit))
        assert balance.tokens is not None
        return balance.tokens.left

    def ended(self, record: RequestRecord) -> None:
        """An observer of the ledger."""
        self.records.append(record)


async def limited(start: Start, *steps: Step, **alice: Any) -> Limited:
    """A server whose one provider goes through *steps*, and Alice's limits."""
    clock, record = Clock(), Record()
    script = Script(steps=steps or Script().steps, record=record)
    server = await start(entry(script), settings=settings_with(**alice))
    quotas = server.app[QUOTAS]
    assert isinstance(quotas, MemoryQuotas)
    quotas._clock = clock
    made = Limited(server, clock, record)
    server.app[LEDGER].tell(made)
    return made


def quota_headers(answer: Answer) -> dict[str, str]:
    """Its headers about quotas."""
    prefix = "x-ratelimit-"
    return {
        name.lower().removeprefix(prefix): value
        for name, value in answer.headers.items()
        if name.lower().startswith(prefix)
    }


@pytest.mark.parametrize("stream", [True, False])
async def test_what_an_upstream_tells_of_its_quota_is_for_who_has_none_here(
    start: Start,
    stream: bool,  # noqa: FBT001
) -> None:
    theirs = {"x-ratelimit-limit-tokens": "7", "anthropic-ratelimit-tokens-limit": "7"}
    steps = (Started("x", "y", headers=theirs), *Script().steps)
    made = await limited(start, *steps, requests_per_minute=60)
    body = HELLO | {"stream": stream}
    answer = await made.chat(body)
    assert set(quota_headers(answer)) == {"limit-requests", "remaining-requests", "reset-requests"}
    assert "anthropic-ratelimit-tokens-limit" not in answer.headers
    bob = await made.chat(body, {"Authorization": "Bearer bob-key"})
    assert {name: bob.headers[name] for name in theirs} == theirs


async def test_requests_are_counted_and_the_rest_is_told(start: Start) -> None:
    alice = await limited(start, requests_per_minute=2)
    assert quota_headers(await alice.chat()) == {
        "limit-requests": "2",
        "remaining-requests": "1",
        "reset-requests": "30s",
    }
    assert quota_headers(await alice.chat(STREAM))["remaining-requests"] == "0"
    alice.clock.advance(10.0005)
    refused = await alice.chat()
    assert refused.status == 429
    error = refused.error()
    assert (error["type"], error["code"]) == ("rate_limit_error", "rate_limit_exceeded")
    assert error["message"].startswith("Key 'alice' may use 2 requests in a minute")
    assert refused.headers["retry-after"] == "20"
    assert refused.headers["retry-after-ms"] == "20000"
    assert "x-should-retry" not in refused.headers
    assert quota_headers(refused)["reset-requests"] == "50s"
    assert len(alice.record.requests) == 2
    alice.clock.advance(20)
    assert (await alice.chat()).status == 200


async def test_every_answer_to_a_key_with_limits_tells_them(start: Start) -> None:
    alice = await limited(start, requests_per_minute=5, tokens_per_minute=100_000)
    names = {
        f"{what}-{kind}"
        for what in ("limit", "remaining", "reset")
        for kind in ("requests", "tokens")
    }
    answers = [
        await alice.chat(),
        await alice.chat(STREAM),
        await alice.chat({}),
        await alice.chat({**HELLO, "model": "none"}),
        await alice.server.get("/v1/models", **ALICE),
        await alice.server.get("/none", **ALICE),
    ]
    assert [answer.status for answer in answers] == [200, 200, 400, 404, 200, 404]
    assert all(set(quota_headers(answer)) == names for answer in answers)
    assert [quota_headers(answer)["remaining-requests"] for answer in answers] == list("433222")


async def test_nobody_else_is_told_anything(start: Start) -> None:
    alice = await limited(start, requests_per_minute=1, models=("small",))
    assert (await alice.chat({**HELLO, "model": "small"})).status == 200
    bob = {"x-api-key": "bob-key"}
    for headers in (bob, bob, {}):
        answer = await alice.chat(headers=headers)
        assert not quota_headers(answer)
    by_model = await limited(start, models=("small",))
    assert not quota_headers(await by_model.chat({**HELLO, "model": "small"}))


async def test_what_a_key_has_used_outlives_a_reload(start: Start) -> None:
    alice = await limited(start, requests_per_minute=2)
    await alice.chat()
    await alice.chat()
    new = settings_with(requests_per_minute=3)
    reload_app(alice.server.app, new, Registry.of(entry(Script()), settings=new))
    answer = await alice.chat()
    assert (answer.status, quota_headers(answer)["remaining-requests"]) == (200, "0")
    assert (await alice.chat()).status == 429


# tokens

LIMIT = 10_000
#: the estimate for the prompt of HELLO
PROMPT = 9


async def test_tokens_are_reserved_and_at_the_end_counted(start: Start) -> None:
    alice = await limited(start, TextDelta("One"), Usage(30, 12), Finish(), tokens_per_minute=LIMIT)
    # a stream's headers go out before its end, those of a whole answer after it
    answer = await alice.chat({**STREAM, "max_completion_tokens": 200})
    assert quota_headers(answer)["remaining-tokens"] == str(LIMIT - PROMPT - 200)
    await met(lambda: len(alice.records) == 1)
    assert await alice.tokens(LIMIT) == LIMIT - 42
    answer = await alice.chat({**HELLO, "max_tokens": 100})
    assert quota_headers(answer)["remaining-tokens"] == str(LIMIT - 84)
    await met(lambda: len(alice.records) == 2)
    assert await alice.tokens(LIMIT) == LIMIT - 84


async def test_where_the_request_does_not_say_a_modest_answer_is_reserved(start: Start) -> None:
    alice = await limited(start, tokens_per_minute=LIMIT)
    answer = await alice.chat(STREAM)
    assert quota_headers(answer)["remaining-tokens"] == str(LIMIT - PROMPT - ANSWER)
    # which is not what makes a request too large
    small = await limited(start, tokens_per_minute=100)
    answer = await small.chat(STREAM)
    assert (answer.status, quota_headers(answer)["remaining-tokens"]) == (200, "0")


@pytest.mark.parametrize(
    ("fields", "said"),
    [
        ({"max_tokens": LIMIT}, f"about {PROMPT} of the prompt and {LIMIT} of max_tokens"),
        (
            {"messages": [{"role": "user", "content": "x" * 16 * LIMIT}]},
            f"about {3 * LIMIT + 7} of the prompt",
        ),
    ],
)
async def test_a_request_that_can_never_fit_need_not_be_tried_again(
    start: Start, fields: dict[str, Any], said: str
) -> None:
    alice = await limited(start, tokens_per_minute=LIMIT)
    answer = await alice.chat({**HELLO, **fields})
    assert answer.status == 429
    error = answer.error()
    assert error["code"] == "rate_limit_exceeded"
    assert error["message"].startswith("The request is too large for key 'alice'")
    assert error["message"].endswith(said)
    assert answer.headers["x-should-retry"] == "false"
    assert await alice.tokens(LIMIT) == LIMIT
    assert not alice.record.requests


async def test_too_many_tokens_at_one_time_have_to_wait(start: Start) -> None:
    alice = await limited(
        start, TextDelta("One"), Usage(5_000, 4_000), Finish(), tokens_per_minute=LIMIT
    )
    assert (await alice.chat()).status == 200
    answer = await alice.chat({**HELLO, "max_tokens": 2_000 - PROMPT})
    assert answer.status == 429
    assert "may use 10000 tokens in a minute" in answer.error()["message"]
    assert answer.headers["retry-after-ms"] == "6000"
    assert await alice.tokens(LIMIT) == 1_000
    alice.clock.advance(6)
    assert (await alice.chat({**HELLO, "max_tokens": 2_000 - PROMPT})).status == 200


@pytest.mark.parametrize(
    ("body", "steps", "used"),
    [
        # an answer that failed on its way
        (STREAM, (TextDelta("One"), TextDelta(" two"), UpstreamError("broken")), PROMPT + 2),
        (HELLO, (TextDelta("One"), TextDelta(" two"), UpstreamError("broken")), PROMPT + 2),
        # one of which nobody reported anything
        (STREAM, (TextDelta("One"), TextDelta(" two"), Finish()), PROMPT + 2),
        # nobody has answered
        (HELLO, (UpstreamError("broken"),), 0),
        ({**HELLO, "model": "none"}, (), 0),
        ({**HELLO, "provider": "none"}, (), 0),
    ],
)
async def test_what_was_not_used_is_given_back(
    start: Start, body: object, steps: tuple[Step, ...], used: int
) -> None:
    alice = await limited(start, *steps, tokens_per_minute=LIMIT, requests_per_minute=5)
    await alice.chat(body)
    await met(lambda: len(alice.records) == 1)
    assert await alice.tokens(LIMIT) == LIMIT - used


@pytest.mark.parametrize(
    ("steps", "used"),
    [((TextDelta("One"), TextDelta(" two"), LONG), PROMPT + 2), ((LONG,), PROMPT)],
)
async def test_a_client_that_leaves_pays_for_what_was_worked_for_it(
    start: Start, steps: tuple[Step, ...], used: int
) -> None:
    alice = await limited(start, *steps, tokens_per_minute=LIMIT)
    data = json.dumps(STREAM).encode()
    reader, writer = await alice.server.connect()
    writer.write(head(len(data), b"x-api-key: alice-key\r\n") + data)
    await alice.record.begun.wait()
    if len(steps) > 1:
        await reader.readuntil(b" two")
    assert await alice.tokens(LIMIT) == LIMIT - PROMPT - ANSWER
    writer.close()
    await met(lambda: len(alice.records) == 1)
    assert alice.records[0].outcome == "cancelled"
    assert await alice.tokens(LIMIT) == LIMIT - used


@given(ends=st.lists(st.sampled_from(["answer", "leave", "fail"]), min_size=1, max_size=12))
@hypothesis_settings(max_examples=10, suppress_health_check=[HealthCheck.function_scoped_fixture])
async def test_however_many_come_at_once_no_more_than_the_limit_is_admitted(
    start: Start, ends: list[str]
) -> None:
    """And nothing stays reserved."""
    alice = await limited(
        start, TextDelta("One"), 0.01, Usage(3, 4), Finish(), tokens_per_minute=1_000
    )
    fits = 1_000 // (PROMPT + 294)

    async def ask(end: str) -> int | None:
        body = {**STREAM, "max_tokens": 294, "model": "none" if end == "fail" else ""}
        if end == "leave":
            try:
                async with asyncio.timeout(0.005):
                    return (await alice.chat(body)).status
            except TimeoutError:
                return None
        return (await alice.chat(body)).status

    statuses = await asyncio.gather(*map(ask, ends))
    assert {200, 404, 429, None} >= set(statuses)
    assert 429 not in statuses or len(ends) > fits
    await empty(alice.server)
    used = 0
    for record in alice.records:
        if record.usage is not None and record.outcome == "ok":
            used += 7
        elif record.attempts:
            used += max(PROMPT, 3) + record.pieces
    assert 1_000 - used <= await alice.tokens(1_000) <= 1_000
    if not any(record.outcome == "cancelled" for record in alice.records):
        assert await alice.tokens(1_000) == 1_000 - used


# models


@pytest.mark.parametrize(
    ("models", "body", "path", "status"),
    [
        (("small",), {"model": "small"}, CHAT, 200),
        (("small",), {"model": "large"}, CHAT, 403),
        (("small",), {"model": "none"}, CHAT, 403),
        (("s*l",), {"model": "small"}, CHAT, 200),
        # an alias goes by its name, and opens nothing that is behind it
        (("best",), {"model": "best"}, CHAT, 200),
        (("best",), {"model": "large"}, CHAT, 403),
        (("large",), {"model": "best"}, CHAT, 403),
        # who names the provider asks for something else
        (("small",), {"model": "small", "provider": "script"}, CHAT, 403),
        (("script:small",), {"model": "small", "provider": "Script"}, CHAT, 200),
        (("script:small",), {"model": "script:small"}, CHAT, 200),
        (("script:*",), {"model": "large"}, "/api/script/chat/completions", 200),
        (("small",), {"model": "small"}, "/api/script/chat/completions", 403),
        (("script",), {}, "/api/script/c1/chat/completions", 200),
        (("script",), {"model": "script"}, CHAT, 200),
        # nothing named
        (("small",), {}, CHAT, 403),
        (("small",), {"model": "auto"}, CHAT, 403),
        (("auto",), {"model": ""}, CHAT, 200),
        (("*",), {}, CHAT, 200),
    ],
)
async def test_a_key_gets_the_models_it_may_ask_for(
    start: Start, models: tuple[str, ...], body: dict[str, Any], path: str, status: int
) -> None:
    record = Record()
    best: dict[str, tuple[ModelTarget, ...]] = {"best": (ModelTarget("script", "large"),)}
    settings = attrs.evolve(settings_with(models=models), models=best)
    server = await start(entry(Script(record=record)), settings=settings)
    answer = await server.chat({**HELLO, **body}, path, headers=ALICE)
    assert answer.status == status
    assert bool(record.requests) is (status == 200)
    if status == 403:
        error = answer.error()
        assert (error["type"], error["code"]) == ("permission_error", "insufficient_permissions")
        assert error["param"] == "model"
        assert answer.headers["x-should-retry"] == "false"
        assert repr(body.get("model") or "auto").strip("'") in error["message"]


@pytest.mark.parametrize(
    ("routing", "models", "status"),
    [
        (RoutingSettings(model="large", detect_local=False), ("large",), 200),
        (RoutingSettings(model="large", detect_local=False), ("small", "auto"), 403),
        (RoutingSettings(provider="script", detect_local=False), ("script",), 200),
        (RoutingSettings(provider="script", detect_local=False), ("small",), 403),
    ],
)
async def test_the_default_has_to_be_allowed_as_well(
    start: Start, routing: RoutingSettings, models: tuple[str, ...], status: int
) -> None:
    server = await start(settings=settings_with(routing, models=models))
    answer = await server.chat(headers=ALICE)
    assert answer.status == status
    if status == 403:
        default = routing.model or routing.provider
        assert f"the default model {default!r}" in answer.error()["message"]


async def test_a_request_that_is_refused_is_noted_and_uses_nothing(start: Start) -> None:
    alice = await limited(start, models=("small",), requests_per_minute=1, tokens_per_minute=LIMIT)
    assert (await alice.chat({**HELLO, "model": "large"})).status == 403
    assert (await alice.chat({**HELLO, "model": "small"})).status == 200
    assert (await alice.chat({**HELLO, "model": "small"})).status == 429
    assert [(one.caller, one.status) for one in alice.records] == [
        ("alice", 403),
        ("alice", 200),
        ("alice", 429),
    ]
    balance = await alice.server.app[QUOTAS].balance("alice", Quota(1))
    assert balance == Balance(Allowance(1, 0, 60.0))
