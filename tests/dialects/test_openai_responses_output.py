"""The items of a response while they are written."""

from __future__ import annotations

from typing import Any

from g4f_aio.core.events import Citation
from g4f_aio.dialects.openai_responses_output import (
    CallItem,
    MessageItem,
    RefusalContent,
    TextContent,
    logprobs_of,
    url_citations,
)
from g4f_aio.dialects.openai_responses_tools import Named

Json = dict[str, Any]


def test_a_message_has_one_open_part_at_most() -> None:
    item = MessageItem(2)
    ((kind, begun),) = item.begin()
    assert kind == "response.output_item.added"
    assert begun["output_index"] == 2
    assert begun["item"]["content"] == []
    assert [kind for kind, _ in item.open(TextContent())] == ["response.content_part.added"]
    item.parts[-1].pieces += ["Hel", "lo"]
    assert [kind for kind, _ in item.open(RefusalContent())] == [
        "response.output_text.done",
        "response.content_part.done",
        "response.content_part.added",
    ]
    item.parts[-1].pieces.append("No")
    (kind, done), (_, part), (_, whole) = item.end("incomplete")
    assert (kind, done["refusal"], done["content_index"]) == ("response.refusal.done", "No", 1)
    assert part["part"] == {"type": "refusal", "refusal": "No"}
    assert whole["item"]["status"] == "incomplete"
    assert [part["type"] for part in whole["item"]["content"]] == ["output_text", "refusal"]


def test_an_empty_message_ends_without_parts() -> None:
    assert [kind for kind, _ in MessageItem(0).end("completed")] == ["response.output_item.done"]


def test_a_call_of_a_function() -> None:
    item = CallItem(1, Named("function", "f", "n"), "c")
    assert list(item.say("")) == []
    assert [event["delta"] for _, event in item.say("{}")] == ["{}"]
    (kind, done), (_, whole) = item.end("completed")
    assert kind == "response.function_call_arguments.done"
    assert (done["arguments"], done["name"]) == ("{}", "f")
    assert whole["item"] == {
        "id": item.id,
        "type": "function_call",
        "status": "completed",
        "call_id": "c",
        "name": "f",
        "namespace": "n",
        "arguments": "{}",
    }
    assert item.id.startswith("fc_")


def test_a_text_in_disguise_is_told_at_the_end() -> None:
    item = CallItem(1, Named("custom", "p"), "c", disguised=True)
    assert list(item.say('{"input":')) == []
    assert list(item.say('"x"}')) == []
    assert [kind for kind, _ in item.end("completed")] == [
        "response.custom_tool_call_input.delta",
        "response.custom_tool_call_input.done",
        "response.output_item.done",
    ]
    assert item.wire("completed")["input"] == "x"
    assert "namespace" not in item.wire("completed")


def test_sources() -> None:
    (note,) = url_citations([Citation("https://x", "X")])
    assert note == {
        "type": "url_citation",
        "url": "https://x",
        "title": "X",
        "start_index": 0,
        "end_index": 0,
    }


def test_log_probabilities_of_all_kinds() -> None:
    for nothing in ({}, {"content": None}, {"content": "x"}, {"content": [1]}):
        assert logprobs_of(nothing) == []
    half = {"content": [{"token": "\ud83d", "logprob": None, "top_logprobs": None}]}
    assert logprobs_of(half) == [
        {"token": "\ud83d", "bytes": [63], "logprob": 0.0, "top_logprobs": []}
    ]
