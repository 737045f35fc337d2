"""Requests for the Messages API: each word has its counterpart, or is refused by name."""

from __future__ import annotations

from typing import Any

import attrs
import orjson
import pytest

from g4f_aio.core.errors import BadRequestError, UnsupportedError
from g4f_aio.core.messages import Message, TextPart, Thought
from g4f_aio.dialects.anthropic_incoming import decode, decode_prompt
from g4f_aio.dialects.anthropic_request import Habits, encode, encode_prompt
from g4f_aio.dialects.anthropic_thinking import SEAL, SealedThoughts
from g4f_aio.dialects.openai_chat import OPENAI_CHAT

Json = dict[str, Any]
HELLO = {"role": "user", "content": "Hello"}
MODEL = "claude-sonnet-4-5"
FUNCTION = {"type": "function", "function": {"name": "f", "parameters": {"type": "object"}}}
SEARCH = {"type": "web_search_20250305", "name": "web_search"}


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
        ({"functions": [{"name": "f"}], "tools": [FUNCTION]}, "functions"),
        ({"response_format": {"type": "json_object"}}, "response_format"),
        ({"response_format": {"type": "grammar"}}, "response_format"),
        ({"tool_choice": "sometimes"}, "tool_choice"),
        ({"tool_choice": {"type": "custom", "custom": {"name": "f"}}}, "tool_choice"),
        ({"tools": [{"type": "custom", "custom": {"name": "f"}}]}, "tools[0]"),
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


EVERYTHING: Json = {
    "model": MODEL,
    "max_tokens": 3000,
    "system": [{"type": "text", "text": "Be brief.", "cache_control": {"type": "ephemeral"}}],
    "stream": True,
    "temperature": 0.5,
    "top_p": 0.9,
    "top_k": 5,
    "stop_sequences": ["x"],
    "tools": [
        {
            "name": "f",
            "description": "d",
            "input_schema": {"type": "object"},
            "cache_control": {"type": "ephemeral"},
            "eager_input_streaming": True,
        },
        {"type": "bash_20250124", "name": "bash"},
    ],
    "tool_choice": {"type": "tool", "name": "f", "disable_parallel_tool_use": True},
    "thinking": {"type": "enabled", "budget_tokens": 2000, "display": "omitted"},
    "output_config": {
        "effort": "max",
        "task_budget": {"type": "tokens", "total": 9},
        "format": {
            "type": "json_schema",
            "schema": {"type": "object", "additionalProperties": False},
        },
    },
    "metadata": {"user_id": "u" * 99},
    "service_tier": "auto",
    "cache_control": {"type": "ephemeral", "ttl": "1h"},
    "container": {"id": "c", "skills": []},
    "mcp_servers": [{"type": "url", "url": "https://a", "name": "a"}],
    "context_management": {"edits": []},
    "messages": [
        HELLO,
        {
            "role": "assistant",
            "content": [
                {"type": "thinking", "thinking": "Hm", "signature": "EqQ"},
                {"type": "redacted_thinking", "data": "Emw"},
                {"type": "server_tool_use", "id": "s", "name": "web_search", "input": {}},
                {"type": "web_search_tool_result", "tool_use_id": "s", "content": []},
                {"type": "text", "text": "I look.", "citations": [{"type": "new"}]},
                {
                    "type": "tool_use",
                    "id": "a",
                    "name": "f",
                    "input": {"x": [1, 1.0]},
                    "caller": {"type": "direct"},
                },
                {"type": "thinking", "thinking": "Hm!", "signature": "EqR"},
                {"type": "tool_use", "id": "b", "name": "f", "input": {}},
            ],
        },
        {
            "role": "user",
            "content": [
                {
                    "type": "tool_result",
                    "tool_use_id": "a",
                    "is_error": True,
                    "content": [
                        {"type": "text", "text": "12"},
                        {"type": "image", "source": {"type": "url", "url": "https://a"}},
                    ],
                    "cache_control": {"type": "ephemeral"},
                },
                {"type": "tool_result", "tool_use_id": "b", "content": "13"},
                {
                    "type": "image",
                    "source": {"type": "base64", "media_type": "image/png", "data": "AA=="},
                },
                {
                    "type": "document",
                    "source": {"type": "text", "media_type": "text/plain", "data": "ä"},
                    "title": "a.txt",
                    "citations": {"enabled": True},
                },
                {"type": "search_result", "source": "s", "title": "t", "content": []},
                {"type": "text", "text": ""},
                {"type": "new"},
            ],
        },
    ],
}


def test_a_request_that_was_edited_loses_nothing_of_the_rest() -> None:
    request = attrs.evolve(decode(orjson.dumps(EVERYTHING)), raw=None)
    assert encode(request, MODEL, Habits(cache=True)) == EVERYTHING
    more = attrs.evolve(request, messages=(*request.messages, Message("user", (TextPart("And?"),))))
    *same, last = encode(more, MODEL, Habits())["messages"]
    assert same == EVERYTHING["messages"][:-1]
    assert last["content"] == [
        *EVERYTHING["messages"][-1]["content"],
        {"type": "text", "text": "And?"},
    ]


def test_a_message_that_was_edited_is_written_anew() -> None:
    request = decode(orjson.dumps(EVERYTHING))
    system, hello, said, *rest = request.messages
    said = attrs.evolve(said, parts=(TextPart("Edited."),))
    edited = attrs.evolve(request, messages=(system, hello, said, *rest), raw=None)
    found = encode(edited, MODEL, Habits())
    assert found["messages"][1]["content"] == [
        {"type": "text", "text": "Edited."},
        {"type": "tool_use", "id": "a", "name": "f", "input": {"x": [1, 1.0]}},
        {"type": "tool_use", "id": "b", "name": "f", "input": {}},
    ]
    assert "thinking" not in found, "without its thoughts it may not think on in the same turn"


def test_a_format_in_its_older_place_stays_there() -> None:
    form = {"type": "json_schema", "schema": {"type": "object"}}
    raw = {"model": MODEL, "max_tokens": 9, "messages": [HELLO], "output_format": form}
    request = attrs.evolve(decode(orjson.dumps(raw)), raw=None)
    assert encode(request, MODEL, Habits()) == raw


def test_what_is_null_is_left_out_when_it_is_written_anew() -> None:
    raw: Json = {"model": MODEL, "max_tokens": 9, "messages": [HELLO]}
    nothing: Json = dict.fromkeys(("thinking", "output_config", "metadata", "system", "container"))
    request = attrs.evolve(decode(orjson.dumps(raw | nothing)), raw=None)
    assert encode(request, MODEL, Habits()) == raw


# thoughts

FOREIGN = {"type": "thinking", "thinking": "Hm", "signature": SEAL}
SIGNED = {"type": "thinking", "thinking": "Hm", "signature": "s"}
TEXT = {"type": "text", "text": "a"}


@pytest.mark.parametrize("edited", [False, True])
def test_thoughts_of_models_of_other_apis_are_left_out(*, edited: bool) -> None:
    talk = [
        HELLO,
        {"role": "assistant", "content": [FOREIGN, SIGNED, TEXT]},
        HELLO,
        {"role": "assistant", "content": [FOREIGN]},
        HELLO,
    ]
    request = decode(orjson.dumps({"model": "m", "max_tokens": 9, "messages": talk}))
    if edited:
        request = attrs.evolve(request, raw=None)
    found = encode(request, "m", Habits())["messages"]
    assert found[1] == {"role": "assistant", "content": [SIGNED, TEXT]}
    assert [turn["role"] for turn in found[2:]] == ["user"] * (1 if edited else 2)


def test_a_request_without_such_thoughts_is_not_even_copied() -> None:
    talk = [HELLO, {"role": "assistant", "content": [SIGNED, TEXT]}, HELLO]
    request = decode(orjson.dumps({"model": "m", "max_tokens": 9, "messages": talk}))
    assert encode(request, "m", Habits()) is request.raw


def calling(*ids: str) -> Json:
    function = {"name": "f", "arguments": "{}"}
    calls = [{"id": id_, "type": "function", "function": function} for id_ in ids]
    return {"role": "assistant", "content": None, "tool_calls": calls}


def result(id_: str) -> Json:
    return {"role": "tool", "tool_call_id": id_, "content": "1"}


def thought_through(model: str = MODEL, **fields: Any) -> Json:
    """What becomes of a chat whose first calls were thought about, as far as that is known."""
    thoughts = SealedThoughts()
    thoughts.keep("a", [Thought("Hm", "s"), Thought("", redacted="r")])
    body = {"model": "m", "tools": [FUNCTION], "reasoning_effort": "low"} | fields
    return encode(OPENAI_CHAT.decode_request(orjson.dumps(body)), model, Habits(), thoughts)


TURN = [HELLO, calling("a", "b"), result("a"), result("b")]


def test_thoughts_that_are_known_go_before_the_calls_they_led_to() -> None:
    found = thought_through(messages=[*TURN, calling("c"), result("c")])
    first, second = found["messages"][1]["content"], found["messages"][3]["content"]
    assert first[:2] == [SIGNED, {"type": "redacted_thinking", "data": "r"}]
    assert [block["type"] for block in first[2:] + second] == ["tool_use"] * 3
    assert found["thinking"]["type"] == "enabled"


@pytest.mark.parametrize(
    "talk",
    [
        [HELLO, calling("x"), result("x")],
        [HELLO, calling("x"), result("x"), {"role": "user", "content": "So?"}],
        [*TURN, HELLO, calling("x"), result("x")],
    ],
)
def test_where_they_are_not_known_the_turn_goes_on_without_thinking(talk: list[Json]) -> None:
    """The API would refuse it."""
    found = thought_through(messages=talk)
    assert "thinking" not in found
    assert thought_through("claude-opus-4-6", messages=talk)["thinking"]["type"] == "adaptive"


@pytest.mark.parametrize("talk", [[HELLO], [HELLO, calling("x"), result("x"), calling("y"), HELLO]])
def test_in_a_new_turn_it_thinks_again(talk: list[Json]) -> None:
    assert thought_through(messages=talk)["thinking"]["type"] == "enabled"


def test_who_does_not_think_gets_no_thoughts_back() -> None:
    found = thought_through(messages=TURN, reasoning_effort="none")
    assert found["messages"][1]["content"][0]["type"] == "tool_use"
    own: Json = {"type": "enabled", "budget_tokens": 1024}
    asked = thought_through(messages=TURN, reasoning_effort=None, thinking=own)
    assert asked["thinking"] == own
    assert asked["messages"][1]["content"][0] == SIGNED


# prompts to be counted


def test_a_prompt_of_another_dialect_says_only_what_counts() -> None:
    body = {"model": "m", "messages": [HELLO], "temperature": 0.5, "tools": [FUNCTION]}
    request = OPENAI_CHAT.decode_request(orjson.dumps(body | {"stream": True, "stop": "x"}))
    assert encode_prompt(request, MODEL, Habits()) == {
        "model": MODEL,
        "messages": [HELLO],
        "tools": [{"name": "f", "input_schema": {"type": "object"}}],
    }


def test_a_prompt_of_the_same_dialect_goes_as_it_came() -> None:
    raw = {"model": "m", "messages": [HELLO], "new": 1}
    request = decode_prompt(orjson.dumps(raw))
    assert encode_prompt(request, "m", Habits()) == raw
    edited = attrs.evolve(request, raw=None)
    assert encode_prompt(edited, "m", Habits()) == {"model": "m", "messages": [HELLO]}
