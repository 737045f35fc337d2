"""A whole answer as a message."""

from __future__ import annotations

from typing import Any

import orjson
import pytest

from g4f_aio.core.completion import Completion
from g4f_aio.core.events import (
    Citation,
    Citations,
    Event,
    Finish,
    ReasoningDelta,
    RefusalDelta,
    Started,
    TextDelta,
    ToolCallDelta,
    Usage,
)
from g4f_aio.dialects.anthropic_body import encode_completion, new_id
from g4f_aio.dialects.anthropic_incoming import decode
from g4f_aio.dialects.anthropic_thinking import SEAL

from .wire import Json, whole

REQUEST = decode(b'{"max_tokens": 9, "messages": [{"role": "user", "content": "Hi"}]}')


def bodied(*given_events: Event) -> Json:
    """The body of an answer."""
    found: Json = orjson.loads(encode_completion(REQUEST, whole(given_events)))
    return found


def test_it_has_everything() -> None:
    found = bodied(
        Started("up", "real-model"),
        ReasoningDelta("Hm"),
        ReasoningDelta("", signature="s"),
        TextDelta("I "),
        TextDelta("look."),
        ToolCallDelta(0, "a", "f", '{"x": 1}'),
        Finish("tool_calls"),
        Usage(10, 3, cached=4, reasoning=2),
    )
    assert found.pop("id").startswith("msg_")
    assert found == {
        "type": "message",
        "role": "assistant",
        "model": "real-model",
        "content": [
            {"type": "thinking", "thinking": "Hm", "signature": "s"},
            {"type": "text", "text": "I look."},
            {"type": "tool_use", "id": "a", "name": "f", "input": {"x": 1}},
        ],
        "stop_reason": "tool_use",
        "stop_sequence": None,
        "usage": {
            "input_tokens": 6,
            "cache_creation_input_tokens": 0,
            "cache_read_input_tokens": 4,
            "output_tokens": 3,
            "output_tokens_details": {"thinking_tokens": 2},
        },
    }


def test_thoughts_keep_their_seals_and_who_has_none_gets_ours() -> None:
    said = (
        ReasoningDelta("a"),
        ReasoningDelta("", signature="s"),
        ReasoningDelta("", redacted="r"),
        ReasoningDelta("b"),
    )
    assert bodied(*said, Finish())["content"] == [
        {"type": "thinking", "thinking": "a", "signature": "s"},
        {"type": "redacted_thinking", "data": "r"},
        {"type": "thinking", "thinking": "b", "signature": SEAL},
    ]


def test_a_refusal_is_text() -> None:
    found = bodied(TextDelta("I "), RefusalDelta("cannot."), Finish("content_filter"))
    assert found["content"][0]["text"] == "I cannot."
    assert found["stop_reason"] == "refusal"


def test_sources_are_citations_of_the_text() -> None:
    (block,) = bodied(TextDelta("a"), Citations((Citation("https://a", "A"),)))["content"]
    (link,) = block["citations"]
    assert (link["type"], link["url"]) == ("web_search_result_location", "https://a")


@pytest.mark.parametrize("given_id", ["", "a"])
def test_each_call_has_an_id_of_its_own(given_id: str) -> None:
    said = (ToolCallDelta(0, "a", "f", "{}"), ToolCallDelta(1, given_id, "f", "half"), Finish())
    first, second = bodied(*said)["content"]
    assert first["id"] == "a"
    assert second["id"].startswith("toolu_")
    assert second["input"] == {"malformed_arguments": "half"}


def test_an_answer_that_says_stop_but_calls_is_one_of_calls() -> None:
    assert bodied(ToolCallDelta(0, "a", "f", "{}"), Finish("stop"))["stop_reason"] == "tool_use"


def test_usage_is_estimated_where_nobody_tells() -> None:
    usage = bodied(TextDelta("word " * 20), Finish())["usage"]
    assert usage["estimated"] is True
    assert usage["output_tokens"] == 19
    assert usage["input_tokens"] > 0


def test_bytes_of_the_upstream_stay_as_they_are() -> None:
    assert encode_completion(REQUEST, Completion(body=b"{}")) == b"{}"


def test_ids_are_unique() -> None:
    ids: set[Any] = {new_id("msg") for _ in range(100)}
    assert len(ids) == 100
