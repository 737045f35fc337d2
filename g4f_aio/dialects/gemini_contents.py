"""Messages as Gemini's contents: two roles that take turns, and parts of all kinds.

https://ai.google.dev/api/caching#Content
"""

from __future__ import annotations

import base64
from collections.abc import Callable, Iterator
from typing import Any
from urllib.parse import unquote_to_bytes, urlsplit

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

Json = dict[str, Any]
#: signatures for the calls of one message
Sign = Callable[[tuple[ToolCall, ...]], list[str | None]]

#: where the files are that were given to the API before
FILES = "https://generativelanguage.googleapis.com/v1beta/"
_MIME_TYPES = {
    "aac": "audio/aac",
    "aiff": "audio/aiff",
    "css": "text/css",
    "csv": "text/csv",
    "flac": "audio/flac",
    "gif": "image/gif",
    "heic": "image/heic",
    "heif": "image/heif",
    "html": "text/html",
    "jpeg": "image/jpeg",
    "jpg": "image/jpeg",
    "json": "application/json",
    "m4a": "audio/mp4",
    "md": "text/markdown",
    "mov": "video/quicktime",
    "mp3": "audio/mp3",
    "mp4": "video/mp4",
    "mpeg": "video/mpeg",
    "ogg": "audio/ogg",
    "pdf": "application/pdf",
    "png": "image/png",
    "rtf": "text/rtf",
    "txt": "text/plain",
    "wav": "audio/wav",
    "webm": "video/webm",
    "webp": "image/webp",
    "xml": "text/xml",
}
#: formats of audio whose name is not their type's
_AUDIO = {"pcm16": "audio/L16;rate=24000", "m4a": "audio/mp4", "mpga": "audio/mpeg"}


@attrs.define
class Contents:
    """What is written of a conversation so far: the *system* instruction's parts and the *turns*."""

    system: list[Json] = attrs.field(factory=list)
    turns: list[Json] = attrs.field(factory=list)
    _called: dict[str, str] = attrs.field(factory=dict, init=False)

    def add(self, message: Message, where: str, sign: Sign) -> None:
        """Write a message, which is at the path *where* in the request."""
        parts = list(_parts(message, where))
        match message.role:
            case "system" | "developer":
                self.system += parts
            case "assistant":
                self._turn("model", parts + self._calls(message, sign))
            case "tool" | "function":
                self._turn("user", self._result(message, parts, where))
            case "user":
                self._turn("user", parts or [{"text": ""}])

    def _turn(self, role: str, parts: list[Json]) -> None:
        """Go on with the turn of who spoke last; nobody may speak twice."""
        if not parts:
            return
        if self.turns and self.turns[-1]["role"] == role:
            self.turns[-1]["parts"] += parts
        else:
            self.turns.append({"role": role, "parts": parts})

    def _calls(self, message: Message, sign: Sign) -> list[Json]:
        written = []
        calls = message.tool_calls
        for call, signature in zip(calls, sign(calls), strict=True):
            self._called[call.id] = call.name
            arguments = _arguments(call)
            part: Json = {"functionCall": {"id": call.id, "name": call.name, "args": arguments}}
            if signature is not None:
                part["thoughtSignature"] = signature
            written.append(part)
        return written

    def _result(self, message: Message, parts: list[Json], where: str) -> list[Json]:
        """What a tool said, under the name it was called by; its media follow."""
        id_ = message.tool_call_id
        name = self._called.get(id_ or "") or message.name
        if not name:
            raise BadRequestError(
                f"$.{where}.tool_call_id: no message before calls a tool with the id {id_!r}",
                param=f"{where}.tool_call_id",
            )
        response: Json = {"name": name, "response": _output(message.text)}
        if id_:
            response["id"] = id_
        return [{"functionResponse": response}, *(part for part in parts if "text" not in part)]


def is_video(part: OtherPart) -> bool:
    """Whether it is a video as OpenAI-compatible servers are given one."""
    match part.raw:
        case {"type": "video_url", "video_url": {"url": str()}}:
            return True
        case _:
            return False


def _arguments(call: ToolCall) -> Json:
    """A call's arguments as an object, whatever another model made of them."""
    if call.type == "custom":
        return {"input": call.arguments}
    try:
        value = orjson.loads(call.arguments or "{}")
    except orjson.JSONDecodeError:
        value = None
    return value if type(value) is dict else {"arguments": call.arguments}


def _output(text: str) -> Json:
    """A tool's result as an object: as it is, or as the API would have it."""
    try:
        value = orjson.loads(text)
    except orjson.JSONDecodeError:
        value = None
    return value if type(value) is dict else {"output": text}


def _parts(message: Message, where: str) -> Iterator[Json]:
    for index, part in enumerate(message.parts):
        written = _part(part, f"{where}.content[{index}]")
        if written.get("text") != "":  # which the API refuses
            yield written


def _part(part: Part, where: str) -> Json:
    match part:
        case TextPart(text=text) | RefusalPart(text=text):
            return {"text": text}
        case ImagePart(url=url):
            return _media(url, f"{where}.image_url.url")
        case AudioPart(data=data, format=kind):
            return _inline(_AUDIO.get(kind, f"audio/{kind}"), data)
        case FilePart():
            return _file(part, f"{where}.file")
        case OtherPart(type="video_url", raw={"video_url": {"url": str(url)}}):
            return _media(url, f"{where}.video_url.url")
        case OtherPart(type=kind):
            raise UnsupportedError(
                f"$.{where}.type: Gemini takes no part of type {kind!r}", param=f"{where}.type"
            )


def _file(part: FilePart, where: str) -> Json:
    if part.data is not None:
        if part.data.startswith(("data:", "https://", "http://")):
            return _media(part.data, f"{where}.file_data")
        if kind := _type_of(part.filename or ""):
            return _inline(kind, part.data)
        raise BadRequestError(
            f"$.{where}.file_data: expected a data: URI, or a filename that tells the type",
            param=f"{where}.file_data",
        )
    id_ = part.id or ""
    return _media(FILES + id_ if id_.startswith("files/") else id_, f"{where}.file_id")


def _media(uri: str, where: str) -> Json:
    """Media by URI: sent along where the URI holds them, else for the API to fetch."""
    if uri.startswith("data:"):
        head, _, data = uri.removeprefix("data:").partition(",")
        kind, *options = head.split(";")
        if "base64" not in options:
            data = base64.b64encode(unquote_to_bytes(data)).decode()
        return _inline(kind or "text/plain", data)
    if not uri.startswith(("https://", "http://", "gs://")):
        raise BadRequestError(f"$.{where}: expected a data:, https: or gs: URI", param=where)
    file = {"fileUri": uri}
    if kind := _type_of(_path(uri)):
        file["mimeType"] = kind
    return {"fileData": file}


def _inline(mime: str, data: str) -> Json:
    return {"inlineData": {"mimeType": mime, "data": data}}


def _path(uri: str) -> str:
    try:
        return urlsplit(uri).path
    except ValueError:
        return ""


def _type_of(name: str) -> str:
    """The media type that the end of a file's name tells; empty when it tells none."""
    return _MIME_TYPES.get(name.rpartition(".")[2].lower(), "")
