"""Instructor against a gateway: each of its modes that the gateway's APIs have, retries, partial answers."""

from __future__ import annotations

import sys

import anthropic
import instructor
import openai
import pydantic

ROOT, KEY = sys.argv[1:3]


class Person(pydantic.BaseModel):
    """Somebody."""

    name: str
    age: int = pydantic.Field(ge=0)


BO = '{"name": "Bo", "age": 7}'
EXPECTED = Person(name="Bo", age=7)


def called(text: str, name: str = "Person") -> str:
    """A prompt that makes a model call the tool for the answer."""
    return f'<tool_call>{{"name": "{name}", "arguments": {text}}}</tool_call>'


def asked(text: str) -> list[dict[str, str]]:
    return [{"role": "user", "content": text}]


plain = openai.OpenAI(base_url=f"{ROOT}/v1", api_key=KEY, max_retries=0, timeout=20)
other = anthropic.Anthropic(base_url=ROOT, api_key=KEY, max_retries=0, timeout=20)

for mode in (instructor.Mode.TOOLS, instructor.Mode.JSON_SCHEMA, instructor.Mode.JSON):
    for model in ("work:agent", "plain:echo"):
        if mode is instructor.Mode.JSON and model == "plain:echo":
            continue  # the echo of its instructions has JSON in it, too
        tools = mode is instructor.Mode.TOOLS
        text, part = (called(BO), called(BO, "PartialPerson")) if tools else (BO, BO)
        client = instructor.from_openai(plain, mode=mode)
        found = client.chat.completions.create(
            model=model, messages=asked(text), response_model=Person
        )
        assert found.model_dump() == EXPECTED.model_dump(), (mode, model)
        partial = list(
            client.chat.completions.create_partial(
                model=model, messages=asked(part), response_model=Person
            )
        )
        assert partial[-1].model_dump() == EXPECTED.model_dump(), (mode, model)
        people = client.chat.completions.create_with_completion(
            model=model, messages=asked(text), response_model=Person
        )
        assert people[1].usage.total_tokens > 0
        print("ok", mode, model)

responses = instructor.from_openai(plain, mode=instructor.Mode.RESPONSES_TOOLS)
for model in ("work:agent", "plain:echo"):
    found = responses.responses.create(model=model, input=called(BO), response_model=Person)
    assert found.model_dump() == EXPECTED.model_dump(), model
    print("ok", instructor.Mode.RESPONSES_TOOLS, model)

for mode in (instructor.Mode.ANTHROPIC_TOOLS, instructor.Mode.ANTHROPIC_JSON):
    for model in ("work:agent", "plain:echo"):
        if mode is instructor.Mode.ANTHROPIC_JSON and model == "plain:echo":
            continue
        tools = mode is instructor.Mode.ANTHROPIC_TOOLS
        text, part = (called(BO), called(BO, "PartialPerson")) if tools else (BO, BO)
        client = instructor.from_anthropic(other, mode=mode)
        found = client.messages.create(
            model=model, max_tokens=500, messages=asked(text), response_model=Person
        )
        assert found.model_dump() == EXPECTED.model_dump(), (mode, model)
        partial = list(
            client.messages.create_partial(
                model=model, max_tokens=500, messages=asked(part), response_model=Person
            )
        )
        assert partial[-1].model_dump() == EXPECTED.model_dump(), (mode, model)
        print("ok", mode, model)


class Adult(Person):
    """Somebody of age; what is wrong says how to make it good."""

    @pydantic.field_validator("age")
    @classmethod
    def of_age(cls, age: int) -> int:
        """Refuse children."""
        if age < 18:
            raise ValueError(
                'no: <tool_call>{"name": "Adult", "arguments": {"name": "Bo", "age": 70}}</tool_call>'
            )
        return age


# an answer that does not fit is told what is wrong with it and asked for once more
seen: list[object] = []
client = instructor.from_openai(plain, mode=instructor.Mode.TOOLS)
client.on("completion:response", seen.append)
grown = client.chat.completions.create(
    model="plain:echo", messages=asked(called(BO, "Adult")), response_model=Adult, max_retries=2
)
assert grown.age == 70
assert len(seen) == 2
print("ok", "retries")
