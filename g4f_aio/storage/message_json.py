"""Messages as JSON, to keep them: whole, also how they came in."""

from __future__ import annotations

from typing import Any

import attrs
import cattrs
from cattrs.gen import make_dict_unstructure_fn, override
from cattrs.strategies import configure_tagged_union

from ..core.messages import (
    AudioPart,
    FilePart,
    ImagePart,
    Message,
    Origin,
    OtherPart,
    Part,
    RefusalPart,
    TextPart,
)
from ..dialects.json_text import dumps, loads

#: what is kept stays readable when a class gets another name
_TAGS: dict[type, str] = {
    TextPart: "text",
    RefusalPart: "refusal",
    ImagePart: "image",
    AudioPart: "audio",
    FilePart: "file",
    OtherPart: "other",
}
_ORIGIN = "origin"


class MessageCodec:
    """Messages to bytes and back."""

    def __init__(self) -> None:
        converter = cattrs.Converter(omit_if_default=True, detailed_validation=False)
        configure_tagged_union(Part, converter, tag_generator=_TAGS.__getitem__, tag_name="part")
        converter.register_unstructure_hook(
            Message,
            make_dict_unstructure_fn(
                Message,
                converter,
                _cattrs_omit_if_default=True,
                **{_ORIGIN: override(omit=True)},  # type: ignore[arg-type]
            ),
        )
        self._converter = converter

    def dump(self, message: Message) -> bytes:
        """A message as JSON."""
        data: dict[str, Any] = self._converter.unstructure(message)
        origin = message.origin
        if origin is not None and (value := message.wire(origin.dialect)) is not None:
            data[_ORIGIN] = [origin.dialect, value]
        return dumps(data)

    def load(self, data: bytes) -> Message:
        """The message that JSON is of."""
        found = loads(data)
        origin = found.pop(_ORIGIN, None)
        message = self._converter.structure(found, Message)
        if origin is None:
            return message
        of = (message.role, message.parts, message.tool_calls, message.tool_call_id)
        return attrs.evolve(message, origin=Origin(origin[0], origin[1], of))
