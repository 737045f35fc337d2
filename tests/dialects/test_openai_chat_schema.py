"""Every field of a chat completions request is taken strictly, with its path in the 400."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import attrs
import pytest
from hypothesis import given
from hypothesis import strategies as st

from g4f_aio.core.errors import BadRequestError
from g4f_aio.core.messages import (
    AudioPart,
    FilePart,
    ImagePart,
    OtherPart,
    RefusalPart,
    TextPart,
    ToolCall,
)
from g4f_aio.core.requests import OtherTool, Tool
from g4f_aio.dialects import openai_chat_schema as schema
from g4f_aio.dialects.openai_chat_schema import structure

Json = dict[str, Any]
HELLO = {"role": "user", "content": "Hello"}
FIELDS = [field.name for field in attrs.fields(schema.Body) if field.name != "messages"]


def refusal(value: Json) -> BadRequestError:
    """Why a request with *value* is refused."""
    with pytest.raises(BadRequestError) as caught:
        structure({"messages": [HELLO]} | value)
    return caught.value


STRING = "expected a string, got"
BOOLEAN = "expected a boolean, got"
INTEGER = "expected an integer, got"
NUMBER = "expected a number, got"
OBJECT = "expected an object, got"
ARRAY = "expected an array, got"


@pytest.mark.parametrize(
    ("field", "value", "message"),
    [
        ("model", 1, f"{STRING} an integer"),
        ("model", ["a"], f"{STRING} an array"),
        ("stream", "no", f"{BOOLEAN} a string"),
        ("stream", 1, f"{BOOLEAN} an integer"),
        ("stream_options", True, f"{OBJECT} a boolean"),
        ("stream_options", [], f"{OBJECT} an array"),
        ("stream_options", "include_usage", f"{OBJECT} a string"),
        ("temperature", "1", f"{NUMBER} a string"),
        ("temperature", True, f"{NUMBER} a boolean"),
        ("top_p", {}, f"{NUMBER} an object"),
        ("max_tokens", "10", f"{INTEGER} a string"),
        ("max_tokens", 1.5, f"{INTEGER} a number"),
        ("max_tokens", True, f"{INTEGER} a boolean"),
        ("max_completion_tokens", 1.0, f"{INTEGER} a number"),
        ("presence_penalty", "0", f"{NUMBER} a string"),
        ("frequency_penalty", [0], f"{NUMBER} an array"),
        ("seed", "1", f"{INTEGER} a string"),
        ("stop", 1, "expected a string or an array of strings, got an integer"),
        ("stop", {}, "expected a string or an array of strings, got an object"),
        ("n", "3", f"{INTEGER} a string"),
        ("n", True, f"{INTEGER} a boolean"),
        ("n", 2.0, f"{INTEGER} a number"),
        ("tools", {}, f"{ARRAY} an object"),
        ("tools", "x", f"{ARRAY} a string"),
        ("tool_choice", 1, "expected a string or an object, got an integer"),
        ("tool_choice", [], "expected a string or an object, got an array"),
        ("response_format", "json", f"{OBJECT} a string"),
        ("parallel_tool_calls", "yes", f"{BOOLEAN} a string"),
        ("logit_bias", [], f"{OBJECT} an array"),
        ("logprobs", 1, f"{BOOLEAN} an integer"),
        ("top_logprobs", True, f"{INTEGER} a boolean"),
        ("user", 1, f"{STRING} an integer"),
        ("metadata", "x", f"{OBJECT} a string"),
        ("store", "no", f"{BOOLEAN} a string"),
        ("modalities", "text", f"{ARRAY} a string"),
        ("audio", "wav", f"{OBJECT} a string"),
        ("service_tier", 1, f"{STRING} an integer"),
        ("reasoning_effort", 1, f"{STRING} an integer"),
        ("verbosity", [], f"{STRING} an array"),
        ("provider", 1, "expected a string or an object, got an integer"),
        ("proxy", 1, f"{STRING} an integer"),
        ("api_key", 1, "expected a string or an object of strings, got an integer"),
        ("api_key", {"a": 1}, "expected an object of strings, got an integer"),
        ("conversation_id", 1, f"{STRING} an integer"),
        ("timeout", "5", f"{NUMBER} a string"),
        ("timeout", True, f"{NUMBER} a boolean"),
        ("web_search", 1, "expected a boolean or a string, got an integer"),
        ("download_media", "no", f"{BOOLEAN} a string"),
        ("messages", None, f"{ARRAY} null"),
        ("messages", {}, f"{ARRAY} an object"),
        ("messages", "Hello", f"{ARRAY} a string"),
    ],
)
def test_a_field_of_a_wrong_type_is_refused(field: str, value: Any, message: str) -> None:
    error = refusal({field: value})
    assert (error.status, error.type, error.param) == (400, "invalid_request_error", field)
    assert error.message == f"$.{field}: {message}"


ROLES = "must be one of system, developer, user, assistant, tool, function"


@pytest.mark.parametrize(
    ("value", "path", "message"),
    [
        ({"stream_options": {"include_usage": "yes"}}, "stream_options.include_usage", BOOLEAN),
        ({"stop": ["a", None]}, "stop[1]", f"{STRING} null"),
        ({"modalities": [1]}, "modalities[0]", STRING),
        ({"tools": ["x"]}, "tools[0]", OBJECT),
        ({"tools": [["x"]]}, "tools[0]", OBJECT),
        ({"tools": [{"type": 3}]}, "tools[0].type", STRING),
        ({"tools": [{"type": "function"}]}, "tools[0].function", "required field missing"),
        ({"tools": [{"function": "x"}]}, "tools[0].function", OBJECT),
        ({"tools": [{"function": {}}]}, "tools[0].function.name", "required field missing"),
        ({"tools": [{"function": {"name": 1}}]}, "tools[0].function.name", STRING),
        (
            {"tools": [{"function": {"name": "f", "parameters": []}}]},
            "tools[0].function.parameters",
            OBJECT,
        ),
        (
            {"tools": [{"function": {"name": "f", "strict": 1}}]},
            "tools[0].function.strict",
            BOOLEAN,
        ),
    ],
)
def test_a_fault_inside_a_field_is_named_by_its_path(value: Json, path: str, message: str) -> None:
    error = refusal(value)
    assert error.param == path
    assert error.message.startswith(f"$.{path}: {message}")


@pytest.mark.parametrize(
    ("message", "path", "fault"),
    [
        (None, "", OBJECT),
        ("Hello", "", OBJECT),
        ([], "", OBJECT),
        ({}, ".role", "required field missing"),
        ({"role": "robot"}, ".role", ROLES),
        ({"role": None}, ".role", ROLES),
        ({"role": ["user"]}, ".role", ROLES),
        ({"content": 5}, ".content", "expected a string, an array of parts or null, got"),
        ({"content": {}}, ".content", "expected a string, an array of parts or null, got"),
        ({"content": ["x"]}, ".content[0]", OBJECT),
        ({"content": [["type"]]}, ".content[0]", OBJECT),
        ({"content": [{}]}, ".content[0].type", "required field missing"),
        ({"content": [{"type": ["x"]}]}, ".content[0].type", STRING),
        ({"content": [{"type": "text"}]}, ".content[0].text", "required field missing"),
        ({"content": [{"type": "text", "text": 1}]}, ".content[0].text", STRING),
        ({"content": [{"type": "refusal"}]}, ".content[0].refusal", "required field missing"),
        (
            {"content": [{"type": "image_url"}]},
            ".content[0].image_url",
            "required field missing",
        ),
        (
            {"content": [{"type": "image_url", "image_url": ["url"]}]},
            ".content[0].image_url",
            "expected an object with url, got an array",
        ),
        (
            {"content": [{"type": "image_url", "image_url": {"url": 1}}]},
            ".content[0].image_url.url",
            STRING,
        ),
        (
            {"content": [{"type": "image_url", "image_url": {"url": "x", "detail": 1}}]},
            ".content[0].image_url.detail",
            STRING,
        ),
        (
            {"content": [{"type": "input_audio", "input_audio": "data format"}]},
            ".content[0].input_audio",
            OBJECT,
        ),
        (
            {"content": [{"type": "input_audio", "input_audio": {"data": "x"}}]},
            ".content[0].input_audio.format",
            "required field missing",
        ),
        ({"content": [{"type": "file", "file": []}]}, ".content[0].file", OBJECT),
        (
            {"content": [{"type": "file", "file": {"file_id": 1}}]},
            ".content[0].file.file_id",
            STRING,
        ),
        ({"name": 1}, ".name", STRING),
        ({"tool_calls": {}}, ".tool_calls", ARRAY),
        ({"tool_calls": "ab"}, ".tool_calls", ARRAY),
        ({"tool_calls": [[]]}, ".tool_calls[0]", OBJECT),
        ({"tool_calls": [{"id": "a"}]}, ".tool_calls[0].function", "required field missing"),
        (
            {"tool_calls": [{"id": 1, "function": {"name": "f"}}]},
            ".tool_calls[0].id",
            STRING,
        ),
        (
            {"tool_calls": [{"id": "a", "function": ["name"]}]},
            ".tool_calls[0].function",
            OBJECT,
        ),
        (
            {"tool_calls": [{"id": "a", "function": {"name": "f", "arguments": {}}}]},
            ".tool_calls[0].function.arguments",
            STRING,
        ),
        (
            {"tool_calls": [{"id": "a", "type": "custom", "function": {"name": "f"}}]},
            ".tool_calls[0].custom",
            "required field missing",
        ),
        (
            {"tool_calls": [{"id": "a", "type": "custom", "custom": {"name": "f", "input": 1}}]},
            ".tool_calls[0].custom.input",
            STRING,
        ),
        ({"tool_call_id": 1}, ".tool_call_id", STRING),
        ({"refusal": True}, ".refusal", STRING),
        ({"reasoning_content": []}, ".reasoning_content", STRING),
    ],
)
def test_a_fault_in_a_message_is_named_by_its_path(message: object, path: str, fault: str) -> None:
    if isinstance(message, dict) and message and "role" not in message:
        message = {"role": "user", "content": "x", **message}
    error = refusal({"messages": [HELLO, message]})
    assert error.param == f"messages[1]{path}"
    assert error.message.startswith(f"$.messages[1]{path}: {fault}")


def test_a_request_without_messages_is_refused() -> None:
    with pytest.raises(BadRequestError) as caught:
        structure({"model": "m"})
    assert caught.value.message == "$.messages: required field missing"
    assert caught.value.param == "messages"


def test_all_faults_are_named_and_the_first_one_is_the_param() -> None:
    error = refusal({"messages": [{"role": "x"}], "n": "3", "stream": "no"})
    assert error.param == "messages[0].role"
    assert error.message == (
        f"$.messages[0].role: {ROLES}; $.stream: {BOOLEAN} a string; $.n: {INTEGER} a string"
    )


def test_null_is_as_good_as_nothing_but_for_messages() -> None:
    body = structure({"messages": [HELLO]} | dict.fromkeys(FIELDS))
    assert body == structure({"messages": [HELLO]})


def test_messages_that_are_known_are_left_out() -> None:
    raw: Json = {"messages": [HELLO, HELLO | {"name": "bob"}, HELLO], "temperature": 1}
    whole = structure(raw)
    assert structure(raw, 1).messages == whole.messages[1:]
    assert structure(raw, 3).messages == []
    assert structure(raw, 1).temperature == 1
    assert len(raw["messages"]) == 3


def test_messages_that_are_known_are_counted_where_another_one_is_wrong() -> None:
    with pytest.raises(BadRequestError) as caught:
        structure({"messages": [HELLO, HELLO, {"role": "user", "content": 1}]}, 2)
    assert caught.value.param == "messages[2].content"
    with pytest.raises(BadRequestError) as caught:
        structure({"messages": [HELLO, HELLO], "temperature": "1"}, 2)
    assert caught.value.param == "temperature"


def test_messages_that_are_known_are_left_out_in_the_exact_way_too(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def fails(*_: object) -> None:
        raise ValueError

    raw = {"messages": [HELLO, HELLO | {"name": "bob"}]}
    expected = structure(raw, 1)
    monkeypatch.setattr(schema, "_STRUCTURE", fails)
    assert structure(raw, 1) == expected


def test_an_integer_is_a_number_and_stays_one() -> None:
    body = structure({"messages": [HELLO], "temperature": 1, "timeout": 2.5})
    assert repr(body.temperature) == "1"
    assert body.timeout == 2.5


def test_each_kind_of_part() -> None:
    parts = [
        {"type": "text", "text": "a", "cache_control": {"type": "ephemeral"}},
        {"type": "refusal", "refusal": "b"},
        {"type": "image_url", "image_url": {"url": "https://c", "detail": "low"}},
        {"type": "image_url", "image_url": {"url": "https://d"}},
        {"type": "image_url", "image_url": "https://e"},
        {"type": "input_audio", "input_audio": {"data": "Zg==", "format": "wav"}},
        {"type": "file", "file": {"file_data": "data:,g", "filename": "g.txt"}},
        {"type": "file", "file": {"file_id": "h"}},
        {"type": "video_url", "video_url": {"url": "https://i"}},
    ]
    body = structure({"messages": [{"role": "user", "content": parts}]})
    assert body.messages[0].content == [
        TextPart("a"),
        RefusalPart("b"),
        ImagePart("https://c", "low"),
        ImagePart("https://d"),
        ImagePart("https://e"),
        AudioPart("Zg==", "wav"),
        FilePart("data:,g", None, "g.txt"),
        FilePart(None, "h", None),
        OtherPart("video_url", {"type": "video_url", "video_url": {"url": "https://i"}}),
    ]


def test_each_kind_of_tool_and_call() -> None:
    message = {
        "role": "assistant",
        "tool_calls": [
            {"id": "a", "type": "function", "function": {"name": "f", "arguments": '{"x":1}'}},
            {"id": "b", "function": {"name": "g"}},
            {"id": "c", "type": "custom", "custom": {"name": "h", "input": "plain"}},
        ],
    }
    tools = [
        {"type": "function", "function": {"name": "f", "parameters": {"x": 1}, "strict": True}},
        {"function": {"name": "g", "description": "G"}},
        {"type": "custom", "custom": {"name": "h"}},
        {"type": "web_search"},
    ]
    body = structure({"messages": [message], "tools": tools})
    assert body.messages[0].tool_calls == [
        ToolCall("a", "f", '{"x":1}'),
        ToolCall("b", "g", ""),
        ToolCall("c", "h", "plain", "custom"),
    ]
    assert body.tools == [
        Tool("f", None, {"x": 1}, strict=True),
        Tool("g", "G"),
        OtherTool("custom", {"type": "custom", "custom": {"name": "h"}}),
        OtherTool("web_search", {"type": "web_search"}),
    ]


@pytest.mark.parametrize("value", ["none", {"type": "function", "function": {"name": "f"}}])
def test_values_that_may_be_text_or_an_object(value: str | Json) -> None:
    body = structure({"messages": [HELLO], "tool_choice": value, "provider": value})
    assert body.tool_choice == value
    assert body.provider == value


@pytest.mark.parametrize("value", ["sk-1", {"Groq": "sk-2"}])
def test_a_key_is_text_or_an_object_of_texts(value: str | Json) -> None:
    assert structure({"messages": [HELLO], "api_key": value}).api_key == value


@pytest.mark.parametrize("value", [True, False, "what is new?"])
def test_web_search_is_a_flag_or_a_query(value: bool | str) -> None:  # noqa: FBT001
    assert structure({"messages": [HELLO], "web_search": value}).web_search == value


HOLDERS: list[Callable[[Json], Json]] = [
    lambda part: {"messages": [HELLO | {"content": [part]}]},
    lambda tool: {"tools": [tool]},
    lambda call: {"messages": [HELLO | {"tool_calls": [call]}]},
]


@pytest.mark.parametrize(
    ("variants", "hold"), list(zip(schema.VARIANTS.values(), HOLDERS, strict=True))
)
def test_what_is_said_about_the_variants_is_so(
    variants: dict[str | None, type[attrs.AttrsInstance]], hold: Callable[[Json], Json]
) -> None:
    for kind, cls in variants.items():
        if kind is None:
            structure({"messages": [HELLO]} | hold({"type": "of another kind"}))
            continue
        message = refusal(hold({"type": kind})).message
        required = [field.name for field in attrs.fields(cls) if field.default is attrs.NOTHING]
        assert all(f".{name}: required field missing" in message for name in required)


VALUES = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-3, 3)
    | st.floats(0, 1)
    | st.sampled_from(["", "user"]),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(
                ["role", "content", "type", "text", "id", "function", "name", "url", "image_url"]
            ),
            inner,
            max_size=4,
        )
    ),
    max_leaves=8,
)


@given(
    st.fixed_dictionaries(
        {"messages": st.lists(st.fixed_dictionaries({"role": st.just("user"), "content": VALUES}))},
        optional=dict.fromkeys(FIELDS, VALUES),
    )
)
def test_the_fast_way_and_the_exact_one_agree(raw: Json) -> None:
    try:
        exact = schema._exact().structure(raw, schema.Body)
    except Exception:  # noqa: BLE001
        with pytest.raises(BadRequestError):
            structure(raw)
        return
    assert structure(raw) == exact
    assert schema._FAST.structure(raw, schema.Body) == exact
