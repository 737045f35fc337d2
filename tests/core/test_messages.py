"""Messages and their parts."""

from __future__ import annotations

import attrs
import pytest

from g4f_aio.core.messages import ImagePart, Message, Origin, RefusalPart, TextPart, ToolCall


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


def came() -> Message:
    """A message and how it came in."""
    parts, calls = (TextPart("a"),), (ToolCall("i", "f", "{}"),)
    origin = Origin("wire", {"said": "a"}, ("user", parts, calls, None))
    return Message("user", parts, tool_calls=calls, origin=origin)


def test_a_message_knows_how_it_came_in_until_it_is_edited() -> None:
    message = came()
    assert message.wire("wire") == {"said": "a"}
    assert message.wire("other") is None
    assert Message("user").wire("wire") is None
    assert attrs.evolve(message, name="b").wire("wire") == {"said": "a"}
    edits: list[dict[str, object]] = [
        {"role": "assistant"},
        {"parts": (TextPart("b"),)},
        {"tool_calls": ()},
        {"tool_call_id": "i"},
    ]
    for edit in edits:
        assert attrs.evolve(message, **edit).wire("wire") is None  # type: ignore[arg-type]


def test_how_a_message_came_in_is_no_part_of_what_it_says() -> None:
    message = came()
    assert message == attrs.evolve(message, origin=None)
    assert "said" not in repr(message)
