"""Images described in words, for models that see none."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping

import attrs

from ...core.messages import ImagePart, Message, Part, TextPart
from ...core.requests import ChatRequest, Routing
from .text import edited

#: what it is called in ``x-emulated``
NAME = "vision"
_DATA = "data:"
_QUESTION = """\
Describe this image for somebody who cannot see it and has to answer questions about it: what it \
shows, where things are in it, and how they look. Give every text in it word for word, and every \
number of a table or a chart. Answer with the description alone."""
_DESCRIBED = """\
[Image {number}, which you cannot see. This is a description of it by another model:
{caption}]"""


def images_of(request: ChatRequest) -> tuple[ImagePart, ...]:
    """The images in a request, each once, in order."""
    parts = (part for message in request.messages for part in message.parts)
    return tuple(dict.fromkeys(part for part in parts if isinstance(part, ImagePart)))


def question(image: ImagePart, model: str, timeout: float | None = None) -> ChatRequest:
    """The request for a description, by a model that sees by itself, in so many seconds."""
    message = Message("user", (TextPart(_QUESTION), image))
    return ChatRequest(model, (message,), routing=Routing(timeout=timeout, emulate=False))


def described(request: ChatRequest, captions: Mapping[ImagePart, str]) -> ChatRequest:
    """The request with descriptions in the place of its images."""
    numbers = {image: number for number, image in enumerate(captions, 1)}

    def told(part: Part) -> Part:
        if not isinstance(part, ImagePart):
            return part
        return TextPart(_DESCRIBED.format(number=numbers[part], caption=captions[part]))

    messages = tuple(
        attrs.evolve(message, parts=tuple(map(told, message.parts)))
        if any(isinstance(part, ImagePart) for part in message.parts)
        else message
        for message in request.messages
    )
    return edited(request, messages=messages)


def digest(image: ImagePart) -> bytes | None:
    """What an image can be known by again; None for one by URL, behind which may be another soon."""
    if image.url[: len(_DATA)].lower() != _DATA:
        return None
    return hashlib.sha256(f"{image.detail}\n{image.url}".encode("utf-8", "surrogatepass")).digest()
