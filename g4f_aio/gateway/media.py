"""Files of the web as parts of a message, each checked to be what the part says it is."""

from __future__ import annotations

import base64
from urllib.parse import unquote, urlsplit

import attrs

from ..core.errors import BadRequestError
from ..core.fetch import Fetched
from ..core.messages import AudioPart, FilePart, ImagePart, Part

#: sounds by their media type, as the parts of messages name them; webm and mp4 may be nothing else
_FORMATS = {
    "audio/aac": "aac",
    "audio/amr": "amr",
    "audio/flac": "flac",
    "audio/mp4": "m4a",
    "audio/mpeg": "mp3",
    "audio/ogg": "ogg",
    "audio/wav": "wav",
    "video/mp4": "mp4",
    "video/webm": "webm",
}
_PDF = "application/pdf"
_UNICODE = ("utf-8", "utf-8-sig")
_MOST_NAME = 200


@attrs.frozen
class Sent:
    """A file as messages have it: its media type, and its content in base64."""

    media_type: str
    content: str = attrs.field(repr=False)

    @classmethod
    def of(cls, file: Fetched) -> Sent:
        """The same file; what is text is in UTF-8."""
        data = file.data
        if file.charset is not None and file.charset not in _UNICODE:
            data = data.decode(file.charset, "replace").encode()
        return cls(file.media_type, base64.b64encode(data).decode("ascii"))

    @property
    def uri(self) -> str:
        """As a ``data:`` URI."""
        return f"data:{self.media_type};base64,{self.content}"


def url_of(part: Part) -> str | None:
    """The URL that a part has in the place of its content; None when it has none."""
    match part:
        case ImagePart(url=text) | AudioPart(data=text) | FilePart(data=str(text)):
            return text if text[:8].lower().startswith(("https://", "http://")) else None
        case _:
            return None


def with_content(part: Part, url: str, sent: Sent) -> Part:
    """The *part* with what is at its *url*; BadRequestError when that is nothing of the kind."""
    kind = sent.media_type
    match part:
        case ImagePart(detail=detail):
            if not kind.startswith("image/") or kind == "image/svg+xml":
                raise _other(kind, "an image")
            return ImagePart(sent.uri, detail)
        case AudioPart():
            if kind not in _FORMATS:
                raise _other(kind, "a sound")
            return AudioPart(sent.content, _FORMATS[kind])
        case FilePart(filename=filename):
            name = filename or _name(url)
            if name.lower().endswith(".pdf") and kind != _PDF:
                raise _other(kind, "a PDF")
            return attrs.evolve(part, data=sent.uri, filename=name or None)
        case _:
            return part


def _other(kind: str, wanted: str) -> BadRequestError:
    return BadRequestError(
        f"what is at this URL is {kind} and not {wanted}", code="invalid_media_type"
    )


def _name(url: str) -> str:
    """The name of a file that its URL tells; empty when it tells none."""
    try:
        name = unquote(urlsplit(url).path.rpartition("/")[2])
    except ValueError:
        return ""
    return name if name.isprintable() and len(name) <= _MOST_NAME else ""
