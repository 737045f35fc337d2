"""An upstream's message, streamed or whole, into events.

https://platform.claude.com/docs/en/build-with-claude/streaming
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any

import attrs

from ..core.events import (
    Citation,
    Citations,
    Event,
    Finish,
    ReasoningDelta,
    RefusalDelta,
    TextDelta,
    ToolCallDelta,
)
from ..core.messages import Thought
from ..core.upstream_errors import error_in_answer
from . import json_text, sse
from .anthropic_thinking import SealedThoughts
from .anthropic_usage import PAUSED, merged, reason_of, usage_of
from .openai_chat_decoder import cut, malformed

Json = dict[str, Any]

#: the events whose shape is known; there may be others
_KNOWN = frozenset(
    (
        "message_start",
        "content_block_start",
        "content_block_delta",
        "content_block_stop",
        "message_delta",
    )
)


def load_event(data: bytes, provider: str) -> Json:
    """The data of one event or a whole answer; the error in it, or UpstreamError when malformed."""
    try:
        event = json_text.loads(data)
    except ValueError:
        raise malformed(provider, data) from None
    if type(event) is not dict:
        raise malformed(provider, data)
    if event.get("type") == "error" or event.get("error"):
        raise error_in_answer(event.get("error"), provider=provider)
    if type(event.get("type")) is not str:
        raise malformed(provider, data)
    return event


def load_message(data: bytes, provider: str) -> Json:
    """A whole answer; the error in it, or UpstreamError when it is no message."""
    message = load_event(data, provider)
    content = message.get("content")
    if message["type"] != "message" or type(content) is not list:
        raise malformed(provider, data)
    if not all(type(block) is dict for block in content):
        raise malformed(provider, data)
    return message


@attrs.define
class _Call:
    """A call of a tool: its number among the calls, and what of its input is known."""

    number: int
    input: Any
    said: bool = False


class EventDecoder:
    """Events of an upstream into ours. What it thought before it called tools goes to *thoughts*."""

    def __init__(self, provider: str, thoughts: SealedThoughts | None = None) -> None:
        self._provider = provider
        self._thoughts = thoughts
        #: what was thought so far, and the thought that is not sealed yet
        self._sealed: list[Thought] = []
        self._thought: list[str] = []
        self._calls: dict[int, _Call] = {}
        self._usage: Json = {}
        self._ending: Json = {}
        self._joiner = json_text.Joiner()
        self._count = 0
        self._done = False

    @property
    def done(self) -> bool:
        """Whether ``message_stop`` was read."""
        return self._done

    def feed(self, frames: bytes) -> Iterator[Event]:
        """The events in whole frames; what follows ``message_stop`` is ignored."""
        for _, data in sse.split(frames):
            if self._done:
                return
            if data:
                yield from self._event(data)

    def close(self) -> Iterator[Event]:
        """Nothing more; UpstreamError unless the upstream said that it was done."""
        if not self._done:
            raise cut(self._provider)
        return iter(())

    def body(self, data: bytes) -> Iterator[Event]:
        """The events of a whole answer."""
        message = load_message(data, self._provider)
        for index, block in enumerate(message["content"]):
            yield from self._start(index, block)
            yield from self._stop(index)
        self._ending = message
        self._usage = merged({}, message.get("usage"))
        yield from self._finish()

    def _event(self, data: bytes) -> Iterable[Event]:
        match load_event(data, self._provider):
            case {"type": "content_block_delta", "index": int(index), "delta": dict(delta)}:
                return self._delta(index, delta)
            case {"type": "content_block_start", "index": int(index), "content_block": dict(block)}:
                return self._start(index, block)
            case {"type": "content_block_stop", "index": int(index)}:
                return self._stop(index)
            case {"type": "message_start", "message": dict(message)}:
                self._usage = merged(self._usage, message.get("usage"))
            case {"type": "message_delta", "delta": dict(delta), **rest}:
                self._ending = merged(self._ending, delta)
                self._usage = merged(self._usage, rest.get("usage"))
            case {"type": "message_stop"}:
                return self._finish()
            case {"type": kind} if kind in _KNOWN:
                raise malformed(self._provider, data)
            case _:  # such as ``ping``
                pass
        return ()

    def _start(self, index: int, block: Json) -> Iterator[Event]:
        """What a block begins with; in a whole answer that is all of it."""
        match block.get("type"):
            case "text":
                yield from self._said(index, block.get("text") or "")
                citations = block.get("citations")
                for citation in citations if type(citations) is list else ():
                    yield from _citations(citation)
            case "tool_use":
                call = self._calls[index] = _Call(self._count, block.get("input"))
                self._count += 1
                id_ = _text(block, "id")
                if self._thoughts is not None and self._sealed and id_ and call.number == 0:
                    self._thoughts.keep(id_, self._sealed)
                yield ToolCallDelta(call.number, id_, _text(block, "name"))
            case "thinking":
                yield from self._thinks(index, block.get("thinking") or "")
                if signature := _text(block, "signature"):
                    yield self._seals(signature)
            case "redacted_thinking":
                redacted = _text(block, "data")
                if redacted is not None:
                    self._sealed.append(Thought("", redacted=redacted))
                yield ReasoningDelta("", redacted=redacted)
            case _:  # the API's own tools, and what is yet to come
                pass

    def _delta(self, index: int, delta: Json) -> Iterator[Event]:
        match delta.get("type"):
            case "text_delta":
                yield from self._said(index, delta.get("text"))
            case "thinking_delta":
                yield from self._thinks(index, delta.get("thinking"))
            case "signature_delta":
                yield self._seals(_text(delta, "signature"))
            case "input_json_delta":
                call = self._calls.get(index)  # None for a tool of the API's own
                if call is not None and (text := self._joined(index, delta.get("partial_json"))):
                    call.said = True
                    yield ToolCallDelta(call.number, arguments=text)
            case "citations_delta":
                yield from _citations(delta.get("citation"))
            case _:
                pass

    def _said(self, index: int, text: Any) -> Iterator[Event]:
        if joined := self._joined(index, text):
            yield TextDelta(joined)

    def _thinks(self, index: int, text: Any) -> Iterator[Event]:
        if joined := self._joined(index, text):
            self._thought.append(joined)
            yield ReasoningDelta(joined)

    def _seals(self, signature: str | None) -> Event:
        if signature is not None:
            self._sealed.append(Thought("".join(self._thought), signature))
            self._thought.clear()
        return ReasoningDelta("", signature=signature)

    def _joined(self, index: int, text: Any) -> str:
        if type(text) is not str:
            raise malformed(self._provider, json_text.dumps(text))
        return self._joiner.feed(text, index)

    def _stop(self, index: int) -> Iterator[Event]:
        call = self._calls.pop(index, None)
        if call is not None and not call.said:
            # a call without arguments has an empty input, not none
            given = call.input if type(call.input) is dict else {}
            yield ToolCallDelta(call.number, arguments=json_text.dumps(given).decode())

    def _finish(self) -> Iterator[Event]:
        self._done = True
        for index in tuple(self._calls):
            yield from self._stop(index)
        ending = self._ending
        match ending.get("stop_details"):
            case {"explanation": str(explanation)} if explanation:
                yield RefusalDelta(explanation)
            case _:
                pass
        reason = _text(ending, "stop_reason") or ("tool_use" if self._count else "end_turn")
        yield Finish(
            reason_of(reason),
            stop_sequence=_text(ending, "stop_sequence"),
            paused=reason == PAUSED,
        )
        if usage := usage_of(self._usage):
            yield usage


def _citations(citation: Any) -> Iterator[Citations]:
    """A source on the web; places in documents of the request have no address."""
    match citation:
        case {"url": str(url)} | {"source": str(url)} if url.startswith("http"):
            yield Citations((Citation(url, _text(citation, "title") or ""),))
        case _:
            pass


def _text(of: Json, name: str) -> str | None:
    value = of.get(name)
    return value if type(value) is str and value else None
