"""Ollama's two faces behind OpenAI's, against a fake of it in a process of its own."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator, Mapping
from contextlib import aclosing
from typing import TYPE_CHECKING, Any

import orjson
import pytest
from aiohttp import web

from g4f_aio.core.errors import UpstreamError
from g4f_aio.core.events import Passthrough
from g4f_aio.core.models import Capability, ModelInfo
from g4f_aio.core.provider import CallContext
from g4f_aio.gateway.plugins import find_plugins, instantiate, load_class
from g4f_aio.providers.local_servers import LOCAL_SERVERS
from g4f_aio.providers.ollama import AT_ONCE, Ollama
from g4f_aio.providers.pool import Pool
from g4f_aio.providers.upstream import Client
from tests.dialects.wire import request
from tests.hosted_server import Running, running
from tests.ollama_server import KEY, PIXEL
from tests.providers.served import Gateway, calls, finishes, said, served, streamed_calls

if TYPE_CHECKING:
    from tests.conftest import Fake

Serve = Callable[[Mapping[str, object]], Awaitable["Fake"]]

PLAIN, TOOLED, THINKING = "gemma3:1b", "llama3.2:latest", "qwen3:8b"
CHAT = (
    Capability.CHAT
    | Capability.STREAM
    | Capability.JSON_OBJECT
    | Capability.JSON_SCHEMA
    | Capability.LOGPROBS
)
TOOLS = [
    {"type": "function", "function": {"name": name, "parameters": {"type": "object"}}}
    for name in ("get_weather", "get_time")
]
WEATHER = ("get_weather", '{"city":"Köln"}')
TIME = ("get_time", '{"city":"Köln"}')


@pytest.fixture(scope="module")
def process() -> Iterator[Running]:
    with running("tests.ollama_server") as fake:
        yield fake


@pytest.fixture
def api(process: Running) -> Running:
    """The fake server, with no records of earlier tests."""
    process.forget()
    return process


@pytest.fixture
async def gateway(api: Running) -> AsyncIterator[Gateway]:
    """A gateway that takes Ollama's own API."""
    provider = Ollama(base_url=api.root, num_ctx=8192, keep_alive="30m")
    async with served(provider, KEY, PLAIN) as found:
        yield found


@pytest.fixture
async def plain(api: Running) -> AsyncIterator[Gateway]:
    """A gateway that takes OpenAI's face."""
    async with served(Ollama(base_url=api.root), KEY, PLAIN) as found:
        yield found


def context(session: Pool, credential: str | None = None) -> CallContext:
    return CallContext(Client(session, "Ollama", 5.0, 5.0, 2**20), "Ollama", credential)


# what it is


def test_it_is_installed_under_its_name_and_looked_for() -> None:
    assert load_class(find_plugins()["Ollama"]) is Ollama
    assert Ollama in LOCAL_SERVERS


@pytest.mark.parametrize(
    "url", ["http://box:11434", "http://box:11434/", "http://box:11434/v1/", "http://box:11434/api"]
)
def test_any_of_its_addresses_will_do(url: str) -> None:
    server = Ollama(base_url=url)
    assert (server.base_url, server.root) == ("http://box:11434/v1", "http://box:11434")


def test_it_may_be_told_no_address() -> None:
    assert Ollama(base_url="").missing() is not None


@pytest.mark.parametrize("keep_alive", ["30m", "1h30m", "-1m", "1.5h", "500ms", "0", "300", "-1"])
def test_times_that_are_understood(keep_alive: str) -> None:
    assert Ollama(keep_alive=keep_alive).keep_alive == keep_alive


@pytest.mark.parametrize(
    ("options", "problem"),
    [
        ({"keep_alive": "5 minutes"}, "providers.o: keep_alive must be a time such as"),
        ({"keep_alive": ""}, "providers.o: keep_alive must be a time such as"),
        ({"num_ctx": 0}, "providers.o: num_ctx must be more than 0 tokens"),
        ({"num_ctx": "8k"}, "providers.o.num_ctx: expected an integer, got a string"),
    ],
)
def test_settings_that_are_not_understood_are_named(options: dict[str, Any], problem: str) -> None:
    (found,) = instantiate(Ollama, options, "providers.o")  # type: ignore[misc]  # a list of one
    assert problem in found


# models


async def test_the_models_and_what_each_can(api: Running, session: Pool) -> None:
    found = await Ollama(base_url=api.root).fetch_models(context(session, KEY))
    created = 1759559643
    qwen = CHAT | Capability.TOOLS | Capability.REASONING | Capability.VISION
    assert found == (
        # in memory now
        ModelInfo(THINKING, qwen, 40960, created=created),
        ModelInfo("nomic-embed-text:latest", Capability.EMBEDDINGS, 2048, created=created),
        # its own file says less than it was made for
        ModelInfo(TOOLED, CHAT | Capability.TOOLS, 8192, created=created),
        ModelInfo(PLAIN, CHAT, 32768, created=created),
        ModelInfo("qwen3:latest", qwen, 40960, created=created),
    )
    assert next(model.id for model in found if model.may_be_default) == THINKING
    records = await api.records()
    assert {record["headers"]["authorization"] for record in records} == {f"Bearer {KEY}"}
    # two names for the same files are asked about once
    assert [record["path"] for record in records].count("/api/show") == 4


async def test_the_size_of_the_context_in_the_settings_counts(api: Running, session: Pool) -> None:
    found = await Ollama(base_url=api.root, num_ctx=16384).fetch_models(context(session))
    assert {model.id: model.context_length for model in found} == {
        THINKING: 16384,
        "nomic-embed-text:latest": 2048,
        TOOLED: 16384,
        PLAIN: 16384,
        "qwen3:latest": 16384,
    }


async def ollama_show(asked: web.Request) -> web.Response:
    """``POST /api/show`` for the models below."""
    match (await asked.json())["model"]:
        case "llama3:8b":
            shown: object = {
                "capabilities": ["completion", "tools", "insert"],
                "model_info": {"general.architecture": "llama", "llama.context_length": 8192},
            }
        case "llava:7b":
            shown = {"capabilities": ["completion", "vision", "thinking"], "model_info": {}}
        case "nomic-embed-text:latest":
            shown = {"capabilities": ["embedding"]}
        case "older:1b":
            shown = {"details": {"family": "llama"}, "model_info": {"llama.context_length": "?"}}
        case "silly:1b":
            shown = ["what"]
        case _:
            return web.json_response({"error": "model not found"}, status=404)
    return web.json_response(shown)


async def test_what_an_answer_lacks_harms_nobody(session: Pool, serve: Serve) -> None:
    tags = [
        {"name": "nomic-embed-text:latest"},
        {"name": "gpt-oss:120b-cloud", "remote_host": "https://ollama.com:443"},
        {"name": "kimi:cloud", "remote_model": "kimi"},
        {"name": "llama3:8b", "remote_host": ""},
        {"name": "llava:7b", "modified_at": "yesterday"},
        {"name": "older:1b", "modified_at": 5, "details": "?"},
        {"name": "older-embed:1b", "details": {"family": "bert"}},
        {"name": "silly:1b", "details": {"family": 5}},
        {"name": "gone:1b"},
        {"size": 5},
        "junk",
    ]
    fake = await serve({"/api/tags": {"models": tags}, "/api/show": ollama_show})
    found = await Ollama(base_url=fake.root).fetch_models(context(session))
    assert found == (
        ModelInfo("nomic-embed-text:latest", capabilities=Capability.EMBEDDINGS),
        ModelInfo("gpt-oss:120b-cloud", by_name_only=True),
        ModelInfo("kimi:cloud", by_name_only=True),
        ModelInfo("llama3:8b", capabilities=CHAT | Capability.TOOLS, context_length=8192),
        ModelInfo("llava:7b", capabilities=CHAT | Capability.VISION | Capability.REASONING),
        ModelInfo("older:1b"),
        ModelInfo("older-embed:1b", capabilities=Capability.EMBEDDINGS),
        ModelInfo("silly:1b"),
        ModelInfo("gone:1b"),
    )
    assert next(model.id for model in found if model.may_be_default) == "llama3:8b"
    # nothing is asked about what runs elsewhere
    assert fake.paths.count("/api/show") == 7


async def test_one_model_that_cannot_be_asked_about_hides_no_other(
    session: Pool, serve: Serve
) -> None:
    async def show(asked: web.Request) -> web.Response:
        if (await asked.json())["model"] == "cursed:1b" and asked.transport is not None:
            asked.transport.abort()
        return web.json_response({"capabilities": ["completion"]})

    async def cursed(asked: web.Request) -> web.Response:
        assert asked.transport is not None
        asked.transport.abort()
        return web.json_response({})

    tags = [{"name": "cursed:1b"}, {"name": "good:1b"}]
    fake = await serve({"/api/tags": {"models": tags}, "/api/show": show, "/api/ps": cursed})
    found = await Ollama(base_url=fake.root).fetch_models(context(session))
    assert found == (ModelInfo("cursed:1b"), ModelInfo("good:1b", capabilities=CHAT))


@pytest.mark.parametrize("running_now", [{"models": ["m", {"name": 5}]}, {"models": {}}, [], "x"])
async def test_what_runs_now_may_be_anything(
    running_now: object, session: Pool, serve: Serve
) -> None:
    tags = {"models": [{"name": "m"}, {"name": "n"}]}
    fake = await serve({"/api/tags": tags, "/api/ps": running_now})
    found = await Ollama(base_url=fake.root).fetch_models(context(session))
    assert [model.id for model in found] == ["m", "n"]


async def test_many_models_are_asked_about_a_few_at_a_time(session: Pool, serve: Serve) -> None:
    busy = most = 0

    async def show(_: web.Request) -> web.Response:
        nonlocal busy, most
        busy += 1
        most = max(most, busy)
        await asyncio.sleep(0.005)
        busy -= 1
        return web.json_response({"capabilities": ["completion"]})

    tags = [{"name": f"m:{number}b"} for number in range(40)]
    fake = await serve({"/api/tags": {"models": tags}, "/api/show": show})
    found = await Ollama(base_url=fake.root).fetch_models(context(session))
    assert [model.id for model in found] == [tag["name"] for tag in tags]
    assert 1 < most <= AT_ONCE


# OpenAI's face


async def test_without_a_setting_that_needs_more_its_bytes_are_handed_on(
    plain: Gateway, api: Running, session: Pool
) -> None:
    answer = await plain.ask(PLAIN, stream=True)
    assert b'"system_fingerprint":"fp_ollama"' in answer.body
    (record,) = await api.records()
    assert record["path"] == "/v1/chat/completions"
    assert "keep_alive" not in record["body"]
    asked = request(model=PLAIN)
    events = [e async for e in Ollama(base_url=api.root).chat(asked, context(session))]
    assert {type(event) for event in events} == {Passthrough}


async def test_a_model_that_was_not_pulled_is_unknown_to_both_faces(
    plain: Gateway, gateway: Gateway
) -> None:
    for face in (plain, gateway):
        answer = await face.ask("Ollama:gone:1b")
        assert answer.status == 404
        assert answer.error()["code"] == "model_not_found"
        assert "not found" in answer.error()["message"]


# its own API


async def test_an_answer(gateway: Gateway, api: Running) -> None:
    answer = await gateway.completion(PLAIN)
    (choice,) = answer.choices
    assert (choice.message.content, choice.finish_reason) == ("Hello big world", "stop")
    assert answer.usage is not None
    assert (answer.usage.prompt_tokens, answer.usage.completion_tokens) == (10, 3)
    (record,) = await api.records()
    assert record["path"] == "/api/chat"
    assert record["headers"]["authorization"] == f"Bearer {KEY}"
    assert record["body"] == {
        "model": PLAIN,
        "messages": [{"role": "user", "content": "Hello big world"}],
        "stream": False,
        "options": {"num_ctx": 8192},
        "keep_alive": "30m",
    }


@pytest.mark.parametrize(
    ("settings", "sent"),
    [
        ({"keep_alive": "-1"}, {"keep_alive": -1}),
        ({"keep_alive": "0"}, {"keep_alive": 0}),
        ({"num_ctx": 4096}, {"options": {"num_ctx": 4096}}),
    ],
)
async def test_one_of_the_settings_is_enough(
    settings: dict[str, Any], sent: dict[str, Any], api: Running
) -> None:
    async with served(Ollama(base_url=api.root, **settings), KEY) as gateway:
        await gateway.completion(PLAIN)
    (record,) = await api.records()
    assert record["path"] == "/api/chat"
    body = record["body"]
    assert {key: body[key] for key in body.keys() - {"model", "messages", "stream"}} == sent


@pytest.mark.parametrize("mood", ["", "@bytes", "@older"])
async def test_a_stream_however_it_is_written(gateway: Gateway, mood: str) -> None:
    chunks = await gateway.stream(f"{PLAIN}{mood}", "Hello 日本 👋🏽")
    assert said(chunks) == "Hello 日本 👋🏽"
    assert finishes(chunks) == {0: "stop"}


async def test_words_come_one_by_one(gateway: Gateway) -> None:
    chunks = await gateway.stream(PLAIN)
    found = [chunk.choices[0].delta.content for chunk in chunks]
    assert found[-4:] == ["Hello ", "big ", "world", None]
    assert chunks[-1].usage is not None
    assert chunks[-1].usage.total_tokens == 13


async def test_a_connection_is_used_again(gateway: Gateway) -> None:
    for _ in range(3):
        assert said(await gateway.stream(PLAIN)) == "Hello big world"


async def test_thoughts_are_reasoning(gateway: Gateway, api: Running) -> None:
    answer = await gateway.completion(THINKING, reasoning_effort="high")
    assert answer.choices[0].message.model_extra is not None
    assert answer.choices[0].message.model_extra["reasoning_content"] == "Looking at it."
    chunks = await gateway.stream(THINKING, reasoning_effort="none")
    assert not any("reasoning_content" in (c.choices[0].delta.model_extra or {}) for c in chunks)
    first, second = await api.bodies()
    assert (first["think"], second["think"]) == ("high", False)


async def test_a_model_that_does_not_think_refuses_an_effort(gateway: Gateway) -> None:
    answer = await gateway.ask(PLAIN, reasoning_effort="low")
    assert answer.status == 400
    assert "does not support thinking" in answer.error()["message"]
    assert (await gateway.ask(PLAIN, reasoning_effort="none")).status == 200


async def test_a_bound_is_kept(gateway: Gateway) -> None:
    answer = await gateway.completion(PLAIN, max_tokens=2)
    assert answer.choices[0].message.content == "Hello big "
    assert answer.choices[0].finish_reason == "length"
    chunks = await gateway.stream(PLAIN, max_completion_tokens=2)
    assert (said(chunks), finishes(chunks)) == ("Hello big ", {0: "length"})


async def test_an_image_that_is_seen(gateway: Gateway, api: Running) -> None:
    image = {"type": "image_url", "image_url": {"url": f"data:image/png;base64,{PIXEL}"}}
    content = [{"type": "text", "text": "What is it?"}, image]
    answer = await gateway.completion(THINKING, messages=[{"role": "user", "content": content}])
    assert answer.choices[0].message.content == "What is it?"
    (body,) = await api.bodies()
    assert body["messages"] == [{"role": "user", "content": "What is it?", "images": [PIXEL]}]


async def test_json(gateway: Gateway, api: Running) -> None:
    schema = {"type": "object", "properties": {"said": {"type": "string"}}}
    form = {"type": "json_schema", "json_schema": {"name": "n", "schema": schema}}
    answer = await gateway.completion(PLAIN, response_format=form)
    assert orjson.loads(answer.choices[0].message.content or "") == {"said": "Hello big world"}
    await gateway.completion(PLAIN, response_format={"type": "json_object"})
    assert [body["format"] for body in await api.bodies()] == [schema, "json"]


async def test_log_probabilities(gateway: Gateway) -> None:
    answer = await gateway.completion(PLAIN, logprobs=True)
    found = answer.choices[0].logprobs
    assert found is not None
    assert [(one.token, one.logprob) for one in found.content or ()] == [
        ("Hello ", -0.25),
        ("big ", -0.25),
        ("world", -0.25),
    ]


@pytest.mark.parametrize("mood", ["", "@older"])
async def test_parallel_tools_and_what_they_say(gateway: Gateway, mood: str) -> None:
    answer = await gateway.completion(f"{TOOLED}{mood}", tools=TOOLS)
    (choice,) = answer.choices
    assert calls(choice) == [WEATHER, TIME]
    assert (choice.message.content, choice.finish_reason) == (None, "tool_calls")
    message = choice.message.model_dump(exclude_none=True)
    results = [
        {"role": "tool", "tool_call_id": call["id"], "content": "ok"}
        for call in message["tool_calls"]
    ]
    talk = [{"role": "user", "content": "Weather?"}, message, *results]
    answer = await gateway.completion(TOOLED, messages=talk, tools=TOOLS)
    assert answer.choices[0].message.content == "get_weather: ok; get_time: ok"


async def test_parallel_tools_streamed(gateway: Gateway) -> None:
    chunks = await gateway.stream(TOOLED, tools=TOOLS)
    assert streamed_calls(chunks) == [WEATHER, TIME]
    assert finishes(chunks) == {0: "tool_calls"}


async def test_one_tool_at_a_time(gateway: Gateway) -> None:
    chunks = await gateway.stream(TOOLED, tools=TOOLS, parallel_tool_calls=False)
    assert streamed_calls(chunks) == [WEATHER]


async def test_a_model_without_tools_says_so(gateway: Gateway) -> None:
    answer = await gateway.ask(PLAIN, tools=TOOLS)
    assert answer.status == 400
    assert "does not support tools" in answer.error()["message"]


async def test_a_model_that_only_embeds_does_not_chat(gateway: Gateway) -> None:
    answer = await gateway.ask("Ollama:nomic-embed-text:latest")
    assert answer.status == 400
    assert "does not support chat" in answer.error()["message"]


async def test_an_empty_answer_is_one(gateway: Gateway) -> None:
    answer = await gateway.completion(f"{PLAIN}@empty")
    assert (answer.choices[0].message.content, answer.choices[0].finish_reason) == ("", "stop")


async def test_what_the_api_has_no_word_for_is_not_even_asked(
    gateway: Gateway, api: Running
) -> None:
    answer = await gateway.ask(PLAIN, n=2)
    assert answer.status == 400
    assert (answer.error()["code"], answer.error()["param"]) == ("unsupported_parameter", "n")
    assert await api.records() == []


# failures


@pytest.mark.parametrize("stream", [False, True])
@pytest.mark.parametrize(
    ("mood", "status", "kind", "code"),
    [
        ("status-400", 400, "invalid_request_error", None),
        ("status-401", 502, "provider_error", "provider_auth_failed"),
        ("status-404", 404, "model_not_found", "model_not_found"),
        ("status-429", 429, "rate_limit_error", "rate_limit_exceeded"),
        ("status-500", 502, "provider_error", "provider_not_working"),
        ("busy", 502, "provider_error", "provider_not_working"),
        ("cut-before", 502, "provider_error", "provider_not_working"),
        ("error-first", 502, "provider_error", "provider_not_working"),
    ],
)
async def test_a_failure_before_the_answer_is_a_status(
    gateway: Gateway, *, mood: str, status: int, kind: str, code: str, stream: bool
) -> None:
    answer = await gateway.ask(f"{PLAIN}@{mood}", stream=stream)
    assert answer.status == status, answer.body
    error = answer.error()
    assert (error["type"], error["code"]) == (kind, code)
    assert "Ollama" in error["message"]


#: how an answer goes wrong, and what it says before
MOODS = {
    "cut-mid-line": "Hello ",
    "cut-between": "Hello ",
    "malformed": "Hello ",
    "error-late": "Hello ",
}


@pytest.mark.parametrize("mood", [*MOODS, "no-done"])
async def test_a_failure_in_the_answer_is_its_last_event(gateway: Gateway, mood: str) -> None:
    text, error = await gateway.failed_stream(f"{PLAIN}@{mood}")
    assert text == MOODS.get(mood, "Hello big world")
    assert error["type"] == "provider_error"


@pytest.mark.parametrize("mood", [*MOODS, "no-done"])
async def test_a_whole_answer_that_is_broken_is_a_status(gateway: Gateway, mood: str) -> None:
    answer = await gateway.ask(f"{PLAIN}@{mood}")
    assert answer.status == 502
    assert answer.error()["type"] == "provider_error"


async def test_the_key_is_never_quoted(gateway: Gateway) -> None:
    answer = await gateway.ask(f"{PLAIN}@leak")
    assert "The key *** may not do this" in answer.error()["message"]


async def test_a_server_that_is_something_else_is_told_from_a_model_that_is_missing(
    session: Pool, serve: Serve
) -> None:
    async def page(_: web.Request) -> web.Response:
        return web.Response(status=404, text="404 page not found")

    fake = await serve({"/api/chat": page})
    events = Ollama(base_url=fake.root, num_ctx=5).chat(request(), context(session))
    with pytest.raises(UpstreamError, match="is its base_url right"):
        await anext(events)


async def test_who_leaves_is_not_answered_any_more(api: Running, session: Pool) -> None:
    asked = request(model=f"{PLAIN}@hang", messages=[{"role": "user", "content": "a b"}])
    events = Ollama(base_url=api.root, num_ctx=5).chat(asked, context(session))
    async with aclosing(events):
        await anext(events)
    await asyncio.wait_for(api.closed(), 5)
