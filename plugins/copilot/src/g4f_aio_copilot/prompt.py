"""A conversation as the one text that the service takes."""

from __future__ import annotations

from collections.abc import Sequence

from g4f_aio import BadRequestError, Message, RefusalPart, TextPart, UnsupportedError

_LABELS = {
    "system": "System",
    "developer": "System",
    "user": "User",
    "assistant": "Assistant",
    "tool": "Tool",
    "function": "Tool",
}


def prompt_of(
    messages: Sequence[Message], *, limit: int, provider: str, continued: bool = False
) -> str:
    """The text to send, at most *limit* characters of it; BadRequestError when there is none.

    Instructions and one message of the user stand under one another as they are. A longer
    conversation is a transcript: ``System: …``, ``User: …``, ``Assistant: …`` with empty lines
    between them, and ``Assistant:`` at the end for the model to go on from. *continued*: the service
    has the conversation, so that only what came after its last answer is sent.
    """
    turns: list[tuple[str, str]] = []
    for at, message in enumerate(messages):
        text = _text(message, f"messages[{at}]", provider)
        if continued and message.role == "assistant":
            turns.clear()
        elif text:
            turns.append((message.role, text))
    roles = [role for role, _ in turns]
    if set(roles) <= {"system", "developer", "user"} and roles.count("user") <= 1:
        prompt = "\n\n".join(text for _, text in turns)
    else:
        lines = [f"{_LABELS[role]}: {text}" for role, text in turns]
        prompt = "\n\n".join([*lines, "Assistant:"])
    if not prompt:
        raise BadRequestError(
            "$.messages: there is no text to send", param="messages", provider=provider
        )
    if len(prompt) > limit:
        raise BadRequestError(
            f"$.messages: {provider} takes a prompt of up to {limit} characters, and the"
            f" conversation makes one of {len(prompt)}",
            param="messages",
            code="context_length_exceeded",
            provider=provider,
        )
    return prompt


def _text(message: Message, where: str, provider: str) -> str:
    pieces = []
    for number, part in enumerate(message.parts):
        match part:
            case TextPart(text=text) | RefusalPart(text=text):
                pieces.append(text)
            case _:
                path = f"{where}.content[{number}]"
                raise UnsupportedError(
                    f"$.{path}: {provider} is sent nothing but text", param=path, provider=provider
                )
    pieces += [f"[calls {call.name} with {call.arguments}]" for call in message.tool_calls]
    return "\n".join(pieces) if message.tool_calls else "".join(pieces)
