"""Conversations as one text."""

from __future__ import annotations

import pytest
from g4f_aio_copilot.prompt import prompt_of

from g4f_aio import (
    BadRequestError,
    ImagePart,
    Message,
    RefusalPart,
    TextPart,
    ToolCall,
    UnsupportedError,
)
from g4f_aio.core.messages import Role


def turn(role: Role, text: str) -> Message:
    return Message(role, (TextPart(text),))


def prompt(*messages: Message, limit: int = 1000, continued: bool = False) -> str:
    return prompt_of(messages, limit=limit, provider="Copilot", continued=continued)


SYSTEM = turn("system", "Be brief.")
ASKED = turn("user", "What is the capital of France?")
ANSWERED = turn("assistant", "Paris.")
FURTHER = turn("user", "And of Spain?")


def test_one_message_is_sent_as_it_is() -> None:
    assert prompt(ASKED) == "What is the capital of France?"
    assert prompt(Message("user", (TextPart("a"), TextPart("b")))) == "ab"


def test_instructions_stand_above_it() -> None:
    developer = turn("developer", "In French.")
    assert prompt(SYSTEM, developer, ASKED) == (
        "Be brief.\n\nIn French.\n\nWhat is the capital of France?"
    )
    assert prompt(SYSTEM) == "Be brief."


def test_a_conversation_is_a_transcript() -> None:
    assert prompt(SYSTEM, ASKED, ANSWERED, FURTHER) == (
        "System: Be brief.\n\n"
        "User: What is the capital of France?\n\n"
        "Assistant: Paris.\n\n"
        "User: And of Spain?\n\n"
        "Assistant:"
    )


def test_tools_of_earlier_turns_are_told_of() -> None:
    call = Message("assistant", (TextPart("Wait."),), tool_calls=(ToolCall("1", "now", "{}"),))
    refusal = Message("assistant", (RefusalPart("No."),))
    said = prompt(ASKED, call, turn("tool", "12:00"), turn("function", "13:00"), refusal)
    assert said.split("\n\n")[1:] == [
        "Assistant: Wait.\n[calls now with {}]",
        "Tool: 12:00",
        "Tool: 13:00",
        "Assistant: No.",
        "Assistant:",
    ]


def test_of_a_conversation_that_is_known_only_what_is_new_is_sent() -> None:
    assert prompt(SYSTEM, ASKED, ANSWERED, FURTHER, continued=True) == "And of Spain?"
    assert prompt(FURTHER, continued=True) == "And of Spain?"


@pytest.mark.parametrize(
    ("messages", "continued"),
    [
        ((), False),
        ((Message("user"),), False),
        ((turn("user", ""),), False),
        ((ASKED, ANSWERED), True),
    ],
)
def test_there_must_be_something_to_send(messages: tuple[Message, ...], *, continued: bool) -> None:
    with pytest.raises(BadRequestError, match="there is no text to send") as caught:
        prompt(*messages, continued=continued)
    assert caught.value.param == "messages"


def test_a_prompt_has_a_limit() -> None:
    assert len(prompt(turn("user", "a" * 30), limit=30)) == 30
    with pytest.raises(BadRequestError, match=r"up to 30 characters.*one of 31") as caught:
        prompt(turn("user", "a" * 31), limit=30)
    assert (caught.value.param, caught.value.code) == ("messages", "context_length_exceeded")


def test_nothing_but_text_is_sent() -> None:
    picture = Message("user", (TextPart("Look"), ImagePart("https://images.example/cat.png")))
    with pytest.raises(UnsupportedError) as caught:
        prompt(SYSTEM, picture)
    assert caught.value.param == "messages[1].content[1]"
