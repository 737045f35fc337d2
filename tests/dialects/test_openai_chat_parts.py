"""What there is more to a message or a tool than is read stays, until somebody edits it."""

from __future__ import annotations

from typing import Any

import attrs
import orjson
import pytest

from g4f_aio.core.messages import Message, RefusalPart, TextPart, ToolCall
from g4f_aio.core.requests import Tool
from g4f_aio.dialects.openai_chat_parts import (
    known_tool,
    origin_of,
    part_object,
    plain_messages,
    tool_call_object,
    tool_object,
)
from g4f_aio.dialects.openai_chat_request import decode, encode_message

from .wire import Json

CACHED: Json = {"type": "text", "text": "Hi", "cache_control": {"type": "ephemeral"}}
#: as Gemini's upstream of this dialect signs them, and wants them back
SIGNED: Json = {
    "id": "a",
    "type": "function",
    "function": {"name": "f", "arguments": "{}"},
    "extra_content": {"google": {"thought_signature": "s"}},
}
TOOL: Json = {"type": "function", "function": {"name": "f", "parameters": {"type": "object"}}}


def read(**wire: Any) -> Message:
    """A message as it comes in."""
    (message,) = decode(orjson.dumps({"messages": [wire]})).messages
    return message


HELLO: Json = {"role": "user", "content": "Hello"}


@pytest.mark.parametrize(
    "other",
    [
        1,
        None,
        [],
        {},
        {"role": "user"},
        {"content": "Hello"},
        {"role": "user", "content": None},
        {"role": "user", "content": [{"type": "text", "text": "Hello"}]},
        {"role": "user", "content": 1},
        {"role": "nobody", "content": "Hello"},
        {"role": ["user"], "content": "Hello"},
        {"role": None, "content": "Hello"},
        {"content": "Hello", "name": "bob"},
        HELLO | {"name": "bob"},
        HELLO | {"unknown": None},
    ],
)
def test_a_role_and_a_text_are_read_at_once_up_to_the_first_message_of_another_kind(
    other: Any,
) -> None:
    plain = Message("user", (TextPart("Hello"),))
    system = Message("system", (TextPart(""),))
    said = {"content": "", "role": "system"}
    assert plain_messages([HELLO, said, other, HELLO]) == (plain, system)
    assert plain_messages([other, HELLO]) == ()


@pytest.mark.parametrize("none", [None, "", "ab", 1, {}, {"role": "user"}, []])
def test_where_there_are_no_messages_none_are_read(none: Any) -> None:
    assert plain_messages(none) == ()


def test_messages_of_all_kinds_stay_in_order() -> None:
    wires = [
        HELLO,
        {"role": "assistant", "content": "a"},
        {"role": "user", "content": [CACHED]},
        {"role": "assistant", "content": "b"},
        {"role": "user", "content": "c", "name": "bob"},
    ]
    messages = decode(orjson.dumps({"messages": wires})).messages
    assert [message.text for message in messages] == ["Hello", "a", "Hi", "b", "c"]
    assert [encode_message(message) for message in messages] == wires


def test_a_custom_call_as_it_is_written() -> None:
    assert tool_call_object(ToolCall("c", "f", "plain", "custom")) == {
        "id": "c",
        "type": "custom",
        "custom": {"name": "f", "input": "plain"},
    }


def test_a_refusal_as_it_is_written() -> None:
    assert part_object(RefusalPart("No.")) == {"type": "refusal", "refusal": "No."}


@pytest.mark.parametrize(
    "wire",
    [
        {"role": "user", "content": [CACHED]},
        {"role": "user", "content": [CACHED, {"type": "text", "text": "there"}]},
        {"role": "user", "content": [{"type": "image_url", "image_url": {"url": "u", "x": 1}}]},
        {"role": "assistant", "content": None, "tool_calls": [SIGNED]},
        {"role": "assistant", "content": [CACHED], "refusal": "No."},
        {"role": "assistant", "content": [CACHED, {"type": "refusal", "refusal": "No."}]},
    ],
)
def test_a_message_is_written_as_it_came(wire: Json) -> None:
    written = encode_message(read(**wire))
    assert {
        key: value for key, value in written.items() if value is not None or key in wire
    } == wire


def test_what_was_edited_is_written_anew() -> None:
    message = read(role="user", content=[CACHED])
    assert encode_message(attrs.evolve(message, parts=(TextPart("Ho"),)))["content"] == "Ho"
    called = read(role="assistant", content=None, tool_calls=[SIGNED])
    assert "tool_calls" not in encode_message(attrs.evolve(called, tool_calls=()))
    tool = known_tool(Tool("f", parameters={"type": "object"}), TOOL | {"x": 1})
    assert isinstance(tool, Tool)
    assert tool_object(tool) == TOOL | {"x": 1}
    assert tool_object(attrs.evolve(tool, name="g")) == {
        "type": "function",
        "function": {"name": "g", "parameters": {"type": "object"}},
    }


def test_nothing_is_kept_where_there_is_nothing_more() -> None:
    assert read(role="user", content="Hi").origin is None
    assert read(role="user", content=[{"type": "text", "text": "Hi"}]).origin is None
    tool = Tool("f", parameters={"type": "object"})
    assert known_tool(tool, TOOL) is tool
    assert origin_of({"role": "user", "content": "Hi"}, "user", (TextPart("Hi"),), (), None) is None
