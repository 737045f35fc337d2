"""Requests for Ollama: what goes where, and what its API has no word for."""

from __future__ import annotations

from typing import Any

import pytest

from g4f_aio.core.errors import BadRequestError, UnsupportedError
from g4f_aio.dialects.anthropic_messages import ANTHROPIC_MESSAGES
from g4f_aio.dialects.ollama_request import encode

from .wire import Json, request

WEATHER = {
    "type": "function",
    "function": {
        "name": "get_weather",
        "description": "Tells it.",
        "parameters": {"type": "object", "properties": {"city": {"type": "string"}}},
        "strict": True,
    },
}
TIME = {"type": "function", "function": {"name": "get_time"}}


def encoded(**fields: Any) -> Json:
    return encode(request(**fields), "llama3.2")


def messages(*told: Json) -> list[Json]:
    """The messages as they go upstream."""
    found: list[Json] = encoded(messages=list(told))["messages"]
    return found


def refused(path: str, **fields: Any) -> UnsupportedError:
    """The error for a request that asks for something unknown at *path*."""
    with pytest.raises(UnsupportedError, match=r"^\$\.") as caught:
        encoded(**fields)
    assert caught.value.param == path
    assert caught.value.message.startswith(f"$.{path}: ")
    return caught.value


def test_a_plain_request_says_no_more_than_it_was_told() -> None:
    assert encoded() == {
        "model": "llama3.2",
        "messages": [{"role": "user", "content": "Hi"}],
        "stream": True,
    }


def test_one_that_does_not_stream_has_to_say_so() -> None:
    assert encoded(stream=False)["stream"] is False


def test_sampling_goes_to_the_options() -> None:
    body = encoded(
        temperature=0,
        top_p=0.5,
        max_tokens=9,
        stop="END",
        seed=7,
        presence_penalty=0.1,
        frequency_penalty=0.2,
        top_k=20,
        min_p=0.05,
        typical_p=0.7,
        repeat_penalty=1.1,
        repeat_last_n=64,
    )
    assert body["options"] == {
        "temperature": 0,
        "top_p": 0.5,
        "num_predict": 9,
        "stop": ["END"],
        "seed": 7,
        "presence_penalty": 0.1,
        "frequency_penalty": 0.2,
        "top_k": 20,
        "min_p": 0.05,
        "typical_p": 0.7,
        "repeat_penalty": 1.1,
        "repeat_last_n": 64,
    }


def test_the_size_of_the_context_is_an_option() -> None:
    assert encode(request(), "m", num_ctx=16384)["options"] == {"num_ctx": 16384}


@pytest.mark.parametrize(
    ("effort", "think"),
    [
        ("none", False),
        ("minimal", "low"),
        ("low", "low"),
        ("medium", "medium"),
        ("high", "high"),
        ("xhigh", "high"),
        ("max", "max"),
    ],
)
def test_an_effort_is_how_much_to_think(effort: str, think: object) -> None:
    assert encoded(reasoning_effort=effort)["think"] == think


def test_log_probabilities_are_asked_for() -> None:
    body = encoded(logprobs=True, top_logprobs=2)
    assert (body["logprobs"], body["top_logprobs"]) == (True, 2)
    assert "top_logprobs" not in encoded(logprobs=False, top_logprobs=2)


@pytest.mark.parametrize(
    ("asked", "form"),
    [
        ({"type": "json_object"}, "json"),
        ({"type": "json_schema", "json_schema": {"name": "n", "schema": {"a": 1}}}, {"a": 1}),
    ],
)
def test_a_format(asked: Json, form: object) -> None:
    assert encoded(response_format=asked)["format"] == form
    assert "format" not in encoded(response_format={"type": "text"})


def test_a_schema_has_to_be_there() -> None:
    with pytest.raises(BadRequestError, match=r"json_schema\.schema: required") as caught:
        encoded(response_format={"type": "json_schema", "json_schema": {"name": "n"}})
    assert caught.value.param == "response_format.json_schema.schema"


@pytest.mark.parametrize(
    ("path", "fields"),
    [
        ("logit_bias", {"logit_bias": {"1": 1}}),
        ("verbosity", {"verbosity": "low"}),
        ("functions", {"functions": [{"name": "f"}], "tools": [TIME]}),
        ("audio", {"audio": {"voice": "alloy"}}),
        ("n", {"n": 2}),
        ("modalities", {"modalities": ["text", "audio"]}),
        ("response_format.type", {"response_format": {"type": "grammar"}}),
        ("tools[0]", {"tools": [{"type": "custom", "custom": {"name": "c"}}]}),
        ("tool_choice", {"tools": [TIME], "tool_choice": "required"}),
        (
            "tool_choice",
            {
                "tools": [TIME],
                "tool_choice": {"type": "function", "function": {"name": "get_time"}},
            },
        ),
    ],
)
def test_what_the_api_has_no_word_for_is_refused(path: str, fields: Json) -> None:
    refused(path, **fields)


@pytest.mark.parametrize(
    "fields",
    [{"verbosity": "medium"}, {"modalities": ["text"]}, {"user": "u", "metadata": {}, "n": 1}],
)
def test_what_changes_nothing_is_left_out(fields: Json) -> None:
    assert encoded(**fields) == encoded()


# tools


def test_tools_are_told_of() -> None:
    assert encoded(tools=[WEATHER, TIME])["tools"] == [
        {
            "type": "function",
            "function": {
                "name": "get_weather",
                "description": "Tells it.",
                "parameters": {"type": "object", "properties": {"city": {"type": "string"}}},
            },
        },
        {
            "type": "function",
            "function": {
                "name": "get_time",
                "description": "",
                "parameters": {"type": "object", "properties": {}},
            },
        },
    ]


def test_which_tools_may_be_called() -> None:
    assert len(encoded(tools=[WEATHER, TIME], tool_choice="auto")["tools"]) == 2
    assert "tools" not in encoded(tools=[WEATHER, TIME], tool_choice="none")
    some = {"type": "allowed_tools", "allowed_tools": {"mode": "auto", "tools": [TIME]}}
    (tool,) = encoded(tools=[WEATHER, TIME], tool_choice=some)["tools"]
    assert tool["function"]["name"] == "get_time"


def test_a_choice_without_tools_is_no_choice() -> None:
    assert encoded(tool_choice="required") == encoded()


def test_tools_that_are_allowed_have_names() -> None:
    some = {"type": "allowed_tools", "allowed_tools": {"mode": "auto", "tools": [1]}}
    with pytest.raises(BadRequestError, match="functions with a name") as caught:
        encoded(tools=[TIME], tool_choice=some)
    assert caught.value.param == "tool_choice.allowed_tools.tools"


# messages


def test_every_role_has_its_place() -> None:
    assert messages(
        {"role": "developer", "content": "Be brief."},
        {"role": "system", "content": "Be kind."},
        {"role": "user", "content": "Hi", "name": "ann"},
        {"role": "assistant", "content": "Ho", "reasoning_content": "Hm."},
        {"role": "assistant", "refusal": "No."},
    ) == [
        {"role": "system", "content": "Be brief."},
        {"role": "system", "content": "Be kind."},
        {"role": "user", "content": "Hi"},
        {"role": "assistant", "content": "Ho", "thinking": "Hm."},
        {"role": "assistant", "content": "No."},
    ]


def test_calls_have_their_arguments_as_objects_and_results_their_names() -> None:
    calls = [
        {"id": id_, "type": "function", "function": {"name": name, "arguments": arguments}}
        for id_, name, arguments in (
            ("c1", "f", '{"a": 1}'),
            ("c2", "g", ""),
            ("c3", "h", "not json"),
            ("c4", "i", "[1]"),
        )
    ]
    custom = {"id": "c5", "type": "custom", "custom": {"name": "j", "input": "plain"}}
    call, first, second, third = messages(
        {"role": "assistant", "content": None, "tool_calls": [*calls, custom]},
        {"role": "tool", "tool_call_id": "c1", "content": "22°C"},
        {"role": "tool", "tool_call_id": "unknown", "content": "?"},
        {"role": "function", "name": "old", "content": "!"},
    )
    assert call["content"] == ""
    assert [(one["id"], one["function"]) for one in call["tool_calls"]] == [
        ("c1", {"name": "f", "arguments": {"a": 1}}),
        ("c2", {"name": "g", "arguments": {}}),
        ("c3", {"name": "h", "arguments": {"arguments": "not json"}}),
        ("c4", {"name": "i", "arguments": {"arguments": "[1]"}}),
        ("c5", {"name": "j", "arguments": {"input": "plain"}}),
    ]
    assert first == {
        "role": "tool",
        "content": "22°C",
        "tool_name": "f",
        "tool_call_id": "c1",
    }
    assert second == {"role": "tool", "content": "?", "tool_call_id": "unknown"}
    assert third == {"role": "tool", "content": "!", "tool_name": "old"}


def test_images_are_bare_base64_beside_the_text() -> None:
    def image(url: str) -> Json:
        return {"type": "image_url", "image_url": {"url": url}}

    (message,) = messages(
        {
            "role": "user",
            "content": [
                {"type": "text", "text": "What is it?"},
                image("data:image/png;base64,iVBORw0KGgo="),
                image("data:image/svg+xml,%3Csvg/%3E"),
                {"type": "text", "text": "Well?"},
            ],
        }
    )
    assert message == {
        "role": "user",
        "content": "What is it?\nWell?",
        "images": ["iVBORw0KGgo=", "PHN2Zy8+"],
    }


@pytest.mark.parametrize(
    ("part", "path"),
    [
        ({"type": "image_url", "image_url": {"url": "https://example.org/a.png"}}, "image_url.url"),
        ({"type": "input_audio", "input_audio": {"data": "AA==", "format": "wav"}}, "type"),
        ({"type": "file", "file": {"file_id": "f"}}, "type"),
    ],
)
def test_a_part_that_it_does_not_take_is_named(part: Json, path: str) -> None:
    content = [{"type": "text", "text": "What is it?"}, part]
    refused(f"messages[0].content[1].{path}", messages=[{"role": "user", "content": content}])


def test_nor_does_it_take_one_that_no_other_api_knows() -> None:
    part = {"type": "video_url", "video_url": {"url": "https://example.org/a.mp4"}}
    refused("messages[0].content[0]", messages=[{"role": "user", "content": [part]}])


def test_a_request_of_another_dialect_is_taken() -> None:
    asked = ANTHROPIC_MESSAGES.decode_request(
        b'{"model":"m","max_tokens":5,"system":"Be brief.","messages":[{"role":"user","content":"Hi"}]}'
    )
    assert encode(asked, "llama3.2") == {
        "model": "llama3.2",
        "messages": [
            {"role": "system", "content": "Be brief."},
            {"role": "user", "content": "Hi"},
        ],
        "stream": False,
        "options": {"num_predict": 5},
    }
