"""Token usage: an upstream's is kept as it is, and one that is missing is estimated and says so."""

from __future__ import annotations

from typing import Any

import orjson
import pytest

from g4f_aio.core.events import Usage
from g4f_aio.core.request_tokens import FRAME, REPLY
from g4f_aio.dialects.openai_chat_usage import (
    arguments_of,
    estimated_usage,
    put_usage,
    text_of,
    usage_object,
    usage_of,
)

from .wire import Json, request


@pytest.mark.parametrize("raw", [None, {}, [], "x", 1, True])
def test_what_is_no_usage(raw: Any) -> None:
    assert usage_of(raw) is None


@pytest.mark.parametrize(
    ("raw", "counts"),
    [
        ({"prompt_tokens": 1, "completion_tokens": 2}, (1, 2, 0, 0)),
        ({"prompt_tokens": "1", "completion_tokens": None}, (0, 0, 0, 0)),
        ({"prompt_tokens_details": {"cached_tokens": 3}}, (0, 0, 3, 0)),
        ({"completion_tokens_details": {"reasoning_tokens": 4}}, (0, 0, 0, 4)),
        ({"prompt_tokens_details": None, "completion_tokens_details": []}, (0, 0, 0, 0)),
        ({"input_tokens": 5}, (0, 0, 0, 0)),
    ],
)
def test_an_upstreams_usage_is_read_and_kept(raw: Json, counts: tuple[int, int, int, int]) -> None:
    asked, said, cached, thought = counts
    assert usage_of(raw) == Usage(asked, said, cached, thought, raw=raw)


@pytest.mark.parametrize(
    ("usage", "written"),
    [
        (Usage(1, 2), {"prompt_tokens": 1, "completion_tokens": 2, "total_tokens": 3}),
        (
            Usage(1, 2, 3, 4, estimated=True),
            {
                "prompt_tokens": 1,
                "completion_tokens": 2,
                "total_tokens": 3,
                "prompt_tokens_details": {"cached_tokens": 3},
                "completion_tokens_details": {"reasoning_tokens": 4},
                "estimated": True,
            },
        ),
        (
            Usage(
                1, 2, raw={"prompt_tokens": 9, "completion_tokens": 9, "total_tokens": 9, "x": 1}
            ),
            {"prompt_tokens": 9, "completion_tokens": 9, "total_tokens": 9, "x": 1},
        ),
        (
            Usage(1, 2, raw={"prompt_tokens": 1, "completion_tokens": 2, "x": 1}),
            {"prompt_tokens": 1, "completion_tokens": 2, "total_tokens": 3, "x": 1},
        ),
        (
            Usage(1, 2, raw={"input_tokens": 1, "output_tokens": 2}),
            {"prompt_tokens": 1, "completion_tokens": 2, "total_tokens": 3},
        ),
    ],
)
def test_usage_as_it_is_written(usage: Usage, written: Json) -> None:
    assert usage_object(usage) == written


def test_an_estimate_counts_all_messages_and_the_answer() -> None:
    messages = [{"role": "system", "content": "abcd"}, {"role": "user", "content": "abcdefgh"}]
    usage = estimated_usage(request(messages=messages), "abcdefghijkl")
    assert usage == Usage(3 + 2 * FRAME + REPLY, 3, estimated=True)


USAGE = Usage(1, 2)
WRITTEN = b'"usage":{"prompt_tokens":1,"completion_tokens":2,"total_tokens":3}'


@pytest.mark.parametrize(
    ("data", "expected"),
    [
        (b'{"x":1.50}', b'{"x":1.50,' + WRITTEN + b"}"),
        (b'{"x":1.50 }\n', b'{"x":1.50 ,' + WRITTEN + b"}"),
        (b'{"usage": null, "x":1.50}', b"{" + WRITTEN + b', "x":1.50}'),
        (b'{"usage"\n:\nnull}', b"{" + WRITTEN + b"}"),
        (b'{"x":"\\"usage\\":null","usage":null}', b'{"x":"\\"usage\\":null",' + WRITTEN + b"}"),
        (b'{"x":{"usage":null},"usage":null}', b'{"x":{"usage":null},' + WRITTEN + b"}"),
        (b'{"x":{"usage":null},"usage":{}}', b'{"x":{"usage":null},' + WRITTEN + b"}"),
        (b'{"usage":[], "x": 1}', b"{" + WRITTEN + b',"x":1}'),
    ],
)
def test_usage_is_put_in_where_it_is_missing(data: bytes, expected: bytes) -> None:
    assert put_usage(data, orjson.loads(data), USAGE) == expected


def test_everything_a_model_wrote_is_found() -> None:
    calls = [
        {"function": {"name": "f", "arguments": "c"}},
        {"custom": {"name": "g", "input": "d"}},
        {"function": {"arguments": {"e": 1}}},
        {"function": None},
        None,
    ]
    message = {"role": "assistant", "content": "a", "reasoning_content": "b", "tool_calls": calls}
    answer = {"choices": [{"message": message}, {"message": {"content": None}}, {"message": "x"}]}
    assert text_of(answer) == "abcd{'e': 1}"
    assert arguments_of(calls[:2]) == "cd"
    assert arguments_of({"index": 0}) == ""
