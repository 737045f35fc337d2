"""What other tests rely on: answers that are not quite of their type are told from those that are."""

from __future__ import annotations

from typing import Any

import pytest
from pydantic import ValidationError

from . import strict
from .wire import Json

CHUNK: Json = {
    "id": "a",
    "object": "chat.completion.chunk",
    "created": 1,
    "model": "m",
    "choices": [{"index": 0, "delta": {"reasoning_content": "Hm"}, "finish_reason": None}],
}
MESSAGE: Json = {
    "id": "a",
    "type": "message",
    "role": "assistant",
    "model": "m",
    "content": [{"type": "text", "text": "Hi"}],
    "stop_reason": "end_turn",
    "usage": {"input_tokens": 1, "output_tokens": 1, "estimated": True},
}


def test_what_is_as_it_should_be_is_taken_with_the_extensions() -> None:
    assert strict.chunk(CHUNK).choices[0].index == 0
    assert strict.message(MESSAGE).content[0].type == "text"
    assert strict.message_event({"type": "ping"}) is None


@pytest.mark.parametrize(
    "fields", [{"id": None}, {"created": "1"}, {"choices": {}}, {"object": "chat.completion"}]
)
def test_a_wrong_type_is_not(fields: Json) -> None:
    with pytest.raises(ValidationError):
        strict.chunk(CHUNK | fields)


@pytest.mark.parametrize("name", ["id", "role", "content", "usage"])
def test_nor_is_a_missing_field(name: str) -> None:
    with pytest.raises(ValidationError):
        strict.message({key: value for key, value in MESSAGE.items() if key != name})


def test_nor_is_a_field_too_many_wherever_it_is() -> None:
    choice: Any = {"index": 0, "delta": {"x": 1}}
    with pytest.raises(AssertionError, match=r"ChatCompletionChunk\.choices\[\]\.delta\.x"):
        strict.chunk(CHUNK | {"choices": [choice]})
    # an extension of another place
    with pytest.raises(AssertionError, match=r"Message\.estimated"):
        strict.message(MESSAGE | {"estimated": True})
    with pytest.raises(KeyError):
        strict.response_event({"type": "response.unheard_of"})
