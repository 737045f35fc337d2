"""About how many tokens a model reads for a request, where nobody counts them."""

from __future__ import annotations

from collections.abc import Iterator

import attrs
import orjson

from .messages import (
    AudioPart,
    FilePart,
    ImagePart,
    OtherPart,
    Part,
    RefusalPart,
    TextPart,
)
from .requests import ChatRequest, OtherTool, Tool
from .tokens import estimate_tokens

#: what frames every message (three, and its role) and every tool; a name; the answer's beginning.
#: From OpenAI's cookbook, "How to count tokens with tiktoken"
FRAME, NAME, REPLY = 4, 1, 3
#: a picture of a megapixel or more, which is scaled down to about that
IMAGE = 1_500
#: characters of base64 for a token: of a scanned or printed page, and of sound
FILE, AUDIO = 50, 500
#: characters of a part of an unknown type from which on it is taken for a file
LARGE = 8_000


@attrs.frozen
class Prompt:
    """What a model reads for a request: *texts*, and so many *tokens* beside them."""

    texts: tuple[str, ...]
    tokens: int

    @property
    def estimate(self) -> int:
        """About how many tokens it has together."""
        return estimate_tokens("".join(self.texts)) + self.tokens


def prompt_of(request: ChatRequest) -> Prompt:
    """Everything in *request* that the model gets to read."""
    texts: list[str] = []
    tokens = REPLY
    for message in request.messages:
        tokens += FRAME
        if message.name is not None:
            tokens += NAME
            texts.append(message.name)
        for part in message.parts:
            if type(part) is TextPart:  # as nearly all of them are
                texts.append(part.text)
                continue
            said = _in_part(part)
            if isinstance(said, str):
                texts.append(said)
            else:
                tokens += said
        if message.reasoning is not None:
            texts.append(message.reasoning)
        for call in message.tool_calls:
            texts += (call.name, call.arguments)
    for tool in request.tools:
        tokens += FRAME
        texts += _in_tool(tool)
    if request.response_format is not None:
        texts.append(_json(request.response_format))
    return Prompt(tuple(texts), tokens)


def estimate_request(request: ChatRequest) -> int:
    """The estimate for everything in *request* that the model gets to read."""
    return prompt_of(request).estimate


def _in_part(part: Part) -> str | int:
    match part:
        case TextPart(text=text) | RefusalPart(text=text):
            return text
        case ImagePart():
            return IMAGE
        case FilePart(data=data):
            return IMAGE if data is None else max(IMAGE, len(data) // FILE)
        case AudioPart(data=data):
            return len(data) // AUDIO
        case OtherPart(raw=raw):
            said = _json(raw)
            return said if len(said) < LARGE else max(IMAGE, len(said) // FILE)


def _in_tool(tool: Tool | OtherTool) -> tuple[str, ...]:
    if isinstance(tool, OtherTool):
        return (_json(tool.raw),)
    return tool.name, tool.description or "", _json(tool.parameters or {})


def _json(value: object) -> str:
    try:
        return orjson.dumps(value, default=str).decode()
    except orjson.JSONEncodeError:  # too deep for it, or text that is no Unicode
        return " ".join(_texts(value))


def _texts(value: object) -> Iterator[str]:
    """Every text in a JSON value, however deep it is."""
    values = [value]
    while values:
        match values.pop():
            case str(text):
                yield text
            case dict(inner):
                values += (*inner, *inner.values())
            case list(inner):
                values += inner
            case _:
                pass
