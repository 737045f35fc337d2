"""Messages survive being kept."""

from __future__ import annotations

import orjson
import pytest

from g4f_aio.core.messages import (
    AudioPart,
    FilePart,
    ImagePart,
    Message,
    Origin,
    OtherPart,
    RefusalPart,
    TextPart,
    ToolCall,
)
from g4f_aio.storage.message_json import MessageCodec

CODEC = MessageCodec()
BLOCKS = [{"type": "thinking", "signature": "sealed"}]


@pytest.mark.parametrize(
    "message",
    [
        Message("user"),
        Message("user", (TextPart("half \ud83d and \0"),), name="Ann"),
        Message("system", (TextPart(""),), extra={"cache": [1, 2.5, None, {"a": True}]}),
        Message(
            "user",
            (
                RefusalPart("No"),
                ImagePart("data:,x", "low"),
                AudioPart("AAAA", "wav"),
                FilePart(id="file-1", filename="a.pdf"),
                OtherPart("video", {"type": "video", "part": "text"}),
            ),
        ),
        Message(
            "assistant", tool_calls=(ToolCall("c1", "f", "{}"), ToolCall("c2", "g", "x", "custom"))
        ),
        Message("tool", (TextPart("4"),), tool_call_id="c1", reasoning="so"),
    ],
)
def test_it_comes_back_as_it_was(message: Message) -> None:
    assert CODEC.load(CODEC.dump(message)) == message


def test_what_it_came_in_as_is_kept_as_long_as_it_is_true() -> None:
    parts = (TextPart("Hi"),)
    true = Message(
        "assistant", parts, origin=Origin("anthropic", BLOCKS, ("assistant", parts, (), None))
    )
    assert CODEC.load(CODEC.dump(true)).wire("anthropic") == BLOCKS
    edited = Message(
        "assistant", parts, origin=Origin("anthropic", BLOCKS, ("user", parts, (), None))
    )
    assert CODEC.load(CODEC.dump(edited)).origin is None


def test_what_is_usual_takes_no_room() -> None:
    message = Message("user", (TextPart("Hi"),))
    assert orjson.loads(CODEC.dump(message)) == {
        "role": "user",
        "parts": [{"part": "text", "text": "Hi"}],
    }
