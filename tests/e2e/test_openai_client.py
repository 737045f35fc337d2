"""OpenAI's own Python client against a running gateway."""

from __future__ import annotations

from typing import Any

import openai
import pytest
from openai.types.chat import ChatCompletion, ChatCompletionToolParam

from tests.conftest import Upstream
from tests.e2e.conftest import KEY, UPSTREAM_KEY
from tests.e2e.gateway import Gateway

HELLO: Any = [{"role": "user", "content": "Hello, how are you?"}]
TOOLS: list[ChatCompletionToolParam] = [
    {
        "type": "function",
        "function": {
            "name": name,
            "parameters": {"type": "object", "properties": {"city": {"type": "string"}}},
        },
    }
    for name in ("get_weather", "get_time")
]


def test_an_answer(sdk: openai.OpenAI, upstream: Upstream) -> None:
    answer = sdk.chat.completions.create(model="gpt-4o", messages=HELLO, temperature=0.5)
    assert answer.object == "chat.completion"
    assert answer.model == "gpt-4o"
    assert answer.choices[0].message.content == "Hello, how are you?"
    assert answer.choices[0].finish_reason == "stop"
    assert answer.usage is not None
    assert answer.usage.total_tokens == answer.usage.prompt_tokens + answer.usage.completion_tokens
    assert answer.model_extra is not None
    assert answer.model_extra["provider"] == "work"
    (asked,) = upstream.fetch_records("gpt-4o")
    assert asked["body"] == {"model": "gpt-4o", "messages": HELLO, "temperature": 0.5}
    assert asked["headers"]["authorization"] == f"Bearer {UPSTREAM_KEY}"
    assert KEY not in str(asked)


def test_a_stream(sdk: openai.OpenAI) -> None:
    chunks = list(sdk.chat.completions.create(model="gpt-4o", messages=HELLO, stream=True))
    assert chunks[0].choices[0].delta.role == "assistant"
    assert len({(chunk.id, chunk.created, chunk.model) for chunk in chunks}) == 1
    deltas = [choice.delta.content or "" for chunk in chunks for choice in chunk.choices]
    assert "".join(deltas) == "Hello, how are you?"
    reasons = [choice.finish_reason for chunk in chunks for choice in chunk.choices]
    assert reasons == [None] * (len(reasons) - 1) + ["stop"]


async def test_an_answer_on_the_event_loop(async_sdk: openai.AsyncOpenAI) -> None:
    answer = await async_sdk.chat.completions.create(model="gpt-4o", messages=HELLO)
    assert answer.choices[0].message.content == "Hello, how are you?"


async def test_a_stream_on_the_event_loop(async_sdk: openai.AsyncOpenAI) -> None:
    stream = await async_sdk.chat.completions.create(model="gpt-4o", messages=HELLO, stream=True)
    deltas = [choice.delta.content or "" async for chunk in stream for choice in chunk.choices]
    assert "".join(deltas) == "Hello, how are you?"


def test_the_raw_response_has_the_headers(sdk: openai.OpenAI) -> None:
    raw = sdk.chat.completions.with_raw_response.create(
        model="gpt-4o", messages=HELLO, extra_headers={"X-Request-Id": "my-own-id"}
    )
    assert raw.headers["x-request-id"] == "my-own-id"
    assert raw.headers["x-provider"] == "work"
    assert raw.headers["x-model"] == "gpt-4o"
    assert int(raw.headers["openai-processing-ms"]) >= 0
    answer = raw.parse()
    assert isinstance(answer, ChatCompletion)
    assert answer.choices[0].message.content == "Hello, how are you?"


def test_a_raw_stream_has_the_headers(sdk: openai.OpenAI) -> None:
    raw = sdk.chat.completions.with_raw_response.create(model="gpt-4o", messages=HELLO, stream=True)
    assert raw.headers["content-type"].startswith("text/event-stream")
    assert raw.headers["x-provider"] == "work"
    assert raw.request_id is not None
    assert raw.request_id.startswith("req_")
    assert len(list(raw.parse())) > 1


def test_a_streaming_response_gives_the_lines(sdk: openai.OpenAI) -> None:
    with sdk.chat.completions.with_streaming_response.create(
        model="words-3", messages=HELLO, stream=True
    ) as response:
        assert response.headers["x-model"] == "words-3"
        lines = [line for line in response.iter_lines() if line]
    assert all(line.startswith("data: ") for line in lines)
    assert lines[-1] == "data: [DONE]"


async def test_a_streaming_response_on_the_event_loop(async_sdk: openai.AsyncOpenAI) -> None:
    async with async_sdk.chat.completions.with_streaming_response.create(
        model="words-3", messages=HELLO
    ) as response:
        answer = await response.parse()
    assert isinstance(answer, ChatCompletion)
    assert answer.choices[0].message.content == "w0 w1 w2"


def test_parallel_tools(sdk: openai.OpenAI, upstream: Upstream) -> None:
    answer = sdk.chat.completions.create(
        model="tools", messages=HELLO, tools=TOOLS, parallel_tool_calls=True, tool_choice="auto"
    )
    message = answer.choices[0].message
    assert message.content is None
    assert message.tool_calls is not None
    calls = [call for call in message.tool_calls if call.type == "function"]
    assert [(call.id, call.function.name, call.function.arguments) for call in calls] == [
        ("call_a", "get_weather", '{"city": "Köln", "days": 2}'),
        ("call_b", "get_time", "{}"),
    ]
    assert answer.choices[0].finish_reason == "tool_calls"
    asked = upstream.fetch_records("tools")[0]["body"]
    assert asked["tools"] == TOOLS
    assert asked["parallel_tool_calls"] is True


def test_parallel_tools_streamed(sdk: openai.OpenAI) -> None:
    with sdk.chat.completions.stream(model="tools", messages=HELLO, tools=TOOLS) as stream:
        kinds = [event.type for event in stream]
        answer = stream.get_final_completion()
    assert "tool_calls.function.arguments.delta" in kinds
    calls = answer.choices[0].message.tool_calls
    assert calls is not None
    assert [(call.id, call.function.name, call.function.arguments) for call in calls] == [
        ("call_a", "get_weather", '{"city": "Köln", "days": 2}'),
        ("call_b", "get_time", "{}"),
    ]
    assert answer.choices[0].finish_reason == "tool_calls"


def test_the_result_of_a_tool_goes_to_the_upstream(sdk: openai.OpenAI, upstream: Upstream) -> None:
    call = {
        "id": "call_a",
        "type": "function",
        "function": {"name": "get_weather", "arguments": '{"city": "Köln"}'},
    }
    talk: Any = [
        *HELLO,
        {"role": "assistant", "content": None, "tool_calls": [call]},
        {"role": "tool", "tool_call_id": "call_a", "content": "12 °C"},
    ]
    sdk.chat.completions.create(model="words-1", messages=talk, tools=TOOLS)
    assert upstream.fetch_records("words-1")[0]["body"]["messages"] == talk


def test_usage_in_a_chunk_of_its_own_where_it_is_asked_for(sdk: openai.OpenAI) -> None:
    chunks = list(
        sdk.chat.completions.create(
            model="words-3", messages=HELLO, stream=True, stream_options={"include_usage": True}
        )
    )
    *others, last = chunks
    assert last.choices == []
    assert last.usage is not None
    assert last.usage.completion_tokens == 3
    assert all(chunk.choices for chunk in others)
    assert all(chunk.usage is None and "usage" in chunk.model_fields_set for chunk in others)


@pytest.mark.parametrize("model", ["words-3", "usage-in-finish", "no-usage"])
def test_usage_in_the_finishing_chunk_where_nothing_is_said(sdk: openai.OpenAI, model: str) -> None:
    chunks = list(sdk.chat.completions.create(model=model, messages=HELLO, stream=True))
    assert all(chunk.choices for chunk in chunks)
    assert [chunk.usage is not None for chunk in chunks] == [False] * (len(chunks) - 1) + [True]
    usage = chunks[-1].usage
    assert usage is not None
    assert usage.total_tokens == usage.prompt_tokens + usage.completion_tokens > 0
    assert (usage.model_extra or {}).get("estimated", False) is (model == "no-usage")


@pytest.mark.parametrize("model", ["words-3", "usage-in-finish", "no-usage"])
def test_no_usage_where_it_is_not_wanted(sdk: openai.OpenAI, model: str) -> None:
    chunks = list(
        sdk.chat.completions.create(
            model=model, messages=HELLO, stream=True, stream_options={"include_usage": False}
        )
    )
    assert all(chunk.choices for chunk in chunks)
    assert all(chunk.usage is None for chunk in chunks)


@pytest.mark.parametrize("model", ["words-3", "no-usage"])
def test_an_answer_always_has_its_usage(sdk: openai.OpenAI, model: str) -> None:
    usage = sdk.chat.completions.create(model=model, messages=HELLO).usage
    assert usage is not None
    assert usage.completion_tokens > 0
    assert (usage.model_extra or {}).get("estimated", False) is (model == "no-usage")


def test_several_choices(sdk: openai.OpenAI) -> None:
    answer = sdk.chat.completions.create(model="words-2", messages=HELLO, n=2)
    assert [choice.index for choice in answer.choices] == [0, 1]
    chunks = list(sdk.chat.completions.create(model="words-2", messages=HELLO, n=2, stream=True))
    texts = {0: "", 1: ""}
    reasons: dict[int, list[str]] = {0: [], 1: []}
    for chunk in chunks:
        for choice in chunk.choices:
            texts[choice.index] += choice.delta.content or ""
            if choice.finish_reason is not None:
                reasons[choice.index].append(choice.finish_reason)
    assert texts == {0: "w0 w1", 1: "w0 w1"}
    assert reasons == {0: ["stop"], 1: ["stop"]}


def test_log_probabilities(sdk: openai.OpenAI) -> None:
    answer = sdk.chat.completions.create(model="words-2", messages=HELLO, logprobs=True)
    found = answer.choices[0].logprobs
    assert found is not None
    assert found.content is not None
    assert [token.token for token in found.content] == ["w0", " w1"]
    chunks = sdk.chat.completions.create(
        model="words-2", messages=HELLO, logprobs=True, top_logprobs=1, stream=True
    )
    streamed = [
        token.token
        for chunk in chunks
        for choice in chunk.choices
        if choice.logprobs is not None
        for token in choice.logprobs.content or ()
    ]
    assert streamed == ["w0", " w1"]


def test_thoughts(sdk: openai.OpenAI) -> None:
    answer = sdk.chat.completions.create(model="reasoning", messages=HELLO)
    assert (answer.choices[0].message.model_extra or {})["reasoning_content"] == "Let me think."
    chunks = sdk.chat.completions.create(model="reasoning", messages=HELLO, stream=True)
    deltas = [choice.delta for chunk in chunks for choice in chunk.choices]
    thoughts = [(delta.model_extra or {}).get("reasoning_content") for delta in deltas]
    assert "".join(thought or "" for thought in thoughts) == "Let me think."


def test_fields_that_nobody_knows_go_through(sdk: openai.OpenAI, upstream: Upstream) -> None:
    sdk.chat.completions.create(
        model="words-1", messages=HELLO, seed=7, extra_body={"x_vendor": {"deep": [1, None]}}
    )
    asked = upstream.fetch_records("words-1")[0]["body"]
    assert asked["seed"] == 7
    assert asked["x_vendor"] == {"deep": [1, None]}


def test_models(sdk: openai.OpenAI) -> None:
    listed = {model.id: model for model in sdk.models.list()}
    assert listed["gpt-4o-mini"].object == "model"
    assert "work" in (listed["gpt-4o-mini"].model_extra or {})["providers"]
    assert (listed["work"].model_extra or {})["provider"] is True


@pytest.mark.parametrize("name", ["gpt-4o-mini", "vendor/model:free", "{odd} name", "work"])
def test_a_model_whatever_is_in_its_name(sdk: openai.OpenAI, name: str) -> None:
    assert sdk.models.retrieve(name).id == name


async def test_models_on_the_event_loop(async_sdk: openai.AsyncOpenAI) -> None:
    listed = [model.id async for model in async_sdk.models.list()]
    assert "vendor/model:free" in listed
    assert (await async_sdk.models.retrieve("vendor/model:free")).object == "model"


def test_a_provider_by_its_path(keyed: Gateway) -> None:
    with openai.OpenAI(base_url=f"{keyed.url}/api/brief", api_key=KEY, max_retries=0) as sdk:
        raw = sdk.chat.completions.with_raw_response.create(model="words-1", messages=HELLO)
        assert raw.headers["x-provider"] == "brief"
        assert [model.id for model in sdk.models.list()] == ["echo"]


@pytest.mark.parametrize("header", ["g4f-api-key", "x-api-key", "api-key"])
def test_the_key_in_other_headers(keyed: Gateway, header: str) -> None:
    with openai.OpenAI(base_url=keyed.v1, api_key="unused", max_retries=0) as sdk:
        with pytest.raises(openai.AuthenticationError):
            sdk.models.list(extra_headers={header: "another"})
        assert sdk.models.list(extra_headers={header: KEY}).data
