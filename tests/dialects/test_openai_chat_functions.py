"""The older way to call functions: tools for providers, functions for the client."""

from __future__ import annotations

from typing import Any

import attrs
import orjson
import pytest

from g4f_aio.core.completion import Completion
from g4f_aio.core.errors import BadRequestError
from g4f_aio.core.events import Event, Finish, TextDelta, ToolCallDelta
from g4f_aio.core.messages import TextPart, ToolCall
from g4f_aio.core.models import Capability
from g4f_aio.core.requests import ChatRequest, Tool
from g4f_aio.dialects.openai_chat import OPENAI_CHAT
from g4f_aio.dialects.openai_chat_decoder import EventDecoder
from g4f_aio.dialects.sse import split

from .wire import Json, chunk, frame, whole

SCHEMA = {"type": "object"}
FUNCTIONS = [{"name": "f", "description": "d", "parameters": SCHEMA}, {"name": "g"}]
TALK = [
    {"role": "user", "content": "Hi"},
    {"role": "assistant", "content": None, "function_call": {"name": "f", "arguments": "{}"}},
    {"role": "function", "name": "f", "content": "12"},
]


def decoded(**fields: Any) -> ChatRequest:
    body = {"model": "m", "messages": TALK[:1], "functions": FUNCTIONS}
    return OPENAI_CHAT.decode_request(orjson.dumps(body | fields))


def test_functions_are_tools() -> None:
    request = decoded()
    assert request.tools == (Tool("f", "d", SCHEMA), Tool("g"))
    assert request.options == {"parallel_tool_calls": False}
    assert Capability.TOOLS in request.needs


@pytest.mark.parametrize(
    ("given", "choice"),
    [
        ("none", "none"),
        ("auto", "auto"),
        (None, None),
        ({"name": "f"}, {"type": "function", "function": {"name": "f"}}),
    ],
)
def test_so_is_the_choice_among_them(given: object, choice: object) -> None:
    assert decoded(function_call=given).tool_choice == choice


def test_so_are_calls_and_their_results() -> None:
    _, called, result = decoded(messages=TALK).messages
    assert called.tool_calls == (ToolCall("call_1", "f", "{}"),)
    assert called.extra == {}
    assert (result.role, result.tool_call_id, result.parts) == (
        "tool",
        "call_1",
        (TextPart("12"),),
    )


def test_also_when_there_are_no_functions_any_more() -> None:
    request = decoded(messages=TALK, functions=None)
    assert request.messages[1].tool_calls == (ToolCall("call_1", "f", "{}"),)
    assert request.tools == ()


def test_a_result_without_a_call_stays_what_it_is() -> None:
    assert decoded(messages=TALK[2:]).messages[0].role == "function"
    empty = {"role": "assistant", "content": "a", "function_call": None}
    assert decoded(messages=[empty]).messages[0].tool_calls == ()


def test_who_speaks_the_dialect_gets_them_as_they_came() -> None:
    body = OPENAI_CHAT.encode_request(decoded(messages=TALK), "m")
    assert (body["functions"], body["messages"]) == (FUNCTIONS, TALK)
    rebuilt = OPENAI_CHAT.encode_request(attrs.evolve(decoded(messages=TALK), raw=None), "m")
    assert "functions" not in rebuilt
    assert [tool["function"]["name"] for tool in rebuilt["tools"]] == ["f", "g"]
    assert rebuilt["messages"][2]["tool_call_id"] == "call_1"


def test_beside_tools_they_are_left_to_the_upstream() -> None:
    tool = {"type": "function", "function": {"name": "h"}}
    request = decoded(tools=[tool])
    assert [one.name for one in request.tools if isinstance(one, Tool)] == ["h"]
    assert request.options["functions"] == FUNCTIONS


@pytest.mark.parametrize(
    ("fields", "param"),
    [
        ({"functions": [{"name": "f"}, {"name": 1}]}, "functions[1].name"),
        ({"functions": {}, "function_call": "none"}, None),
        ({"functions": "f"}, "functions"),
        ({"function_call": 1}, "function_call"),
        ({"function_call": {}}, "function_call.name"),
        ({"messages": [{"role": "assistant", "function_call": "f"}]}, "messages[0].function_call"),
    ],
)
def test_what_is_wrong_is_named(fields: Json, param: str | None) -> None:
    if param is None:
        assert decoded(**fields).tools == ()
        return
    with pytest.raises(BadRequestError) as caught:
        decoded(**fields)
    assert caught.value.param == param
    assert caught.value.message.startswith(f"$.{param}: ")


# answers

CALLED: tuple[Event, ...] = (
    ToolCallDelta(0, "c", "f", '{"a"'),
    ToolCallDelta(0, arguments=":1}"),
    ToolCallDelta(1, "d", "g", "{}"),
    Finish("tool_calls"),
)


def test_a_call_is_streamed_as_one_of_a_function() -> None:
    encoder = OPENAI_CHAT.encoder(decoded(stream=True))
    stream = b"".join(map(encoder.feed, CALLED)) + encoder.finish()
    chunks = [orjson.loads(data) for _, data in split(stream) if data != b"[DONE]"]
    choices = [one["choices"][0] for one in chunks]
    assert [one["delta"].get("function_call") for one in choices] == [
        None,
        {"name": "f", "arguments": '{"a"'},
        {"arguments": ":1}"},
        None,
    ]
    assert choices[-1]["finish_reason"] == "function_call"
    assert b"tool_calls" not in stream


def test_so_it_is_in_one_body() -> None:
    answer = orjson.loads(OPENAI_CHAT.encode_completion(decoded(), whole(CALLED)))
    (choice,) = answer["choices"]
    assert choice["message"]["function_call"] == {"name": "f", "arguments": '{"a":1}'}
    assert "tool_calls" not in choice["message"]
    assert choice["finish_reason"] == "function_call"


def test_an_answer_without_calls_is_like_any_other() -> None:
    completion = Completion()
    for event in (TextDelta("a"), Finish()):
        completion.add(event)
    answer = orjson.loads(OPENAI_CHAT.encode_completion(decoded(), completion))
    assert answer["choices"][0]["finish_reason"] == "stop"
    assert "function_call" not in answer["choices"][0]["message"]


def test_an_upstreams_own_calls_of_functions_are_calls_of_tools() -> None:
    decoder = EventDecoder("up")
    frames = b"".join(
        frame(chunk({"function_call": part}))
        for part in ({"name": "f", "arguments": ""}, {"arguments": '{"a":'}, {"arguments": "1}"})
    )
    ended = frame({"choices": [{"index": 0, "delta": {}, "finish_reason": "function_call"}]})
    completion = whole(decoder.feed(frames + ended))
    assert completion.choice().tool_calls == (ToolCall("", "f", '{"a":1}'),)
    assert completion.choice().finish == "tool_calls"
