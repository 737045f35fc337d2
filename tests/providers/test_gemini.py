"""Gemini's own API behind OpenAI's, against a fake of it in a process of its own."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterator
from contextlib import aclosing
from typing import Any

import attrs
import orjson
import pytest

from g4f_aio.core.errors import (
    AuthenticationError,
    GatewayError,
    UpstreamAuthError,
    UpstreamError,
)
from g4f_aio.core.models import Capability, ModelInfo
from g4f_aio.core.provider import CallContext
from g4f_aio.dialects.openai_embeddings import OPENAI_EMBEDDINGS
from g4f_aio.gateway.plugins import find_plugins, load_class
from g4f_aio.providers.gemini import Gemini
from g4f_aio.providers.pool import Pool
from g4f_aio.providers.upstream import Client
from tests.dialects.wire import request
from tests.gemini_server import KEY, PIXEL
from tests.hosted_server import Running, running
from tests.providers.served import Gateway, calls, finishes, said, served, streamed_calls

FLASH, NEWER, OLDER = "gemini-2.5-flash", "gemini-3-flash-preview", "gemini-2.0-flash"
IMAGE = {"type": "image_url", "image_url": {"url": f"data:image/png;base64,{PIXEL}"}}
TOOLS = [
    {"type": "function", "function": {"name": name, "parameters": {"type": "object"}}}
    for name in ("get_weather", "get_time")
]
WEATHER = ("get_weather", '{"city":"Köln"}')
TIME = ("get_time", '{"city":"Köln"}')


@pytest.fixture(scope="module")
def process() -> Iterator[Running]:
    with running("tests.gemini_server") as fake:
        yield fake


@pytest.fixture
def api(process: Running) -> Running:
    """The fake API, with no records of earlier tests."""
    process.forget()
    return process


@pytest.fixture
async def gateway(api: Running) -> AsyncIterator[Gateway]:
    async with served(Gemini(base_url=api.root), KEY, FLASH) as found:
        yield found


def context(session: Pool, credential: str = KEY, *, own: bool = False) -> CallContext:
    client = Client(session, "Gemini", 5.0, 5.0, 2**20)
    return CallContext(client, "Gemini", credential, own)


# what it is


def test_it_is_installed_under_its_name() -> None:
    assert load_class(find_plugins()["Gemini"]) is Gemini


def test_a_key_is_all_it_needs() -> None:
    provider = Gemini()
    assert provider.key == "required"
    assert provider.missing() is None
    assert provider.base_url == "https://generativelanguage.googleapis.com"


@pytest.mark.parametrize("url", ["https://proxy.example.org/", "https://proxy.example.org/v1beta/"])
def test_another_address_is_a_setting(url: str) -> None:
    assert Gemini(base_url=url).base_url == "https://proxy.example.org"


def test_an_address_that_is_none_is_refused() -> None:
    with pytest.raises(ValueError, match="base_url"):
        Gemini(base_url="proxy.example.org")


# models


async def test_the_models_that_talk_or_embed(api: Running, session: Pool) -> None:
    found = await Gemini(base_url=api.root).fetch_models(context(session))
    can = Gemini.capabilities & ~Capability.EMBEDDINGS
    plain = can & ~Capability.REASONING
    seeing = Capability.CHAT | Capability.STREAM | Capability.VISION
    assert found == (
        ModelInfo(FLASH, can, 1048576, owned_by="google"),
        ModelInfo("gemini-embedding-001", Capability.EMBEDDINGS, 2048, owned_by="google"),
        ModelInfo(f"{FLASH}-preview-tts", Capability.SPEECH, 8192, owned_by="google"),
        ModelInfo(f"{FLASH}-image", plain | Capability.IMAGE, 32768, owned_by="google"),
        ModelInfo("gemma-3-27b-it", seeing, 131072, owned_by="google"),
    )
    first, second = await api.records()
    assert first["path"] == "/v1beta/models?pageSize=1000"
    assert second["path"] == "/v1beta/models?pageSize=1000&pageToken=3"


async def test_texts_become_vectors(session: Pool, serve: Any) -> None:
    path = "/v1beta/models/gemini-embedding-001:batchEmbedContents"
    other = await serve({path: {"embeddings": [{"values": [0.5]}, {"values": [0.25]}]}})
    asked = OPENAI_EMBEDDINGS.decode_request(
        orjson.dumps({"model": "gemini-embedding-001", "input": ["a", "b"]})
    )
    found = await Gemini(base_url=other.root).embed(asked, context(session))
    assert found.vectors == ([0.5], [0.25])
    assert other.requests[0].headers["x-goog-api-key"] == KEY
    missing = attrs.evolve(asked, model="gone")
    with pytest.raises(GatewayError):
        await Gemini(base_url=other.root).embed(missing, context(session))


async def test_what_is_no_list_of_models_is_an_error(session: Pool, serve: Any) -> None:
    other = await serve({"/v1beta/models": {"data": []}})
    with pytest.raises(UpstreamError, match="sent no list of models"):
        await Gemini(base_url=other.root).fetch_models(context(session))


async def test_a_list_that_never_ends_is_not_read_for_ever(session: Pool, serve: Any) -> None:
    listed = {"models": [{"name": "models/m"}, {"name": 1}, 2], "nextPageToken": "again"}
    other = await serve({"/v1beta/models": listed})
    assert await Gemini(base_url=other.root).fetch_models(context(session)) == ()
    assert len(other.requests) == 20


async def test_a_refused_key_is_ours_or_the_caller_s(api: Running, session: Pool) -> None:
    provider = Gemini(base_url=api.root)
    with pytest.raises(UpstreamAuthError, match="API key not valid"):
        await provider.fetch_models(context(session, "wrong"))
    with pytest.raises(AuthenticationError):
        await provider.fetch_models(context(session, "wrong", own=True))


# chats


async def test_an_answer(gateway: Gateway, api: Running) -> None:
    answer = await gateway.completion(FLASH)
    (choice,) = answer.choices
    assert choice.message.content == "Hello big world"
    assert choice.finish_reason == "stop"
    assert answer.model == FLASH
    (record,) = await api.records()
    assert record["path"] == f"/v1beta/models/{FLASH}:generateContent"
    assert record["headers"]["x-goog-api-key"] == KEY
    assert "authorization" not in record["headers"]
    assert KEY not in record["path"]


async def test_a_stream(gateway: Gateway, api: Running) -> None:
    chunks = await gateway.stream(FLASH)
    assert said(chunks) == "Hello big world"
    assert finishes(chunks) == {0: "stop"}
    assert [chunk.choices[0].delta.content for chunk in chunks][-4:] == [
        "Hello ",
        "big ",
        "world",
        None,
    ]
    (record,) = await api.records()
    assert record["path"] == f"/v1beta/models/{FLASH}:streamGenerateContent?alt=sse"


@pytest.mark.parametrize("mood", ["crlf", "bytes", "array"])
async def test_a_stream_however_it_is_written(gateway: Gateway, mood: str) -> None:
    chunks = await gateway.stream(f"{FLASH}@{mood}", "Hello 日本 👋🏽")
    assert said(chunks) == "Hello 日本 👋🏽"


async def test_usage_counts_thoughts_as_output(gateway: Gateway) -> None:
    answer = await gateway.completion(FLASH)
    assert answer.usage is not None
    assert (answer.usage.prompt_tokens, answer.usage.completion_tokens) == (10, 5)
    assert answer.usage.total_tokens == 15
    assert answer.usage.prompt_tokens_details is not None
    assert answer.usage.prompt_tokens_details.cached_tokens == 4
    assert answer.usage.completion_tokens_details is not None
    assert answer.usage.completion_tokens_details.reasoning_tokens == 2


async def test_usage_of_a_stream_is_where_it_is_wanted(gateway: Gateway) -> None:
    plain = await gateway.stream(FLASH)
    assert plain[-1].usage is not None
    assert plain[-1].usage.completion_tokens == 5
    asked = await gateway.stream(FLASH, stream_options={"include_usage": True})
    assert asked[-1].choices == []
    assert asked[-1].usage == plain[-1].usage
    assert [chunk.usage for chunk in asked[:-1]] == [None] * (len(asked) - 1)


@pytest.mark.parametrize("model", [FLASH, NEWER])
async def test_thoughts_are_reasoning(gateway: Gateway, model: str) -> None:
    answer = await gateway.completion(model)
    assert answer.choices[0].message.model_extra is not None
    assert answer.choices[0].message.model_extra["reasoning_content"] == "**Looking** at it."
    chunks = await gateway.stream(model)
    thoughts = [c.delta.model_extra or {} for chunk in chunks for c in chunk.choices]
    assert "".join(one.get("reasoning_content", "") for one in thoughts) == "**Looking** at it."


@pytest.mark.parametrize(
    ("model", "config"),
    [
        (FLASH, {"thinkingBudget": 8192, "includeThoughts": True}),
        (NEWER, {"thinkingLevel": "MEDIUM", "includeThoughts": True}),
    ],
)
async def test_an_effort_is_taken(gateway: Gateway, api: Running, model: str, config: Any) -> None:
    await gateway.completion(model, reasoning_effort="medium")
    (body,) = await api.bodies()
    assert body["generationConfig"]["thinkingConfig"] == config


async def test_a_model_that_does_not_think_refuses_an_effort(gateway: Gateway) -> None:
    assert (await gateway.completion(OLDER)).choices[0].message.content == "Hello big world"
    answer = await gateway.ask(OLDER, reasoning_effort="none")
    assert answer.status == 400
    assert answer.error()["code"] == "INVALID_ARGUMENT"
    assert "Thinking is not enabled" in answer.error()["message"]


async def test_thoughts_are_not_asked_for_where_the_settings_say_so(api: Running) -> None:
    async with served(Gemini(base_url=api.root, thoughts=False), KEY) as gateway:
        answer = await gateway.completion(FLASH)
    assert "reasoning_content" not in (answer.choices[0].message.model_extra or {})
    (body,) = await api.bodies()
    assert "generationConfig" not in body


async def test_a_bound_is_kept(gateway: Gateway) -> None:
    answer = await gateway.completion(OLDER, max_tokens=2)
    assert answer.choices[0].message.content == "Hello big "
    assert answer.choices[0].finish_reason == "length"
    chunks = await gateway.stream(OLDER, max_completion_tokens=2)
    assert said(chunks) == "Hello big "
    assert finishes(chunks) == {0: "length"}


async def test_several_answers(gateway: Gateway, api: Running) -> None:
    answer = await gateway.completion(OLDER, n=2)
    assert [choice.index for choice in answer.choices] == [0, 1]
    assert {choice.message.content for choice in answer.choices} == {"Hello big world"}
    chunks = await gateway.stream(OLDER, n=2)
    assert (said(chunks, 0), said(chunks, 1)) == ("Hello big world", "Hello big world")
    assert finishes(chunks) == {0: "stop", 1: "stop"}
    assert (await api.bodies())[0]["generationConfig"] == {"candidateCount": 2}


async def test_log_probabilities(gateway: Gateway) -> None:
    answer = await gateway.completion(OLDER, logprobs=True, top_logprobs=2)
    found = answer.choices[0].logprobs
    assert found is not None
    assert found.content is not None
    assert [(one.token, one.logprob) for one in found.content][:2] == [
        ("Hello ", -0.25),
        ("big ", -0.25),
    ]
    chunks = await gateway.stream(OLDER, logprobs=True, top_logprobs=2)
    tokens = [c.logprobs.content for chunk in chunks for c in chunk.choices if c.logprobs]
    assert [len(one[0].top_logprobs) for one in tokens if one] == [2, 2, 2]


async def test_an_image_that_is_seen(gateway: Gateway, api: Running) -> None:
    content = [{"type": "text", "text": "What is it?"}, IMAGE]
    answer = await gateway.completion(FLASH, messages=[{"role": "user", "content": content}])
    assert answer.choices[0].message.content == "What is it?"
    (body,) = await api.bodies()
    assert body["contents"][0]["parts"][1] == {
        "inlineData": {"mimeType": "image/png", "data": PIXEL}
    }


async def test_an_image_that_is_made(gateway: Gateway) -> None:
    model = f"{FLASH}-image@image"
    answer = await gateway.completion(model)
    expected = f"Here it is:\n![](data:image/png;base64,{PIXEL})\n"
    assert answer.choices[0].message.content == expected
    assert said(await gateway.stream(model)) == expected


async def test_json(gateway: Gateway, api: Running) -> None:
    schema = {"type": "object", "properties": {"said": {"type": "string"}}}
    form = {"type": "json_schema", "json_schema": {"name": "n", "schema": schema}}
    answer = await gateway.completion(OLDER, response_format=form)
    assert answer.choices[0].message.content == '{"said": "Hello big world"}'
    (body,) = await api.bodies()
    assert body["generationConfig"]["responseJsonSchema"] == schema


async def test_sources(gateway: Gateway, api: Running) -> None:
    answer = await gateway.completion(f"{OLDER}@search", web_search_options={})
    (note,) = answer.choices[0].message.annotations or []
    assert (note.url_citation.url, note.url_citation.title) == (
        "https://example.org/a",
        "example.org",
    )
    (body,) = await api.bodies()
    assert body["tools"] == [{"googleSearch": {}}]


async def test_a_system_message_for_a_model_that_has_none(gateway: Gateway, api: Running) -> None:
    talk = [{"role": "system", "content": "Be brief."}, {"role": "user", "content": "Hi"}]
    answer = await gateway.completion("gemma-3-27b-it", messages=talk)
    assert answer.choices[0].message.content == "Be brief. Hi"
    await gateway.completion(OLDER, messages=talk)
    assert "systemInstruction" in (await api.bodies())[1]


async def test_a_model_may_be_named_with_its_folder(gateway: Gateway, api: Running) -> None:
    answer = await gateway.completion(f"Gemini:models/{OLDER}")
    assert answer.choices[0].message.content == "Hello big world"
    (record,) = await api.records()
    assert record["path"] == f"/v1beta/models/{OLDER}:generateContent"


# tools


@pytest.mark.parametrize("model", [FLASH, NEWER])
async def test_parallel_tools_and_what_they_say(gateway: Gateway, api: Running, model: str) -> None:
    answer = await gateway.completion(model, tools=TOOLS, parallel_tool_calls=True)
    (choice,) = answer.choices
    assert calls(choice) == [WEATHER, TIME]
    assert choice.message.content is None
    assert choice.finish_reason == "tool_calls"
    message = choice.message.model_dump(exclude_none=True)
    results = [
        {"role": "tool", "tool_call_id": call["id"], "content": '{"ok": true}'}
        for call in message["tool_calls"]
    ]
    talk = [{"role": "user", "content": "Weather?"}, message, *results]
    answer = await gateway.completion(model, messages=talk, tools=TOOLS)
    assert answer.choices[0].message.content == "get_weather: {'ok': True}; get_time: {'ok': True}"
    sent = (await api.bodies())[1]["contents"][1]["parts"]
    signed = [part.get("thoughtSignature") for part in sent]
    assert signed == (["signed-get_weather", None] if model == NEWER else [None, None])


async def test_parallel_tools_streamed(gateway: Gateway) -> None:
    chunks = await gateway.stream(NEWER, tools=TOOLS)
    assert streamed_calls(chunks) == [WEATHER, TIME]
    assert finishes(chunks) == {0: "tool_calls"}


async def test_one_tool_at_a_time(gateway: Gateway) -> None:
    chunks = await gateway.stream(NEWER, tools=TOOLS, parallel_tool_calls=False)
    assert streamed_calls(chunks) == [WEATHER]


async def test_a_tool_that_must_be_called(gateway: Gateway) -> None:
    choice = {"type": "function", "function": {"name": "get_time"}}
    answer = await gateway.completion(FLASH, tools=TOOLS, tool_choice=choice)
    assert calls(answer.choices[0]) == [TIME]


async def test_no_tool_where_none_is_wanted(gateway: Gateway) -> None:
    answer = await gateway.completion(FLASH, tools=TOOLS, tool_choice="none")
    assert answer.choices[0].message.tool_calls is None
    assert answer.choices[0].message.content == "Hello big world"


async def test_the_calls_of_another_model_are_taken(gateway: Gateway) -> None:
    call = {"id": "call_1", "type": "function", "function": {"name": "f", "arguments": "{}"}}
    talk = [
        {"role": "user", "content": "Weather?"},
        {"role": "assistant", "content": None, "tool_calls": [call]},
        {"role": "tool", "tool_call_id": "call_1", "content": "wet"},
    ]
    answer = await gateway.completion(NEWER, messages=talk)
    assert answer.choices[0].message.content == "f: {'output': 'wet'}"


# filters


@pytest.mark.parametrize("reason", ["SAFETY", "RECITATION", "PROHIBITED_CONTENT"])
async def test_a_filter_ends_an_answer(gateway: Gateway, reason: str) -> None:
    model = f"{OLDER}@finish-{reason}"
    assert (await gateway.completion(model)).choices[0].finish_reason == "content_filter"
    chunks = await gateway.stream(model)
    assert finishes(chunks) == {0: "content_filter"}
    assert said(chunks) == "Hello big world"


async def test_a_prompt_that_is_blocked(gateway: Gateway) -> None:
    answer = await gateway.completion(f"{OLDER}@blocked")
    assert answer.choices[0].finish_reason == "content_filter"
    assert not answer.choices[0].message.content
    chunks = await gateway.stream(f"{OLDER}@blocked")
    assert finishes(chunks) == {0: "content_filter"}


async def test_an_empty_answer_is_one(gateway: Gateway) -> None:
    answer = await gateway.completion(f"{OLDER}@empty")
    assert (answer.choices[0].message.content, answer.choices[0].finish_reason) == ("", "stop")


# failures


@pytest.mark.parametrize("stream", [False, True])
@pytest.mark.parametrize(
    ("mood", "status", "kind", "code"),
    [
        ("status-400", 400, "invalid_request_error", "INVALID_ARGUMENT"),
        ("too-long", 400, "invalid_request_error", "context_length_exceeded"),
        ("country", 502, "provider_error", "provider_not_working"),
        ("status-401", 502, "provider_error", "provider_auth_failed"),
        ("status-403", 502, "provider_error", "provider_auth_failed"),
        ("status-404", 404, "model_not_found", "model_not_found"),
        ("quota", 429, "rate_limit_error", "rate_limit_exceeded"),
        ("status-500", 502, "provider_error", "provider_not_working"),
        ("status-503", 502, "provider_error", "provider_not_working"),
        ("status-504", 504, "provider_error", "provider_timeout"),
        ("cut-before", 502, "provider_error", "provider_not_working"),
        ("error-first", 502, "provider_error", "provider_not_working"),
    ],
)
async def test_a_failure_before_the_answer_is_a_status(
    gateway: Gateway, *, mood: str, status: int, kind: str, code: str, stream: bool
) -> None:
    answer = await gateway.ask(f"{OLDER}@{mood}", stream=stream)
    assert answer.status == status, answer.body
    error = answer.error()
    assert (error["type"], error["code"]) == (kind, code)
    assert "Gemini" in error["message"]


async def test_a_quota_says_when_to_come_back(gateway: Gateway) -> None:
    answer = await gateway.ask(f"{OLDER}@quota")
    assert answer.headers["retry-after"] == "7"
    assert answer.headers["retry-after-ms"] == "7000"


#: how an answer goes wrong, and what it says before
MOODS = {
    "cut-mid-event": "Hello ",
    "cut-between": "Hello ",
    "malformed": "Hello ",
    "error-late": "Hello ",
    "no-finish": "Hello big world",
    "finish-MALFORMED_FUNCTION_CALL": "Hello big world",
}


@pytest.mark.parametrize("mood", MOODS)
async def test_a_failure_in_the_answer_is_its_last_event(gateway: Gateway, mood: str) -> None:
    text, error = await gateway.failed_stream(f"{OLDER}@{mood}")
    assert text == MOODS[mood]
    assert error["type"] == "provider_error"


@pytest.mark.parametrize("mood", MOODS)
async def test_a_whole_answer_that_is_broken_is_a_status(gateway: Gateway, mood: str) -> None:
    answer = await gateway.ask(f"{OLDER}@{mood}")
    assert answer.status == 502
    assert answer.error()["type"] == "provider_error"


async def test_an_unknown_model_is_told_by_the_api(gateway: Gateway) -> None:
    answer = await gateway.ask("Gemini:text-unicorn")
    assert answer.status == 404
    assert answer.error()["code"] == "model_not_found"
    assert "models/text-unicorn is not found" in answer.error()["message"]


@pytest.mark.parametrize("model", ["../../files", "models/..", "tunedModels//x"])
async def test_a_model_s_name_leads_nowhere_else(
    gateway: Gateway, api: Running, model: str
) -> None:
    answer = await gateway.ask(f"Gemini:{model}")
    assert answer.status == 404
    assert await api.records() == []


async def test_a_name_is_one_part_of_the_path(gateway: Gateway, api: Running) -> None:
    await gateway.ask("Gemini:a?key=b#c d")
    (record,) = await api.records()
    assert record["path"] == "/v1beta/models/a%3Fkey=b%23c%20d:generateContent"


async def test_what_the_api_has_no_word_for_is_not_even_asked(
    gateway: Gateway, api: Running
) -> None:
    answer = await gateway.ask(FLASH, logit_bias={"1": 1})
    assert answer.status == 400
    assert (answer.error()["code"], answer.error()["param"]) == (
        "unsupported_parameter",
        "logit_bias",
    )
    assert await api.records() == []


async def test_a_key_of_the_caller_s_own(gateway: Gateway) -> None:
    answer = await gateway.ask(FLASH, key="wrong-own-key")
    assert answer.status == 401
    assert answer.error()["code"] == "invalid_api_key"


async def test_the_key_is_never_quoted(gateway: Gateway) -> None:
    answer = await gateway.ask(f"{FLASH}@leak")
    assert "The key *** may not do this" in answer.error()["message"]
    assert KEY not in repr(Gemini())


async def test_who_leaves_is_not_answered_any_more(api: Running, session: Pool) -> None:
    events = Gemini(base_url=api.root).chat(
        request(model=f"{OLDER}@hang", messages=[{"role": "user", "content": "a b"}]),
        context(session),
    )
    async with aclosing(events):
        await anext(events)
    await asyncio.wait_for(api.closed(), 5)
