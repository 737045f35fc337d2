"""Requests in Gemini's words: everything a client may ask for is there, or refused by its path."""

from __future__ import annotations

from typing import Any

import pytest

from g4f_aio.core.errors import BadRequestError, UnsupportedError
from g4f_aio.dialects.gemini_request import encode
from g4f_aio.dialects.gemini_thinking import UNSIGNED, Signatures

from .wire import Json, request

HI = {"role": "user", "parts": [{"text": "Hi"}]}
SCHEMA = {"type": "object", "properties": {"city": {"type": "string"}}, "required": ["city"]}


def tool(name: str = "f", **fields: Any) -> Json:
    return {"type": "function", "function": {"name": name, **fields}}


def body(model: str = "gemini-2.0-flash", *, thoughts: bool = False, **fields: Any) -> Json:
    return encode(request(**fields), model, Signatures(), thoughts=thoughts)


def config(**fields: Any) -> Json | None:
    return body(**fields).get("generationConfig")


def choice(**fields: Any) -> Json | None:
    """How the model may call tools."""
    found = body(**fields).get("toolConfig")
    return None if found is None else found["functionCallingConfig"]


def test_a_simple_request_is_simple() -> None:
    assert body() == {"contents": [HI]}


def test_thoughts_are_asked_for_where_there_are_any() -> None:
    shown = {"thinkingConfig": {"includeThoughts": True}}
    assert body("gemini-2.5-pro", thoughts=True)["generationConfig"] == shown
    assert "generationConfig" not in body("gemini-2.0-flash", thoughts=True)


def test_an_effort_is_a_budget_or_a_level() -> None:
    found = body("gemini-2.5-pro", reasoning_effort="low")
    assert found["generationConfig"] == {"thinkingConfig": {"thinkingBudget": 1024}}


def test_sampling() -> None:
    assert config(
        temperature=0,
        top_p=0.5,
        max_tokens=7,
        stop="END",
        seed=1,
        presence_penalty=0.5,
        frequency_penalty=-0.5,
        n=2,
        logprobs=True,
        top_logprobs=3,
    ) == {
        "temperature": 0,
        "topP": 0.5,
        "maxOutputTokens": 7,
        "stopSequences": ["END"],
        "seed": 1,
        "presencePenalty": 0.5,
        "frequencyPenalty": -0.5,
        "candidateCount": 2,
        "responseLogprobs": True,
        "logprobs": 3,
    }


def test_what_is_not_asked_for_is_not_said() -> None:
    assert config(n=1, logprobs=False, stop=[], modalities=["text"], reasoning_effort=None) is None
    assert config(max_completion_tokens=5, max_tokens=9) == {"maxOutputTokens": 5}


def test_what_says_nothing_of_the_answer_is_left_out() -> None:
    assert body(user="u", metadata={"a": "b"}, store=True, parallel_tool_calls=True) == {
        "contents": [HI]
    }


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("logit_bias", {"50256": -100}),
        ("verbosity", "low"),
        ("function_call", "auto"),
        ("audio", {"voice": "alloy", "format": "wav"}),
    ],
)
def test_what_the_api_has_no_word_for_is_refused(name: str, value: Any) -> None:
    with pytest.raises(UnsupportedError, match=rf"^\$\.{name}: ") as caught:
        body(**{name: value})
    assert caught.value.param == name


def test_an_image_may_be_asked_for() -> None:
    assert config(modalities=["text", "image"]) == {"responseModalities": ["TEXT", "IMAGE"]}


@pytest.mark.parametrize(
    ("tier", "expected"), [("flex", "flex"), ("default", "standard"), ("auto", None), (None, None)]
)
def test_the_tier(tier: str | None, expected: str | None) -> None:
    assert body(service_tier=tier).get("serviceTier") == expected


# formats


@pytest.mark.parametrize(
    ("asked", "expected"),
    [
        ({"type": "text"}, None),
        ({"type": "json_object"}, {"responseMimeType": "application/json"}),
        (
            {"type": "json_schema", "json_schema": {"name": "n", "schema": SCHEMA, "strict": True}},
            {"responseMimeType": "application/json", "responseJsonSchema": SCHEMA},
        ),
    ],
)
def test_the_format_of_the_answer(asked: Json, expected: Json | None) -> None:
    assert config(response_format=asked) == expected


@pytest.mark.parametrize(
    ("asked", "param"),
    [
        ({"type": "json_schema"}, "response_format.json_schema.schema"),
        (
            {"type": "json_schema", "json_schema": {"name": "n"}},
            "response_format.json_schema.schema",
        ),
        ({"type": "grammar"}, "response_format.type"),
        ({}, "response_format.type"),
    ],
)
def test_a_format_that_is_none_is_refused(asked: Json, param: str) -> None:
    with pytest.raises(BadRequestError) as caught:
        body(response_format=asked)
    assert caught.value.param == param


# tools


def test_functions_keep_their_json_schema() -> None:
    found = body(tools=[tool("a", description="d", parameters=SCHEMA), tool("b", parameters={})])
    assert found["tools"] == [
        {
            "functionDeclarations": [
                {"name": "a", "description": "d", "parametersJsonSchema": SCHEMA},
                {"name": "b"},
            ]
        }
    ]
    assert "toolConfig" not in found


@pytest.mark.parametrize(
    ("asked", "expected"),
    [
        (None, None),
        ("auto", None),
        ("none", {"mode": "NONE"}),
        ("required", {"mode": "ANY"}),
        (tool("b"), {"mode": "ANY", "allowedFunctionNames": ["b"]}),
        (
            {
                "type": "allowed_tools",
                "allowed_tools": {"mode": "required", "tools": [tool("a"), tool("b")]},
            },
            {"mode": "ANY", "allowedFunctionNames": ["a", "b"]},
        ),
        (
            {
                "type": "allowed_tools",
                "allowed_tools": {"mode": "auto", "tools": [{"type": "function", "name": "a"}]},
            },
            {"mode": "VALIDATED", "allowedFunctionNames": ["a"]},
        ),
    ],
)
def test_the_choice_of_a_tool(asked: object, expected: Json | None) -> None:
    assert choice(tools=[tool("a"), tool("b")], tool_choice=asked) == expected


@pytest.mark.parametrize("asked", [None, "auto"])
def test_the_calls_of_strict_tools_are_held_to_their_schema(asked: object) -> None:
    tools = [tool("a"), tool("b", strict=True)]
    assert choice(tools=tools, tool_choice=asked) == {"mode": "VALIDATED"}
    assert choice(tools=tools, tool_choice="none") == {"mode": "NONE"}


def test_a_choice_among_no_tools_is_none() -> None:
    assert choice(tool_choice="none") is None


@pytest.mark.parametrize(
    ("asked", "param"),
    [
        ("sometimes", "tool_choice"),
        ({"type": "custom", "custom": {"name": "a"}}, "tool_choice"),
        ({"type": "allowed_tools", "allowed_tools": {"mode": "auto"}}, "tool_choice"),
        (
            {"type": "allowed_tools", "allowed_tools": {"mode": "auto", "tools": [1]}},
            "tool_choice.allowed_tools.tools",
        ),
    ],
)
def test_a_choice_that_is_none_is_refused(asked: object, param: str) -> None:
    with pytest.raises(BadRequestError) as caught:
        body(tools=[tool()], tool_choice=asked)
    assert caught.value.param == param


@pytest.mark.parametrize(
    "fields",
    [
        {"web_search_options": {}},
        {"web_search_options": {"search_context_size": "low"}},
        {"tools": [{"type": "web_search"}]},
        {"tools": [{"type": "google_search"}]},
    ],
)
def test_a_search_in_the_web(fields: Json) -> None:
    assert body(**fields)["tools"] == [{"googleSearch": {}}]


def test_functions_and_a_search_together() -> None:
    found = body(tools=[tool()], web_search_options={})["tools"]
    assert found == [{"functionDeclarations": [{"name": "f"}]}, {"googleSearch": {}}]


def test_a_tool_of_another_type_is_refused_by_its_path() -> None:
    with pytest.raises(UnsupportedError, match=r"^\$\.tools\[1\]: .*'custom'") as caught:
        body(tools=[tool(), {"type": "custom", "custom": {"name": "sh"}}])
    assert caught.value.param == "tools[1]"


def test_searches_in_the_web_and_videos_are_known_by_the_names_of_others() -> None:
    search = {"type": "web_search_20250305", "name": "web_search"}
    assert body(tools=[search])["tools"] == [{"googleSearch": {}}]
    video = {"type": "video_url", "video_url": {"url": "https://example.org/a.mp4"}}
    assert (
        "fileData"
        in body(messages=[{"role": "user", "content": [video]}])["contents"][0]["parts"][0]
    )


# instructions

SYSTEM = {"role": "system", "content": "Be brief."}
USER = {"role": "user", "content": "Hi"}


def test_the_system_instructs() -> None:
    assert body(messages=[SYSTEM, USER]) == {
        "contents": [HI],
        "systemInstruction": {"parts": [{"text": "Be brief."}]},
    }


def test_where_nobody_else_speaks_the_system_s_words_are_the_user_s() -> None:
    assert body(messages=[SYSTEM]) == {
        "contents": [{"role": "user", "parts": [{"text": "Be brief."}]}]
    }


def test_a_model_without_a_system_is_told_as_a_user() -> None:
    told = [{"text": "Be brief."}]
    assert body("gemma-3-27b-it", messages=[SYSTEM, USER]) == {
        "contents": [{"role": "user", "parts": [*told, {"text": "Hi"}]}]
    }
    found = body("models/gemma-3-4b-it", messages=[SYSTEM, {"role": "assistant", "content": "a"}])
    assert found["contents"] == [
        {"role": "user", "parts": told},
        {"role": "model", "parts": [{"text": "a"}]},
    ]


def test_a_request_is_not_changed_by_writing_it() -> None:
    asked = request(messages=[SYSTEM, USER, USER])
    first = encode(asked, "gemma-3-4b-it", Signatures(), thoughts=True)
    assert encode(asked, "gemma-3-4b-it", Signatures(), thoughts=True) == first


def test_the_calls_of_another_model_are_marked_for_the_newer_ones() -> None:
    call = {"id": "a", "type": "function", "function": {"name": "f", "arguments": "{}"}}
    messages = [USER, {"role": "assistant", "content": None, "tool_calls": [call]}]
    (part,) = body("gemini-3-flash", messages=messages)["contents"][1]["parts"]
    assert part["thoughtSignature"] == UNSIGNED
    (part,) = body("gemini-2.5-flash", messages=messages)["contents"][1]["parts"]
    assert "thoughtSignature" not in part
