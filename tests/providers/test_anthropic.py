"""Anthropic's own API behind OpenAI's, against a fake of it in a process of its own."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator, Mapping
from contextlib import aclosing
from typing import TYPE_CHECKING, Any

import attrs
import orjson
import pytest

from g4f_aio.core.errors import (
    AuthenticationError,
    GatewayError,
    UpstreamAuthError,
    UpstreamError,
)
from g4f_aio.core.events import Finish, Passthrough, ReasoningDelta, Started, TextDelta
from g4f_aio.core.models import Capability, ModelInfo
from g4f_aio.core.provider import CallContext
from g4f_aio.dialects.anthropic_messages import ANTHROPIC_MESSAGES
from g4f_aio.dialects.openai_responses import OPENAI_RESPONSES
from g4f_aio.dialects.openai_responses_encoder import StreamEncoder
from g4f_aio.gateway.plugins import find_plugins, instantiate, load_class
from g4f_aio.providers.anthropic import Anthropic
from g4f_aio.providers.pool import Pool
from g4f_aio.providers.upstream import Client
from tests.anthropic_server import KEY
from tests.dialects.message_stream import message
from tests.dialects.wire import passed, request
from tests.hosted_server import Running, running
from tests.providers.served import Gateway, calls, finishes, said, served, streamed_calls

if TYPE_CHECKING:
    from tests.conftest import Fake

Serve = Callable[[Mapping[str, object]], Awaitable["Fake"]]

OPUS, SONNET, HAIKU = "claude-opus-4-6", "claude-sonnet-4-5-20250929", "claude-3-5-haiku-20241022"
IMAGE = {"type": "image_url", "image_url": {"url": "data:image/png;base64,iVBORw0KGgo="}}
PDF = {"type": "file", "file": {"file_data": "data:application/pdf;base64,JVBERi0="}}
TOOLS = [
    {"type": "function", "function": {"name": name, "parameters": {"type": "object"}}}
    for name in ("get_weather", "get_time")
]
WEATHER = ("get_weather", '{"city":"Köln"}')
TIME = ("get_time", '{"city":"Köln"}')


@pytest.fixture(scope="module")
def process() -> Iterator[Running]:
    with running("tests.anthropic_server") as fake:
        yield fake


@pytest.fixture
def api(process: Running) -> Running:
    """The fake API, with no records of earlier tests."""
    process.forget()
    return process


@pytest.fixture
async def gateway(api: Running) -> AsyncIterator[Gateway]:
    async with served(Anthropic(base_url=api.root), KEY, HAIKU) as found:
        yield found


def context(session: Pool, credential: str | None = KEY, *, own: bool = False) -> CallContext:
    client = Client(session, "Anthropic", 5.0, 5.0, 2**20)
    return CallContext(client, "Anthropic", credential, own)


def thoughts(message: Any) -> str | None:
    """What a message or delta of OpenAI's says of thinking."""
    found: str | None = (message.model_extra or {}).get("reasoning_content")
    return found


# what it is


def test_it_is_installed_under_its_name() -> None:
    assert load_class(find_plugins()["Anthropic"]) is Anthropic


def test_a_key_is_all_it_needs() -> None:
    provider = Anthropic()
    assert provider.key == "required"
    assert provider.missing() is None
    assert provider.base_url == "https://api.anthropic.com"
    assert Capability.JSON_OBJECT not in provider.capabilities


@pytest.mark.parametrize(
    "url", ["https://a.example/x", "https://a.example/x/", "https://a.example/x/v1/"]
)
def test_another_address_may_end_as_people_write_it(url: str) -> None:
    assert Anthropic(base_url=url).base_url == "https://a.example/x"


@pytest.mark.parametrize(
    ("table", "problem"),
    [
        ({"base_url": "api.anthropic.com"}, "base_url must begin with"),
        ({"thinking": "hard"}, "thinking must be one of auto, adaptive, budget"),
        ({"max_tokens": 0}, "max_tokens must be at least 1"),
        ({"max_tokens": "4096"}, "max_tokens: expected"),
        ({"beta": "x"}, "beta: expected an array"),
        ({"versoin": "x"}, "did you mean providers.a.version"),
    ],
)
def test_settings_that_cannot_be_are_refused(table: dict[str, Any], problem: str) -> None:
    found = instantiate(Anthropic, table, "providers.a")
    assert isinstance(found, list)
    assert problem in " ".join(found)


# models


async def test_the_models_of_all_pages(api: Running, session: Pool) -> None:
    found = await Anthropic(base_url=api.root).fetch_models(context(session))
    always = Capability.CHAT | Capability.STREAM | Capability.TOOLS
    seeing = always | Capability.VISION | Capability.FILES
    every = seeing | Capability.JSON_SCHEMA | Capability.REASONING
    about: dict[str, Any] = {"owned_by": "anthropic", "created": 1759104000}
    assert found == (
        ModelInfo(OPUS, every, 200000, **about),
        ModelInfo(SONNET, every, 200000, **about),
        ModelInfo(HAIKU, seeing, 200000, **about),
    )
    first, second = await api.records()
    assert first["path"] == "/v1/models?limit=1000"
    assert second["path"] == f"/v1/models?limit=1000&after_id={SONNET}"


async def test_a_list_that_tells_little_or_never_ends(serve: Serve, session: Pool) -> None:
    other = await serve(
        {
            "/v1/models": {
                "data": [{"id": "m", "created_at": "soon", "max_input_tokens": "x"}, {}, 1],
                "has_more": True,
                "last_id": "m",
            }
        }
    )
    found = await Anthropic(base_url=other.root).fetch_models(context(session))
    assert found == (ModelInfo("m", owned_by="anthropic"),)
    assert len(other.paths) == 10


@pytest.mark.parametrize("listed", [[], {"data": {}}, {"object": "list"}])
async def test_what_is_no_list_is_an_error(serve: Serve, session: Pool, listed: object) -> None:
    other = await serve({"/v1/models": listed})
    with pytest.raises(UpstreamError, match="Anthropic sent no list of models"):
        await Anthropic(base_url=other.root).fetch_models(context(session))


async def test_a_refused_key_is_ours_or_the_callers(api: Running, session: Pool) -> None:
    provider = Anthropic(base_url=api.root)
    with pytest.raises(UpstreamAuthError, match="x-api-key header is required"):
        await provider.fetch_models(context(session, None))
    with pytest.raises(UpstreamAuthError, match="invalid x-api-key"):
        await provider.fetch_models(context(session, "wrong"))
    with pytest.raises(AuthenticationError):
        await provider.fetch_models(context(session, "wrong", own=True))


# chats


async def test_an_answer(gateway: Gateway, api: Running) -> None:
    answer = await gateway.completion(HAIKU)
    (choice,) = answer.choices
    assert choice.message.content == "Hello big world"
    assert choice.finish_reason == "stop"
    assert answer.model == HAIKU
    (record,) = await api.records()
    assert (record["method"], record["path"]) == ("POST", "/v1/messages")
    assert record["headers"]["x-api-key"] == KEY
    assert record["headers"]["anthropic-version"] == "2023-06-01"
    assert "anthropic-beta" not in record["headers"]
    assert "authorization" not in record["headers"]
    assert record["body"] == {
        "model": HAIKU,
        "max_tokens": 8192,
        "messages": [{"role": "user", "content": "Hello big world"}],
    }


async def test_a_stream(gateway: Gateway) -> None:
    chunks = await gateway.stream(HAIKU)
    contents = [chunk.choices[0].delta.content for chunk in chunks]
    assert contents == ["", "Hello ", "big ", "world", None]
    assert finishes(chunks) == {0: "stop"}


@pytest.mark.parametrize("mood", ["crlf", "bytes"])
async def test_a_stream_however_it_is_written(gateway: Gateway, mood: str) -> None:
    assert said(await gateway.stream(f"{HAIKU}@{mood}", "Hello 日本 👋🏽")) == "Hello 日本 👋🏽"


async def test_an_upstream_that_never_or_always_streams(gateway: Gateway) -> None:
    assert said(await gateway.stream(f"{HAIKU}@body")) == "Hello big world"
    answer = await gateway.completion(f"{HAIKU}@stream")
    assert answer.choices[0].message.content == "Hello big world"


async def test_what_the_settings_say_goes_with_every_request(api: Running) -> None:
    provider = Anthropic(
        base_url=api.root,
        version="2026-10-21",
        beta=("one-2026-01-01", "two-2026-01-01"),
        headers={"x-team": "blue"},
        max_tokens=2,
        cache_prompts=True,
    )
    async with served(provider, KEY) as gateway:
        answer = await gateway.completion(HAIKU)
    assert answer.choices[0].finish_reason == "length"
    (record,) = await api.records()
    assert record["headers"]["anthropic-version"] == "2026-10-21"
    assert record["headers"]["anthropic-beta"] == "one-2026-01-01,two-2026-01-01"
    assert record["headers"]["x-team"] == "blue"
    assert record["body"]["cache_control"] == {"type": "ephemeral"}


async def test_usage_counts_what_is_cached_as_input(api: Running) -> None:
    async with served(Anthropic(base_url=api.root, cache_prompts=True), KEY) as gateway:
        answer = await gateway.completion(SONNET, reasoning_effort="low")
        chunks = await gateway.stream(
            SONNET, reasoning_effort="low", stream_options={"include_usage": True}
        )
    usage = answer.usage
    assert usage is not None
    assert (usage.prompt_tokens, usage.completion_tokens, usage.total_tokens) == (3010, 6, 3016)
    assert usage.prompt_tokens_details is not None
    assert usage.prompt_tokens_details.cached_tokens == 2000
    assert usage.completion_tokens_details is not None
    assert usage.completion_tokens_details.reasoning_tokens == 5
    assert chunks[-1].choices == []
    assert chunks[-1].usage == usage
    assert [chunk.usage for chunk in chunks[:-1]] == [None] * (len(chunks) - 1)


@pytest.mark.parametrize(
    ("model", "asked"),
    [
        (OPUS, {"type": "adaptive", "display": "summarized"}),
        (SONNET, {"type": "enabled", "budget_tokens": 8192}),
    ],
)
async def test_thinking_is_reasoning(
    gateway: Gateway, api: Running, model: str, asked: dict[str, Any]
) -> None:
    answer = await gateway.completion(model, reasoning_effort="medium")
    assert thoughts(answer.choices[0].message) == "Let me think."
    assert answer.choices[0].message.content == "Hello big world"
    chunks = await gateway.stream(model, reasoning_effort="medium")
    deltas = [choice.delta for chunk in chunks for choice in chunk.choices]
    assert "".join(thoughts(delta) or "" for delta in deltas) == "Let me think."
    assert said(chunks) == "Hello big world"
    assert [body["thinking"] for body in await api.bodies()] == [asked, asked]


async def test_thinking_may_be_forbidden(gateway: Gateway, api: Running) -> None:
    answer = await gateway.completion(OPUS, reasoning_effort="none")
    assert thoughts(answer.choices[0].message) is None
    assert (await api.bodies())[0]["thinking"] == {"type": "disabled"}


async def test_thoughts_that_nobody_may_read_disturb_nobody(gateway: Gateway) -> None:
    answer = await gateway.completion(f"{OPUS}@redacted")
    assert thoughts(answer.choices[0].message) is None
    assert said(await gateway.stream(f"{OPUS}@redacted")) == "Hello big world"


async def test_a_model_that_does_not_think_refuses_to(gateway: Gateway) -> None:
    answer = await gateway.ask(HAIKU, reasoning_effort="low")
    assert answer.status == 400
    assert "thinking.type.enabled is not supported" in answer.error()["message"]


async def test_a_bound_is_kept(gateway: Gateway) -> None:
    answer = await gateway.completion(HAIKU, max_tokens=2)
    assert answer.choices[0].message.content == "Hello big "
    assert answer.choices[0].finish_reason == "length"
    chunks = await gateway.stream(HAIKU, max_completion_tokens=2)
    assert (said(chunks), finishes(chunks)) == ("Hello big ", {0: "length"})


async def test_a_stop_sequence_is_kept(gateway: Gateway) -> None:
    answer = await gateway.completion(HAIKU, stop="big")
    assert answer.choices[0].message.content == "Hello "
    assert answer.choices[0].finish_reason == "stop"


async def test_a_refusal_is_told_with_its_reason(gateway: Gateway) -> None:
    answer = await gateway.completion(f"{OPUS}@refusal")
    (choice,) = answer.choices
    assert choice.finish_reason == "content_filter"
    assert choice.message.content == "Hello big world"
    assert choice.message.refusal == "It could do harm."
    chunks = await gateway.stream(f"{OPUS}@refusal")
    assert finishes(chunks) == {0: "content_filter"}
    refusals = [choice.delta.refusal or "" for chunk in chunks for choice in chunk.choices]
    assert "".join(refusals) == "It could do harm."


async def test_a_turn_that_is_paused_is_at_its_end(gateway: Gateway) -> None:
    assert finishes(await gateway.stream(f"{OPUS}@pause")) == {0: "stop"}


@pytest.mark.parametrize("stream", [False, True])
async def test_images_and_files_are_seen(gateway: Gateway, *, stream: bool) -> None:
    link = {"type": "image_url", "image_url": {"url": "https://example.org/a.png"}}
    content = [{"type": "text", "text": "Look:"}, IMAGE, link, PDF]
    messages = [{"role": "user", "content": content}]
    expected = (
        "Look: [image image/png 12] [image url https://example.org/a.png] "
        "[document application/pdf 8]"
    )
    if stream:
        assert said(await gateway.stream(HAIKU, messages=messages)) == expected
    else:
        answer = await gateway.completion(HAIKU, messages=messages)
        assert answer.choices[0].message.content == expected


async def test_json_by_a_schema(gateway: Gateway, api: Running) -> None:
    schema = {"type": "object", "properties": {"said": {"type": "string"}}, "required": ["said"]}
    form = {"type": "json_schema", "json_schema": {"name": "n", "schema": schema}}
    answer = await gateway.completion(OPUS, response_format=form, reasoning_effort="high")
    assert orjson.loads(answer.choices[0].message.content or "") == {"said": "Hello big world"}
    assert (await api.bodies())[0]["output_config"]["effort"] == "high"


async def test_sources_of_a_search(gateway: Gateway) -> None:
    answer = await gateway.completion(OPUS, web_search_options={})
    (note,) = answer.choices[0].message.annotations or []
    assert (note.url_citation.url, note.url_citation.title) == ("https://example.org/a", "A")
    assert answer.choices[0].message.content == "Found: Hello big world"
    assert said(await gateway.stream(OPUS, web_search_options={})) == "Found: Hello big world"


async def test_system_messages_wherever_they_stand(gateway: Gateway, api: Running) -> None:
    talk = [
        {"role": "system", "content": "Be brief."},
        {"role": "user", "content": "Hi"},
        {"role": "assistant", "content": ""},
        {"role": "developer", "content": "Be kind."},
        {"role": "user", "content": "there"},
    ]
    answer = await gateway.completion(HAIKU, messages=talk)
    assert answer.choices[0].message.content == "Hi there"
    (body,) = await api.bodies()
    assert [block["text"] for block in body["system"]] == ["Be brief.", "Be kind."]


# tools


@pytest.mark.parametrize("model", [HAIKU, OPUS])
async def test_parallel_tools_and_what_they_say(gateway: Gateway, api: Running, model: str) -> None:
    answer = await gateway.completion(model, tools=TOOLS, parallel_tool_calls=True)
    (choice,) = answer.choices
    assert calls(choice) == [WEATHER, TIME]
    assert choice.message.content == "I call."
    assert choice.finish_reason == "tool_calls"
    sent = choice.message.model_dump(exclude_none=True)
    results = [
        {"role": "tool", "tool_call_id": call["id"], "content": f"result {number}"}
        for number, call in enumerate(sent["tool_calls"])
    ]
    talk = [
        {"role": "user", "content": "Weather?"},
        sent,
        *results,
        {"role": "user", "content": "So?"},
    ]
    answer = await gateway.completion(model, messages=talk, tools=TOOLS)
    assert answer.choices[0].message.content == "result 0; result 1"
    turns = (await api.bodies())[1]["messages"]
    assert [turn["role"] for turn in turns] == ["user", "assistant", "user"]


async def test_parallel_tools_streamed(gateway: Gateway) -> None:
    chunks = await gateway.stream(HAIKU, tools=TOOLS)
    assert streamed_calls(chunks) == [WEATHER, TIME]
    assert said(chunks) == "I call."
    assert finishes(chunks) == {0: "tool_calls"}


async def test_tools_and_thinking_go_together(gateway: Gateway) -> None:
    chunks = await gateway.stream(SONNET, tools=TOOLS, reasoning_effort="low")
    assert streamed_calls(chunks) == [WEATHER, TIME]
    deltas = [choice.delta for chunk in chunks for choice in chunk.choices]
    assert "".join(thoughts(delta) or "" for delta in deltas) == "Let me think."


async def test_one_tool_at_a_time(gateway: Gateway) -> None:
    chunks = await gateway.stream(HAIKU, tools=TOOLS, parallel_tool_calls=False)
    assert streamed_calls(chunks) == [WEATHER]


async def test_a_tool_that_must_be_called(gateway: Gateway) -> None:
    choice = {"type": "function", "function": {"name": "get_time"}}
    answer = await gateway.completion(HAIKU, tools=TOOLS, tool_choice=choice)
    assert calls(answer.choices[0]) == [TIME]


async def test_no_tool_where_none_is_wanted(gateway: Gateway) -> None:
    answer = await gateway.completion(HAIKU, tools=TOOLS, tool_choice="none")
    assert answer.choices[0].message.tool_calls is None
    assert answer.choices[0].message.content == "Hello big world"


async def test_the_calls_of_another_model_are_taken(gateway: Gateway) -> None:
    call = {"id": "functions.f:0", "type": "function"}
    talk = [
        {"role": "user", "content": "Weather?"},
        {
            "role": "assistant",
            "content": None,
            "tool_calls": [call | {"function": {"name": "f", "arguments": '{"half":'}}],
        },
        {"role": "tool", "tool_call_id": "functions.f:0", "content": "malformed arguments"},
    ]
    answer = await gateway.completion(HAIKU, messages=talk)
    assert answer.choices[0].message.content == "malformed arguments"


# failures


@pytest.mark.parametrize("stream", [False, True])
@pytest.mark.parametrize(
    ("mood", "status", "kind", "code"),
    [
        ("status-400", 400, "invalid_request_error", None),
        ("long", 400, "invalid_request_error", "context_length_exceeded"),
        ("status-401", 502, "provider_error", "provider_auth_failed"),
        ("status-402", 502, "provider_error", "provider_auth_failed"),
        ("status-403", 502, "provider_error", "provider_auth_failed"),
        ("status-413", 413, "request_too_large", "request_too_large"),
        ("status-429", 429, "rate_limit_error", "rate_limit_exceeded"),
        ("status-500", 502, "provider_error", "provider_not_working"),
        ("status-504", 504, "provider_error", "provider_timeout"),
        ("status-529", 503, "server_error", "overloaded"),
        ("cut-head", 502, "provider_error", "provider_not_working"),
        ("cut-first", 502, "provider_error", "provider_not_working"),
        ("error-first-api_error", 502, "provider_error", "provider_not_working"),
    ],
)
async def test_a_failure_before_the_answer_is_a_status(
    gateway: Gateway, *, mood: str, status: int, kind: str, code: str | None, stream: bool
) -> None:
    answer = await gateway.ask(f"{HAIKU}@{mood}", stream=stream)
    assert answer.status == status, answer.body
    error = answer.error()
    assert (error["type"], error["code"]) == (kind, code)
    assert "Anthropic" in error["message"]


@pytest.mark.parametrize("mood", ["status-429", "status-529"])
async def test_when_to_come_back_is_passed_on(gateway: Gateway, mood: str) -> None:
    answer = await gateway.ask(f"{HAIKU}@{mood}")
    assert answer.headers["retry-after"] == "7"


@pytest.mark.parametrize(
    ("kind", "status", "code"),
    [
        ("overloaded_error", 503, "overloaded"),
        ("rate_limit_error", 429, "rate_limit_exceeded"),
        ("timeout_error", 504, "provider_timeout"),
    ],
)
async def test_an_error_event_before_the_content_is_a_status_too(
    gateway: Gateway, kind: str, status: int, code: str
) -> None:
    answer = await gateway.ask(f"{HAIKU}@error-first-{kind}", stream=True)
    assert (answer.status, answer.error()["code"]) == (status, code)


#: how an answer goes wrong, and what it says before
MOODS = {
    "cut-event": "Hello ",
    "cut-between": "Hello ",
    "malformed": "Hello ",
    "error-late-api_error": "Hello big ",
    "cut-last": "Hello big world",
    "no-stop": "Hello big world",
}


@pytest.mark.parametrize("mood", MOODS)
async def test_a_failure_in_the_answer_is_its_last_event(gateway: Gateway, mood: str) -> None:
    text, error = await gateway.failed_stream(f"{HAIKU}@{mood}")
    assert text == MOODS[mood]
    assert (error["type"], error["code"]) == ("provider_error", "provider_not_working")


@pytest.mark.parametrize("mood", MOODS)
async def test_a_whole_answer_that_is_broken_is_a_status(gateway: Gateway, mood: str) -> None:
    answer = await gateway.ask(f"{HAIKU}@{mood}")
    assert answer.status == 502
    assert answer.error()["type"] == "provider_error"


async def test_too_many_requests_in_the_middle_of_an_answer(gateway: Gateway) -> None:
    text, error = await gateway.failed_stream(f"{HAIKU}@error-late-overloaded_error")
    assert (text, error["code"]) == ("Hello big ", "overloaded")


async def test_an_unknown_model_is_told_by_the_api(gateway: Gateway) -> None:
    answer = await gateway.ask("Anthropic:claude-9")
    assert answer.status == 404
    assert answer.error()["code"] == "model_not_found"
    assert answer.error()["message"] == "Anthropic answered 404: model: claude-9"


@pytest.mark.parametrize(
    ("fields", "param"),
    [
        ({"temperature": 1.5}, "temperature"),
        ({"logprobs": True}, "logprobs"),
        ({"seed": 1}, "seed"),
    ],
)
async def test_what_the_api_has_no_word_for_is_not_even_asked(
    gateway: Gateway, api: Running, fields: dict[str, Any], param: str
) -> None:
    answer = await gateway.ask(HAIKU, **fields)
    assert answer.status == 400
    assert (answer.error()["code"], answer.error()["param"]) == ("unsupported_parameter", param)
    assert await api.records() == []


async def test_a_key_of_the_callers_own(gateway: Gateway) -> None:
    answer = await gateway.ask(HAIKU, key="wrong-own-key")
    assert answer.status == 401
    assert answer.error()["code"] == "invalid_api_key"


async def test_the_key_is_never_quoted(gateway: Gateway) -> None:
    answer = await gateway.ask(f"{HAIKU}@leak")
    assert "The key *** may not do this" in answer.error()["message"]
    assert "blue" not in repr(Anthropic(headers={"x-team": "blue"}))


async def test_who_leaves_is_not_answered_any_more(api: Running, session: Pool) -> None:
    hello = [{"role": "user", "content": "a b c"}]
    asked = request(model=f"{HAIKU}@hang", messages=hello)
    events = Anthropic(base_url=api.root).chat(asked, context(session))
    async with aclosing(events):
        assert await anext(events) == TextDelta("a ")
    await asyncio.wait_for(api.closed(), 5)


# the same dialect on both sides


def messages_request(model: str, **fields: Any) -> Any:
    """A request as a client of the Messages API sends it."""
    hello = [{"role": "user", "content": "Hello big world"}]
    body = {"model": model, "max_tokens": 9000, "messages": hello, **fields}
    return ANTHROPIC_MESSAGES.decode_request(orjson.dumps(body))


async def test_an_answer_in_the_clients_dialect_passes_through(api: Running, session: Pool) -> None:
    thinking = {"type": "enabled", "budget_tokens": 1024}
    asked = messages_request(SONNET, stream=True, thinking=thinking, top_k=5)
    events = [event async for event in Anthropic(base_url=api.root).chat(asked, context(session))]
    assert all(isinstance(event, Passthrough) for event in events)
    stream = passed(events)
    assert b'"type": "ping"' in stream, "not even a space is changed"
    found = message(stream)
    assert found["content"][0] == {
        "type": "thinking",
        "thinking": "Let me think.",
        "signature": "EqQBCgIYAhIM",
    }
    assert found["content"][1]["text"] == "Hello big world"
    assert (await api.bodies())[0]["top_k"] == 5


async def test_a_body_in_the_clients_dialect_passes_through(api: Running, session: Pool) -> None:
    asked = messages_request(HAIKU)
    (event,) = [one async for one in Anthropic(base_url=api.root).chat(asked, context(session))]
    assert isinstance(event, Passthrough)
    assert event.last
    assert orjson.loads(event.data)["content"][0]["text"] == "Hello big world"


async def test_who_must_see_the_answer_gets_events_with_all_seals(
    api: Running, session: Pool
) -> None:
    thinking = {"type": "enabled", "budget_tokens": 1024}
    asked = attrs.evolve(messages_request(SONNET, stream=True, thinking=thinking), accept=None)
    events = [event async for event in Anthropic(base_url=api.root).chat(asked, context(session))]
    assert ReasoningDelta("", signature="EqQBCgIYAhIM") in events
    assert Finish("stop") in events
    encoder = ANTHROPIC_MESSAGES.encoder(asked)
    stream = b"".join(map(encoder.feed, events)) + encoder.finish()
    assert message(stream)["content"][0]["signature"] == "EqQBCgIYAhIM"


async def test_what_a_client_says_in_headers_of_the_api_is_passed_on(
    api: Running, session: Pool
) -> None:
    headers = {
        "anthropic-version": "2026-10-21",
        "anthropic-beta": "two-2026-01-01, three-2026-01-01",
        "anthropic-workspace-id": "w",
    }
    asked = attrs.evolve(messages_request(HAIKU), headers=headers)
    provider = Anthropic(base_url=api.root, beta=("one-2026-01-01", "two-2026-01-01"))
    async for _ in provider.chat(asked, context(session)):
        pass
    await provider.count_tokens(prompt(), context(session))
    first, second = await api.records()
    assert first["headers"]["anthropic-version"] == "2026-10-21"
    assert first["headers"]["anthropic-beta"] == "one-2026-01-01,two-2026-01-01,three-2026-01-01"
    assert first["headers"]["anthropic-workspace-id"] == "w"
    assert first["headers"]["x-api-key"] == KEY
    assert second["headers"]["anthropic-version"] == "2023-06-01"
    assert second["headers"]["anthropic-beta"] == "one-2026-01-01,two-2026-01-01"


async def test_a_header_of_the_settings_has_the_last_word(api: Running, session: Pool) -> None:
    asked = attrs.evolve(messages_request(HAIKU), headers={"anthropic-beta": "mine"})
    provider = Anthropic(base_url=api.root, headers={"anthropic-beta": "ours"})
    async for _ in provider.chat(asked, context(session)):
        pass
    assert (await api.records())[0]["headers"]["anthropic-beta"] == "ours"


async def test_every_field_that_nobody_knows_goes_on(api: Running, session: Pool) -> None:
    more: dict[str, Any] = {"mcp_servers": [{"url": "https://a"}], "x_new": {"deep": [1, None]}}
    asked = messages_request(f"{HAIKU}@anything", **more)
    async for _ in Anthropic(base_url=api.root).chat(asked, context(session)):
        pass
    assert await api.bodies() == [asked.raw]


# counting tokens


def prompt(mood: str = "", **fields: Any) -> Any:
    """A request to count tokens, as a client of the Messages API sends it."""
    hello = [{"role": "user", "content": "Hello big world"}]
    body = {"model": f"{HAIKU}{mood}", "messages": hello, **fields}
    return ANTHROPIC_MESSAGES.decode_prompt(orjson.dumps(body))


async def test_tokens_are_counted_by_the_api(api: Running, session: Pool) -> None:
    provider = Anthropic(base_url=api.root)
    assert await provider.count_tokens(prompt(), context(session)) == 3
    assert await provider.count_tokens(prompt(system="Be brief."), context(session)) == 5
    assert await provider.count_tokens(prompt("@anything", new=1), context(session)) == 3
    *_, last = await api.records()
    assert last["path"] == "/v1/messages/count_tokens"
    assert last["body"]["new"] == 1


async def test_those_of_a_request_of_another_dialect_too(api: Running, session: Pool) -> None:
    asked = request(model=HAIKU, temperature=0.5, max_tokens=5)
    assert await Anthropic(base_url=api.root).count_tokens(asked, context(session)) == 1


@pytest.mark.parametrize("mood", ["@no-count", "@status-405", "@status-501"])
async def test_another_server_of_the_api_need_not_count(
    api: Running, session: Pool, mood: str
) -> None:
    provider = Anthropic(base_url=api.root)
    assert await provider.count_tokens(prompt(mood), context(session)) is None


@pytest.mark.parametrize(
    ("mood", "status"), [("@status-400", 400), ("@status-429", 429), ("@status-529", 503)]
)
async def test_a_refusal_to_count_is_an_error(
    api: Running, session: Pool, mood: str, status: int
) -> None:
    with pytest.raises(GatewayError) as raised:
        await Anthropic(base_url=api.root).count_tokens(prompt(mood), context(session))
    assert raised.value.status == status


async def test_a_model_that_there_is_not_is_not_counted(api: Running, session: Pool) -> None:
    asked = attrs.evolve(prompt(), model="claude-9")
    with pytest.raises(GatewayError) as raised:
        await Anthropic(base_url=api.root).count_tokens(asked, context(session))
    assert raised.value.code == "model_not_found"


async def test_what_is_no_count_is_an_error(api: Running, session: Pool) -> None:
    with pytest.raises(UpstreamError, match="Anthropic sent no count"):
        await Anthropic(base_url=api.root).count_tokens(prompt("@odd-count"), context(session))


# thoughts between calls


async def told_after_calls(gateway: Gateway, model: str, **fields: Any) -> str:
    """What a model says when its calls are answered by a client that sends no thoughts back."""
    answer = await gateway.completion(model, tools=TOOLS, **fields)
    called = answer.choices[0].message.model_dump(
        include={"role", "content", "tool_calls"}, exclude_none=True
    )
    results = [
        {"role": "tool", "tool_call_id": call["id"], "content": "12 °C"}
        for call in called["tool_calls"]
    ]
    talk = [{"role": "user", "content": "Weather?"}, called, *results]
    answer = await gateway.completion(model, messages=talk, tools=TOOLS, **fields)
    return answer.choices[0].message.content or ""


@pytest.mark.parametrize("model", [SONNET, OPUS, f"{SONNET}@redacted"])
async def test_who_thinks_gets_its_thoughts_back_with_its_calls(
    gateway: Gateway, api: Running, model: str
) -> None:
    assert await told_after_calls(gateway, model, reasoning_effort="low") == "12 °C; 12 °C"
    _, second = await api.bodies()
    blocks = [block["type"] for block in second["messages"][1]["content"]]
    expected = ["thinking", "text", "tool_use", "tool_use"]
    assert blocks == (["redacted_thinking"] if "@" in model else []) + expected
    assert second["thinking"]["type"] == ("adaptive" if model == OPUS else "enabled")


async def test_and_goes_on_without_thinking_where_they_are_forgotten(
    gateway: Gateway, api: Running
) -> None:
    call = {"id": "elsewhere", "type": "function", "function": {"name": "f", "arguments": "{}"}}
    talk = [
        {"role": "user", "content": "Weather?"},
        {"role": "assistant", "content": None, "tool_calls": [call]},
        {"role": "tool", "tool_call_id": "elsewhere", "content": "12 °C"},
    ]
    answer = await gateway.completion(SONNET, messages=talk, reasoning_effort="low")
    assert answer.choices[0].message.content == "12 °C"
    assert "thinking" not in (await api.bodies())[0]


@pytest.mark.parametrize("by", ["Anthropic", "another"])
@pytest.mark.parametrize("stream", [True, False])
async def test_a_client_of_the_responses_api_sends_its_thoughts_back_itself(
    api: Running,
    session: Pool,
    by: str,
    stream: bool,  # noqa: FBT001
) -> None:
    """Each time another instance, so that nothing can be remembered here."""

    async def answer(*items: Any) -> list[Any]:
        body = {
            "model": SONNET,
            "input": [{"role": "user", "content": "Weather?"}, *items],
            "tools": [{"type": "function", "name": name} for name in ("get_weather", "get_time")],
            "reasoning": {"effort": "low"},
            "stream": stream,
        }
        request = OPENAI_RESPONSES.decode_request(orjson.dumps(body))
        encoder = StreamEncoder(request)
        encoder.feed(Started(by, SONNET))
        provider = Anthropic(base_url=api.root)
        async for event in provider.chat(attrs.evolve(request, accept=None), context(session)):
            encoder.feed(event)
        encoder.finish()
        response = encoder.response()
        assert response is not None
        output: list[Any] = response["output"]
        return output

    output = await answer()
    assert output[0]["type"] == "reasoning"
    called = [item["call_id"] for item in output if item["type"] == "function_call"]
    results = [
        {"type": "function_call_output", "call_id": one, "output": "12 °C"} for one in called
    ]
    again = await answer(*output, *results)
    assert again[-1]["content"][0]["text"] == "12 °C; 12 °C"
    _, second = await api.bodies()
    blocks = second["messages"][1]["content"]
    thinking = {"type": "thinking", "thinking": "Let me think.", "signature": "EqQBCgIYAhIM"}
    assert [block for block in blocks if block["type"] == "thinking"] == (
        [thinking] if by == "Anthropic" else []
    )
    assert blocks[0] == thinking or by == "another"
    assert ("thinking" in second) == (by == "Anthropic")
