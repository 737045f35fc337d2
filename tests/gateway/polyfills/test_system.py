"""Instructions reach a provider that knows no role for them."""

from __future__ import annotations

from g4f_aio import ChatRequest, ImagePart, Message, TextPart
from g4f_aio.gateway.polyfills.system import System


def folded(*messages: Message) -> tuple[Message, ...]:
    return System().prepare(ChatRequest("m", messages, raw={}, accept="x")).messages


def said(role: str, text: str) -> Message:
    return Message(role, (TextPart(text),))  # type: ignore[arg-type]


def test_instructions_stand_before_the_users_first_words() -> None:
    found = folded(
        said("system", "Be brief."),
        said("assistant", "Hello."),
        said("user", "Hi"),
        said("developer", "In French."),
        said("user", "And?"),
    )
    assert found == (
        said("assistant", "Hello."),
        said("user", "Be brief.\n\nIn French.\n\nHi"),
        said("user", "And?"),
    )


def test_a_picture_stays_after_them() -> None:
    picture = ImagePart("data:image/png;base64,AA==")
    found = folded(said("system", "Be brief."), Message("user", (picture,)))
    assert found == (Message("user", (TextPart("Be brief.\n\n"), picture)),)


def test_without_a_user_they_become_his_message() -> None:
    assert folded(said("system", "Speak.")) == (said("user", "Speak."),)


def test_empty_ones_leave_no_trace() -> None:
    assert folded(said("system", ""), said("user", "Hi")) == (said("user", "Hi"),)
