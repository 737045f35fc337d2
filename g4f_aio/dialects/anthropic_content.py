"""Messages and their parts as content blocks of the Messages API."""

from __future__ import annotations

import base64
import binascii
import re
from collections.abc import Iterable
from typing import Any, cast
from urllib.parse import unquote_to_bytes

import attrs
import orjson

from ..core.errors import BadRequestError, UnsupportedError
from ..core.messages import (
    AudioPart,
    FilePart,
    ImagePart,
    Message,
    OtherPart,
    Part,
    RefusalPart,
    TextPart,
    ToolCall,
)
from .anthropic_errors import NAME
from .anthropic_thinking import SEAL, SealedThoughts

Block = dict[str, Any]

_DATA = re.compile(r"data:([^;,]*)((?:;[^;,]*)*),(.*)", re.DOTALL)
_NOT_IN_ID = re.compile(r"[^a-zA-Z0-9_-]")
_NOT_IN_BASE64 = re.compile(r"\s+")


@attrs.frozen
class Conversation:
    """What the API wants apart: the system prompt's blocks, and turns of user and assistant."""

    system: tuple[Block, ...]
    messages: tuple[dict[str, Any], ...]


def conversation(
    messages: tuple[Message, ...], thoughts: SealedThoughts | None = None, provider: str = ""
) -> Conversation:
    """The *messages* as the API takes them.

    System and developer messages go to the front, wherever they stand; a conversation of nothing
    else is the user's. Messages of one role in a row become one, as the results of parallel calls
    must; results come before what the user says to them. The API refuses empty texts: they are
    left out, and so are thoughts, which it takes back with its own signature only: those that came
    with it from *provider*, and those that are still known, in *thoughts*, go before what they led
    to. What came in over the same API goes as it came.
    """
    system: list[Block] = []
    turns: list[dict[str, Any]] = []
    for index, message in enumerate(messages):
        role, blocks = _turn(message, f"messages[{index}]", thoughts, provider)
        if role == "system":
            system.extend(blocks)
        elif turns and turns[-1]["role"] == role:
            turns[-1]["content"].extend(blocks)
        elif blocks:
            turns.append({"role": role, "content": blocks})
    if system and not turns:
        turns.append({"role": "user", "content": system})
        system = []
    if not turns:
        raise BadRequestError("$.messages: must hold at least one text or image", param="messages")
    for turn in turns:
        turn["content"] = _shortest(turn["content"])
    return Conversation(tuple(system), tuple(turns))


def _turn(
    message: Message, where: str, thoughts: SealedThoughts | None, provider: str
) -> tuple[str, list[Block]]:
    """Whose turn a message is, and what it adds to it."""
    came: list[Block] | None = message.wire(NAME)
    match message.role:
        case "system" | "developer":
            return "system", list(came) if came is not None else _blocks(message, where)
        case "user":
            return "user", list(came) if came is not None else _blocks(message, where)
        case "assistant" if came is not None:
            return "assistant", sealed(came)
        case "assistant":
            calls = [_tool_use(call) for call in message.tool_calls]
            known = () if thoughts is None else tuple(thoughts.led_to(message, calls, provider))
            return "assistant", [*known, *_blocks(message, where), *calls]
        case "tool":
            return "user", list(came) if came is not None else [_tool_result(message, where)]
        case "function":
            raise UnsupportedError(
                f"$.{where}.role: function is not supported; use tools", param=f"{where}.role"
            )


def sealed(blocks: Iterable[Block]) -> list[Block]:
    """The *blocks* without the thoughts of models of other APIs, which this one would refuse."""
    return [block for block in blocks if not is_foreign(block)]


def is_foreign(block: Any) -> bool:
    """Whether it is a thought that was written down here, for a model of another API."""
    return type(block) is dict and block.get("signature") == SEAL


def _shortest(blocks: list[Block]) -> str | list[Block]:
    """A lone text as it is, or else the blocks, results of tools first."""
    match blocks:
        case [{"type": "text", "text": str(text), **more}] if not more:
            return text
        case _:
            return sorted(blocks, key=lambda block: block.get("type") != "tool_result")


def _blocks(message: Message, where: str) -> list[Block]:
    found = (_block(part, f"{where}.content[{index}]") for index, part in enumerate(message.parts))
    return [block for block in found if block is not None]


def _block(part: Part, where: str) -> Block | None:
    """A part as a block; None for a text that says nothing."""
    match part:
        case TextPart(text=text) | RefusalPart(text=text):
            return {"type": "text", "text": text} if text.strip() else None
        case ImagePart(url=url):
            return {"type": "image", "source": _image_source(url, where)}
        case FilePart():
            return _document(part, where)
        case AudioPart():
            raise UnsupportedError(f"$.{where}: audio is not supported", param=where)
        case OtherPart(raw=raw):
            return raw


def _image_source(url: str, where: str) -> Block:
    data = _data(url, where)
    if data is not None:
        kind, content = data
        return {"type": "base64", "media_type": kind, "data": content}
    if url.startswith(("https:", "http:")):
        return {"type": "url", "url": url}
    raise BadRequestError(f"$.{where}: an image must be a data: or an https: URL", param=where)


def _document(part: FilePart, where: str) -> Block:
    source: Block
    if part.data is None:
        if part.id is None:
            raise BadRequestError(f"$.{where}: a file needs file_data or file_id", param=where)
        source = {"type": "file", "file_id": part.id}
    elif part.data.startswith(("https:", "http:")):
        source = {"type": "url", "url": part.data}
    else:
        data = _data(part.data, where)
        if data is None:
            raise BadRequestError(f"$.{where}: file_data must be a data: URI", param=where)
        kind, content = data
        if kind.startswith("image/"):
            return {
                "type": "image",
                "source": {"type": "base64", "media_type": kind, "data": content},
            }
        if kind == "application/pdf":
            source = {"type": "base64", "media_type": kind, "data": content}
        elif kind.startswith("text/"):
            source = {"type": "text", "media_type": "text/plain", "data": _text(content, where)}
        else:
            raise UnsupportedError(
                f"$.{where}: a file must be a PDF, a text or an image, not {kind or 'unnamed'}",
                param=where,
            )
    title = {} if part.filename is None else {"title": part.filename}
    return {"type": "document", "source": source, **title}


def _data(url: str, where: str) -> tuple[str, str] | None:
    """Media type and base64 text of a data URI; None for any other URL."""
    if not url.startswith("data:"):
        return None
    found = _DATA.fullmatch(url)
    if found is None:
        raise BadRequestError(f"$.{where}: not a data: URI", param=where)
    kind, parameters, content = found.groups()
    if ";base64" in parameters.lower():
        return kind.lower(), _NOT_IN_BASE64.sub("", content)
    return kind.lower(), base64.b64encode(unquote_to_bytes(content)).decode()


def _text(content: str, where: str) -> str:
    try:
        return base64.b64decode(content, validate=True).decode()
    except (binascii.Error, UnicodeDecodeError):
        raise BadRequestError(f"$.{where}: not a text in UTF-8 and base64", param=where) from None


def _tool_use(call: ToolCall) -> Block:
    """A call of a tool; its input is an object in this API, whatever the model wrote."""
    given = tool_input(call.arguments) if call.type == "function" else {"input": call.arguments}
    return {"type": "tool_use", "id": _id(call.id), "name": call.name, "input": given}


def tool_input(arguments: str) -> dict[str, Any]:
    """Arguments as an object; what is none is kept whole under a key of its own.

    A model may write malformed JSON; who tells it so must be able to show it what it wrote.
    """
    if not arguments.strip():
        return {}
    try:
        value = orjson.loads(arguments)
    except orjson.JSONDecodeError:
        value = None
    return cast(Block, value) if type(value) is dict else {"malformed_arguments": arguments}


def _tool_result(message: Message, where: str) -> Block:
    blocks = _blocks(message, where)
    said = {"content": _shortest(blocks)} if blocks else {}
    return {"type": "tool_result", "tool_use_id": _id(message.tool_call_id or ""), **said}


def _id(given: str) -> str:
    """An id with the characters that the API takes."""
    return _NOT_IN_ID.sub("_", given) or "_"
