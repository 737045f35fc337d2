"""The events a provider yields while it answers; a closed union, matched by every encoder.

A stream of events is: any number of deltas and notices, at most one ``Usage``, and a ``Finish``
for each choice; or an exception of ``core.errors``. A stream that ends with neither is cut.
"""

from __future__ import annotations

from collections.abc import AsyncGenerator, AsyncIterator, Mapping
from typing import Any, Literal, Protocol

import attrs

FinishReason = Literal["stop", "length", "tool_calls", "content_filter", "function_call"]


# not in slots: it is made for every request, and that takes half the time so
@attrs.frozen(slots=False)
class Started:
    """Who answers. The gateway sends it, once, before everything else.

    *attempts* says how many providers were called, this one included. *emulated* names what is
    supplied here because the provider lacks it. *headers* are those of the upstream's answer that are
    for the client. A provider that has something to say with one of these two may yield one right
    before its first event; the gateway takes that into its own.
    """

    provider: str
    model: str
    attempts: int = 1
    emulated: tuple[str, ...] = ()
    headers: Mapping[str, str] | None = None


@attrs.frozen
class TextDelta:
    """A piece of the answer's text. *choice* counts from 0 where several answers were asked for."""

    text: str
    choice: int = 0


@attrs.frozen
class ReasoningDelta:
    """A piece of the model's thinking, apart from its answer.

    *signature* seals the thinking up to here; *redacted* is thinking that nobody may read. Both are
    the upstream's own, and it wants them back unchanged.
    """

    text: str
    choice: int = 0
    signature: str | None = None
    redacted: str | None = None


@attrs.frozen
class RefusalDelta:
    """A piece of the text with which the model declines."""

    text: str
    choice: int = 0


@attrs.frozen
class ToolCallDelta:
    """A piece of a tool call. *index* counts the calls of one answer from 0.

    The first piece of a call carries *id* and *name*; every piece may carry *arguments* (JSON text).
    *type* is ``function``, or ``custom`` for a tool that takes plain text.
    """

    index: int
    id: str | None = None
    name: str | None = None
    arguments: str = ""
    choice: int = 0
    type: str = "function"


@attrs.frozen
class Logprobs:
    """Log probabilities as OpenAI's ``logprobs`` object, for the text just before or with it."""

    data: dict[str, Any]
    choice: int = 0


@attrs.frozen
class Media:
    """An image, sound or video in the answer, by URL."""

    kind: Literal["image", "audio", "video"]
    url: str
    mime: str | None = None
    alt: str = ""


@attrs.frozen
class Citation:
    """A source: where it is and what it is called."""

    url: str
    title: str = ""


@attrs.frozen
class Citations:
    """The sources an answer rests on. *choice* as with text."""

    links: tuple[Citation, ...]
    choice: int = 0


@attrs.frozen
class Preview:
    """Provisional output for a page to show until the real one comes."""

    text: str = ""
    urls: tuple[str, ...] = ()


@attrs.frozen
class Title:
    """A title for the conversation."""

    text: str


@attrs.frozen
class Suggestions:
    """Questions the user may want to ask next."""

    items: tuple[str, ...]


@attrs.frozen
class Status:
    """What the provider is doing just now, for a human."""

    text: str


@attrs.frozen
class ConversationState:
    """What the provider wants back when the conversation goes on."""

    data: dict[str, Any]


# not in slots: it is made for every request, and that takes half the time so
@attrs.frozen(slots=False)
class Usage:
    """Tokens. *input* includes *cached*, *output* includes *reasoning*.

    *estimated* is true when they were counted here because the upstream reported none. *raw* is
    the upstream's own object, in its own dialect, where there is one.
    """

    input: int = 0
    output: int = 0
    cached: int = 0
    reasoning: int = 0
    estimated: bool = False
    raw: dict[str, Any] | None = None

    def plain(self) -> Usage:
        """The same counts, without the upstream's own object."""
        return Usage(self.input, self.output, self.cached, self.reasoning, self.estimated)


@attrs.frozen
class Finish:
    """The end of one choice, and why.

    *stop_sequence* is the one that the model came upon, where that is known. *paused*: the answer is
    not whole; the model goes on with it when it is sent back.
    """

    reason: FinishReason = "stop"
    choice: int = 0
    stop_sequence: str | None = None
    paused: bool = False


# not in slots: it is made for every request, and that takes half the time so
@attrs.frozen(slots=False)
class Passthrough:
    """Bytes of the upstream, already in the wire format the client accepts.

    For a stream: whole frames. Otherwise: the whole body. *last* is true for the bytes that complete
    the answer; *usage* comes with them, as the upstream reported it or as estimated here. *progress*
    is false for bytes that hold nothing of the answer, such as an upstream's comments. *pieces* is
    the number of frames, as far as somebody counted them.
    """

    data: bytes
    usage: Usage | None = None
    last: bool = False
    progress: bool = True
    pieces: int = attrs.field(default=1, eq=False)


Event = (
    Started
    | TextDelta
    | ReasoningDelta
    | RefusalDelta
    | ToolCallDelta
    | Logprobs
    | Media
    | Citations
    | Preview
    | Title
    | Suggestions
    | Status
    | ConversationState
    | Usage
    | Finish
    | Passthrough
)

#: A generator, not just an iterator, so that ``contextlib.aclosing`` accepts it.
EventStream = AsyncGenerator[Event, None]


class Events(Protocol):
    """A stream of events for whoever consumes it: iterate, and close it when done."""

    def __aiter__(self) -> AsyncIterator[Event]:
        """Itself."""

    async def aclose(self) -> None:
        """Stop whoever speaks; needed when it is left before its end."""
