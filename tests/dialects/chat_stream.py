"""A stream of chat completions, read as OpenAI's own SDK reads it, and checked on the way."""

from __future__ import annotations

import orjson
from openai.lib.streaming.chat import ChatCompletionStreamState
from openai.types.chat import ChatCompletion, ChatCompletionChunk

from . import strict
from .wire import DONE, Json, chunks, datas


def checked(stream: bytes) -> list[Json]:
    """The chunks of a complete stream, once what the contract promises of any has been checked."""
    assert stream.endswith(DONE)
    assert datas(stream).count(b"[DONE]") == 1
    found = chunks(stream)
    for one in found:
        if b'"type":"custom"' not in orjson.dumps(one):  # the client has no type for it in streams
            strict.chunk(one)
    assert len({(one["id"], one["created"], one["model"], one["object"]) for one in found}) == 1
    begun: set[int] = set()
    ended: list[int] = []
    calls: dict[int, int] = {}
    for choice in [choice for one in found for choice in one["choices"]]:
        index, delta = choice["index"], choice["delta"]
        assert ("role" in delta) == (index not in begun)
        assert index not in ended
        begun.add(index)
        for call in delta.get("tool_calls", ()):
            if call["index"] == calls.get(index, 0):
                assert call.keys() >= {"id", "type"}
                calls[index] = call["index"] + 1
            else:
                assert 0 <= call["index"] < calls[index]
                assert call.keys() <= {"index", "function", "custom"}
        if choice["finish_reason"] is not None:
            assert delta == {}
            ended.append(index)
    assert set(ended) == begun
    return found


def answered(stream: bytes) -> ChatCompletion:
    """What the official client puts together."""
    state = ChatCompletionStreamState()
    for one in checked(stream):
        state.handle_chunk(ChatCompletionChunk.model_validate(one))
    return state.current_completion_snapshot


def usage_of(found: list[Json], wish: bool | None) -> Json | None:  # noqa: FBT001
    """The usage in the chunks of a stream, which is where the *wish* for it says."""
    usages = [one.get("usage") for one in found]
    last = found[-1]
    usage: Json | None = usages[-1]
    assert usages[:-1] == [None] * (len(usages) - 1)
    match wish:
        case True:
            assert all("usage" in one for one in found)
            assert last["choices"] == []
        case None:
            assert last["choices"][0]["finish_reason"] is not None
        case False:
            assert not any("usage" in one for one in found)
            return None
    assert usage is not None
    assert usage["total_tokens"] == usage["prompt_tokens"] + usage["completion_tokens"]
    return usage
