"""OpenAI's Agents SDK against a gateway: function tools, streams, forms of answers, hand-offs."""

from __future__ import annotations

import asyncio
import json
import sys

import openai
import pydantic
from agents import (
    Agent,
    OpenAIChatCompletionsModel,
    OpenAIResponsesModel,
    Runner,
    function_tool,
    set_tracing_disabled,
)

set_tracing_disabled(True)  # else it reports to OpenAI
ROOT, KEY = sys.argv[1:3]
MODELS = json.loads(sys.argv[3])
CALL = 'Look.\n<tool_call>{"name": "get_weather", "arguments": {"city": "Köln"}}</tool_call>\nNow.'


class Person(pydantic.BaseModel):
    """Somebody."""

    name: str
    age: int


@function_tool
def get_weather(city: str) -> str:
    """The weather in a city."""
    return f"12 °C in {city}"


async def main() -> None:
    client = openai.AsyncOpenAI(base_url=f"{ROOT}/v1", api_key=KEY, max_retries=0, timeout=20)
    apis = {
        OpenAIChatCompletionsModel: MODELS["chatting"],
        OpenAIResponsesModel: MODELS["every"],
    }
    for api, names in apis.items():
        for name in names:
            model = api(model=name, openai_client=client)
            agent = Agent("Weather", instructions="Be brief.", model=model, tools=[get_weather])
            found = await Runner.run(agent, CALL)
            assert "12 °C in Köln" in found.final_output, (api, name)
            assert found.context_wrapper.usage.requests == 2
            streamed = Runner.run_streamed(agent, CALL)
            kinds = [event.type async for event in streamed.stream_events()]
            assert "12 °C in Köln" in streamed.final_output, (api, name)
            assert kinds.count("raw_response_event") > 5
            assert kinds.count("run_item_stream_event") >= 3
            if "gpt" not in name and not name.startswith("claude"):
                again = await Runner.run(
                    agent, [*streamed.to_input_list(), {"role": "user", "content": "Bye"}]
                )
                assert again.final_output == "Bye"
            form = Agent("Form", model=model, output_type=Person)
            assert (await Runner.run(form, '{"name": "Bo", "age": 7}')).final_output == Person(
                name="Bo", age=7
            )
            print("ok", api.__name__, name)
    await client.close()


asyncio.run(main())
