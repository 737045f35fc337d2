"""Agents of pydantic-ai against a running gateway: by each of its APIs, before each kind of upstream."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from typing import Any

import anthropic
import openai
import pydantic
import pytest
from pydantic_ai import Agent, NativeOutput, PromptedOutput, ToolOutput
from pydantic_ai.exceptions import ModelAPIError, ModelHTTPError
from pydantic_ai.messages import (
    FunctionToolCallEvent,
    FunctionToolResultEvent,
    ModelMessage,
    PartDeltaEvent,
    TextPartDelta,
    ThinkingPart,
)
from pydantic_ai.models import Model
from pydantic_ai.models.anthropic import AnthropicModel
from pydantic_ai.models.openai import OpenAIChatModel, OpenAIResponsesModel
from pydantic_ai.providers.anthropic import AnthropicProvider
from pydantic_ai.providers.openai import OpenAIProvider

from tests.e2e.clients import (
    CALL,
    CHAT,
    CHATTING,
    EVERY,
    KEY,
    MESSAGES,
    PLAIN,
    RESPONSES,
    World,
)

Ask = Callable[[str, str], Model]
#: an API of the gateway, and a model of an upstream of some kind
WAYS = [
    *(("chat", model) for model in CHATTING),
    *(("messages", model) for model in CHATTING),
    *(("responses", model) for model in EVERY),
]
every_way = pytest.mark.parametrize(("api", "model"), WAYS)
BO = '{"name": "Bo", "age": 7}'


class Person(pydantic.BaseModel):
    """Somebody."""

    name: str
    age: int


class City(pydantic.BaseModel):
    """A place."""

    city: str


@pytest.fixture
async def ask(world: World) -> AsyncIterator[Ask]:
    """A model as a client has it: ``ask(api, name)``."""
    world.forget()
    options: Any = {"api_key": KEY, "max_retries": 0, "timeout": 20}
    async with (
        openai.AsyncOpenAI(base_url=world.gateway.v1, **options) as plain,
        anthropic.AsyncAnthropic(base_url=world.gateway.url, **options) as other,
    ):

        def made(api: str, name: str) -> Model:
            if api == "messages":
                # it knows by its name what a model of Anthropic can do
                can: Any = None if name == MESSAGES else {"supports_json_schema_output": True}
                provider = AnthropicProvider(anthropic_client=other)
                return AnthropicModel(name, provider=provider, profile=can)
            kind = OpenAIChatModel if api == "chat" else OpenAIResponsesModel
            return kind(name, provider=OpenAIProvider(openai_client=plain))

        yield made


def agent(model: Model, **options: Any) -> Agent[None, Any]:
    """An agent that can ask for the weather."""
    made = Agent(model, instructions="Be brief.", **options)

    @made.tool_plain
    def get_weather(city: str) -> str:
        """The weather in a city."""
        return f"12 °C in {city}"

    return made


async def read(asked: Agent[None, Any]) -> str:
    """The whole of a streamed answer."""
    async with asked.run_stream("Hi") as stream:
        return "".join([piece async for piece in stream.stream_text(delta=True)])


@every_way
async def test_a_tool_is_called_and_its_result_is_read(ask: Ask, api: str, model: str) -> None:
    found = await agent(ask(api, model)).run(CALL)
    assert "12 °C in Köln" in found.output
    assert found.usage.requests == 2
    assert found.usage.input_tokens > 0
    assert found.usage.output_tokens > 0


@every_way
async def test_a_tool_is_called_in_a_stream(ask: Ask, api: str, model: str) -> None:
    calls, results, pieces = [], [], []
    async with agent(ask(api, model)).run_stream_events(CALL) as events:
        async for event in events:
            match event:
                case FunctionToolCallEvent(part=part):
                    calls.append((part.tool_name, part.args_as_dict()))
                case FunctionToolResultEvent(part=part):
                    results.append(part.content)
                case PartDeltaEvent(delta=TextPartDelta(content_delta=text)) if results:
                    pieces.append(text)
                case _:
                    pass
    assert calls == [("get_weather", {"city": "Köln"})]
    assert results == ["12 °C in Köln"]
    assert len(pieces) > 1


@every_way
async def test_a_form_of_the_answer(ask: Ask, api: str, model: str) -> None:
    """By the API's own field and by a tool."""
    chat = ask(api, model)
    bo = Person(name="Bo", age=7)
    native = Agent(chat, output_type=NativeOutput(Person))
    assert (await native.run(BO)).output == bo
    async with native.run_stream(BO) as stream:
        found = [one async for one in stream.stream_output(debounce_by=None)]
    assert found[-1] == bo
    by_tool = Agent(chat, output_type=ToolOutput(City, name="get_weather"))
    assert (await by_tool.run(CALL)).output == City(city="Köln")
    async with by_tool.run_stream(CALL) as stream:
        cities = [one async for one in stream.stream_output(debounce_by=None)]
    assert cities[-1] == City(city="Köln")


@pytest.mark.parametrize(("api", "model"), [way for way in WAYS if way[1] != PLAIN])
async def test_a_form_by_instructions(ask: Ask, api: str, model: str) -> None:
    prompted = Agent(ask(api, model), output_type=PromptedOutput(Person))
    assert (await prompted.run(BO)).output == Person(name="Bo", age=7)


@pytest.mark.parametrize(
    ("api", "model"),
    [
        ("chat", f"{CHAT}@thinks"),
        ("messages", f"{CHAT}@thinks"),
        ("messages", MESSAGES),
        ("responses", f"{CHAT}@thinks"),
        ("responses", RESPONSES),
    ],
)
async def test_thoughts_go_back(ask: Ask, api: str, model: str) -> None:
    """The upstreams refuse thoughts that they did not sign, and calls without theirs."""
    settings = {"thinking": "high", "max_tokens": 9999, "openai_reasoning_summary": "detailed"}
    thinker = agent(ask(api, model), model_settings=settings)
    async with thinker.run_stream_events(CALL) as events:
        *_, last = [event async for event in events]
    assert last.event_kind == "agent_run_result"
    history: list[ModelMessage] = last.result.all_messages()
    thoughts = [
        part.content
        for message in history
        for part in message.parts
        if isinstance(part, ThinkingPart)
    ]
    # the fake of OpenAI's API tells them at the end of their item only, where this client does not look
    assert thoughts == ["" if model == RESPONSES else "Let me think."] * 2
    assert (await thinker.run("Thanks.", message_history=history)).output


@pytest.mark.parametrize("api", ["chat", "messages", "responses"])
async def test_errors(ask: Ask, api: str) -> None:
    with pytest.raises(ModelHTTPError) as caught:
        await Agent(ask(api, "work:nobody")).run("Hi")
    assert caught.value.status_code == 404
    assert "nobody" in str(caught.value.body)
    broken = Agent(ask(api, f"work:cut-between-events@{api}"))
    with pytest.raises((ModelAPIError, openai.APIError, anthropic.APIError)):
        await read(broken)
