"""Chunks of ours look like the upstream's, and take nothing back that it said."""

from __future__ import annotations

from openai.types.chat import ChatCompletionChunk

from g4f_aio.dialects.openai_chat_own import ended_once, own_chunk

from .wire import chunk, request


def test_a_chunk_of_ours_is_like_the_upstreams() -> None:
    like = chunk({"content": "a"}) | {"system_fingerprint": "fp", "usage": {"x": 1}, "y": 1}
    assert own_chunk(request(), like, []) == {
        "id": "chatcmpl-1",
        "object": "chat.completion.chunk",
        "created": 1,
        "model": "up",
        "system_fingerprint": "fp",
        "choices": [],
    }


def test_without_one_of_the_upstreams_it_is_complete() -> None:
    choices = [{"index": 0, "delta": {}, "finish_reason": "stop"}]
    made = own_chunk(request(), {}, choices)
    assert made["model"] == "m"
    assert made["choices"] is choices
    ChatCompletionChunk.model_validate(made)


def test_where_usage_was_asked_for_it_says_that_this_is_not_it() -> None:
    asked = request(stream_options={"include_usage": True})
    assert own_chunk(asked, {}, [])["usage"] is None
    assert "usage" not in own_chunk(request(), {}, [])


def test_choices_that_ended_before_do_not_end_again() -> None:
    first, second = {"index": 0, "finish_reason": "stop"}, {"finish_reason": "stop", "index": 1}
    value = {"id": "x", "choices": [first, second]}
    assert ended_once(value, (1,)) == {
        "id": "x",
        "choices": [{"index": 0, "finish_reason": None}, second],
    }
    assert value["choices"] == [first, second]
