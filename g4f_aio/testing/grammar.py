"""Whether the events of an answer are what the gateway and every client expect."""

from __future__ import annotations

from collections.abc import Iterator
from typing import get_args

from ..core.events import (
    Citation,
    Citations,
    Event,
    Finish,
    FinishReason,
    Media,
    Passthrough,
    ReasoningDelta,
    RefusalDelta,
    Started,
    TextDelta,
    ToolCallDelta,
    Usage,
)
from ..core.requests import ChatRequest

_KINDS = frozenset(get_args(Event))
_REASONS = get_args(FinishReason)
_BLANK_LINES = (b"\n\n", b"\r\n\r\n", b"\r\r")
#: events that belong to one choice
_Delta = TextDelta | ReasoningDelta | RefusalDelta | ToolCallDelta


class Grammar:
    """Reads the events of one answer, in order; ``faults`` has each kind of mistake once."""

    def __init__(self, request: ChatRequest) -> None:
        self._request = request
        self._found: dict[str, None] = {}
        self._begun = False
        self._usage = False
        self._last = False
        self._open: set[int] = set()
        self._finished: set[int] = set()
        self._calls: set[tuple[int, int]] = set()

    @property
    def faults(self) -> tuple[str, ...]:
        """What is wrong so far, a sentence each."""
        return tuple(self._found)

    def feed(self, event: object) -> None:
        """The next event."""
        self._found.update(dict.fromkeys(self._read(event)))

    def close(self) -> None:
        """There are no more."""
        if not self._last and (not self._finished or self._open - self._finished):
            self._found[
                'the answer ends without a Finish: yield Finish("stop") when it is complete, and'
                " raise UpstreamError when it was cut off"
            ] = None

    def _read(self, event: object) -> Iterator[str]:
        name = type(event).__name__
        if type(event) not in _KINDS:
            yield (
                f"chat yields {event!r:.60}, a {name}, which is no event: yield those of g4f_aio,"
                " such as TextDelta(text)"
            )
            return
        begun, self._begun = self._begun, True
        if self._last:
            yield f"{name} comes after Passthrough(last=True): yield nothing after the last bytes"
        match event:
            case Started(emulated=(), headers=None):
                yield "chat yields Started, which the gateway does: leave it out"
            case Started() if begun:
                yield "Started comes after other events: yield it before the first of them"
            case Started():
                pass
            case ToolCallDelta():
                yield from self._part(event)
                yield from self._tool_call(event)
            case TextDelta() | ReasoningDelta() | RefusalDelta():
                yield from self._part(event)
                yield from _text_faults(event)
            case Usage():
                yield from self._read_usage(event)
            case Finish():
                yield from self._finish(event)
            case Passthrough():
                yield from self._passthrough(event)
            case Media(url=url) if not isinstance(url, str) or not url:
                yield f"Media has the url {url!r}: an URL is a text that is not empty"
            case Citations(links=links) if not _are_links(links):
                yield "the links of Citations must be a tuple of Citation"
            case _:
                pass

    def _part(self, event: _Delta) -> Iterator[str]:
        if event.choice in self._finished:
            name = type(event).__name__
            yield f"{name} comes after the Finish of its choice: yield Finish at the very end"
        self._open.add(event.choice)

    def _tool_call(self, event: ToolCallDelta) -> Iterator[str]:
        if type(event.arguments) is not str:
            yield "the arguments of a ToolCallDelta must be JSON text: use json.dumps"
        key = event.choice, event.index
        if key not in self._calls and not (event.id and event.name):
            yield "the first ToolCallDelta of a call lacks its id or its name: give it both"
        self._calls.add(key)

    def _read_usage(self, event: Usage) -> Iterator[str]:
        counts = (event.input, event.output, event.cached, event.reasoning)
        if any(type(count) is not int or count < 0 for count in counts):
            yield "the counts of Usage must be integers from 0 on: leave out what is not known"
        if self._usage:
            yield "chat yields Usage more than once: yield it once, with the final counts"
        self._usage = True

    def _finish(self, event: Finish) -> Iterator[str]:
        if event.reason not in _REASONS:
            yield f"Finish has the reason {event.reason!r}: it must be one of {', '.join(_REASONS)}"
        if event.choice in self._finished:
            yield "chat yields Finish more than once for a choice: yield it once, at the end"
        self._finished.add(event.choice)

    def _passthrough(self, event: Passthrough) -> Iterator[str]:
        self._last = self._last or event.last
        if self._request.accept is None:
            yield (
                "chat yields Passthrough although request.accept is None, so nobody could read it:"
                " yield it only when request.accept names your upstream's format"
            )
        if type(event.data) is not bytes:
            yield f"the data of Passthrough is a {type(event.data).__name__}: it must be bytes"
        elif not event.data and not event.last:
            yield "chat yields Passthrough without data: leave out what is empty"
        elif self._request.stream and event.data and not event.data.endswith(_BLANK_LINES):
            yield "Passthrough tears an event apart: hand on whole ones, as response.frames() gives"


def _text_faults(event: TextDelta | ReasoningDelta | RefusalDelta) -> Iterator[str]:
    name, text = type(event).__name__, event.text
    if type(text) is not str:
        kind = type(text).__name__
        yield f"the text of a {name} is a {kind}: make it a str, with .decode() for bytes"
    elif not (text or (isinstance(event, ReasoningDelta) and (event.signature or event.redacted))):
        yield f"chat yields a {name} without text: leave out what is empty"


def _are_links(links: object) -> bool:
    return isinstance(links, tuple) and all(isinstance(link, Citation) for link in links)
