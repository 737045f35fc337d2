"""What only the client's own dialect has a word for is refused by its place in the client's JSON."""

from __future__ import annotations

from typing import Any

import attrs
import orjson
import pytest

from g4f_aio.core.messages import Message, OtherPart
from g4f_aio.core.requests import ChatRequest
from g4f_aio.dialects import anthropic_incoming, openai_chat_request
from g4f_aio.dialects.foreign import ForeignError, Other, demand_translatable

Json = dict[str, Any]
UPLOAD = {"type": "container_upload", "file_id": "f"}


def message(content: list[Json], **fields: Any) -> ChatRequest:
    """What a client of the Messages API asks."""
    body = {
        "model": "m",
        "max_tokens": 9,
        "system": "Be brief.",
        "messages": [{"role": "user", "content": "Hi"}, {"role": "user", "content": content}],
    }
    return anthropic_incoming.decode(orjson.dumps(body | fields))


def refused(request: ChatRequest, dialect: str = "openai-chat") -> ForeignError:
    with pytest.raises(ForeignError) as caught:
        demand_translatable(request, dialect)
    assert caught.value.status == 400
    assert caught.value.code == "unsupported_parameter"
    assert caught.value.message.startswith(f"$.{caught.value.param}: ")
    return caught.value


def test_a_part_is_named_by_its_path() -> None:
    error = refused(message([{"type": "text", "text": "Look"}, UPLOAD]))
    assert error.param == "messages[1].content[1]"
    assert "anthropic-messages" in error.message
    assert "'container_upload'" in error.message


def test_also_one_within_the_result_of_a_tool() -> None:
    inner = [{"type": "text", "text": "a"}, {"type": "tool_reference", "tool_name": "t"}]
    result = {"type": "tool_result", "tool_use_id": "c", "content": inner}
    assert refused(message([result])).param == "messages[1].content[0].content[1]"


def test_a_tool_is_named_by_its_path() -> None:
    known = {"name": "f", "input_schema": {"type": "object"}}
    tools = [known, {"type": "bash_20250124", "name": "bash"}]
    assert refused(message([], tools=tools)).param == "tools[1]"


@pytest.mark.parametrize(
    ("thread", "code"),
    [
        ({"type": "create"}, "thread_unsupported_request"),
        ({"type": "continue", "previous_message_id": "msg_1"}, "thread_not_found"),
        ("?", "thread_unsupported_request"),
    ],
)
def test_a_conversation_that_the_upstream_is_to_keep(thread: Any, code: str) -> None:
    """Its client goes on by the code; without an error, all that was said would be lost."""
    request = message([], thread=thread)
    for edited in (request, attrs.evolve(request, raw=None)):
        with pytest.raises(ForeignError) as caught:
            demand_translatable(edited, "openai-chat")
        assert (caught.value.code, caught.value.param) == (code, "thread")
        demand_translatable(edited, "anthropic-messages")
    demand_translatable(message([], thread=None), "openai-chat")


def test_in_an_edited_request_it_is_counted_as_it_stands() -> None:
    request = attrs.evolve(message([UPLOAD]), raw=None)
    # the instructions are a message here
    assert refused(request).param == "messages[2].content[0]"


def test_another_provider_may_speak_the_dialect() -> None:
    assert refused(message([UPLOAD])).fallback


def test_the_same_dialect_takes_everything() -> None:
    demand_translatable(message([UPLOAD]), "anthropic-messages")


def test_what_has_a_word_in_both_is_taken() -> None:
    def takes(other: Other) -> bool:
        return other.type == "container_upload"

    demand_translatable(message([UPLOAD]), "openai-chat", takes)


def test_a_request_of_a_program_is_written_for_its_upstream() -> None:
    part = OtherPart("video_url", {"type": "video_url"})
    demand_translatable(ChatRequest("m", (Message("user", (part,)),)), "openai-chat")


@pytest.mark.parametrize("raw", [True, False])
def test_it_is_refused_where_the_request_is_written(raw: bool) -> None:  # noqa: FBT001
    request = message([UPLOAD])
    request = request if raw else attrs.evolve(request, raw=None)
    with pytest.raises(ForeignError):
        openai_chat_request.encode(request, "m")


def test_what_a_model_said_in_audio_is_known_to_its_upstream_alone() -> None:
    said = {"role": "assistant", "audio": {"id": "a"}}
    body = {"messages": [{"role": "user", "content": "Hi"}, said]}
    request = openai_chat_request.decode(orjson.dumps(body))
    assert refused(request, "anthropic-messages").param == "messages[1].audio"
    demand_translatable(request, "openai-chat")
