"""About how many tokens a model reads for a request, where nobody counts them."""

from __future__ import annotations

import orjson

from .messages import (
    AudioPart,
    FilePart,
    ImagePart,
    Message,
    OtherPart,
    Part,
    RefusalPart,
    TextPart,
)
from .requests import ChatRequest, OtherTool, Tool
from .tokens import estimate_tokens

#: what frames every message, and every tool
FRAME = 4
#: a picture of a megapixel or more, which is scaled down to about that
IMAGE = 1_500
#: characters of base64 for a token: of a scanned or printed page, and of sound
FILE, AUDIO = 50, 500


def estimate_request(request: ChatRequest) -> int:
    """The estimate for everything in *request* that the model gets to read."""
    said = sum(map(_of_message, request.messages))
    tools = sum(map(_of_tool, request.tools))
    form = 0 if request.response_format is None else _of_json(request.response_format)
    return said + tools + form + FRAME // 2


def _of_message(message: Message) -> int:
    calls = (f"{call.name}{call.arguments}" for call in message.tool_calls)
    texts = (message.reasoning or "", *calls)
    return FRAME + sum(map(estimate_tokens, texts)) + sum(map(_of_part, message.parts))


def _of_part(part: Part) -> int:
    match part:
        case TextPart(text=text) | RefusalPart(text=text):
            return estimate_tokens(text)
        case ImagePart():
            return IMAGE
        case FilePart(data=data):
            return IMAGE if data is None else max(IMAGE, len(data) // FILE)
        case AudioPart(data=data):
            return len(data) // AUDIO
        case OtherPart(raw=raw):
            return _of_json(raw)


def _of_tool(tool: Tool | OtherTool) -> int:
    if isinstance(tool, OtherTool):
        return FRAME + _of_json(tool.raw)
    words = f"{tool.name}{tool.description or ''}"
    return FRAME + estimate_tokens(words) + _of_json(tool.parameters or {})


def _of_json(value: object) -> int:
    return -(-len(orjson.dumps(value, default=str)) // 4)
