"""What this version does not know of a request is sent on where the upstream speaks its dialect."""

from __future__ import annotations

from typing import Any

import attrs
import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from g4f_aio.dialects.anthropic_messages import ANTHROPIC_MESSAGES
from g4f_aio.dialects.base import Dialect
from g4f_aio.dialects.openai_chat import OPENAI_CHAT
from g4f_aio.dialects.openai_responses import OPENAI_RESPONSES

from .wire import Json

VALUES = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**53), 2**53) | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=2) | st.dictionaries(st.text(max_size=3), inner),
    max_leaves=5,
)
UNKNOWN = st.dictionaries(st.text(max_size=5).map(lambda name: f"x_{name}"), VALUES, max_size=2)
SCHEMA: Json = {"type": "object", "properties": {"city": {"type": "string"}}}
#: a type of later versions
LATER: Json = {"type": "x_hologram", "x_hologram": {"depth": 3}}
CHAT: Json = {
    "model": "m",
    "messages": [
        {"role": "system", "content": "Be brief."},
        {
            "role": "user",
            "content": [
                {"type": "text", "text": "Hi"},
                {"type": "image_url", "image_url": {"url": "https://a/b.png", "detail": "low"}},
                LATER,
            ],
        },
        {
            "role": "assistant",
            "content": None,
            "tool_calls": [
                {"id": "a", "type": "function", "function": {"name": "f", "arguments": "{}"}}
            ],
        },
        {"role": "tool", "tool_call_id": "a", "content": "12"},
    ],
    "tools": [{"type": "function", "function": {"name": "f", "parameters": SCHEMA}}, LATER],
    "tool_choice": {"type": "function", "function": {"name": "f"}},
    "response_format": {"type": "json_schema", "json_schema": {"name": "n", "schema": SCHEMA}},
    "stream_options": {"include_usage": True},
    "prediction": {"type": "content", "content": "Hi"},
    "temperature": 0.5,
}
RESPONSES: Json = {
    "model": "m",
    "input": [
        {"role": "developer", "content": "Be brief."},
        {
            "type": "message",
            "role": "user",
            "content": [
                {"type": "input_text", "text": "Hi"},
                {"type": "input_image", "image_url": "https://a/b.png", "detail": "low"},
                LATER,
            ],
        },
        {
            "type": "reasoning",
            "id": "rs_1",
            "summary": [{"type": "summary_text", "text": "Hm"}],
            "encrypted_content": "gAAAA",
        },
        {"type": "function_call", "call_id": "a", "name": "f", "arguments": "{}"},
        {"type": "function_call_output", "call_id": "a", "output": "12"},
        LATER,
    ],
    "tools": [{"type": "function", "name": "f", "parameters": SCHEMA, "strict": True}, LATER],
    "tool_choice": {"type": "function", "name": "f"},
    "text": {"format": {"type": "json_schema", "name": "n", "schema": SCHEMA}},
    "reasoning": {"effort": "low"},
    "metadata": {"a": "b"},
}
MESSAGES: Json = {
    "model": "m",
    "max_tokens": 9,
    "system": [{"type": "text", "text": "Be brief.", "cache_control": {"type": "ephemeral"}}],
    "messages": [
        {
            "role": "user",
            "content": [
                {"type": "text", "text": "Hi"},
                {"type": "image", "source": {"type": "url", "url": "https://a/b.png"}},
                LATER,
            ],
        },
        {
            "role": "assistant",
            "content": [
                {"type": "thinking", "thinking": "Hm", "signature": "s"},
                {"type": "tool_use", "id": "a", "name": "f", "input": {}},
            ],
        },
        {
            "role": "user",
            "content": [
                {
                    "type": "tool_result",
                    "tool_use_id": "a",
                    "content": [{"type": "text", "text": "12"}],
                }
            ],
        },
    ],
    "tools": [{"name": "f", "input_schema": SCHEMA}, LATER],
    "tool_choice": {"type": "tool", "name": "f"},
    "thinking": {"type": "enabled", "budget_tokens": 1024},
    "output_config": {"format": {"type": "json_schema", "schema": SCHEMA}},
    "metadata": {"user_id": "u"},
}
#: what may have any keys already, so that they are no news
OPEN = ("schema", "parameters", "input_schema", "input", "metadata", "x_hologram")


def objects(value: Any, path: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    """The paths of all objects in a value, its own first."""
    match value:
        case dict():
            found = [path]
            for name, inner in value.items():
                # the items of a Responses request are called like the arguments of a call elsewhere
                if name not in OPEN or type(inner) is list:
                    found += objects(inner, (*path, name))
            return found
        case list():
            return [one for at, inner in enumerate(value) for one in objects(inner, (*path, at))]
        case _:
            return []


def put(body: Json, path: tuple[Any, ...], fields: Json) -> None:
    """Put *fields* into the object at that *path*."""
    found: Any = body
    for step in path:
        found = found[step]
    found.update(fields)


@pytest.mark.parametrize(
    ("dialect", "known"),
    [(OPENAI_CHAT, CHAT), (OPENAI_RESPONSES, RESPONSES), (ANTHROPIC_MESSAGES, MESSAGES)],
    ids=["chat", "responses", "messages"],
)
@given(data=st.data())
def test_a_request_to_its_own_dialect_keeps_every_field(
    dialect: Dialect, known: Json, data: st.DataObject
) -> None:
    body = orjson.loads(orjson.dumps(known))
    for path in objects(known):
        put(body, path, data.draw(UNKNOWN, label=str(path)))
    request = dialect.decode_request(orjson.dumps(body))
    assert dialect.encode_request(request, "other") == body | {"model": "other"}


@pytest.mark.parametrize(
    ("dialect", "known", "within"),
    [
        (OPENAI_CHAT, CHAT, ("messages", "tools", "response_format", "prediction")),
        (ANTHROPIC_MESSAGES, MESSAGES, ("messages", "tools", "system")),
    ],
    ids=["chat", "messages"],
)
@given(data=st.data())
def test_one_that_is_written_anew_keeps_those_of_what_nobody_edited(
    dialect: Dialect, known: Json, within: tuple[str, ...], data: st.DataObject
) -> None:
    body = orjson.loads(orjson.dumps(known))
    for path in objects(known):
        # the turns of a conversation are the one thing that the Messages API has no unknown fields in
        is_turn = dialect is ANTHROPIC_MESSAGES and path[:1] == ("messages",) and len(path) == 2
        if path and path[0] in within and not is_turn:
            put(body, path, data.draw(UNKNOWN, label=str(path)))
    request = attrs.evolve(dialect.decode_request(orjson.dumps(body)), raw=None)
    sent = dialect.encode_request(request, "other")
    assert {name: sent[name] for name in within} == {name: body[name] for name in within}


def test_the_objects_of_a_request_are_found() -> None:
    found = {".".join(map(str, path)) for path in objects(CHAT)}
    assert found >= {"", "messages.0", "messages.1.content.1.image_url", "tools.0.function"}
    assert "tools.0.function.parameters" not in found
