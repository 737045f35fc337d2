"""Anthropic's own Python client against a running gateway, whoever answers behind it."""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from typing import Any

import aiohttp
import anthropic
import pytest
from anthropic.types import (
    Message,
    RawMessageStreamEvent,
    TextBlock,
    ThinkingBlock,
    ToolUseBlock,
)
from pydantic import TypeAdapter

from tests.anthropic_server import KEY as UPSTREAM_KEY
from tests.anthropic_server import REDACTED, SIGNATURE
from tests.conftest import Upstream
from tests.dialects.message_stream import events, message
from tests.e2e.gateway import Gateway, running
from tests.e2e.test_programs import run
from tests.e2e.waiting import until
from tests.e2e.wire import Answer, read
from tests.hosted_server import Running
from tests.hosted_server import running as fake

KEY = "your-secret-key"
#: models of the fake API
OPUS, SONNET, HAIKU = "claude-opus-4-6", "claude-sonnet-4-5-20250929", "claude-3-5-haiku-20241022"
#: what they are asked for by here; by their own names, the client warns of some
BUDGETED, SAME = f"Anthropic:{SONNET}", f"Anthropic:{HAIKU}"
#: a model of an upstream of another API, and of none
OTHER, LOCAL = "work:echo", "OfflineAssistant"
SETTINGS = """
[server]
api_key = "{key}"
keep_alive = 0.2

[routing]
detect_local = false
retries = 0

[providers.Anthropic]
base_url = "{api.root}"
api_key = "{upstream_key}"

[providers.work]
type = "openai-compatible"
base_url = "{upstream.base_url}"
models = ["echo", "tools", "reasoning"]

[models."claude-sonnet-9"]
providers = [ {{ provider = "work", model = "echo" }} ]

[models."claude-chain"]
providers = [
  {{ provider = "work", model = "status-500" }},
  {{ provider = "Anthropic", model = "{haiku}" }},
]
"""
HELLO: Any = [{"role": "user", "content": "Hello big world"}]
TOOLS: Any = [
    {"name": name, "input_schema": {"type": "object", "properties": {"city": {"type": "string"}}}}
    for name in ("get_weather", "get_time")
]
THINKING: Any = {"type": "enabled", "budget_tokens": 1024}
PNG = {"type": "base64", "media_type": "image/png", "data": "iVBORw0KGgo="}
EVENT: TypeAdapter[RawMessageStreamEvent] = TypeAdapter(RawMessageStreamEvent)
#: seconds within which an upstream must hear that the client has left
AT_ONCE = 0.25


@pytest.fixture(scope="module")
def api() -> Iterator[Running]:
    """The fake API."""
    with fake("tests.anthropic_server") as found:
        yield found


@pytest.fixture(scope="module")
def gateway(
    upstream_process: Upstream, api: Running, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Gateway]:
    """A gateway with a key, an upstream of the same API and one of OpenAI's."""
    settings = SETTINGS.format(
        key=KEY, api=api, upstream=upstream_process, upstream_key=UPSTREAM_KEY, haiku=HAIKU
    )
    with running(tmp_path_factory.mktemp("messages"), settings) as found:
        yield found


@pytest.fixture(autouse=True)
def _no_records(api: Running, upstream_process: Upstream) -> None:
    """What earlier tests asked is forgotten."""
    api.forget()
    upstream_process.forget()


@pytest.fixture
def sdk(gateway: Gateway) -> Iterator[anthropic.Anthropic]:
    """The client, which does not try again and takes nothing of a wrong type."""
    with anthropic.Anthropic(
        base_url=gateway.url,
        api_key=KEY,
        max_retries=0,
        timeout=20,
        _strict_response_validation=True,
    ) as made:
        yield made


@pytest.fixture
async def async_sdk(gateway: Gateway) -> AsyncIterator[anthropic.AsyncAnthropic]:
    """As ``sdk``, asynchronous, and with the key in the other header."""
    async with anthropic.AsyncAnthropic(
        base_url=gateway.url,
        auth_token=KEY,
        max_retries=0,
        timeout=20,
        _strict_response_validation=True,
    ) as made:
        yield made


def bodies(fake_api: Running) -> list[dict[str, Any]]:
    """The bodies of the requests it got."""
    return asyncio.run(fake_api.bodies())


def texts(answer: Message) -> str:
    """The text of an answer."""
    return "".join(block.text for block in answer.content if isinstance(block, TextBlock))


def calls(answer: Message) -> list[tuple[str, object]]:
    """The calls of an answer; their ids are unique."""
    found = [block for block in answer.content if isinstance(block, ToolUseBlock)]
    assert len({call.id for call in found}) == len(found)
    return [(call.name, call.input) for call in found]


# answers


@pytest.mark.parametrize("model", [SAME, OTHER])
def test_an_answer(sdk: anthropic.Anthropic, model: str) -> None:
    answer = sdk.messages.create(model=model, max_tokens=100, messages=HELLO)
    assert texts(answer) == "Hello big world"
    assert (answer.type, answer.role) == ("message", "assistant")
    assert answer.model == model.partition(":")[2]
    assert answer.stop_reason == "end_turn"
    assert answer.usage.input_tokens > 0
    assert answer.usage.output_tokens > 0


@pytest.mark.parametrize("model", [SAME, OTHER])
async def test_an_answer_on_the_event_loop(async_sdk: anthropic.AsyncAnthropic, model: str) -> None:
    answer = await async_sdk.messages.create(model=model, max_tokens=100, messages=HELLO)
    assert texts(answer) == "Hello big world"


def test_an_answer_without_any_upstream(sdk: anthropic.Anthropic) -> None:
    question: Any = [{"role": "user", "content": "What is 6 * 7?"}]
    answer = sdk.messages.create(model=LOCAL, max_tokens=100, messages=question)
    assert "42" in texts(answer)
    with sdk.messages.stream(model=LOCAL, max_tokens=100, messages=question) as stream:
        assert texts(stream.get_final_message()) == texts(answer)


def test_the_raw_response_has_the_headers(sdk: anthropic.Anthropic) -> None:
    raw = sdk.messages.with_raw_response.create(
        model=SAME, max_tokens=9, messages=HELLO, extra_headers={"X-Request-Id": "my-own-id"}
    )
    assert raw.request_id == "my-own-id" == raw.headers["x-request-id"]
    assert raw.headers["x-provider"] == "Anthropic"
    parsed = raw.parse()
    assert parsed._request_id == "my-own-id"


ORDER = ["message_start", "content_block_start", "content_block_stop", "message_delta"]


@pytest.mark.parametrize("model", [SAME, OTHER, LOCAL])
def test_a_stream(sdk: anthropic.Anthropic, model: str) -> None:
    stream = sdk.messages.create(model=model, max_tokens=100, messages=HELLO, stream=True)
    found = list(stream)
    kinds = [event.type for event in found if event.type != "content_block_delta"]
    assert kinds == [*ORDER, "message_stop"]
    assert [event.type for event in found][2:-3] == ["content_block_delta"] * (len(found) - 5)


@pytest.mark.parametrize("model", [SAME, OTHER])
async def test_a_stream_on_the_event_loop(async_sdk: anthropic.AsyncAnthropic, model: str) -> None:
    stream = await async_sdk.messages.create(
        model=model, max_tokens=100, messages=HELLO, stream=True
    )
    said = ""
    async for event in stream:
        if event.type == "content_block_delta" and event.delta.type == "text_delta":
            said += event.delta.text
    assert said == "Hello big world"


@pytest.mark.parametrize("model", [SAME, OTHER])
def test_the_helper_for_streams(sdk: anthropic.Anthropic, model: str) -> None:
    with sdk.messages.stream(model=model, max_tokens=100, messages=HELLO) as stream:
        pieces = list(stream.text_stream)
        answer = stream.get_final_message()
    assert len(pieces) == 3
    assert "".join(pieces) == texts(answer) == "Hello big world"
    assert answer.stop_reason == "end_turn"
    assert answer.usage.output_tokens > 0
    assert stream.request_id is not None
    assert stream.request_id.startswith("req_")


@pytest.mark.parametrize("model", [SAME, OTHER])
async def test_the_helper_on_the_event_loop(
    async_sdk: anthropic.AsyncAnthropic, model: str
) -> None:
    async with async_sdk.messages.stream(model=model, max_tokens=100, messages=HELLO) as stream:
        said = [text async for text in stream.text_stream]
        answer = await stream.get_final_message()
    assert "".join(said) == texts(answer) == "Hello big world"


# what is asked


def test_every_parameter_has_its_counterpart_elsewhere(
    sdk: anthropic.Anthropic, upstream: Upstream
) -> None:
    sdk.messages.create(
        model="work:words-1",
        max_tokens=100,
        messages=HELLO,
        system=[{"type": "text", "text": "Be brief."}],
        extra_body={"temperature": 0.5, "top_p": 0.9, "top_k": 5},
        stop_sequences=["x", "y"],
        tools=TOOLS[:1],
        tool_choice={"type": "tool", "name": "get_weather", "disable_parallel_tool_use": True},
        metadata={"user_id": "u"},
        service_tier="standard_only",
        output_config={"effort": "low"},
    )
    assert upstream.fetch_records("words-1")[0]["body"] == {
        "model": "words-1",
        "messages": [{"role": "system", "content": "Be brief."}, *HELLO],
        "temperature": 0.5,
        "top_p": 0.9,
        "top_k": 5,
        "stop": ["x", "y"],
        "tools": [
            {
                "type": "function",
                "function": {"name": "get_weather", "parameters": TOOLS[0]["input_schema"]},
            }
        ],
        "tool_choice": {"type": "function", "function": {"name": "get_weather"}},
        "parallel_tool_calls": False,
        "user": "u",
        "service_tier": "default",
        "reasoning_effort": "low",
        "max_tokens": 100,
    }


def test_every_field_goes_on_to_the_same_api(sdk: anthropic.Anthropic, api: Running) -> None:
    cached: Any = {"type": "ephemeral", "ttl": "1h"}
    body: dict[str, Any] = {
        "model": f"{SAME}@anything",
        "max_tokens": 100,
        "system": [{"type": "text", "text": "Be brief.", "cache_control": cached}],
        "messages": [
            {
                "role": "user",
                "content": [{"type": "text", "text": "Hi", "cache_control": cached, "x_new": 1}],
            }
        ],
        "tools": [{**TOOLS[0], "cache_control": cached, "x_new": [1.0, None]}],
        "container": "c",
        "x_vendor": {"deep": [1, {"π": 3.14}, None]},
    }
    given = {name: body[name] for name in ("model", "max_tokens", "messages", "system", "tools")}
    more = {name: body[name] for name in ("container", "x_vendor")}
    sdk.messages.create(**given, extra_body=more)
    assert bodies(api) == [body | {"model": f"{HAIKU}@anything"}]


def test_headers_of_the_api_go_on_too(sdk: anthropic.Anthropic, api: Running) -> None:
    sdk.beta.messages.create(
        model=SAME,
        max_tokens=100,
        messages=HELLO,
        betas=["one-2026-01-01", "two-2026-01-01"],
        extra_headers={"anthropic-version": "2026-10-21"},
    )
    (record,) = asyncio.run(api.records())
    assert record["headers"]["anthropic-beta"] == "one-2026-01-01,two-2026-01-01"
    assert record["headers"]["anthropic-version"] == "2026-10-21"
    assert record["headers"]["x-api-key"] == UPSTREAM_KEY
    assert KEY not in str(record)


SHOWN: Any = [
    {"type": "text", "text": "Look:"},
    {"type": "image", "source": PNG},
    {"type": "image", "source": {"type": "url", "url": "https://a/b.png"}},
    {
        "type": "document",
        "source": {"type": "base64", "media_type": "application/pdf", "data": "JVBERi0="},
        "title": "a.pdf",
    },
    {
        "type": "document",
        "source": {"type": "text", "media_type": "text/plain", "data": "So it is."},
    },
]


def test_images_and_documents(sdk: anthropic.Anthropic) -> None:
    talk: Any = [{"role": "user", "content": SHOWN}]
    answer = sdk.messages.create(model=SAME, max_tokens=100, messages=talk)
    assert texts(answer) == (
        "Look: [image image/png 12] [image url https://a/b.png] [document application/pdf 8] "
        "[document text So it is.]"
    )


def test_images_and_documents_for_another_api(sdk: anthropic.Anthropic, upstream: Upstream) -> None:
    talk: Any = [{"role": "user", "content": SHOWN}]
    sdk.messages.create(model=OTHER, max_tokens=100, messages=talk)
    (asked,) = upstream.fetch_records("echo")
    assert asked["body"]["messages"][0]["content"] == [
        {"type": "text", "text": "Look:"},
        {"type": "image_url", "image_url": {"url": "data:image/png;base64,iVBORw0KGgo="}},
        {"type": "image_url", "image_url": {"url": "https://a/b.png"}},
        {
            "type": "file",
            "file": {"file_data": "data:application/pdf;base64,JVBERi0=", "filename": "a.pdf"},
        },
        {"type": "text", "text": "So it is."},
    ]


def test_a_bound_and_a_stop_sequence(sdk: anthropic.Anthropic) -> None:
    answer = sdk.messages.create(model=SAME, max_tokens=2, messages=HELLO)
    assert (texts(answer), answer.stop_reason) == ("Hello big ", "max_tokens")
    answer = sdk.messages.create(model=SAME, max_tokens=9, messages=HELLO, stop_sequences=["big"])
    assert (answer.stop_reason, answer.stop_sequence) == ("stop_sequence", "big")


# models by other names


def test_a_chain_of_the_settings_answers_for_a_model_by_its_name(
    sdk: anthropic.Anthropic, upstream: Upstream
) -> None:
    raw = sdk.messages.with_raw_response.create(
        model="claude-sonnet-9", max_tokens=100, messages=HELLO
    )
    assert (raw.headers["x-provider"], raw.headers["x-model"]) == ("work", "echo")
    assert texts(raw.parse()) == "Hello big world"
    assert len(upstream.fetch_records("echo")) == 1


@pytest.mark.parametrize("stream", [False, True])
def test_another_api_takes_over_where_one_fails(sdk: anthropic.Anthropic, *, stream: bool) -> None:
    if stream:
        with sdk.messages.stream(model="claude-chain", max_tokens=99, messages=HELLO) as found:
            answer: Message = found.get_final_message()
    else:
        answer = sdk.messages.create(model="claude-chain", max_tokens=99, messages=HELLO)
    assert texts(answer) == "Hello big world"
    assert answer.model == HAIKU


# tools

CALLED = {
    SAME: [("get_weather", {"city": "Köln"}), ("get_time", {"city": "Köln"})],
    "work:tools": [("get_weather", {"city": "Köln", "days": 2}), ("get_time", {})],
}


@pytest.mark.parametrize("model", CALLED)
def test_parallel_tools(sdk: anthropic.Anthropic, model: str) -> None:
    asked: Any = {"model": model, "max_tokens": 100, "messages": HELLO, "tools": TOOLS}
    answer = sdk.messages.create(**asked)
    assert calls(answer) == CALLED[model]
    assert answer.stop_reason == "tool_use"
    with sdk.messages.stream(**asked) as stream:
        partial = [event.partial_json for event in stream if event.type == "input_json"]
        streamed = stream.get_final_message()
    assert calls(streamed) == CALLED[model]
    assert streamed.stop_reason == "tool_use"
    assert len(partial) >= 2


@pytest.mark.parametrize("model", CALLED)
async def test_parallel_tools_on_the_event_loop(
    async_sdk: anthropic.AsyncAnthropic, model: str
) -> None:
    async with async_sdk.messages.stream(
        model=model, max_tokens=100, messages=HELLO, tools=TOOLS
    ) as stream:
        answer = await stream.get_final_message()
    assert calls(answer) == CALLED[model]


def answered(answer: Message) -> Any:
    """The conversation with what the tools said to the calls of an answer."""
    results: list[Any] = [
        {"type": "tool_result", "tool_use_id": block.id, "content": f"{block.name} says so"}
        for block in answer.content
        if isinstance(block, ToolUseBlock)
    ]
    results[-1]["content"] = [
        {"type": "text", "text": "look"},
        {"type": "image", "source": PNG},
    ]
    return [
        *HELLO,
        {"role": "assistant", "content": answer.content},
        {"role": "user", "content": results},
    ]


def test_what_the_tools_say_goes_back(sdk: anthropic.Anthropic) -> None:
    answer = sdk.messages.create(model=SAME, max_tokens=100, messages=HELLO, tools=TOOLS)
    talk = answered(answer)
    answer = sdk.messages.create(model=SAME, max_tokens=100, messages=talk, tools=TOOLS)
    assert texts(answer) == "get_weather says so; look [image image/png 12]"


def test_what_the_tools_say_goes_to_another_api(
    sdk: anthropic.Anthropic, upstream: Upstream
) -> None:
    answer = sdk.messages.create(model="work:tools", max_tokens=99, messages=HELLO, tools=TOOLS)
    sdk.messages.create(model="work:words-1", max_tokens=99, messages=answered(answer), tools=TOOLS)
    *_, called, first, second, shown = upstream.fetch_records("words-1")[0]["body"]["messages"]
    assert [call["id"] for call in called["tool_calls"]] == ["call_a", "call_b"]
    assert [call["function"]["name"] for call in called["tool_calls"]] == [
        "get_weather",
        "get_time",
    ]
    assert first == {"role": "tool", "tool_call_id": "call_a", "content": "get_weather says so"}
    assert second == {"role": "tool", "tool_call_id": "call_b", "content": "look"}
    assert shown["role"] == "user"
    assert shown["content"][0]["type"] == "image_url"


# thinking


@pytest.mark.parametrize("stream", [False, True])
def test_thoughts_come_with_their_seals_and_go_back_with_them(
    sdk: anthropic.Anthropic, api: Running, *, stream: bool
) -> None:
    """The API refuses a thought that was changed, and calls without the thought before them."""
    model = f"{BUDGETED}@redacted"
    asked: Any = {"max_tokens": 2000, "tools": TOOLS, "thinking": THINKING, "model": model}
    if stream:
        with sdk.messages.stream(messages=HELLO, **asked) as found:
            answer: Message = found.get_final_message()
    else:
        answer = sdk.messages.create(messages=HELLO, **asked)
    redacted, thought, *_ = answer.content
    assert redacted.type == "redacted_thinking"
    assert redacted.data == REDACTED
    assert isinstance(thought, ThinkingBlock)
    assert (thought.thinking, thought.signature) == ("Let me think.", SIGNATURE)
    again = sdk.messages.create(messages=answered(answer), **asked)
    assert "get_weather says so" in texts(again)
    sent = bodies(api)[1]["messages"][1]["content"]
    assert [block["type"] for block in sent] == [block.type for block in answer.content]


@pytest.mark.parametrize("stream", [False, True])
def test_thoughts_of_another_api(
    sdk: anthropic.Anthropic, upstream: Upstream, *, stream: bool
) -> None:
    asked: Any = {"max_tokens": 2000, "thinking": THINKING}
    if stream:
        with sdk.messages.stream(model="work:reasoning", messages=HELLO, **asked) as found:
            kinds = {event.type for event in found}
            answer: Message = found.get_final_message()
        assert {"thinking", "signature", "text"} <= kinds
    else:
        answer = sdk.messages.create(model="work:reasoning", messages=HELLO, **asked)
    thought, said = answer.content
    assert isinstance(thought, ThinkingBlock)
    assert thought.thinking == "Let me think."
    assert said.type == "text"
    talk: Any = [*HELLO, {"role": "assistant", "content": answer.content}, *HELLO]
    call = {"type": "tool_use", "id": "c", "name": "f", "input": {}}
    result = {"type": "tool_result", "tool_use_id": "c", "content": "12"}
    called: Any = [
        *HELLO,
        {"role": "assistant", "content": [*answer.content, call]},
        {"role": "user", "content": [result]},
    ]
    sdk.messages.create(model="work:words-1", messages=called, **asked)
    back = upstream.fetch_records("words-1")[0]["body"]["messages"][1]
    assert back["reasoning_content"] == "Let me think."
    # the API that signs its thoughts would refuse one that it did not sign
    answer = sdk.messages.create(model=BUDGETED, messages=talk, **asked)
    assert texts(answer) == "Hello big world"


# errors


def test_a_wrong_key(gateway: Gateway, api: Running) -> None:
    with (
        anthropic.Anthropic(base_url=gateway.url, api_key="wrong", max_retries=3) as sdk,
        pytest.raises(anthropic.AuthenticationError) as raised,
    ):
        sdk.messages.create(model=SAME, max_tokens=9, messages=HELLO)
    assert raised.value.type == "authentication_error"
    assert raised.value.request_id is not None
    assert raised.value.request_id == raised.value.body["request_id"]  # type: ignore[index]
    assert bodies(api) == []


@pytest.mark.parametrize(
    ("model", "error", "kind"),
    [
        (f"{SAME}@status-400", anthropic.BadRequestError, "invalid_request_error"),
        (f"{SAME}@status-413", anthropic.RequestTooLargeError, "request_too_large"),
        ("Anthropic:claude-9", anthropic.NotFoundError, "not_found_error"),
        ("nobody:has-it", anthropic.NotFoundError, "not_found_error"),
        (f"{SAME}@status-429", anthropic.RateLimitError, "rate_limit_error"),
        (f"{SAME}@status-500", anthropic.InternalServerError, "api_error"),
        (f"{SAME}@status-529", anthropic.OverloadedError, "overloaded_error"),
        (f"{SAME}@status-504", anthropic.GatewayTimeoutError, "timeout_error"),
        ("work:status-400", anthropic.BadRequestError, "invalid_request_error"),
        ("work:status-429", anthropic.RateLimitError, "rate_limit_error"),
        ("work:status-500", anthropic.InternalServerError, "api_error"),
        ("work:none", anthropic.NotFoundError, "not_found_error"),
    ],
)
@pytest.mark.parametrize("stream", [False, True])
def test_an_error_is_the_exception_for_it(
    sdk: anthropic.Anthropic,
    model: str,
    error: type[anthropic.APIStatusError],
    kind: str,
    *,
    stream: bool,
) -> None:
    with pytest.raises(error) as raised:
        sdk.messages.create(model=model, max_tokens=9, messages=HELLO, stream=stream)
    body: Any = raised.value.body
    assert body["type"] == "error"
    assert body["error"]["type"] == kind
    assert raised.value.request_id == body["request_id"]
    if raised.value.status_code in (429, 529):
        assert float(raised.value.response.headers["retry-after"]) > 0


def test_a_request_that_is_wrong(sdk: anthropic.Anthropic, api: Running) -> None:
    wrong = {"temperature": "hot"}
    with pytest.raises(anthropic.BadRequestError, match=r"\$\.temperature: expected a number"):
        sdk.messages.create(model=SAME, max_tokens=9, messages=HELLO, extra_body=wrong)
    assert bodies(api) == []


def test_it_comes_back_when_the_upstream_said(gateway: Gateway, upstream: Upstream) -> None:
    model = "once-429-900@anthropic"
    with anthropic.Anthropic(base_url=gateway.url, api_key=KEY) as sdk:
        before = time.monotonic()
        raw = sdk.messages.with_raw_response.create(
            model=f"work:{model}", max_tokens=9, messages=HELLO
        )
        took = time.monotonic() - before
    assert raw.retries_taken == 1
    assert 0.9 <= took < 3
    assert len(upstream.fetch_records(model)) == 2


#: how an answer goes wrong after it began, and what it says before
BROKEN = {
    f"{SAME}@cut-event": "Hello ",
    f"{SAME}@cut-between": "Hello ",
    f"{SAME}@cut-last": "Hello big world",
    f"{SAME}@no-stop": "Hello big world",
    f"{SAME}@malformed": "Hello ",
    f"{SAME}@error-late-api_error": "Hello big ",
    "work:cut-mid-event": "One",
    "work:cut-between-events": "One",
    "work:error-in-stream": "One",
}


@pytest.mark.parametrize("model", BROKEN)
def test_an_answer_that_breaks_off_is_never_a_whole_one(
    sdk: anthropic.Anthropic, model: str
) -> None:
    stream = sdk.messages.create(model=model, max_tokens=100, messages=HELLO, stream=True)
    found: list[RawMessageStreamEvent] = []
    with pytest.raises(anthropic.APIStatusError) as raised:
        found.extend(stream)
    deltas = [event.delta for event in found if event.type == "content_block_delta"]
    said = "".join(delta.text for delta in deltas if delta.type == "text_delta")
    assert said.startswith(BROKEN[model])
    assert "message_stop" not in {event.type for event in found}
    body: Any = raised.value.body
    assert body["error"]["type"] == "api_error"
    assert body["request_id"] == raised.value.request_id


async def test_an_overload_in_the_middle_is_told_as_one(
    async_sdk: anthropic.AsyncAnthropic,
) -> None:
    model = f"{SAME}@error-late-overloaded_error"
    with pytest.raises(anthropic.APIStatusError) as raised:
        async with async_sdk.messages.stream(model=model, max_tokens=99, messages=HELLO) as stream:
            await stream.until_done()
    assert raised.value.type == "overloaded_error"


# the wire


async def ask(
    client: aiohttp.ClientSession, url: str, key: str, model: str, **fields: Any
) -> Answer:
    """The answer as it goes over the wire."""
    headers = {"x-api-key": key, "anthropic-version": "2023-06-01"}
    body = {"model": model, "max_tokens": 2000, "messages": HELLO, **fields}
    async with client.post(f"{url}/v1/messages", json=body, headers=headers) as response:
        return await read(response)


@pytest.mark.parametrize("stream", [False, True])
@pytest.mark.parametrize("mood", ["", "@crlf", "@bytes", "@refusal", "@pause", "@redacted"])
async def test_an_upstream_of_the_same_api_is_handed_on_byte_for_byte(
    gateway: Gateway, api: Running, client: aiohttp.ClientSession, mood: str, *, stream: bool
) -> None:
    fields: Any = {"stream": stream, "thinking": THINKING, "tools": []}
    direct = await ask(client, api.root, UPSTREAM_KEY, f"{SONNET}{mood}", **fields)
    relayed = await ask(client, gateway.url, KEY, f"{BUDGETED}{mood}", **fields)
    assert direct.status == relayed.status == 200
    assert relayed.body == direct.body


@pytest.mark.parametrize("model", [BUDGETED, OTHER, "work:tools", "work:reasoning"])
async def test_every_event_is_of_the_clients_type(
    gateway: Gateway, client: aiohttp.ClientSession, model: str
) -> None:
    answer = await ask(client, gateway.url, KEY, model, stream=True)
    found = [event for event in events(answer.body) if event["type"] != "ping"]
    for event in found:
        EVENT.validate_json(json.dumps(event), strict=True)
    TypeAdapter(Message).validate_json(json.dumps(message(answer.body)), strict=True)


async def test_a_silent_stream_is_kept_alive_by_pings(
    gateway: Gateway, client: aiohttp.ClientSession
) -> None:
    answer = await ask(client, gateway.url, KEY, "work:slow-token-1500", stream=True)
    kinds = [event["type"] for event in events(answer.body)]
    assert kinds[0] == "ping"
    assert kinds[-1] == "message_stop"
    assert not [line for line in answer.body.splitlines() if line.startswith(b":")]


@pytest.mark.parametrize("stream", [False, True])
@pytest.mark.parametrize("reset", [False, True])
async def test_whoever_leaves_closes_the_upstream(
    gateway: Gateway, upstream: Upstream, *, stream: bool, reset: bool
) -> None:
    model = f"hang-mid@messages{stream}{reset}"
    left = await leave(gateway, f"work:{model}", lambda: bool(upstream.fetch_records(model)),
                       stream=stream, reset=reset)  # fmt: skip
    assert (await upstream.closed(model))["closed_at"] - left <= AT_ONCE


@pytest.mark.parametrize("reset", [False, True])
async def test_whoever_leaves_closes_an_upstream_of_the_same_api(
    gateway: Gateway, api: Running, *, reset: bool
) -> None:
    model = f"{SAME}@hang"
    left = await leave(gateway, model, lambda: bool(bodies(api)), stream=True, reset=reset)
    await api.closed()
    assert (await api.records())[-1]["closed_at"] - left <= AT_ONCE


async def leave(gateway: Gateway, model: str, asked: Any, *, stream: bool, reset: bool) -> float:
    """Ask, and hang up when the answer is on its way; when that was."""
    body = {"model": model, "max_tokens": 99, "messages": HELLO, "stream": stream}
    data = json.dumps(body).encode()
    reader, writer = await asyncio.open_connection("127.0.0.1", gateway.port)
    writer.write(
        b"POST /v1/messages HTTP/1.1\r\nHost: localhost\r\nX-Api-Key: %b\r\n"
        b"Content-Type: application/json\r\nContent-Length: %d\r\n\r\n%b"
        % (KEY.encode(), len(data), data)
    )
    await writer.drain()
    if stream:
        await reader.readuntil(b'"text_delta"')
    await until(asked)
    if reset:
        writer.transport.abort()
    else:
        writer.close()
    now = time.monotonic()
    await writer.wait_closed()
    return now


# counting tokens, and models


def test_tokens_are_counted_by_the_same_api(sdk: anthropic.Anthropic, api: Running) -> None:
    counted = sdk.messages.count_tokens(model=SAME, messages=HELLO, system="Be brief.", tools=TOOLS)
    assert counted.input_tokens == 25
    assert bodies(api) == [
        {"model": HAIKU, "messages": HELLO, "system": "Be brief.", "tools": TOOLS}
    ]


@pytest.mark.parametrize("model", [OTHER, LOCAL, f"{SAME}@no-count"])
def test_or_estimated_elsewhere(sdk: anthropic.Anthropic, upstream: Upstream, model: str) -> None:
    raw = sdk.messages.with_raw_response.count_tokens(model=model, messages=HELLO)
    assert raw.headers["x-emulated"] == "count_tokens"
    few = raw.parse().input_tokens
    many = sdk.messages.count_tokens(model=model, messages=HELLO, system="word " * 400)
    assert 3 <= few < 20
    assert 300 < many.input_tokens < 700
    assert upstream.fetch_records("echo") == []


async def test_tokens_are_counted_on_the_event_loop(
    async_sdk: anthropic.AsyncAnthropic,
) -> None:
    counted = await async_sdk.messages.count_tokens(model=SAME, messages=HELLO)
    assert counted.input_tokens == 3
    with pytest.raises(anthropic.NotFoundError):
        await async_sdk.messages.count_tokens(model="Anthropic:claude-9", messages=HELLO)


def test_models(sdk: anthropic.Anthropic) -> None:
    listed = {model.id: model for model in sdk.models.list()}
    assert {OPUS, SONNET, HAIKU, "echo", "claude-sonnet-9"} <= set(listed)
    assert "work" not in listed
    assert listed[OPUS].type == "model"
    assert listed[OPUS].created_at.year == 2025
    assert listed[OPUS].max_input_tokens == 200000
    assert listed["echo"].display_name == "echo"
    assert sdk.models.retrieve(OPUS) == listed[OPUS]
    with pytest.raises(anthropic.NotFoundError):
        sdk.models.retrieve("claude-9")


async def test_models_on_the_event_loop_page_by_page(
    async_sdk: anthropic.AsyncAnthropic,
) -> None:
    every = [model.id async for model in async_sdk.models.list()]
    paged = [model.id async for model in async_sdk.models.list(limit=2)]
    assert paged == every
    assert len(every) > 4
    page = await async_sdk.models.list(limit=2, before_id=every[3])
    assert [model.id for model in page.data] == every[1:3]
    assert page.has_more


# LangChain's client


def test_langchain(gateway: Gateway, api: Running, tmp_path: Path) -> None:
    """It sends thoughts back with the calls they led to, streamed or not."""
    pytest.importorskip("langchain_anthropic")
    lines = run("langchain_anthropic", gateway, tmp_path, MODEL=SAME, THINKER=BUDGETED).splitlines()
    calls = ["get_weather {'city': 'Köln'}", "get_time {'city': 'Köln'}", "12 °C; 12 °C"]
    assert lines == [
        "Hello big world True",
        "Hello |big |world",
        "Once more",
        "and once more",
        *calls * 2,
    ]
    for body in bodies(api)[-2:]:
        assert body["messages"][1]["content"][0]["signature"] == SIGNATURE


def test_langchain_with_another_api(gateway: Gateway, tmp_path: Path) -> None:
    pytest.importorskip("langchain_anthropic")
    said = run("langchain_anthropic", gateway, tmp_path, MODEL=OTHER, THINKER="work:tools")
    assert said.splitlines()[:4] == [
        "Hello big world True",
        "Hello |big |world",
        "Once more",
        "and once more",
    ]
    assert said.count("get_weather {'city': 'Köln', 'days': 2}\nget_time {}\n") == 2
