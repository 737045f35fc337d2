"""Messages and their parts."""

from __future__ import annotations

import attrs
import pytest

from g4f_aio.core.messages import ImagePart, Message, RefusalPart, TextPart, ToolCall


@pytest.mark.parametrize(
    ("message", "text"),
    [
        (Message("user"), ""),
        (Message("user", (TextPart("a"),)), "a"),
        (Message("user", (TextPart("a"), ImagePart("b"), TextPart("c"))), "ac"),
        (Message("assistant", (RefusalPart("no"),)), ""),
    ],
)
def test_the_text_of_a_message_is_its_text_parts(message: Message, text: str) -> None:
    assert message.text == text


def test_a_message_does_not_share_its_extras_with_others() -> None:
    assert Message("user").extra is not Message("user").extra


def test_a_call_is_one_of_a_function_unless_it_says_otherwise() -> None:
    assert ToolCall("a", "f", "{}").type == "function"


def test_messages_are_values() -> None:
    message = Message("user", (TextPart("a"),))
    assert message == Message("user", (TextPart("a"),))
    with pytest.raises(attrs.exceptions.FrozenInstanceError):
        message.name = "b"  # type: ignore[misc]
