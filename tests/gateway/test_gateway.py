"""A request to a provider that answers it: in time, unmixed, and never a silent end."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable
from contextlib import aclosing
from typing import TYPE_CHECKING, Any

import attrs
import orjson
import pytest

from g4f_aio import (
    AuthenticationError,
    BadRequestError,
    ChatRequest,
    Finish,
    GatewayError,
    Passthrough,
    RateLimitError,
    Routing,
    TextDelta,
    UpstreamAuthError,
    UpstreamError,
    UpstreamTimeoutError,
    Usage,
)
from g4f_aio.core.events import Event, Started
from g4f_aio.core.operations import CompletionRequest
from g4f_aio.core.record import RequestRecord
from g4f_aio.dialects.openai_chat import OPENAI_CHAT
from g4f_aio.gateway.gateway import Gateway
from g4f_aio.gateway.plugins import find_plugins
from g4f_aio.gateway.quarantine import STRIKES
from g4f_aio.gateway.registry import Registry
from g4f_aio.providers.pool import Pool
from g4f_aio.settings import (
    CacheSettings,
    ModelTarget,
    ProviderSettings,
    RoutingSettings,
    Settings,
)
from g4f_aio.settings.secret import SecretStr
from tests.patience import Stopwatch
from tests.server.fakes import entry as made

if TYPE_CHECKING:
    from tests.conftest import Upstream

Build = Callable[[Settings], Awaitable[Gateway]]


@pytest.fixture
def build(session: Pool) -> Build:
    """Make the gateway for these settings, with every installed provider; it makes each call once."""

    async def build(settings: Settings) -> Gateway:
        routing = attrs.evolve(settings.routing, retries=0)
        settings = attrs.evolve(settings, routing=routing)
        registry = await asyncio.to_thread(lambda: Registry(settings, find_plugins()))
        return Gateway(settings, registry, session, "1.2.3")

    return build


def at(
    upstream: Upstream, key: str | None = None, base_url: str | None = None, **extra: Any
) -> ProviderSettings:
    """A table for the upstream."""
    return ProviderSettings(
        "openai-compatible",
        api_key=SecretStr(key) if key else None,
        options={"base_url": base_url or upstream.base_url},
        **extra,
    )


def chain(*links: str) -> dict[str, tuple[ModelTarget, ...]]:
    """The model ``best`` as a chain of ``provider:model``."""
    pairs = (link.split(":") for link in links)
    return {"best": tuple(ModelTarget(provider, model) for provider, model in pairs)}


def asked(
    model: str,
    text: str = "Hello big world",
    *,
    stream: bool = True,
    accept: bool = False,
    **extra: object,
) -> ChatRequest:
    """What a client of OpenAI's API asks; *accept*: it may get the upstream's own bytes."""
    messages = [{"role": "user", "content": text}]
    body = {"model": model, "messages": messages, "stream": stream, **extra}
    request = OPENAI_CHAT.decode_request(orjson.dumps(body))
    return request if accept else attrs.evolve(request, accept=None)


async def answer(gateway: Gateway, request: ChatRequest) -> list[Event]:
    """All events."""
    async with aclosing(gateway.chat(request)) as events:
        return [event async for event in events]


async def failure(gateway: Gateway, request: ChatRequest) -> tuple[list[Event], GatewayError]:
    """All events before the error that there has to be, and that error."""
    found: list[Event] = []
    try:
        async with aclosing(gateway.chat(request)) as events:
            async for event in events:
                found.append(event)  # noqa: PERF401  (it ends in the middle)
    except GatewayError as error:
        return found, error
    raise AssertionError("it came to an end")


def text_of(events: list[Event]) -> str:
    """The text in events."""
    return "".join(event.text for event in events if isinstance(event, TextDelta))


# a good answer


@pytest.mark.parametrize("stream", [True, False])
async def test_who_answers_comes_first_then_what_it_says(
    upstream: Upstream,
    build: Build,
    *,
    stream: bool,
) -> None:
    gateway = await build(Settings(providers={"work": at(upstream)}))
    events = await answer(gateway, asked("work:echo", stream=stream))
    assert events[0] == Started("work", "echo", 1)
    assert text_of(events) == "Hello big world"
    assert [event for event in events if isinstance(event, Finish)] == [Finish("stop")]
    (usage,) = [event for event in events if isinstance(event, Usage)]
    assert (usage.input, usage.output) == (3, 3)
    (record,) = await upstream.records()
    assert record["body"]["model"] == "echo"
    health = gateway.health.of("work")
    assert (health.state, health.success_rate) == ("ok", 1.0)
    assert (health.ttft is not None) == stream, "a whole answer has no first event of its own"


async def test_where_both_speak_the_same_the_bytes_are_handed_on(
    upstream: Upstream, build: Build
) -> None:
    gateway = await build(Settings(providers={"work": at(upstream)}))
    first, *events = await answer(gateway, asked("work:unknown-fields", accept=True))
    assert isinstance(first, Started)
    assert all(isinstance(event, Passthrough) for event in events)
    data = b"".join(event.data for event in events if isinstance(event, Passthrough))
    assert b'"x_mood":"calm"' in data
    assert data.endswith(b"data: [DONE]\n\n")


async def test_an_upstream_that_lingers_after_its_end_holds_nobody_up(
    upstream: Upstream, build: Build
) -> None:
    gateway = await build(Settings(providers={"work": at(upstream)}))
    watch = Stopwatch()
    events = await answer(gateway, asked("work:hang-after-done"))
    assert text_of(events) == "One two three"
    assert watch.seconds < 2
    await upstream.closed("hang-after-done")


# falling back


BEFORE = [
    "cut-before-headers",
    "cut-before-headers@reset",
    "cut-before-token",
    "cut-before-token@eof",
    "error-first",
    "hang-headers",
    "hang-token",
    "comments-only",
    "html",
    "redirect",
    "status-401",
    "status-403",
    "status-408",
    "status-429",
    "status-500",
    "status-503",
    "status-529",
]


@pytest.mark.parametrize("accept", [False, True], ids=["events", "bytes"])
@pytest.mark.parametrize("model", BEFORE)
async def test_who_fails_before_his_first_word_is_replaced_and_nothing_is_mixed(
    upstream: Upstream,
    build: Build,
    model: str,
    caplog: pytest.LogCaptureFixture,
    *,
    accept: bool,
) -> None:
    settings = Settings(
        providers={
            "bad": at(upstream, headers_timeout=0.3, first_token_timeout=0.3),
            "good": at(upstream),
        },
        models=chain(f"bad:{model}", "good:echo"),
    )
    gateway = await build(settings)
    events = await answer(gateway, asked("best", accept=accept))
    assert events[0] == Started("good", "echo", 2)
    if accept:
        data = b"".join(event.data for event in events if isinstance(event, Passthrough))
        assert b"One" not in data
        assert data.count(b'"role"') == 1
    else:
        assert text_of(events) == "Hello big world"
    assert "; asking good" in caplog.text
    assert gateway.health.of("bad").state == "failing"
    assert gateway.health.of("good").state == "ok"


@pytest.mark.parametrize(
    "model",
    ["cut-before-headers", "cut-mid-event", "error-first", "malformed", "html", "status-500"],
)
async def test_so_is_who_fails_before_his_whole_answer(
    upstream: Upstream, build: Build, model: str
) -> None:
    settings = Settings(
        providers={"bad": at(upstream), "good": at(upstream)},
        models=chain(f"bad:{model}", "good:echo"),
    )
    events = await answer(await build(settings), asked("best", stream=False))
    assert events[0] == Started("good", "echo", 2)
    assert text_of(events) == "Hello big world"


@pytest.mark.parametrize("accept", [False, True], ids=["events", "bytes"])
@pytest.mark.parametrize(
    "model",
    [
        "cut-mid-event",
        "cut-mid-event@eof",
        "cut-mid-event@reset",
        "cut-between-events",
        "cut-between-events@eof",
        "cut-between-events@reset",
        "bad-chunk",
        "malformed",
        "error-in-stream",
        "hang-mid",
    ],
)
async def test_after_his_first_word_an_error_is_final(
    upstream: Upstream,
    build: Build,
    model: str,
    *,
    accept: bool,
) -> None:
    settings = Settings(
        providers={"bad": at(upstream, stream_timeout=0.3), "good": at(upstream)},
        models=chain(f"bad:{model}", "good:echo"),
    )
    gateway = await build(settings)
    events, error = await failure(gateway, asked("best", accept=accept))
    assert isinstance(error, UpstreamError)
    assert error.provider == "bad"
    assert events[0] == Started("bad", model, 1)
    if accept:
        data = b"".join(event.data for event in events if isinstance(event, Passthrough))
        assert b'"One"' in data
        assert b"[DONE]" not in data
        assert data.endswith(b"\n\n")
    else:
        assert text_of(events) == "One two"
    assert not any(isinstance(event, Finish) for event in events)
    assert [record["body"]["model"] for record in await upstream.records()] == [model]
    assert gateway.health.of("bad").state == "failing"


async def test_a_connection_that_dies_after_the_finish_is_a_cut_too(
    upstream: Upstream, build: Build
) -> None:
    gateway = await build(Settings(providers={"work": at(upstream)}))
    with pytest.raises(UpstreamError):
        await answer(gateway, asked("work:cut-after-finish"))


@pytest.mark.parametrize("accept", [False, True], ids=["events", "bytes"])
async def test_a_proper_end_without_done_is_an_end(
    upstream: Upstream,
    build: Build,
    *,
    accept: bool,
) -> None:
    gateway = await build(Settings(providers={"work": at(upstream)}))
    events = await answer(gateway, asked("work:no-done", accept=accept))
    last = events[-1]
    if accept:
        assert isinstance(last, Passthrough)
        assert last.data.endswith(b"data: [DONE]\n\n")
    else:
        assert text_of(events) == "One two three"


@pytest.mark.parametrize("status", [400, 404, 409, 413, 422])
async def test_an_answer_about_the_request_itself_is_final(
    upstream: Upstream, build: Build, status: int
) -> None:
    settings = Settings(
        providers={"bad": at(upstream), "good": at(upstream)},
        models=chain(f"bad:status-{status}", "good:echo"),
    )
    gateway = await build(settings)
    with pytest.raises(BadRequestError) as caught:
        await answer(gateway, asked("best"))
    assert caught.value.status == status
    assert len(await upstream.records()) == 1
    assert gateway.health.of("bad").state == "unknown"


async def test_the_last_ones_error_is_the_answer(upstream: Upstream, build: Build) -> None:
    settings = Settings(
        providers={"one": at(upstream), "two": at(upstream)},
        models=chain("one:status-500", "two:status-429"),
    )
    with pytest.raises(RateLimitError) as caught:
        await answer(await build(settings), asked("best"))
    assert caught.value.provider == "two"
    assert caught.value.retry_after == 1


async def test_who_failed_just_now_is_asked_last(upstream: Upstream, build: Build) -> None:
    settings = Settings(
        providers={"bad": at(upstream), "good": at(upstream)},
        models=chain("bad:status-500", "good:echo"),
    )
    gateway = await build(settings)
    await answer(gateway, asked("best"))
    events = await answer(gateway, asked("best"))
    assert events[0] == Started("good", "echo", 1)
    assert len(await upstream.records("status-500")) == 1


# credentials


def keys_of(records: list[dict[str, Any]]) -> list[str | None]:
    """The credentials in requests."""
    return [record["headers"].get("authorization") for record in records]


async def test_a_callers_key_is_not_for_the_one_who_stands_in(
    upstream: Upstream, build: Build
) -> None:
    settings = Settings(
        providers={"bad": at(upstream, "server's"), "good": at(upstream, "good's own")},
        models=chain("bad:status-500", "good:echo"),
    )
    await answer(await build(settings), asked("best", api_key="callers"))
    assert keys_of(await upstream.records()) == ["Bearer callers", "Bearer good's own"]


async def test_not_even_when_he_is_asked_first(upstream: Upstream, build: Build) -> None:
    settings = Settings(
        providers={"bad": at(upstream, "server's"), "good": at(upstream, "good's own")},
        models=chain("bad:status-500", "good:echo"),
    )
    gateway = await build(settings)
    await answer(gateway, asked("best"))
    upstream_records = await upstream.records()
    await answer(gateway, asked("best", api_key="callers"))
    (record,) = (await upstream.records())[len(upstream_records) :]
    assert keys_of([record]) == ["Bearer good's own"]


async def test_keys_by_name_go_to_their_providers(upstream: Upstream, build: Build) -> None:
    settings = Settings(
        providers={"bad": at(upstream), "good": at(upstream)},
        models=chain("bad:status-500", "good:echo"),
    )
    keys = {"bad": "for bad", "GOOD": "for good"}
    await answer(await build(settings), asked("best", api_key=keys))
    assert keys_of(await upstream.records()) == ["Bearer for bad", "Bearer for good"]


async def test_no_key_is_sent_where_there_is_none(upstream: Upstream, build: Build) -> None:
    await answer(await build(Settings(providers={"work": at(upstream)})), asked("work:echo"))
    assert keys_of(await upstream.records()) == [None]


async def test_a_callers_own_key_that_is_refused_is_his_401(
    upstream: Upstream, build: Build
) -> None:
    settings = Settings(
        providers={"bad": at(upstream), "good": at(upstream)},
        models=chain("bad:echo", "good:echo"),
    )
    gateway = await build(settings)
    with pytest.raises(AuthenticationError) as caught:
        await answer(gateway, asked("best", api_key="wrong-key"))
    assert caught.value.status == 401
    assert "wrong-key" not in caught.value.message
    assert gateway.health.of("bad").state == "unknown"


async def test_the_servers_key_that_is_refused_is_502_and_not_shown(
    upstream: Upstream, build: Build, caplog: pytest.LogCaptureFixture
) -> None:
    gateway = await build(Settings(providers={"work": at(upstream, "wrong-key")}))
    with pytest.raises(UpstreamAuthError) as caught:
        await answer(gateway, asked("work:echo"))
    assert (caught.value.status, caught.value.code) == (502, "provider_auth_failed")
    assert "wrong-key" not in caught.value.message
    assert "wrong-key" not in caplog.text


# time


@pytest.mark.parametrize(
    ("model", "times", "message"),
    [
        ("hang-headers", {"headers_timeout": 0.2}, r"did not begin to answer within 0\.2 s"),
        ("slow-headers-9000", {"headers_timeout": 0.2}, r"did not begin to answer within 0\.2 s"),
        ("hang-token", {"first_token_timeout": 0.2}, r"began no answer for 0\.2 s"),
        ("slow-token-9000", {"first_token_timeout": 0.2}, r"began no answer for 0\.2 s"),
        ("comments-only", {"first_token_timeout": 0.2}, r"began no answer for 0\.2 s"),
        ("hang-mid", {"stream_timeout": 0.2}, r"sent no token for 0\.2 s"),
        ("paced-30-100", {"timeout": 0.3}, r"did not finish within 0\.3 s"),
        ("paced-9000-2", {"timeout": 0.3}, r"did not finish within 0\.3 s"),
    ],
)
@pytest.mark.parametrize("accept", [False, True], ids=["events", "bytes"])
async def test_each_kind_of_silence_has_its_end(
    upstream: Upstream,
    build: Build,
    model: str,
    times: dict[str, float],
    message: str,
    *,
    accept: bool,
) -> None:
    table = attrs.evolve(at(upstream), **times)  # type: ignore[arg-type]
    gateway = await build(Settings(providers={"work": table}))
    watch = Stopwatch()
    with pytest.raises(UpstreamTimeoutError, match=f"^work {message}") as caught:
        await answer(gateway, asked(f"work:{model}", accept=accept))
    assert watch.seconds < 3
    assert (caught.value.status, caught.value.code) == (504, "provider_timeout")
    await upstream.closed(model)


async def test_a_connection_is_not_waited_for_for_ever(upstream: Upstream, build: Build) -> None:
    table = at(upstream, base_url=upstream.full, connect_timeout=0.2)
    gateway = await build(Settings(providers={"work": table}))
    watch = Stopwatch()
    with pytest.raises(UpstreamTimeoutError, match=r"^work: no connection within 0\.2 s"):
        await answer(gateway, asked("work:echo"))
    assert watch.seconds < 1


async def test_a_whole_answer_has_its_own_time(upstream: Upstream, build: Build) -> None:
    table = at(upstream, headers_timeout=0.1, first_token_timeout=0.1, stream_timeout=0.1)
    gateway = await build(Settings(providers={"work": table}))
    events = await answer(gateway, asked("work:slow-json-400", stream=False))
    assert text_of(events) == "One two three"


@pytest.mark.parametrize("stream", [True, False])
async def test_a_caller_may_want_it_sooner(
    upstream: Upstream,
    build: Build,
    *,
    stream: bool,
) -> None:
    gateway = await build(Settings(providers={"work": at(upstream)}))
    with pytest.raises(UpstreamTimeoutError, match=r"did not finish within 0\.2 s"):
        await answer(gateway, asked("work:hang-mid", stream=stream, timeout=0.2))


async def test_but_not_later(upstream: Upstream, build: Build) -> None:
    gateway = await build(Settings(providers={"work": at(upstream, timeout=0.2)}))
    with pytest.raises(UpstreamTimeoutError, match=r"did not finish within 0\.2 s"):
        await answer(gateway, asked("work:hang-mid", timeout=60))


async def test_an_event_beyond_the_limit_is_an_error(upstream: Upstream, build: Build) -> None:
    settings = Settings(providers={"work": at(upstream)})
    upstream_settings = attrs.evolve(settings.upstream, max_event=100_000)
    gateway = await build(attrs.evolve(settings, upstream=upstream_settings))
    await answer(gateway, asked("work:big-event-90000"))
    with pytest.raises(UpstreamError, match="exceeds 100000 bytes"):
        await answer(gateway, asked("work:big-event-2000000"))


# a client that leaves


@pytest.mark.parametrize("model", ["hang-headers", "hang-token", "hang-mid", "paced-20-500"])
@pytest.mark.parametrize("accept", [False, True], ids=["events", "bytes"])
async def test_a_client_that_leaves_closes_the_upstream(
    upstream: Upstream,
    build: Build,
    model: str,
    *,
    accept: bool,
) -> None:
    gateway = await build(Settings(providers={"work": at(upstream)}))
    async with asyncio.TaskGroup() as group:
        task = group.create_task(answer(gateway, asked(f"work:{model}", accept=accept)))
        await asyncio.sleep(0.15)
        left = time.monotonic()
        task.cancel()
    record = await upstream.closed(model)
    assert record["closed_at"] - left < 0.25
    assert gateway.health.of("work").state == "unknown"


async def test_so_does_one_that_reads_no_further(upstream: Upstream, build: Build) -> None:
    gateway = await build(Settings(providers={"work": at(upstream)}))
    async with aclosing(gateway.chat(asked("work:paced-20-500"))) as events:
        async for event in events:
            if isinstance(event, TextDelta):
                break
    left = time.monotonic()
    assert (await upstream.closed("paced-20-500"))["closed_at"] - left < 0.25


async def test_an_answer_that_came_to_its_end_leaves_the_connection_for_the_next(
    upstream: Upstream, build: Build
) -> None:
    gateway = await build(Settings(providers={"work": at(upstream)}))
    for accept in (True, False, True):
        await answer(gateway, asked("work:words-5", accept=accept))
    assert len({record["connection"] for record in await upstream.records()}) == 1


# plug-ins that are no good

BAD = """
    import asyncio

    import attrs
    from g4f_aio import Finish, ModelInfo, Provider, TextDelta, UnsupportedError, Usage

    def provider(cls):
        cls.name = cls.__name__
        cls.models = lambda self: (ModelInfo("m"),)
        return attrs.frozen(kw_only=True)(cls)

    @provider
    class SyncGenerator(Provider):
        def chat(self, request, ctx):
            yield TextDelta("no")

    @provider
    class Coroutine(Provider):
        async def chat(self, request, ctx):
            return [TextDelta("no")]

    @provider
    class Nothing(Provider):
        def chat(self, request, ctx):
            return None

    @provider
    class RaisesAtOnce(Provider):
        def chat(self, request, ctx):
            raise KeyError("region")

    @provider
    class Raises(Provider):
        async def chat(self, request, ctx):
            raise KeyError("region")
            yield

    @provider
    class RaisesLater(Provider):
        async def chat(self, request, ctx):
            yield TextDelta("so far")
            raise KeyError("region")

    @provider
    class Junk(Provider):
        async def chat(self, request, ctx):
            yield "just text"

    @provider
    class TimesOut(Provider):
        async def chat(self, request, ctx):
            async with asyncio.timeout(0.01):
                await asyncio.sleep(5)
            yield TextDelta("no")

    @provider
    class NoFinish(Provider):
        async def chat(self, request, ctx):
            yield TextDelta("so far")

    @provider
    class Empty(Provider):
        async def chat(self, request, ctx):
            return
            yield

    @provider
    class Never(Provider):
        async def chat(self, request, ctx):
            await asyncio.sleep(3600)
            yield TextDelta("no")

    @provider
    class DoesNotChat(Provider):
        pass

    @provider
    class HoldsOn(Provider):
        async def chat(self, request, ctx):
            try:
                yield TextDelta("so far")
                yield TextDelta("more")
            finally:
                yield TextDelta("and more")

    @provider
    class JunkModels(Provider):
        async def fetch_models(self, ctx):
            return ["m1", "m2"]

    @provider
    class RaisesInModels(Provider):
        async def fetch_models(self, ctx):
            raise KeyError("region")

    @provider
    class NoModelsInTime(Provider):
        async def fetch_models(self, ctx):
            await asyncio.sleep(3600)
"""


@pytest.fixture
def bad_plugins(install: Callable[..., None]) -> None:
    """A distribution full of mistakes."""
    names = [line.split("(")[0].split()[1] for line in BAD.splitlines() if "(Provider):" in line]
    install("bad-plugins", BAD, **{name: name for name in names})


def bad_settings(name: str, **table: Any) -> Settings:
    """Settings in which that one is asked first, then a good one."""
    good = ProviderSettings("scripted", options={"answer": "All is well"})
    return Settings(
        providers={name: ProviderSettings(name, **table), "good": good},
        models=chain(f"{name}:m", "good:scripted"),
    )


@pytest.mark.usefixtures("bad_plugins")
@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("SyncGenerator", "SyncGenerator.chat is no asynchronous generator"),
        ("Coroutine", "Coroutine.chat is no asynchronous generator"),
        ("Nothing", "Nothing.chat is no asynchronous generator"),
        ("RaisesAtOnce", "RaisesAtOnce failed with KeyError"),
        ("Raises", "Raises failed with KeyError"),
        ("Junk", "Junk yielded str, which is no event"),
        ("TimesOut", "TimesOut failed with TimeoutError"),
        ("Empty", "Empty ended its answer without a finish"),
    ],
)
async def test_a_bad_plugin_is_a_bad_upstream_and_the_next_one_answers(
    build: Build, name: str, message: str
) -> None:
    gateway = await build(bad_settings(name))
    with pytest.raises(UpstreamError) as caught:
        await answer(gateway, asked(f"{name}:m"))
    assert caught.value.message == message
    assert (caught.value.status, caught.value.provider) == (502, name)
    gateway = await build(bad_settings(name))
    assert text_of(await answer(gateway, asked("best"))) == "All is well"


@pytest.mark.usefixtures("bad_plugins")
async def test_one_that_never_answers_is_replaced_in_time(build: Build) -> None:
    gateway = await build(bad_settings("Never", first_token_timeout=0.1))
    assert text_of(await answer(gateway, asked("best"))) == "All is well"


@pytest.mark.usefixtures("bad_plugins")
@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("RaisesLater", "RaisesLater failed with KeyError"),
        ("NoFinish", "NoFinish ended its answer without a finish"),
    ],
)
async def test_after_its_first_word_nobody_stands_in_for_a_bad_plugin(
    build: Build, name: str, message: str
) -> None:
    gateway = await build(bad_settings(name))
    events, error = await failure(gateway, asked("best"))
    assert (error.status, error.message) == (502, message)
    assert text_of(events) == "so far"


@pytest.mark.usefixtures("bad_plugins")
async def test_what_a_plugin_raises_is_in_the_log_and_not_in_the_answer(
    build: Build, caplog: pytest.LogCaptureFixture
) -> None:
    gateway = await build(bad_settings("Raises"))
    with pytest.raises(UpstreamError) as caught:
        await answer(gateway, asked("Raises:m"))
    assert "region" not in caught.value.message
    assert "KeyError: 'region'" in caplog.text


@pytest.mark.usefixtures("bad_plugins")
async def test_a_provider_of_something_else_does_not_chat(build: Build) -> None:
    gateway = await build(bad_settings("DoesNotChat"))
    with pytest.raises(BadRequestError, match="DoesNotChat does not chat"):
        await answer(gateway, asked("best"))


@pytest.mark.usefixtures("bad_plugins")
async def test_one_that_does_not_want_to_stop_is_left_alone(
    build: Build, caplog: pytest.LogCaptureFixture
) -> None:
    gateway = await build(bad_settings("HoldsOn"))
    async with aclosing(gateway.chat(asked("best"))) as events:
        async for event in events:
            if isinstance(event, TextDelta):
                break
    assert "provider HoldsOn raised when it was stopped" in caplog.text


@pytest.mark.usefixtures("bad_plugins")
@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("JunkModels", "JunkModels listed no models but junk"),
        ("RaisesInModels", "RaisesInModels failed with KeyError"),
        ("NoModelsInTime", "NoModelsInTime listed no models within 0.1 s"),
    ],
)
async def test_a_bad_list_of_models_is_none(
    build: Build,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
    name: str,
    message: str,
) -> None:
    monkeypatch.setattr("g4f_aio.gateway.gateway.LISTING_TIMEOUT", 0.1)
    gateway = await build(bad_settings(name))
    entry = gateway.now.registry.get(name)
    assert entry is not None
    assert [model.id for model in await gateway.now.catalog.refresh(entry)] == ["m"]
    assert message in caplog.text


# settings


async def test_new_settings_are_for_new_requests(upstream: Upstream, build: Build) -> None:
    old = Settings(
        providers={"old": at(upstream)}, routing=RoutingSettings(provider="old", model="paced-10-9")
    )
    gateway = await build(old)
    new = Settings(
        providers={"new": at(upstream)}, routing=RoutingSettings(provider="new", model="echo")
    )
    registry = await asyncio.to_thread(lambda: Registry(new, find_plugins()))
    async with aclosing(gateway.chat(asked(""))) as events:
        begun = [await anext(aiter(events))]
        gateway.reload(new, registry)
        later = await answer(gateway, asked(""))
        begun += [event async for event in events]
    assert begun[0] == Started("old", "paced-10-9", 1)
    assert text_of(begun).endswith("w8")
    assert later[0] == Started("new", "echo", 1)


async def test_they_forget_nothing_of_how_everybody_has_been_doing(
    upstream: Upstream, build: Build
) -> None:
    settings = Settings(providers={"work": at(upstream, "wrong-key")})
    gateway = await build(settings)
    with pytest.raises(UpstreamAuthError):
        await answer(gateway, asked("work:echo"))
    registry = await asyncio.to_thread(lambda: Registry(settings, find_plugins()))
    gateway.reload(settings, registry)
    with pytest.raises(UpstreamAuthError, match="refused every key"):
        await answer(gateway, asked("work:echo"))
    assert len(await upstream.records()) == 1
    assert gateway.health is gateway.desk.health
    assert gateway.health.of("work").state == "failing"


def registry_of(settings: Settings) -> Registry:
    """The providers of these settings."""
    return Registry(settings, find_plugins())


async def test_they_forget_keys_that_are_no_longer_in_them(
    upstream: Upstream, build: Build
) -> None:
    gateway = await build(Settings(providers={"work": at(upstream, "wrong-key")}))
    with pytest.raises(UpstreamAuthError):
        await answer(gateway, asked("work:echo"))
    for key in ("good-key", "wrong-key"):
        settings = Settings(providers={"work": at(upstream, key)})
        gateway.reload(settings, await asyncio.to_thread(registry_of, settings))
    with pytest.raises(UpstreamAuthError):
        await answer(gateway, asked("work:echo"))
    assert len(await upstream.records()) == 2, "it is asked again, as the key is new"


async def test_who_blocks_the_event_loop_is_asked_for_no_list_either(
    upstream: Upstream, build: Build
) -> None:
    gateway = await build(Settings(providers={"work": at(upstream)}))
    for _ in range(STRIKES):
        gateway.quarantine.strike("work")
    (entry,) = gateway.now.registry.chosen
    assert await gateway.now.catalog.refresh(entry) == ()
    assert await upstream.records() == []
    gateway.quarantine.clear()
    assert await gateway.now.catalog.refresh(entry, force=True) != ()


async def test_what_a_request_came_to_is_noted_where_the_caller_says(
    upstream: Upstream, build: Build
) -> None:
    gateway = await build(Settings(providers={"work": at(upstream)}))
    record = RequestRecord("", "", "", "work:echo")
    async with aclosing(gateway.chat(asked("work:echo"), record)) as events:
        _ = [event async for event in events]
    (attempt,) = record.attempts
    assert (attempt.provider, attempt.model, attempt.outcome) == ("work", "echo", "ok")
    assert record.usage is not None
    gateway.close()


@pytest.mark.parametrize("accept", [False, True], ids=["events", "bytes"])
async def test_the_parts_of_a_stream_are_counted(
    upstream: Upstream, build: Build, *, accept: bool
) -> None:
    gateway = await build(Settings(providers={"work": at(upstream)}))
    record = RequestRecord("", "", "", "")
    wish = asked("work:words-20", accept=accept)
    async with aclosing(gateway.chat(wish, record)) as events:
        _ = [event async for event in events]
    assert 20 <= record.pieces <= 25


async def test_models_are_fetched_with_a_key_that_does_not_rest(
    upstream: Upstream, build: Build
) -> None:
    keys = (SecretStr("wrong-key"), SecretStr("good-key"))
    gateway = await build(Settings(providers={"work": at(upstream, api_keys=keys)}))
    await answer(gateway, asked("work:echo"))
    (entry,) = gateway.now.registry.chosen
    assert await gateway.now.catalog.refresh(entry)
    assert keys_of(await upstream.records()) == [
        "Bearer wrong-key",
        "Bearer good-key",
        "Bearer good-key",
    ]


@pytest.mark.parametrize(
    ("enabled", "wanted", "conversation", "calls"),
    [
        (False, None, None, 2),
        (False, True, None, 1),
        (True, None, None, 1),
        (True, False, None, 2),
        (True, True, "c1", 2),
    ],
)
async def test_answers_come_out_of_the_cache_where_somebody_wants_that(
    upstream: Upstream,
    session: Pool,
    *,
    enabled: bool,
    wanted: bool | None,
    conversation: str | None,
    calls: int,
) -> None:
    settings = Settings(providers={"work": at(upstream)}, cache=CacheSettings(enabled=enabled))
    registry = await asyncio.to_thread(lambda: Registry(settings, find_plugins()))
    routing = Routing(provider="work", cache=wanted, conversation_id=conversation)
    request = attrs.evolve(asked("echo", stream=False, temperature=0), routing=routing)
    async with asyncio.TaskGroup() as tasks:
        gateway = Gateway(settings, registry, session, tasks=tasks)
        for _ in range(2):
            assert text_of(await answer(gateway, request)) == "Hello big world"
        assert len(await upstream.records()) == calls
        gateway.reload(settings, registry)
        await answer(gateway, request)
        assert len(await upstream.records()) == calls + 1, "it begins anew"
        gateway.close()


async def test_what_is_broken_lists_no_models(build: Build) -> None:
    gateway = await build(Settings())
    broken = made(None, "broken", error="it cannot be imported")
    assert await gateway._fetch(gateway.now, broken) == ()


async def test_a_list_of_models_that_is_refused_shows_no_key(
    upstream: Upstream, build: Build, caplog: pytest.LogCaptureFixture
) -> None:
    base_url = f"{upstream.root}/no-such-api/wrong-key"
    gateway = await build(Settings(providers={"work": at(upstream, "wrong-key", base_url)}))
    (entry,) = gateway.now.registry.chosen
    assert await gateway.now.catalog.refresh(entry) == ()
    assert "no list of models from work" in caplog.text
    assert "wrong-key" not in caplog.text


async def test_models_are_fetched_with_the_servers_key(upstream: Upstream, build: Build) -> None:
    gateway = await build(Settings(providers={"work": at(upstream, "k")}))
    (entry,) = gateway.now.registry.chosen
    found = [model.id for model in await gateway.now.catalog.refresh(entry)]
    assert {"gpt-4o", "gpt-4o-mini"} <= set(found)
    (record,) = await upstream.records()
    assert (record["path"], record["headers"]["authorization"]) == ("/v1/models", "Bearer k")


async def test_a_model_without_a_provider_is_found_by_asking(
    upstream: Upstream, build: Build
) -> None:
    gateway = await build(Settings(providers={"work": at(upstream)}))
    events = await answer(gateway, asked("gpt-4o"))
    assert events[0] == Started("work", "gpt-4o", 1)


async def test_an_unknown_model_of_a_named_provider_is_its_own_404(
    upstream: Upstream, build: Build
) -> None:
    settings = Settings(providers={"work": at(upstream)}, routing=RoutingSettings(provider="work"))
    with pytest.raises(GatewayError) as caught:
        await answer(await build(settings), asked("gpt-17"))
    assert (caught.value.status, caught.value.code) == (404, "model_not_found")
    assert "`gpt-17` does not exist" in caught.value.message


async def test_what_is_no_chat_goes_the_same_way_and_past_the_cache(
    build: Build, upstream: Upstream
) -> None:
    down = ProviderSettings("openai-compatible", options={"base_url": "http://127.0.0.1:9/v1"})
    chats = {"base_url": upstream.base_url, "completions": False}
    work = ProviderSettings("openai-compatible", options=chats)
    settings = Settings(
        providers={"down": down, "work": work},
        models=chain("down:echo", "work:echo"),
        cache=CacheSettings(enabled=True),
        routing=RoutingSettings(detect_local=False),
    )
    gateway = await build(settings)
    asked_for = CompletionRequest(model="best", prompts=("Hello world",))
    record = RequestRecord("", "", "", "")
    for noted in (record, None):
        async with aclosing(gateway.call(asked_for, noted)) as events:
            found = [event async for event in events]
        assert isinstance(found[0], Started)
        assert (found[0].provider, found[0].model) == ("work", "echo")
        assert "".join(one.text for one in found if isinstance(one, TextDelta)) == "Hello world"
    assert [one.outcome for one in record.attempts] == ["failed", "ok"]
    assert len(await upstream.records("echo")) == 2
