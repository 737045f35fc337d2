"""What a provider of plain text lacks is supplied, as the clients people use see it."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import aiohttp
import openai
import pydantic
import pytest
from langchain_core.messages import AIMessage, HumanMessage, ToolMessage
from langchain_core.tools import tool
from langchain_openai import ChatOpenAI

from tests.conftest import Upstream
from tests.e2e.gateway import Gateway, running
from tests.e2e.plugin import installed

#: somebody else's provider: its upstream answers with what the user said last
SOURCE = """
    import attrs

    from g4f_aio import Capability
    from g4f_aio.providers.openai_compatible import OpenAICompatible

    @attrs.frozen(kw_only=True)
    class Plugin(OpenAICompatible):
        name = "text-only"
        capabilities = Capability.CHAT | Capability.STREAM
        ignores = frozenset(("stop", "max_tokens", "system"))
"""
SETTINGS = """
[routing]
detect_local = false
caption_model = "eye:echo@sees"

[providers.plain]
type = "text-only"
base_url = "{upstream.base_url}"
models = ["echo", "echo@thinks"]
max_requests = 4

[providers.eye]
type = "openai-compatible"
base_url = "{upstream.base_url}"
models = ["echo@sees"]
"""
IMAGE = "data:image/png;base64,iVBORw0KGgo="
WEATHER: Any = {
    "type": "function",
    "function": {
        "name": "get_weather",
        "description": "The weather",
        "parameters": {"type": "object", "properties": {"city": {"type": "string"}}},
    },
}
CALLS = (
    "Let me look.\n"
    '<tool_call>\n{"name": "get_weather", "arguments": {"city": "Köln am Rhein"}}\n</tool_call>\n'
    '<tool_call>\n{"name": "get_weather", "arguments": {"city": "Bonn"}}\n</tool_call>'
)


@pytest.fixture(scope="module")
def gateway(
    upstream_process: Upstream, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Gateway]:
    """A gateway with that provider alone."""
    folder = tmp_path_factory.mktemp("text-only")
    environ = installed(folder, "text-only", SOURCE)
    settings = SETTINGS.format(upstream=upstream_process)
    with running(folder, settings, environ=environ) as started:
        yield started


@pytest.fixture
def client(gateway: Gateway) -> Iterator[openai.OpenAI]:
    """OpenAI's client, which does not try again."""
    with openai.OpenAI(base_url=gateway.v1, api_key="x", max_retries=0, timeout=20) as made:
        yield made


@pytest.fixture
def model(gateway: Gateway) -> ChatOpenAI:
    """LangChain's client."""
    address: Any = {"base_url": gateway.v1, "api_key": "x"}
    return ChatOpenAI(model="echo", max_retries=0, timeout=20, **address)


def says(text: str) -> Any:
    """A request that is answered with *text*."""
    return {"model": "echo", "messages": [{"role": "user", "content": text}]}


def test_tools_whole_and_streamed(client: openai.OpenAI) -> None:
    raw = client.chat.completions.with_raw_response.create(**says(CALLS), tools=[WEATHER])
    assert raw.headers["x-emulated"] == "tools"
    choice = raw.parse().choices[0]
    assert choice.finish_reason == "tool_calls"
    # the provider says everything again that it was sent, and was sent the instructions as well
    assert str(choice.message.content).endswith("\n\nLet me look.")
    whole = choice.message.tool_calls
    assert whole is not None
    with client.chat.completions.stream(**says(CALLS), tools=[WEATHER]) as stream:
        events = list(stream)
        final = stream.get_final_completion().choices[0]
    streamed = final.message.tool_calls
    assert streamed is not None
    for calls in (whole, streamed):
        found = [one.function for one in calls if one.type == "function"]
        assert [(one.name, one.arguments) for one in found] == [
            ("get_weather", '{"city": "Köln am Rhein"}'),
            ("get_weather", '{"city": "Bonn"}'),
        ]
        assert len({one.id for one in calls}) == 2
    assert final.finish_reason == "tool_calls"
    pieces = [one for one in events if one.type == "tool_calls.function.arguments.delta"]
    assert len(pieces) > 2  # as they are written


def test_the_whole_way_of_a_tool_call(model: ChatOpenAI) -> None:
    @tool
    def get_weather(city: str) -> str:
        """The weather."""
        return f"Sun in {city}"

    asked = HumanMessage(CALLS)
    answer = model.bind_tools([get_weather]).invoke([asked])
    assert isinstance(answer, AIMessage)
    assert [call["args"] for call in answer.tool_calls] == [
        {"city": "Köln am Rhein"},
        {"city": "Bonn"},
    ]
    results = [
        ToolMessage(get_weather.invoke(call["args"]), tool_call_id=call["id"])
        for call in answer.tool_calls
    ]
    second = model.bind_tools([get_weather]).invoke([asked, answer, *results])
    # the model reads the results, which it says again
    assert "Sun in Köln am Rhein" in str(second.content)
    assert "Sun in Bonn" in str(second.content)


async def test_tools_in_another_dialect(gateway: Gateway) -> None:
    tools = [{"name": "get_weather", "input_schema": {"type": "object"}}]
    body = {"model": "echo", "max_tokens": 999, "messages": [{"role": "user", "content": CALLS}]}
    async with (
        aiohttp.ClientSession() as session,
        session.post(f"{gateway.v1}/messages", json={**body, "tools": tools}) as answer,
    ):
        assert answer.headers["x-emulated"] == "tools, max_tokens"
        found = await answer.json()
    assert found["stop_reason"] == "tool_use"
    assert [block["input"] for block in found["content"] if block["type"] == "tool_use"] == [
        {"city": "Köln am Rhein"},
        {"city": "Bonn"},
    ]


class Person(pydantic.BaseModel):
    """Somebody."""

    name: str
    age: int


@pytest.mark.parametrize("method", ["json_schema", "function_calling", "json_mode"])
def test_structured_output(model: ChatOpenAI, method: Any) -> None:
    said = '```json\n{"name": "Bo", "age": 7}\n```'
    if method == "function_calling":
        said = '<tool_call>{"name": "Person", "arguments": {"name": "Bo", "age": 7}}</tool_call>'
    found = model.with_structured_output(Person, method=method).invoke(said)
    assert found == Person(name="Bo", age=7)


def test_an_answer_that_does_not_fit(client: openai.OpenAI) -> None:
    for streamed in (False, True):
        with pytest.raises(openai.UnprocessableEntityError) as caught:
            client.chat.completions.create(
                **says("I am no JSON."), response_format={"type": "json_object"}, stream=streamed
            )
        assert caught.value.code == "unprocessable"
        assert caught.value.param == "response_format"
        assert "there is no JSON in it" in caught.value.message


def test_a_schema_that_is_streamed(client: openai.OpenAI) -> None:
    said = says('Here: {"name": "Bo", "age": 7}')
    with client.chat.completions.stream(**said, response_format=Person) as stream:
        final = stream.get_final_completion()
    assert final.choices[0].message.parsed == Person(name="Bo", age=7)


def test_stop_max_tokens_and_instructions(client: openai.OpenAI) -> None:
    said = says("one two three four five six")
    said["messages"].insert(0, {"role": "system", "content": "Be brief."})
    raw = client.chat.completions.with_raw_response.create(**said, stop=["three"], max_tokens=99)
    assert raw.headers["x-emulated"] == "max_tokens, stop, system"
    choice = raw.parse().choices[0]
    assert (choice.message.content, choice.finish_reason) == ("Be brief.\n\none two ", "stop")
    cut = client.chat.completions.create(**says("one two three four five six"), max_tokens=2)
    assert (cut.choices[0].message.content, cut.choices[0].finish_reason) == (
        "one two th",
        "length",
    )
    plain = client.chat.completions.with_raw_response.create(**says("one"))
    assert "x-emulated" not in plain.headers


def test_several_choices(client: openai.OpenAI) -> None:
    answer = client.chat.completions.create(**says("one two"), n=6)
    assert [one.message.content for one in answer.choices] == ["one two"] * 6
    assert answer.usage is not None
    assert answer.usage.completion_tokens == 12
    found: dict[int, str] = {}
    for chunk in client.chat.completions.create(**says("one two"), n=3, stream=True):
        for choice in chunk.choices:
            found[choice.index] = found.get(choice.index, "") + (choice.delta.content or "")
    assert found == dict.fromkeys(range(3), "one two")


def test_an_image_is_described(client: openai.OpenAI) -> None:
    part = {"type": "image_url", "image_url": {"url": IMAGE}}
    content = [{"type": "text", "text": "What is it?"}, part]
    asked: Any = {"model": "plain:echo", "messages": [{"role": "user", "content": content}]}
    raw = client.chat.completions.with_raw_response.create(**asked)
    assert (raw.headers["x-emulated"], raw.headers["x-provider"]) == ("vision", "plain")
    said = raw.parse()
    assert said.usage is not None
    text = str(said.choices[0].message.content)
    assert text.startswith("What is it?[Image 1, which you cannot see.")
    assert f"[image {IMAGE}]" in text  # so it says that sees it
    chunks = list(client.chat.completions.create(**asked, stream=True))
    streamed = [choice.delta.content or "" for chunk in chunks for choice in chunk.choices]
    assert "".join(streamed) == text
    # the description is known by now
    assert chunks[-1].usage is not None
    assert chunks[-1].usage.prompt_tokens < said.usage.prompt_tokens
    with pytest.raises(openai.BadRequestError) as caught:
        client.chat.completions.create(**asked, extra_body={"emulate": False})
    assert caught.value.param == "messages"


@pytest.mark.parametrize(
    "fields", [{"tools": [WEATHER]}, {"n": 2}, {"stop": "x"}, {"logprobs": True}]
)
def test_what_is_forbidden_or_impossible(client: openai.OpenAI, fields: Any) -> None:
    with pytest.raises(openai.BadRequestError) as caught:
        client.chat.completions.create(**says("Hi"), **fields, extra_body={"emulate": False})
    assert caught.value.code == "unsupported_parameter"
    assert caught.value.param == next(iter(fields))
    with pytest.raises(openai.BadRequestError) as caught:
        client.chat.completions.create(**says("Hi"), logprobs=True)
    assert caught.value.code == "unsupported_parameter"
