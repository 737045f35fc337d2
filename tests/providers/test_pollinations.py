"""Pollinations behind the gateway, against a fake of it in a process of its own."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterator
from contextlib import aclosing, asynccontextmanager
from typing import Any

import pytest
from aiohttp.test_utils import TestClient, TestServer

from g4f_aio.app import create_app
from g4f_aio.core.errors import UpstreamError
from g4f_aio.core.models import Capability, ModelInfo
from g4f_aio.core.provider import CallContext
from g4f_aio.gateway.plugins import find_plugins, load_class
from g4f_aio.gateway.registry import Entry, Registry
from g4f_aio.providers.pollinations import ANONYMOUS, KEYED, PollinationsAI
from g4f_aio.providers.pool import Pool
from g4f_aio.providers.upstream import Client
from g4f_aio.settings import ProviderSettings, RoutingSettings, Settings
from tests.dialects.wire import request
from tests.hosted_server import Running, running
from tests.pollinations_server import KEY
from tests.providers.served import Gateway, calls, finishes, said, served

NANO, FAST = "openai/gpt-5.4-nano", "openai-fast"
TALK = Capability.CHAT | Capability.STREAM | Capability.JSON_OBJECT | Capability.JSON_SCHEMA
TOOL = {"type": "function", "function": {"name": "get_weather", "parameters": {"type": "object"}}}


@pytest.fixture(scope="module")
def process() -> Iterator[Running]:
    with running("tests.pollinations_server") as fake:
        yield fake


@pytest.fixture
def api(process: Running) -> Running:
    """The fake API, with no records of earlier tests."""
    process.forget()
    return process


def provider(api: Running) -> PollinationsAI:
    """The provider with both of its services at the fake."""
    return PollinationsAI(base_url=f"{api.root}/gen/v1", anonymous_url=f"{api.root}/text/v1")


@pytest.fixture
async def gateway(api: Running) -> AsyncIterator[Gateway]:
    async with served(provider(api), KEY, NANO) as found:
        yield found


@asynccontextmanager
async def keyless(api: Running) -> AsyncIterator[Gateway]:
    """A gateway that has no key for it."""
    name = PollinationsAI.name
    table = ProviderSettings(type=name, models=(FAST,))
    entry = Entry(name, name, "g4f_aio", "0", table, provider(api), chosen=True)
    quiet = Settings(routing=RoutingSettings(provider=name, detect_local=False))
    app = create_app(quiet, Registry.of(entry, settings=quiet))
    async with TestClient(TestServer(app)) as client:
        yield Gateway(client)


def context(session: Pool, credential: str | None = KEY) -> CallContext:
    client = Client(session, "PollinationsAI", 5.0, 5.0, 2**20)
    return CallContext(client, "PollinationsAI", credential)


# what it is


def test_it_is_installed_under_its_name() -> None:
    assert load_class(find_plugins()["PollinationsAI"]) is PollinationsAI


def test_it_is_used_only_by_those_who_want_it() -> None:
    unasked = Registry(Settings(), find_plugins()).get("PollinationsAI")
    assert unasked is not None
    assert unasked.missing == "your consent: add [providers.PollinationsAI] to the settings"
    table = ProviderSettings(type="PollinationsAI")
    wanted = Registry(Settings(providers={"PollinationsAI": table}), find_plugins())
    assert [entry.name for entry in wanted.chosen] == ["PollinationsAI"]
    assert wanted.chosen[0].missing is None


def test_it_needs_no_key_and_takes_one() -> None:
    assert PollinationsAI().key == "optional"
    assert PollinationsAI().missing() is None


def test_there_are_two_services() -> None:
    found = PollinationsAI()
    assert (found.base_url, found._anonymous.base_url) == (KEYED, ANONYMOUS)


def test_another_address_is_for_everybody() -> None:
    found = PollinationsAI(base_url="https://proxy.example.org/v1/", headers={"X-Team": "blue"})
    assert found._anonymous.base_url == found.base_url == "https://proxy.example.org/v1"
    assert found._anonymous.headers == {"X-Team": "blue"}


def test_an_address_that_is_none_is_refused() -> None:
    with pytest.raises(ValueError, match="base_url"):
        PollinationsAI(anonymous_url="text.example.org")


# models


async def test_the_models_for_those_who_have_a_key(api: Running, session: Pool) -> None:
    found = await provider(api).fetch_models(context(session))
    thinking = TALK | Capability.VISION | Capability.TOOLS | Capability.REASONING
    assert found == (
        ModelInfo(
            "anthropic/claude-opus-4.6",
            thinking,
            200000,
            ("claude-large",),
            "anthropic",
            by_name_only=True,
        ),
        ModelInfo(NANO, thinking, 400000, ("openai", "gpt-5.4-nano"), "OpenAI", created=1783641600),
        ModelInfo(
            "google/gemini-search",
            TALK
            | Capability.VISION
            | Capability.AUDIO_INPUT
            | Capability.FILES
            | Capability.AUDIO_OUTPUT
            | Capability.WEB_SEARCH,
        ),
        ModelInfo("someone/small-model", TALK, by_name_only=True),
    )
    (record,) = await api.records()
    assert record["headers"]["authorization"] == f"Bearer {KEY}"


async def test_what_costs_money_or_runs_elsewhere_is_no_default(
    api: Running, session: Pool
) -> None:
    found = await provider(api).fetch_models(context(session))
    assert next(model.id for model in found if model.may_be_default) == NANO


async def test_the_models_for_everybody(api: Running, session: Pool) -> None:
    found = await provider(api).fetch_models(context(session, None))
    assert found == (
        ModelInfo("openai-large", TALK | Capability.TOOLS, by_name_only=True),
        ModelInfo(FAST, TALK | Capability.TOOLS | Capability.REASONING, aliases=("gpt-oss",)),
    )
    (record,) = await api.records()
    assert record["path"] == "/text/models"
    assert "authorization" not in record["headers"]


SHAPES: list[Any] = [
    ["openai", "mistral", "", 5],
    {"object": "list", "data": [{"id": "openai"}, {"id": "mistral", "created": 1762000000000}]},
    {"data": [{"name": "openai"}, {"id": "mistral"}, {"name": 5}, {}, None]},
]


@pytest.mark.parametrize("listed", SHAPES)
async def test_a_list_of_any_shape_it_had(listed: Any, session: Pool, serve: Any) -> None:
    other = await serve({"/text/models": listed})
    found = await PollinationsAI(base_url=f"{other.root}/v1").fetch_models(context(session, None))
    assert found == (ModelInfo("openai"), ModelInfo("mistral"))


@pytest.mark.parametrize(
    ("entry", "can"),
    [
        ({"vision": True, "audio": True}, TALK | Capability.VISION | Capability.AUDIO_INPUT),
        ({"vision": False}, TALK),
        ({"search": True}, TALK | Capability.WEB_SEARCH),
        ({"capabilities": []}, TALK),
        ({"capabilities": ["something_new", 5]}, TALK),
        ({"capabilities": {"a": 1}, "input_modalities": None}, TALK),
        ({"output_modalities": ["text", "image"]}, TALK | Capability.IMAGE),
        ({"output_modalities": ["image"], "tools": True}, Capability.IMAGE),
        ({"output_modalities": ["video"]}, Capability.VIDEO),
        ({"output_modalities": ["audio"]}, Capability.SPEECH),
        ({"output_modalities": ["embedding"]}, Capability.EMBEDDINGS),
        ({"output_modalities": ["smell"]}, Capability.NONE),
        ({"description": "?"}, None),
    ],
)
async def test_what_a_model_can(
    entry: dict[str, Any], can: Capability | None, session: Pool, serve: Any
) -> None:
    other = await serve({"/text/models": [{"name": "m", **entry}]})
    (found,) = await PollinationsAI(base_url=f"{other.root}/v1").fetch_models(context(session))
    assert found.capabilities == can


@pytest.mark.parametrize(
    ("entry", "expected"),
    [
        ({"aliases": "a"}, ModelInfo("m", aliases=("a",))),
        ({"aliases": ""}, ModelInfo("m")),
        ({"aliases": ["a", "m", "a", 5, "b"]}, ModelInfo("m", aliases=("a", "b"))),
        ({"aliases": {"a": 1}}, ModelInfo("m")),
        ({"context_window": 4096}, ModelInfo("m", context_length=4096)),
        ({"context_length": "many"}, ModelInfo("m")),
        ({"added_date": "today"}, ModelInfo("m")),
        ({"agent": True}, ModelInfo("m", by_name_only=True)),
        ({"tier": "anonymous", "community": False}, ModelInfo("m")),
    ],
)
async def test_what_else_is_told_of_a_model(
    entry: dict[str, Any], expected: ModelInfo, session: Pool, serve: Any
) -> None:
    other = await serve({"/text/models": [{"name": "m", **entry}]})
    (found,) = await PollinationsAI(base_url=f"{other.root}/v1").fetch_models(context(session))
    assert found == expected


async def test_what_is_no_list_of_models_is_an_error(session: Pool, serve: Any) -> None:
    other = await serve({"/text/models": {"models": {}}})
    with pytest.raises(UpstreamError, match="sent no list of models"):
        await PollinationsAI(base_url=f"{other.root}/v1").fetch_models(context(session))


# chats


async def test_an_answer(gateway: Gateway, api: Running) -> None:
    answer = await gateway.completion(NANO)
    assert answer.choices[0].message.content == "Hello big world"
    assert answer.usage is not None
    assert answer.usage.total_tokens == 13
    (record,) = await api.records()
    assert record["path"] == "/gen/v1/chat/completions"
    assert record["headers"]["authorization"] == f"Bearer {KEY}"


async def test_a_stream(gateway: Gateway) -> None:
    chunks = await gateway.stream(NANO)
    assert said(chunks) == "Hello big world"
    assert finishes(chunks) == {0: "stop"}


async def test_tools(gateway: Gateway) -> None:
    answer = await gateway.completion(NANO, tools=[TOOL])
    assert calls(answer.choices[0]) == [("get_weather", '{"city":"Köln"}')]


async def test_who_has_no_key_is_answered_by_the_service_for_everybody(api: Running) -> None:
    async with keyless(api) as gateway:
        assert said(await gateway.stream(FAST)) == "Hello big world"
        answer = await gateway.completion(FAST)
    assert answer.choices[0].message.content == "Hello big world"
    for record in await api.records():
        assert record["path"] == "/text/v1/chat/completions"
        assert "authorization" not in record["headers"]


async def test_a_key_of_the_caller_s_own(api: Running) -> None:
    async with keyless(api) as gateway:
        assert (await gateway.ask(FAST, key=KEY)).status == 200
        refused = await gateway.ask(FAST, key="wrong-own-key")
    assert refused.status == 401
    assert refused.error()["code"] == "invalid_api_key"
    assert {record["path"] for record in await api.records()} == {"/gen/v1/chat/completions"}


# failures


@pytest.mark.parametrize("stream", [False, True])
@pytest.mark.parametrize(
    ("mood", "status", "kind", "code"),
    [
        ("status-400", 400, "invalid_request_error", "BAD_REQUEST"),
        ("status-422", 422, "invalid_request_error", "content_policy_violation"),
        ("status-401", 502, "provider_error", "provider_auth_failed"),
        ("status-402", 502, "provider_error", "provider_auth_failed"),
        ("status-403", 502, "provider_error", "provider_auth_failed"),
        ("status-404", 404, "model_not_found", "model_not_found"),
        ("status-429", 429, "rate_limit_error", "rate_limit_exceeded"),
        ("queue", 429, "rate_limit_error", "rate_limit_exceeded"),
        ("status-500", 502, "provider_error", "provider_not_working"),
        ("status-504", 504, "provider_error", "provider_timeout"),
        ("cut-before", 502, "provider_error", "provider_not_working"),
        ("error-first", 502, "provider_error", "provider_not_working"),
    ],
)
async def test_a_failure_before_the_answer_is_a_status(
    gateway: Gateway, *, mood: str, status: int, kind: str, code: str, stream: bool
) -> None:
    answer = await gateway.ask(f"{NANO}@{mood}", stream=stream)
    assert answer.status == status, answer.body
    error = answer.error()
    assert (error["type"], error["code"]) == (kind, code)
    assert "PollinationsAI" in error["message"]


async def test_errors_of_the_service_for_everybody_are_errors_too(api: Running) -> None:
    async with keyless(api) as gateway:
        busy = await gateway.ask(f"{FAST}@queue")
        gone = await gateway.ask(f"{FAST}@status-404")
    assert (busy.status, gone.status) == (429, 404)
    assert "Queue full" in busy.error()["message"]


@pytest.mark.parametrize("mood", ["cut-mid-event", "cut-between", "malformed", "error-late"])
async def test_a_failure_in_the_answer_is_its_last_event(gateway: Gateway, mood: str) -> None:
    text, error = await gateway.failed_stream(f"{NANO}@{mood}")
    assert text == "Hello "
    assert error["type"] == "provider_error"


async def test_the_key_is_never_quoted(gateway: Gateway, api: Running) -> None:
    answer = await gateway.ask(f"{NANO}@leak")
    assert "The key *** may not do this" in answer.error()["message"]
    assert KEY not in repr(provider(api))


async def test_who_leaves_is_not_answered_any_more(api: Running, session: Pool) -> None:
    asked = request(model=f"{NANO}@hang", messages=[{"role": "user", "content": "a b"}])
    events = provider(api).chat(asked, context(session))
    async with aclosing(events):
        await anext(events)
    await asyncio.wait_for(api.closed(), 5)
