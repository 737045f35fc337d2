"""Messages and the parts they are made of, independent of any wire format."""

from __future__ import annotations

from typing import Any, Literal

import attrs

Role = Literal["system", "developer", "user", "assistant", "tool", "function"]


@attrs.frozen
class TextPart:
    """A piece of text."""

    text: str


@attrs.frozen
class RefusalPart:
    """The text with which a model declined to answer."""

    text: str


@attrs.frozen
class ImagePart:
    """An image by URL: ``https:`` or ``data:``. *detail* is the resolution the caller asks for."""

    url: str
    detail: str | None = None


@attrs.frozen
class AudioPart:
    """Audio as base64 text, or its ``https:`` URL; *format* is ``wav``, ``mp3`` …"""

    data: str
    format: str


@attrs.frozen
class FilePart:
    """A file: its content as a ``data:`` URI in *data*, or the *id* the provider gave it.

    *data* may be the file's ``https:`` URL, too.
    """

    data: str | None = None
    id: str | None = None
    filename: str | None = None


@attrs.frozen
class OtherPart:
    """A part of a type this version does not know, kept as it came in."""

    type: str
    raw: dict[str, Any]


Part = TextPart | RefusalPart | ImagePart | AudioPart | FilePart | OtherPart


@attrs.frozen
class Thought:
    """A stretch of a model's thinking.

    *signature* seals the text, *redacted* is in its place when nobody may read it. Both are the
    upstream's own, and it wants them back unchanged. *by* names the provider that it is of, and
    nobody else gets it.
    """

    text: str
    signature: str | None = None
    redacted: str | None = None
    by: str | None = None


@attrs.frozen(eq=False)
class Origin:
    """How something came in: its JSON in the wire format *dialect*; *of* is what was read in it."""

    dialect: str
    value: Any
    of: tuple[object, ...]

    def still(self, dialect: str, *now: object) -> Any:
        """The JSON, where it is of that dialect and nothing of what it says was edited; else None."""
        return self.value if dialect == self.dialect and now == self.of else None


@attrs.frozen
class ToolCall:
    """A model's call of a function; *arguments* is JSON text exactly as the model wrote it.

    *type* is ``function``, or ``custom`` for a tool that takes plain text.
    """

    id: str
    name: str
    arguments: str
    type: str = "function"


# not in slots: it is made for every request, and that takes half the time so
@attrs.frozen(slots=False)
class Message:
    """One turn of a conversation.

    *tool_call_id* names the call that a message of role ``tool`` answers. *extra* holds the keys
    of the wire message that this version does not know, so that they survive a translation back.
    *thoughts* are sealed ones that led to what is said, for the provider that they are of.
    *origin* is how it came in, for a dialect in which there is more to a message than is said here.
    """

    role: Role
    parts: tuple[Part, ...] = ()
    name: str | None = None
    tool_calls: tuple[ToolCall, ...] = ()
    tool_call_id: str | None = None
    reasoning: str | None = None
    thoughts: tuple[Thought, ...] = ()
    extra: dict[str, Any] = attrs.field(factory=dict)
    origin: Origin | None = attrs.field(default=None, eq=False, repr=False)

    def wire(self, dialect: str) -> Any:
        """Its JSON as it came in over *dialect*; None when it came otherwise or was edited since."""
        if self.origin is None:
            return None
        return self.origin.still(dialect, self.role, self.parts, self.tool_calls, self.tool_call_id)

    @property
    def text(self) -> str:
        """All text parts, joined."""
        return "".join(part.text for part in self.parts if isinstance(part, TextPart))
