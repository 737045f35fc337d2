"""Events into the stream of a message.

https://platform.claude.com/docs/en/build-with-claude/streaming
"""

from __future__ import annotations

from typing import Any

import attrs
import orjson

from ..core.errors import GatewayError
from ..core.events import (
    Citations,
    ConversationState,
    Event,
    Finish,
    Logprobs,
    Media,
    Passthrough,
    Preview,
    ReasoningDelta,
    RefusalDelta,
    Started,
    Status,
    Suggestions,
    TextDelta,
    Title,
    ToolCallDelta,
    Usage,
)
from ..core.requests import ChatRequest
from .anthropic_body import citation_object, new_id, new_message
from .anthropic_errors import error_object
from .anthropic_thinking import SEAL
from .anthropic_usage import ending_object, estimated_usage, usage_object
from .json_text import dumps

Json = dict[str, Any]
Content = TextDelta | RefusalDelta | ReasoningDelta | Citations | Media

PING = b'event: ping\ndata: {"type":"ping"}\n\n'


@attrs.define
class _Call:
    """A call of a tool. What *waits* is written when the calls before it are complete."""

    id: str
    name: str
    said: str = ""
    waits: str = ""
    begun: bool = False
    done: bool = False

    @property
    def complete(self) -> bool:
        """Whether its arguments are all there, as far as their JSON tells."""
        try:
            orjson.loads(self.said + self.waits)
        except orjson.JSONDecodeError:
            return False
        return True


class StreamEncoder:
    """Events into the events of a message: one block after the other, none within another."""

    def __init__(self, request: ChatRequest) -> None:
        self._request = request
        self._model = request.model
        self._usage: Usage | None = None
        self._finish: Finish | None = None
        self._texts: list[str] = []
        #: what came in the middle of a call
        self._held: list[Content] = []
        self._calls: dict[int, _Call] = {}
        self._begun = False
        self._passed_last = False
        self._blocks = 0
        #: the type of the open block; None between two
        self._open: str | None = None
        self._signed = False

    def feed(self, event: Event) -> bytes:
        """The events for one of ours."""
        match event:
            case Passthrough(data=data, last=last):
                self._passed_last = self._passed_last or last
                return data
            case ToolCallDelta():
                return self._tool_call(event)
            case Started(model=model):
                self._model = model
                return b""
            case Finish():
                self._finish = self._finish or event
                return b""
            case Usage():
                self._usage = event
                return b""
            case Status():
                return PING if self._begun else b""
            case Preview() | Title() | Suggestions() | ConversationState() | Logprobs():
                return b""
            case TextDelta() | RefusalDelta() | ReasoningDelta() | Citations() | Media():
                if all(call.done or call.complete for call in self._calls.values()):
                    return self._calls_so_far(to_the_end=True) + self._content(event)
                self._held.append(event)
                return b""

    def error(self, error: GatewayError) -> bytes:
        """An error event; nothing follows it."""
        return b"event: error\ndata: " + dumps(error_object(error)) + b"\n\n"

    def finish(self) -> bytes:
        """The end of the last block and of the message."""
        if self._passed_last:
            return b""
        written = self._begin() + self._calls_so_far(to_the_end=True)
        written += b"".join(self._content(event) for event in self._held) + self._close()
        usage = self._usage or estimated_usage(self._request, "".join(self._texts))
        ending = {"delta": ending_object(self._finish, called=bool(self._calls))}
        written += _event("message_delta", ending | {"usage": usage_object(usage)})
        return written + _event("message_stop", {})

    def _begin(self) -> bytes:
        """The event that tells of the message, once; its usage is an estimate until the end."""
        if self._begun:
            return b""
        self._begun = True
        usage = attrs.evolve(estimated_usage(self._request, ""), estimated=False)
        message = new_message(self._model) | {"usage": usage_object(usage)}
        return _event("message_start", {"message": message})

    def _block(self, kind: str, fields: Json) -> bytes:
        """An open block of that type: the one there is, or a new one."""
        if self._open == kind and kind != "tool_use":
            return b""
        written = self._begin() + self._close()
        self._open = kind
        block = {"index": self._blocks, "content_block": {"type": kind, **fields}}
        return written + _event("content_block_start", block)

    def _close(self) -> bytes:
        """The end of the open block; a thought that nobody signed is marked as one."""
        if self._open is None:
            return b""
        signed = self._open != "thinking" or self._signed
        marked = b"" if signed else self._delta("signature_delta", signature=SEAL)
        self._open = None
        self._signed = False
        self._blocks += 1
        return marked + _event("content_block_stop", {"index": self._blocks - 1})

    def _delta(self, kind: str, **fields: object) -> bytes:
        return _event(
            "content_block_delta", {"index": self._blocks, "delta": {"type": kind, **fields}}
        )

    def _content(self, event: Content) -> bytes:
        """What is not a call of a tool."""
        match event:
            case TextDelta(text=text) | RefusalDelta(text=text):
                return self._text(text)
            case Media(url=url, alt=alt, kind=kind):
                return self._text(f"\n{'!' if kind == 'image' else ''}[{alt}]({url})\n")
            case Citations(links=links):
                opened = self._block("text", {"text": ""})
                found = (
                    self._delta("citations_delta", citation=citation_object(one)) for one in links
                )
                return opened + b"".join(found)
            case ReasoningDelta(redacted=str(data)):
                return (
                    self._close() + self._block("redacted_thinking", {"data": data}) + self._close()
                )
            case ReasoningDelta(text=text, signature=signature):
                self._texts.append(text)
                written = self._block("thinking", {"thinking": "", "signature": ""})
                if text:
                    written += self._delta("thinking_delta", thinking=text)
                if signature is None:
                    return written
                self._signed = True
                return written + self._delta("signature_delta", signature=signature) + self._close()

    def _text(self, text: str) -> bytes:
        self._texts.append(text)
        return self._block("text", {"text": ""}) + self._delta("text_delta", text=text)

    def _tool_call(self, event: ToolCallDelta) -> bytes:
        self._texts.append(event.arguments)
        call = self._calls.get(event.index)
        if call is None:
            taken = {other.id for other in self._calls.values()}
            id_ = event.id if event.id and event.id not in taken else new_id("toolu")
            call = self._calls[event.index] = _Call(id_, event.name or "")
        call.waits += event.arguments
        return self._calls_so_far(to_the_end=False)

    def _calls_so_far(self, *, to_the_end: bool) -> bytes:
        """The calls one after the other: what can be written of them, or everything."""
        written = b""
        *_, last = self._calls.values() if self._calls else [None]
        for call in self._calls.values():
            if call.done:
                continue
            if not call.begun:
                call.begun = True
                fields = {"id": call.id, "name": call.name, "input": {}}
                written += self._block("tool_use", fields)
            if call.waits:
                written += self._delta("input_json_delta", partial_json=call.waits)
                call.said, call.waits = call.said + call.waits, ""
            call.done = to_the_end or (call is not last and call.complete)
            if not call.done:
                break
        return written


def _event(kind: str, fields: Json) -> bytes:
    return b"event: %b\ndata: %b\n\n" % (kind.encode(), dumps({"type": kind, **fields}))
