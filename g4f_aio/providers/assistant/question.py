"""What the user asks, made ready for the parts that may know the answer."""

from __future__ import annotations

import re
from collections.abc import Sequence

import attrs

from ...core.messages import Message

#: longer messages are not read as a one-line question
LINE_LIMIT = 500
_CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029\ufeff]+")
_POLITE = re.compile(
    r"(?:(?:please|pls|ok|okay|so|bitte|can you|could you|would you|kannst du|tell me|sag mir),? )+"
)
_TRAILING = re.compile(r"(?:[\s?.;:]|(?<!\d)!|, please|,? bitte| please)+$")


@attrs.frozen
class Question:
    """The last message of the user and what came before it.

    *text* is the message as it came. *line* is the same in lower case on one line, without polite
    words and final punctuation; empty when the message is too long to be a simple question.
    *previous* is the assistant's last message, and *first* tells that there is none yet.
    """

    text: str
    line: str
    previous: str = ""
    first: bool = True

    @classmethod
    def of(cls, messages: Sequence[Message]) -> Question:
        """The question that a conversation ends with."""
        text, previous, first = "", "", True
        for message in messages:
            match message.role:
                case "user":
                    text = message.text
                case "assistant":
                    previous, first = message.text, False
                case _:
                    pass
        return cls(text, one_line(text), previous, first)


def one_line(text: str) -> str:
    """*text* as ``Question.line`` has it."""
    stripped = text.strip()
    if len(stripped) > LINE_LIMIT:
        return ""
    line = " ".join(_CONTROL.sub(" ", stripped).replace("\u2019", "'").lower().split())
    line = _TRAILING.sub("", line)
    polite = _POLITE.match(line)
    return line[polite.end() :] if polite else line
