"""Whatever is wrong with a request, it is the client's mistake and never a failure of ours."""

from __future__ import annotations

import copy
from typing import Any

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from g4f_aio.core.errors import BadRequestError
from g4f_aio.dialects.anthropic_messages import ANTHROPIC_MESSAGES
from g4f_aio.dialects.base import Face
from g4f_aio.dialects.openai_chat import OPENAI_CHAT
from g4f_aio.dialects.openai_completions import OPENAI_COMPLETIONS
from g4f_aio.dialects.openai_embeddings import OPENAI_EMBEDDINGS
from g4f_aio.dialects.openai_moderations import OPENAI_MODERATIONS
from g4f_aio.dialects.openai_responses import OPENAI_RESPONSES
from g4f_aio.dialects.openai_responses_items import only_native, references

Json = dict[str, Any]

FUNCTION = {"name": "f", "parameters": {"type": "object", "properties": {"a": {"type": "string"}}}}
IMAGE = "data:image/png;base64,AAAA"
SCHEMA = {"name": "s", "schema": {"type": "object"}, "strict": True}
CHAT: Json = {
    "model": "m",
    "messages": [
        {"role": "system", "content": "Be brief"},
        {
            "role": "user",
            "content": [
                {"type": "text", "text": "Hi"},
                {"type": "image_url", "image_url": {"url": IMAGE, "detail": "low"}},
                {"type": "input_audio", "input_audio": {"data": "AAAA", "format": "wav"}},
                {"type": "file", "file": {"file_data": IMAGE, "filename": "a.png"}},
            ],
        },
        {
            "role": "assistant",
            "content": None,
            "tool_calls": [
                {"id": "c", "type": "function", "function": {"name": "f", "arguments": "{}"}}
            ],
        },
        {"role": "tool", "tool_call_id": "c", "content": [{"type": "text", "text": "done"}]},
    ],
    "tools": [{"type": "function", "function": FUNCTION}],
    "tool_choice": {"type": "function", "function": {"name": "f"}},
    "response_format": {"type": "json_schema", "json_schema": SCHEMA},
    "stream_options": {"include_usage": True},
    "stop": ["a"],
    "api_key": {"P": "k"},
}
RESPONSES: Json = {
    "model": "m",
    "input": [
        {
            "role": "user",
            "content": [
                {"type": "input_text", "text": "Hi"},
                {"type": "input_image", "image_url": IMAGE},
                {"type": "input_file", "filename": "a.txt", "file_data": "data:text/plain,Hi"},
            ],
        },
        {
            "type": "message",
            "role": "assistant",
            "id": "msg_1",
            "content": [{"type": "output_text", "text": "x", "annotations": []}],
        },
        {"type": "reasoning", "id": "rs_1", "summary": [{"type": "summary_text", "text": "t"}]},
        {"type": "function_call", "call_id": "c", "name": "f", "arguments": "{}"},
        {"type": "function_call_output", "call_id": "c", "output": "done"},
        {"type": "item_reference", "id": "msg_2"},
        {"type": "additional_tools", "tools": [{"type": "custom", "name": "g"}]},
    ],
    "tools": [{"type": "function", **FUNCTION}, {"type": "namespace", "name": "n", "tools": []}],
    "tool_choice": {
        "type": "allowed_tools",
        "mode": "auto",
        "tools": [{"type": "function", "name": "f"}],
    },
    "text": {"format": {"type": "json_schema", **SCHEMA}},
    "reasoning": {"effort": "low"},
}
MESSAGES: Json = {
    "model": "m",
    "max_tokens": 2000,
    "system": [{"type": "text", "text": "Be brief"}],
    "messages": [
        {
            "role": "user",
            "content": [
                {"type": "text", "text": "Hi"},
                {
                    "type": "image",
                    "source": {"type": "base64", "media_type": "image/png", "data": "AAAA"},
                },
                {
                    "type": "document",
                    "source": {"type": "text", "media_type": "text/plain", "data": "x"},
                },
            ],
        },
        {
            "role": "assistant",
            "content": [
                {"type": "thinking", "thinking": "Hm", "signature": "s"},
                {"type": "tool_use", "id": "t", "name": "f", "input": {"a": "b"}},
            ],
        },
        {
            "role": "user",
            "content": [
                {
                    "type": "tool_result",
                    "tool_use_id": "t",
                    "content": [{"type": "text", "text": "x"}],
                }
            ],
        },
    ],
    "tools": [{"name": "f", "input_schema": FUNCTION["parameters"]}],
    "tool_choice": {"type": "tool", "name": "f"},
    "thinking": {"type": "enabled", "budget_tokens": 1024},
    "output_config": {"format": {"type": "json_schema", "schema": {"type": "object"}}},
}
REQUESTS: list[tuple[Face[Any], Json]] = [
    (OPENAI_CHAT, CHAT),
    (OPENAI_RESPONSES, RESPONSES),
    (ANTHROPIC_MESSAGES, MESSAGES),
    (OPENAI_COMPLETIONS, {"model": "m", "prompt": ["a"], "suffix": "b", "stop": "c"}),
    (OPENAI_EMBEDDINGS, {"model": "m", "input": [[1, 2]], "encoding_format": "base64"}),
    (OPENAI_MODERATIONS, {"model": "m", "input": [{"type": "text", "text": "a"}]}),
]
#: what stands in the wrong place: values of any kind, and types that mean something elsewhere
WRONG = st.one_of(
    st.sampled_from(["", "text", "system", "function", "message", "input_image", "item_reference"]),
    st.sampled_from([{"type": {}}, {"type": ""}, {"type": "text"}, {"role": "user"}, [[]], [None]]),
    st.recursive(
        st.none() | st.booleans() | st.integers(-(2**63), 2**64 - 1) | st.floats() | st.text(),
        lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
        max_leaves=4,
    ),
)


def spoilt(request: Json, data: st.DataObject) -> Json:
    """The request with up to three values in it replaced, or gone."""
    found: Json = copy.deepcopy(request)
    for _ in range(data.draw(st.integers(1, 3))):
        place: Any = found
        while place:
            keys = list(place) if isinstance(place, dict) else range(len(place))
            key = data.draw(st.sampled_from(keys))
            if isinstance(place[key], dict | list) and place[key] and data.draw(st.booleans()):
                place = place[key]
                continue
            if data.draw(st.booleans()):
                place[key] = copy.deepcopy(data.draw(WRONG))
            else:
                del place[key]
            break
    return found


@pytest.mark.parametrize(("face", "example"), REQUESTS, ids=[face.name for face, _ in REQUESTS])
@given(data=st.data())
def test_it_is_understood_or_refused(face: Face[Any], example: Json, data: st.DataObject) -> None:
    body = orjson.dumps(spoilt(example, data))
    try:
        request = face.decode_request(body)
    except BadRequestError:
        return
    if face is OPENAI_RESPONSES:
        references(request.raw)
        list(only_native(request.raw))


@pytest.mark.parametrize(("face", "example"), REQUESTS, ids=[face.name for face, _ in REQUESTS])
def test_and_in_itself_it_is_well_formed(face: Face[Any], example: Json) -> None:
    assert face.decode_request(orjson.dumps(example)).model == "m"
