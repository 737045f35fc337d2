"""Messages requests, in and out: each word has its counterpart, or is refused by name."""

from __future__ import annotations

from typing import Any

import attrs
import orjson
import pytest

from g4f_aio.core.errors import BadRequestError, UnsupportedError
from g4f_aio.core.messages import Message, OtherPart, TextPart, ToolCall
from g4f_aio.core.requests import ChatRequest, OtherTool, Sampling, Tool
from g4f_aio.dialects.anthropic_request import NAME, Habits, decode, encode
from g4f_aio.dialects.openai_chat import OPENAI_CHAT

Json = dict[str, Any]
HELLO = {"role": "user", "content": "Hello"}
MODEL = "claude-sonnet-4-5"
FUNCTION = {"type": "function", "function": {"name": "f", "parameters": {"type": "object"}}}
SEARCH = {"type": "web_search_20250305", "name": "web_search"}


def decoded(**fields: Any) -> ChatRequest:
    return decode(orjson.dumps({"max_tokens": 9, "messages": [HELLO]} | fields))


def encoded(habits: Habits | None = None, model: str = MODEL, **fields: Any) -> Json:
    """What becomes of a chat completions request."""
    body = {"model": "m", "messages": [HELLO]} | fields
    return encode(OPENAI_CHAT.decode_request(orjson.dumps(body)), model, habits or Habits())


def refused(**fields: Any) -> str | None:
    """The parameter at fault."""
    with pytest.raises(UnsupportedError) as raised:
        encoded(**fields)
    assert raised.value.code == "unsupported_parameter"
    return raised.value.param


# in


def test_the_smallest_request() -> None:
    assert decoded() == ChatRequest(
        model="",
        messages=(Message("user", (TextPart("Hello"),)),),
        sampling=Sampling(max_tokens=9),
        dialect=NAME,
        accept=NAME,
        raw={"max_tokens": 9, "messages": [HELLO]},
    )


def test_every_field_has_its_place() -> None:
    schema = {"type": "object"}
    request = decoded(
        model="m",
        stream=True,
        system=[{"type": "text", "text": "Be brief."}],
        temperature=0.5,
        top_p=0.9,
        stop_sequences=["x"],
        tools=[{"name": "f", "input_schema": schema}, SEARCH],
        tool_choice={"type": "any", "disable_parallel_tool_use": True},
        thinking={"type": "enabled", "budget_tokens": 8000},
        output_config={"format": {"type": "json_schema", "schema": schema}},
        metadata={"user_id": "u"},
        service_tier="standard_only",
    )
    assert request.model == "m"
    assert request.stream
    assert request.messages[0] == Message("system", (TextPart("Be brief."),))
    assert request.sampling == Sampling(0.5, 0.9, 9, ("x",))
    assert request.tools == (Tool("f", None, schema), OtherTool("web_search_20250305", SEARCH))
    assert request.tool_choice == "required"
    assert request.response_format == {
        "type": "json_schema",
        "json_schema": {"name": "answer", "schema": schema, "strict": True},
    }
    assert request.options == {
        "reasoning_effort": "medium",
        "user": "u",
        "parallel_tool_calls": False,
        "service_tier": "default",
    }


@pytest.mark.parametrize(
    ("choice", "expected"),
    [
        ({"type": "auto"}, "auto"),
        ({"type": "none"}, "none"),
        ({"type": "any"}, "required"),
        ({"type": "tool", "name": "f"}, {"type": "function", "function": {"name": "f"}}),
    ],
)
def test_choices_of_tools_in(choice: Json, expected: object) -> None:
    assert decoded(tool_choice=choice).tool_choice == expected


def test_a_choice_of_a_tool_without_a_name_is_wrong() -> None:
    with pytest.raises(BadRequestError) as raised:
        decoded(tool_choice={"type": "tool"})
    assert raised.value.param == "tool_choice.name"


@pytest.mark.parametrize(
    ("fields", "effort"),
    [
        ({"thinking": {"type": "adaptive"}}, None),
        ({"thinking": {"type": "disabled"}}, None),
        ({"thinking": {"type": "adaptive"}, "output_config": {"effort": "low"}}, "low"),
        ({"output_config": {"effort": "max"}}, "xhigh"),
        ({"thinking": {"type": "enabled", "budget_tokens": 1024}}, "low"),
        ({"output_config": {"effort": None, "format": None}}, None),
    ],
)
def test_effort_in(fields: Json, effort: str | None) -> None:
    assert decoded(**fields).options.get("reasoning_effort") == effort


def test_blocks_become_messages_of_their_roles() -> None:
    request = decoded(
        messages=[
            HELLO,
            {
                "role": "assistant",
                "content": [
                    {"type": "thinking", "thinking": "Hm", "signature": "s"},
                    {"type": "text", "text": "I look."},
                    {"type": "tool_use", "id": "a", "name": "f", "input": {}},
                    {"type": "tool_use", "id": "b", "name": "g", "input": {"x": 1}},
                ],
            },
            {
                "role": "user",
                "content": [
                    {"type": "tool_result", "tool_use_id": "a", "content": "1"},
                    {"type": "tool_result", "tool_use_id": "b"},
                    {"type": "text", "text": "So?"},
                    {"type": "new"},
                ],
            },
            {"role": "user", "content": [{"type": "tool_result", "tool_use_id": "c"}]},
            {"role": "assistant", "content": []},
            {"role": "system", "content": "Hurry."},
        ]
    )
    assert request.messages[1:] == (
        Message(
            "assistant",
            (TextPart("I look."),),
            tool_calls=(ToolCall("a", "f", "{}"), ToolCall("b", "g", '{"x":1}')),
            reasoning="Hm",
        ),
        Message("tool", (TextPart("1"),), tool_call_id="a"),
        Message("tool", (), tool_call_id="b"),
        Message("user", (TextPart("So?"), OtherPart("new", {"type": "new"}))),
        Message("tool", (), tool_call_id="c"),
        Message("assistant"),
        Message("system", (TextPart("Hurry."),)),
    )


def test_no_messages_are_refused() -> None:
    with pytest.raises(BadRequestError) as raised:
        decoded(messages=[])
    assert raised.value.param == "messages"


# out


def test_a_request_of_the_same_dialect_goes_as_it_came() -> None:
    raw = {"model": "m", "max_tokens": 1, "messages": [HELLO], "container": {"new": 1}}
    request = decode(orjson.dumps(raw))
    assert encode(request, "m", Habits(cache=True)) == raw
    assert encode(request, "other", Habits()) == raw | {"model": "other"}


def test_the_smallest_request_out() -> None:
    assert encoded() == {"model": MODEL, "max_tokens": 32000, "messages": [HELLO]}


def test_every_field_has_its_counterpart() -> None:
    assert encoded(
        stream=True,
        messages=[{"role": "developer", "content": "Be brief."}, HELLO],
        max_completion_tokens=5000,
        temperature=0.2,
        top_p=0.9,
        stop=["x", "y"],
        tools=[FUNCTION],
        tool_choice="auto",
        parallel_tool_calls=False,
        reasoning_effort="low",
        user="u",
        service_tier="default",
        store=True,
        metadata={"a": "b"},
    ) == {
        "model": MODEL,
        "max_tokens": 5000,
        "system": [{"type": "text", "text": "Be brief."}],
        "stream": True,
        "temperature": 0.2,
        "top_p": 0.9,
        "stop_sequences": ["x", "y"],
        "tools": [{"name": "f", "input_schema": {"type": "object"}}],
        "tool_choice": {"type": "auto", "disable_parallel_tool_use": True},
        "thinking": {"type": "enabled", "budget_tokens": 2048},
        "metadata": {"user_id": "u"},
        "service_tier": "standard_only",
        "messages": [HELLO],
    }


def test_effort_and_format_go_together() -> None:
    found = encoded(
        model="claude-opus-4-6",
        reasoning_effort="high",
        response_format={"type": "json_schema", "json_schema": {"schema": {"type": "string"}}},
    )
    assert found["thinking"]["type"] == "adaptive"
    assert found["output_config"] == {
        "effort": "high",
        "format": {"type": "json_schema", "schema": {"type": "string"}},
    }


def test_what_the_settings_say_where_the_request_says_nothing() -> None:
    found = encoded(Habits(max_tokens=77, thinking="adaptive", cache=True), reasoning_effort="low")
    assert found["max_tokens"] == 77
    assert found["thinking"]["type"] == "adaptive"
    assert found["cache_control"] == {"type": "ephemeral"}


def test_fields_of_the_apis_own_go_along_and_others_do_not() -> None:
    own: Json = {"thinking": {"type": "disabled"}, "top_k": 5, "cache_control": {"type": "x"}}
    assert encoded(**own, reasoning_effort="low", vendor="x") == encoded() | own


def test_the_default_temperature_is_not_said() -> None:
    assert encoded(temperature=1, top_p=1.0, presence_penalty=0, frequency_penalty=0.0) == encoded()


@pytest.mark.parametrize("temperature", [0, 0.99])
def test_another_temperature_is(temperature: float) -> None:
    assert encoded(temperature=temperature)["temperature"] == temperature


@pytest.mark.parametrize(
    ("fields", "param"),
    [
        ({"temperature": 1.1}, "temperature"),
        ({"n": 2}, "n"),
        ({"seed": 0}, "seed"),
        ({"presence_penalty": 0.1}, "presence_penalty"),
        ({"frequency_penalty": -0.1}, "frequency_penalty"),
        ({"logprobs": True}, "logprobs"),
        ({"logit_bias": {"1": 2}}, "logit_bias"),
        ({"modalities": ["text", "audio"]}, "modalities"),
        ({"verbosity": "low"}, "verbosity"),
        ({"functions": [{"name": "f"}]}, "functions"),
        ({"response_format": {"type": "json_object"}}, "response_format"),
        ({"response_format": {"type": "grammar"}}, "response_format"),
        ({"tool_choice": "sometimes"}, "tool_choice"),
        ({"tool_choice": {"type": "custom", "custom": {"name": "f"}}}, "tool_choice"),
        ({"tools": [{"type": "custom", "custom": {"name": "f"}}]}, "tools"),
    ],
)
def test_what_the_api_lacks_is_refused_by_name(fields: Json, param: str) -> None:
    assert refused(**fields) == param


def test_what_says_nothing_is_not_refused() -> None:
    said_nothing: Json = {
        "logprobs": False,
        "logit_bias": {},
        "modalities": ["text"],
        "verbosity": "medium",
        "response_format": {"type": "text"},
    }
    assert encoded(**said_nothing) == encoded()


def test_a_schema_that_is_none_is_wrong() -> None:
    with pytest.raises(BadRequestError) as raised:
        encoded(response_format={"type": "json_schema", "json_schema": {"name": "x"}})
    assert raised.value.param == "response_format.json_schema.schema"


def test_the_objects_of_a_schema_are_closed() -> None:
    thing = {"type": "object", "properties": {"a": {"type": ["object", "null"]}}}
    schema = {
        "type": "object",
        "properties": {
            "things": {"type": "array", "items": {"anyOf": [{"$ref": "#/$defs/thing"}]}},
            "open": {"type": "object", "additionalProperties": True},
            "kind": {"enum": [{"type": "object"}], "default": {"type": "object"}},
        },
        "$defs": {"thing": thing},
    }
    found = encoded(
        response_format={"type": "json_schema", "json_schema": {"name": "s", "schema": schema}}
    )["output_config"]["format"]["schema"]
    closed = {"additionalProperties": False}
    assert found == schema | closed | {
        "$defs": {
            "thing": thing | closed | {"properties": {"a": {"type": ["object", "null"], **closed}}}
        }
    }


@pytest.mark.parametrize(
    ("choice", "expected"),
    [
        (None, None),
        ("auto", {"type": "auto"}),
        ("none", {"type": "none"}),
        ("required", {"type": "any"}),
        ({"type": "function", "function": {"name": "f"}}, {"type": "tool", "name": "f"}),
        ({"type": "function", "name": "f"}, {"type": "tool", "name": "f"}),
    ],
)
def test_choices_of_tools(choice: object, expected: Json | None) -> None:
    assert encoded(tools=[FUNCTION], tool_choice=choice).get("tool_choice") == expected


@pytest.mark.parametrize(
    ("choice", "expected"),
    [
        (None, {"type": "auto", "disable_parallel_tool_use": True}),
        ("required", {"type": "any", "disable_parallel_tool_use": True}),
        ("none", {"type": "none"}),
    ],
)
def test_one_call_at_a_time(choice: object, expected: Json) -> None:
    found = encoded(tools=[FUNCTION], tool_choice=choice, parallel_tool_calls=False)
    assert found["tool_choice"] == expected


@pytest.mark.parametrize("choice", ["auto", "none"])
def test_nothing_is_said_about_tools_where_there_are_none(choice: str) -> None:
    assert encoded(tool_choice=choice, parallel_tool_calls=False) == encoded()


def test_a_choice_among_no_tools_is_left_to_the_upstream_to_refuse() -> None:
    assert encoded(tool_choice="required")["tool_choice"] == {"type": "any"}


@pytest.mark.parametrize("nested", [True, False])
@pytest.mark.parametrize(("mode", "kind"), [("auto", "auto"), ("required", "any")])
def test_only_the_allowed_tools_are_offered(mode: str, kind: str, *, nested: bool) -> None:
    allowed = {"mode": mode, "tools": [{"type": "function", "name": "g"}, {}]}
    choice = {"type": "allowed_tools", **({"allowed_tools": allowed} if nested else allowed)}
    other = {"type": "function", "function": {"name": "g"}}
    found = encoded(tools=[FUNCTION, other], tool_choice=choice)
    assert [tool["name"] for tool in found["tools"]] == ["g"]
    assert found["tool_choice"] == {"type": kind}


@pytest.mark.parametrize(
    ("tool", "expected"),
    [
        (
            {"type": "function", "function": {"name": "f", "description": "d", "strict": True}},
            {
                "name": "f",
                "description": "d",
                "input_schema": {"type": "object", "properties": {}},
            },
        ),
        (
            {
                "type": "function",
                "function": {"name": "f", "parameters": {"properties": {"a": {}}}},
            },
            {"name": "f", "input_schema": {"type": "object", "properties": {"a": {}}}},
        ),
        ({"type": "bash_20250124", "name": "bash"}, {"type": "bash_20250124", "name": "bash"}),
    ],
)
def test_tools(tool: Json, expected: Json) -> None:
    assert encoded(tools=[tool])["tools"] == [expected]


def test_a_search_in_the_web_is_a_tool_of_the_apis_own() -> None:
    place = {"city": "Oslo", "country": "NO"}
    where = {"user_location": {"type": "approximate", "approximate": place}}
    assert encoded(web_search_options={})["tools"] == [SEARCH]
    assert encoded(web_search_options=where, tools=[FUNCTION])["tools"][1] == SEARCH | {
        "user_location": {"type": "approximate", **place}
    }


@pytest.mark.parametrize(
    ("tier", "expected"),
    [("auto", "auto"), ("priority", "auto"), ("flex", "standard_only"), ("scale", None)],
)
def test_service_tiers(tier: str, expected: str | None) -> None:
    assert encoded(service_tier=tier).get("service_tier") == expected


def test_who_asks_may_be_said_in_two_ways() -> None:
    assert encoded(safety_identifier="s")["metadata"] == {"user_id": "s"}


def test_a_request_that_was_edited_says_the_same_again() -> None:
    raw = {
        "model": MODEL,
        "max_tokens": 3000,
        "system": [{"type": "text", "text": "Be brief."}],
        "temperature": 0.5,
        "stop_sequences": ["x"],
        "tools": [{"name": "f", "description": "d", "input_schema": {"type": "object"}}],
        "tool_choice": {"type": "tool", "name": "f", "disable_parallel_tool_use": True},
        "output_config": {
            "format": {
                "type": "json_schema",
                "schema": {"type": "object", "additionalProperties": False},
            }
        },
        "metadata": {"user_id": "u"},
        "service_tier": "auto",
        "messages": [
            HELLO,
            {
                "role": "assistant",
                "content": [
                    {"type": "text", "text": "I look."},
                    {"type": "tool_use", "id": "a", "name": "f", "input": {"x": [1]}},
                ],
            },
            {
                "role": "user",
                "content": [
                    {"type": "tool_result", "tool_use_id": "a", "content": "12"},
                    {
                        "type": "image",
                        "source": {"type": "base64", "media_type": "image/png", "data": "AA=="},
                    },
                    {
                        "type": "document",
                        "source": {
                            "type": "base64",
                            "media_type": "application/pdf",
                            "data": "AA==",
                        },
                        "title": "a.pdf",
                    },
                    {"type": "search_result", "source": "s", "title": "t", "content": []},
                ],
            },
        ],
    }
    request = decode(orjson.dumps(raw))
    assert encode(attrs.evolve(request, raw=None), MODEL, Habits()) == raw
