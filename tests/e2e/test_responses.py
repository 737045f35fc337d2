"""OpenAI's own Python client and the Responses API: translated for one upstream, native for another."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterator
from typing import Any

import attrs
import openai
import pytest
from openai.types.responses import Response
from pydantic import BaseModel

from tests.conftest import Upstream
from tests.e2e.gateway import Gateway, running
from tests.e2e.waiting import until
from tests.hosted_server import Running
from tests.hosted_server import running as fake
from tests.responses_server import KEY as UPSTREAM_KEY

SETTINGS = """
[routing]
detect_local = false

[keys.alice]
key = "sk-alice"

[keys.bob]
key = "sk-bob"

[providers.work]
type = "openai-compatible"
base_url = "{upstream.base_url}"
models = [
    "echo", "tools", "reasoning", "refusal", "words-3", "no-usage", "status-400", "status-503",
    "cut-before-headers", "cut-before-token", "cut-mid-event", "cut-between-events", "malformed",
    "error-in-stream", "hang-mid",
]

[providers.OpenAI]
base_url = "{native.root}/v1"
api_key = "{key}"
models = [
    "gpt-5", "gpt-5@extra", "gpt-5@incomplete", "gpt-5@cut-between", "gpt-5@no-end",
    "gpt-5@failed-late", "gpt-5@failed-first", "gpt-5@malformed", "gpt-5@hang",
]

[models.both]
providers = [
    {{ provider = "OpenAI", model = "gpt-5@failed-first" }},
    {{ provider = "work", model = "echo" }},
]
"""
#: a model that is translated for, and one whose upstream speaks the API
MODELS = ("echo", "gpt-5")
TOOLS: Any = [
    {
        "type": "function",
        "name": name,
        "description": "Tells it",
        "parameters": {
            "type": "object",
            "properties": {"city": {"type": "string"}},
            "required": ["city"],
            "additionalProperties": False,
        },
        "strict": True,
    }
    for name in ("get_weather", "get_time")
]


@attrs.frozen
class World:
    """A gateway between two upstreams: one that only chats, and one with the Responses API."""

    gateway: Gateway
    chats: Upstream
    native: Running

    def bodies(self) -> list[Any]:
        """What the native upstream was asked."""
        records = asyncio.run(self.native.records())
        return [record["body"] for record in records if record["method"] == "POST"]


@pytest.fixture(scope="module")
def world(upstream_process: Upstream, tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    with fake("tests.responses_server") as native:
        settings = SETTINGS.format(upstream=upstream_process, native=native, key=UPSTREAM_KEY)
        with running(tmp_path_factory.mktemp("responses"), settings) as gateway:
            yield World(gateway, upstream_process, native)


@pytest.fixture
def sdk(world: World) -> Iterator[openai.OpenAI]:
    """OpenAI's client, which does not try again."""
    world.chats.forget()
    world.native.forget()
    base_url = world.gateway.v1
    with openai.OpenAI(base_url=base_url, api_key="sk-alice", max_retries=0, timeout=20) as made:
        yield made


@pytest.fixture
async def async_sdk(world: World) -> AsyncIterator[openai.AsyncOpenAI]:
    """As ``sdk``, asynchronous."""
    async with openai.AsyncOpenAI(
        base_url=world.gateway.v1, api_key="sk-alice", max_retries=0, timeout=20
    ) as made:
        yield made


# answers


@pytest.mark.parametrize("model", MODELS)
def test_an_answer(sdk: openai.OpenAI, model: str) -> None:
    raw = sdk.responses.with_raw_response.create(model=model, input="Hello big world")
    assert raw.headers["x-provider"] == ("work" if model == "echo" else "OpenAI")
    response = raw.parse()
    assert response.status == "completed"
    assert response.output_text == "Hello big world"
    assert response.usage is not None
    assert response.usage.total_tokens == response.usage.input_tokens + response.usage.output_tokens


@pytest.mark.parametrize("model", MODELS)
def test_a_stream(sdk: openai.OpenAI, model: str) -> None:
    events = list(sdk.responses.create(model=model, input="Hello big world", stream=True))
    assert events[0].type == "response.created"
    assert events[-1].type == "response.completed"
    assert [event.sequence_number for event in events] == list(range(len(events)))
    text = "".join(event.delta for event in events if event.type == "response.output_text.delta")
    assert text == "Hello big world" == events[-1].response.output_text


@pytest.mark.parametrize("model", MODELS)
def test_a_stream_put_together_by_the_client(sdk: openai.OpenAI, model: str) -> None:
    with sdk.responses.stream(model=model, input="Hello big world") as stream:
        kinds = [event.type for event in stream]
        response = stream.get_final_response()
    assert response.output_text == "Hello big world"
    assert kinds.count("response.output_text.delta") >= 3


@pytest.mark.parametrize("model", MODELS)
async def test_on_the_event_loop(async_sdk: openai.AsyncOpenAI, model: str) -> None:
    response = await async_sdk.responses.create(model=model, input="Hello big world")
    assert response.output_text == "Hello big world"
    async with async_sdk.responses.stream(model=model, input="Hello big world") as stream:
        async for _ in stream:
            pass
        assert (await stream.get_final_response()).output_text == "Hello big world"
    assert (await async_sdk.responses.retrieve(response.id)).id == response.id


def test_a_conversation_of_items(sdk: openai.OpenAI, world: World) -> None:
    sdk.responses.create(
        model="words-3",
        instructions="Be brief",
        input=[
            {"role": "user", "content": "Hi"},
            {"role": "assistant", "content": "Hello"},
            {"role": "user", "content": [{"type": "input_text", "text": "And now?"}]},
        ],
        max_output_tokens=50,
        temperature=0.5,
    )
    asked = world.chats.fetch_records("words-3")[0]["body"]
    assert asked == {
        "model": "words-3",
        "messages": [
            {"role": "system", "content": "Be brief"},
            {"role": "user", "content": "Hi"},
            {"role": "assistant", "content": "Hello"},
            {"role": "user", "content": "And now?"},
        ],
        "max_tokens": 50,
        "temperature": 0.5,
    }


def test_fields_that_nobody_knows_go_to_who_speaks_the_api(
    sdk: openai.OpenAI, world: World
) -> None:
    sdk.responses.create(
        model="gpt-5",
        input="Hi",
        metadata={"a": "b"},
        extra_body={"client_metadata": {"deep": [1, None]}, "provider": "OpenAI"},
    )
    assert world.bodies() == [
        {
            "model": "gpt-5",
            "input": "Hi",
            "metadata": {"a": "b"},
            "client_metadata": {"deep": [1, None]},
        }
    ]


def test_an_answer_that_is_cut_short_says_so(sdk: openai.OpenAI) -> None:
    response = sdk.responses.create(model="gpt-5@incomplete", input="Hi")
    assert response.status == "incomplete"
    assert response.incomplete_details is not None
    assert response.incomplete_details.reason == "max_output_tokens"
    *_, last = sdk.responses.create(model="gpt-5@incomplete", input="Hi", stream=True)
    assert last.type == "response.incomplete"


def test_usage_that_nobody_reports_is_estimated(sdk: openai.OpenAI) -> None:
    usage = sdk.responses.create(model="no-usage", input="Hi").usage
    assert usage is not None
    assert usage.output_tokens > 0
    assert (usage.model_extra or {})["estimated"] is True


def test_a_refusal(sdk: openai.OpenAI) -> None:
    for response in (
        sdk.responses.create(model="refusal", input="Hi"),
        _last(sdk.responses.create(model="refusal", input="Hi", stream=True)),
    ):
        parts = [
            part for item in response.output if item.type == "message" for part in item.content
        ]
        assert [part.refusal for part in parts if part.type == "refusal"] == ["I cannot."]


def _last(stream: Any) -> Response:
    *_, last = stream
    response: Response = last.response
    return response


# thoughts


def test_thoughts_as_they_are(sdk: openai.OpenAI) -> None:
    events = list(sdk.responses.create(model="reasoning", input="Hi", stream=True))
    said = [event.delta for event in events if event.type == "response.reasoning_text.delta"]
    assert "".join(said) == "Let me think."
    whole = sdk.responses.create(model="reasoning", input="Hi")
    for item in (whole.output[0], _last(events).output[0]):
        assert item.type == "reasoning"
        assert item.content is not None
        assert [part.text for part in item.content] == ["Let me think."]


@pytest.mark.parametrize("model", ["reasoning", "gpt-5"])
def test_thoughts_in_summary(sdk: openai.OpenAI, model: str) -> None:
    response = sdk.responses.create(
        model=model,
        input="Hi",
        reasoning={"summary": "auto"},
        include=["reasoning.encrypted_content"],
    )
    item = response.output[0]
    assert item.type == "reasoning"
    assert [part.text for part in item.summary] == ["Let me think."]
    assert item.encrypted_content == ("gAAAA" if model == "gpt-5" else None)


# tools


@pytest.mark.parametrize("model", ["tools", "gpt-5"])
@pytest.mark.parametrize("streamed", [False, True])
def test_parallel_tools_and_what_they_give(
    sdk: openai.OpenAI, world: World, model: str, *, streamed: bool
) -> None:
    if streamed:
        with sdk.responses.stream(model=model, input="Weather?", tools=TOOLS) as stream:
            kinds = [event.type for event in stream]
            response: Response = stream.get_final_response()
        assert "response.function_call_arguments.delta" in kinds
    else:
        response = sdk.responses.create(model=model, input="Weather?", tools=TOOLS)
    calls = [item for item in response.output if item.type == "function_call"]
    assert [call.name for call in calls] == ["get_weather", "get_time"]
    assert len({call.call_id for call in calls}) == 2
    assert all(call.arguments.startswith("{") for call in calls)
    results: Any = [
        {"type": "function_call_output", "call_id": call.call_id, "output": f"{n} °C"}
        for n, call in enumerate(calls)
    ]
    if model == "gpt-5":
        last = sdk.responses.create(
            model=model, input=results, tools=TOOLS, previous_response_id=response.id
        )
        assert last.output_text == "0 °C 1 °C"
        return
    sdk.responses.create(model="words-3", input=results, previous_response_id=response.id)
    talk = world.chats.fetch_records("words-3")[0]["body"]["messages"]
    assert [message["role"] for message in talk] == ["user", "assistant", "tool", "tool"]
    assert [call["id"] for call in talk[1]["tool_calls"]] == [call.call_id for call in calls]
    assert [message["content"] for message in talk[2:]] == ["0 °C", "1 °C"]


def test_the_history_may_be_the_client_s_own(sdk: openai.OpenAI, world: World) -> None:
    response = sdk.responses.create(model="reasoning", input="Hi", store=False)
    history: Any = [{"role": "user", "content": "Hi"}]
    history += [item.model_dump() for item in response.output]
    history.append({"role": "user", "content": "And now?"})
    assert sdk.responses.create(model="echo", input=history).output_text == "And now?"
    talk = world.chats.fetch_records("echo")[0]["body"]["messages"]
    # thoughts go back only in turns that called tools
    assert "reasoning_content" not in talk[1]
    assert sdk.responses.create(model="gpt-5", input=history).output_text == "And now?"
    assert [item.get("type") for item in world.bodies()[-1]["input"]] == [None, "message", None]


def test_a_tool_of_openai_s_own(sdk: openai.OpenAI) -> None:
    search: Any = [{"type": "web_search"}]
    response = sdk.responses.create(model="gpt-5", input="Hi", tools=search)
    assert [item.type for item in response.output] == ["web_search_call", "message"]
    with pytest.raises(openai.BadRequestError) as caught:
        sdk.responses.create(model="echo", input="Hi", tools=search)
    assert caught.value.param == "tools[0]"
    assert caught.value.code == "unsupported_parameter"
    assert "web_search" in caught.value.message


class Answer(BaseModel):
    """What is to be answered."""

    answer: int


def test_an_answer_by_a_schema(sdk: openai.OpenAI, world: World) -> None:
    parsed = sdk.responses.parse(model="gpt-5", input="6 * 7?", text_format=Answer)
    assert parsed.output_parsed == Answer(answer=42)
    parsed = sdk.responses.parse(model="echo", input='{"answer": 42}', text_format=Answer)
    assert parsed.output_parsed == Answer(answer=42)
    asked = world.chats.fetch_records("echo")[0]["body"]["response_format"]
    assert asked["type"] == "json_schema"
    assert asked["json_schema"]["name"] == "Answer"
    assert asked["json_schema"]["strict"] is True


# what is kept


@pytest.mark.parametrize("model", MODELS)
def test_a_chain_of_responses(sdk: openai.OpenAI, model: str) -> None:
    first = sdk.responses.create(model=model, input="One")
    second = sdk.responses.create(model=model, input="Two", previous_response_id=first.id)
    third = _last(
        sdk.responses.create(
            model=model, input="Three", previous_response_id=second.id, stream=True
        )
    )
    assert (second.previous_response_id, third.previous_response_id) == (first.id, second.id)
    listed = list(sdk.responses.input_items.list(third.id, order="asc", limit=2))
    assert len(listed) == 5
    said = [part.text for item in listed for part in item.content]  # type: ignore[union-attr]
    assert said == ["One", "One", "Two", "Two", "Three"]
    newest = sdk.responses.input_items.list(third.id, limit=1)
    assert newest.data[0].id == listed[-1].id
    assert newest.has_more


def test_a_chain_may_change_its_model(sdk: openai.OpenAI) -> None:
    ids: list[str | None] = [None]
    for model in ("echo", "gpt-5", "reasoning", "gpt-5", "echo"):
        response = sdk.responses.create(
            model=model, input=f"Now {model}", previous_response_id=ids[-1]
        )
        ids.append(response.id)
    last = ids[-1]
    assert last is not None
    assert len(list(sdk.responses.input_items.list(last))) == 10


@pytest.mark.parametrize("model", MODELS)
def test_a_response_is_given_again_and_forgotten(sdk: openai.OpenAI, model: str) -> None:
    response = sdk.responses.create(model=model, input="One")
    again = sdk.responses.retrieve(response.id)
    assert again.output == response.output
    with pytest.raises(openai.BadRequestError, match="Cannot cancel a synchronous response"):
        sdk.responses.cancel(response.id)
    sdk.responses.delete(response.id)
    with pytest.raises(openai.NotFoundError):
        sdk.responses.retrieve(response.id)
    with pytest.raises(openai.NotFoundError) as caught:
        sdk.responses.create(model="echo", input="Two", previous_response_id=response.id)
    assert caught.value.code == "previous_response_not_found"


def test_what_is_deleted_is_deleted_at_the_upstream_too(sdk: openai.OpenAI, world: World) -> None:
    response = sdk.responses.create(model="gpt-5", input="One")
    sdk.responses.delete(response.id)
    records = asyncio.run(world.native.records())
    last = records[-1]
    assert (last["method"], last["path"]) == ("DELETE", f"/v1/responses/{response.id}")


@pytest.mark.parametrize("model", MODELS)
def test_what_is_kept_belongs_to_its_key(sdk: openai.OpenAI, model: str) -> None:
    response = sdk.responses.create(model=model, input="One")
    bob = sdk.with_options(api_key="sk-bob")
    for call in (
        lambda: bob.responses.retrieve(response.id),
        lambda: bob.responses.delete(response.id),
        lambda: bob.responses.input_items.list(response.id),
        lambda: bob.responses.cancel(response.id),
        lambda: bob.responses.create(model=model, input="x", previous_response_id=response.id),
    ):
        with pytest.raises(openai.NotFoundError):
            call()
    assert sdk.responses.retrieve(response.id).id == response.id


def test_a_response_in_the_background(sdk: openai.OpenAI) -> None:
    response = sdk.responses.create(model="gpt-5", input="One", background=True)
    assert response.status == "queued"
    states = [sdk.responses.retrieve(response.id).status for _ in range(3)]
    assert states == ["in_progress", "completed", "completed"]
    other = sdk.responses.create(model="gpt-5", input="One", background=True)
    assert sdk.responses.cancel(other.id).status == "cancelled"
    with pytest.raises(openai.BadRequestError) as caught:
        sdk.responses.create(model="echo", input="One", background=True)
    assert caught.value.param == "background"
    assert caught.value.code == "unsupported_parameter"


# failures


@pytest.mark.parametrize(
    "model",
    [
        "cut-mid-event",
        "cut-between-events",
        "malformed",
        "error-in-stream",
        "gpt-5@cut-between",
        "gpt-5@no-end",
        "gpt-5@failed-late",
        "gpt-5@malformed",
    ],
)
def test_a_stream_that_breaks_off_never_completes(sdk: openai.OpenAI, model: str) -> None:
    events = list(sdk.responses.create(model=model, input="Hello big world", stream=True))
    assert [event.sequence_number for event in events] == list(range(len(events)))
    last = events[-1]
    assert last.type == "response.failed"
    assert last.response.status == "failed"
    assert last.response.error is not None
    assert last.response.error.message
    assert "response.completed" not in {event.type for event in events}
    with (
        sdk.responses.stream(model=model, input="Hello big world") as stream,
        pytest.raises(RuntimeError, match=r"response\.completed"),
    ):
        stream.get_final_response()


@pytest.mark.parametrize(
    ("model", "error"),
    [
        ("status-400", openai.BadRequestError),
        ("status-503", openai.InternalServerError),
        ("cut-before-headers", openai.InternalServerError),
        ("gpt-5@failed-first", openai.InternalServerError),
        ("unknown", openai.NotFoundError),
    ],
)
@pytest.mark.parametrize("streamed", [False, True])
def test_a_failure_before_the_first_byte_has_its_status(
    sdk: openai.OpenAI, model: str, error: type[openai.APIStatusError], *, streamed: bool
) -> None:
    with pytest.raises(error) as caught:
        sdk.responses.create(model=model, input="Hi", stream=streamed)
    assert isinstance(caught.value.body, dict)
    assert set(caught.value.body) == {"message", "type", "param", "code"}


def test_another_provider_is_asked_in_its_own_words(sdk: openai.OpenAI) -> None:
    for streamed in (False, True):
        raw = sdk.responses.with_raw_response.create(
            model="both", input="Hello big world", stream=streamed
        )
        assert raw.headers["x-provider"] == "work"
        parsed: Any = raw.parse()
        response = _last(parsed) if streamed else parsed
        assert response.output_text == "Hello big world"


@pytest.mark.parametrize("model", ["hang-mid", "gpt-5@hang"])
async def test_a_client_that_leaves_takes_the_call_along(
    async_sdk: openai.AsyncOpenAI, world: World, model: str
) -> None:
    world.native.forget()
    stream = await async_sdk.responses.create(model=model, input="Hello big world", stream=True)
    async for event in stream:
        if event.type == "response.output_text.delta":
            break
    await stream.close()
    if model == "hang-mid":
        await world.chats.closed(model)
        return

    def gone() -> bool:
        return any(one["closed_at"] is not None for one in asyncio.run(world.native.records()))

    await until(gone)


def test_wrong_fields_are_named(sdk: openai.OpenAI) -> None:
    with pytest.raises(openai.BadRequestError) as caught:
        sdk.responses.create(model="echo", input="Hi", extra_body={"max_output_tokens": "5"})
    assert caught.value.param == "max_output_tokens"
    assert "$.max_output_tokens: expected an integer, got a string" in caught.value.message
