from __future__ import annotations

import pytest

from g4f_aio.core.messages import ImagePart, Message, Role, TextPart
from g4f_aio.providers.assistant.question import LINE_LIMIT, Question, one_line


def said(role: Role, text: str) -> Message:
    return Message(role, (TextPart(text),))


@pytest.mark.parametrize(
    ("text", "line"),
    [
        ("  What  is\n2+2 ?", "what is 2+2"),
        ("Please, could you tell me what 5! is, please?", "what 5! is"),
        ("5!", "5!"),
        ("Hello!!", "hello"),
        ("it’s", "it's"),  # noqa: RUF001
        ("a\0b\u2028c", "a b c"),
        ("ok, please", "ok"),
        ("", ""),
        ("?", ""),
        ("x" * (LINE_LIMIT + 1), ""),
    ],
)
def test_the_question_on_one_line(text: str, line: str) -> None:
    assert one_line(text) == line


def test_it_is_the_last_message_of_the_user() -> None:
    conversation = (
        said("system", "Be brief."),
        said("user", "First"),
        said("assistant", "Answer 1"),
        said("user", "Second"),
        said("assistant", "Answer 2"),
        Message(
            "user", (TextPart("Third "), ImagePart("https://example.com/x.png"), TextPart("part"))
        ),
    )
    assert Question.of(conversation) == Question(
        "Third part", "third part", previous="Answer 2", first=False
    )


def test_without_an_answer_before_it_is_the_first() -> None:
    assert Question.of((said("system", "x"), said("user", "Hi"))) == Question("Hi", "hi")
    assert Question.of(()) == Question("", "")
