"""What is asked and what is answered, in nobody's dialect."""

from __future__ import annotations

import hashlib
from typing import Any

import attrs
import orjson

Json = dict[str, Any]

#: texts that are longer are told by their length and their hash: nobody wants to see them compared
_SHORT = 1000


def short(text: str) -> str:
    """A text, or its length and hash where it is long."""
    if len(text) <= _SHORT:
        return text
    return f"{len(text)} characters, {hashlib.sha256(text.encode()).hexdigest()}"


@attrs.frozen
class Ask:
    """What a client wants. *usage* is its wish for usage in a stream of chat completions."""

    text: str = "Hello big world"
    tools: tuple[str, ...] = ()
    schema: bool = False
    image: bool = False
    thinking: bool = False
    n: int = 1
    logprobs: bool = False
    max_tokens: int | None = None
    usage: bool | None = None


@attrs.frozen
class Choice:
    """What an answer says. *calls* are names and arguments, *logprobs* tokens and their values."""

    text: str = attrs.field(default="", converter=short)
    reasoning: str = ""
    refusal: str = ""
    calls: tuple[tuple[str, str], ...] = ()
    logprobs: tuple[tuple[str, float], ...] = ()
    finish: str = "stop"


@attrs.frozen
class Tokens:
    """How many there were; None: some. *estimated*: the upstream told of none."""

    input: int | None
    output: int | None
    cached: int = 0
    reasoning: int = 0
    estimated: bool = False


@attrs.frozen
class Answer:
    """All of an answer; *usage* of None: it has none."""

    choices: tuple[Choice, ...]
    usage: Tokens | None


@attrs.frozen
class Refused:
    """An error instead of an answer. *named* is what its message tells of."""

    status: int
    code: str
    named: str


@attrs.frozen
class Unsaid:
    """What cannot even be asked for: a dialect, of the client's or of the upstream's, lacks the word."""

    why: str


def call(name: str, arguments: object) -> tuple[str, str]:
    """A call whose arguments, a value or JSON, are written in one way."""
    value = orjson.loads(arguments) if isinstance(arguments, str) else arguments
    return name, orjson.dumps(value, option=orjson.OPT_SORT_KEYS).decode()
