"""Events into the event stream and the body of a response.

https://platform.openai.com/docs/api-reference/responses-streaming
"""

from __future__ import annotations

from collections.abc import Iterable

from ..core.completion import Completion
from ..core.errors import GatewayError
from ..core.events import (
    Citations,
    ConversationState,
    Event,
    Finish,
    FinishReason,
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
from ..core.tokens import TokenCount
from . import openai_responses_events as told
from . import openai_responses_output as out
from . import sse
from .json_text import dumps
from .openai_chat_encoder import new_call_id
from .openai_chat_usage import counted_usage
from .openai_responses_object import Json, ended, failed, is_cut, response_object
from .openai_responses_passed import Passed
from .openai_responses_reasoning import ReasoningItem
from .openai_responses_tools import Named, Toolbox, tools_of


class StreamEncoder:
    """Events into those of a response: items one after the other, and the calls of tools beside them.

    *previous* is the id of the response that it goes on from, where the request no longer says it.
    """

    def __init__(self, request: ChatRequest, previous: str | None = None) -> None:
        raw = request.raw or {}
        self._request = request
        self._previous = previous
        self._passed = Passed(previous, streamed=request.stream)
        #: who answers
        self.provider = ""
        self._model = request.model
        self._summarized = _wants_summary(raw)
        self._toolbox = Toolbox(tools_of(raw))
        self._began: Json | None = None
        self._final: Json | None = None
        self._number = 0
        self._items: list[out.OutputItem] = []
        #: the message or the thoughts that are being written
        self._open: out.MessageItem | ReasoningItem | None = None
        self._calls: dict[int, out.CallItem] = {}
        #: how the events of the open text begin
        self._text_head = b""
        self._said = TokenCount()
        self._usage: Usage | None = None
        self._finish: FinishReason | None = None

    def feed(self, event: Event) -> bytes:
        """The events for one of ours."""
        match event:
            case Passthrough():
                return self._passed.take(event)
            case TextDelta(text=text):
                return self._text(text)
            case ReasoningDelta():
                return self._thought(event)
            case ToolCallDelta():
                return self._tool_call(event)
            case RefusalDelta(text=text):
                return self._refusal(text)
            case Logprobs(data=data):
                return self._logprobs(out.logprobs_of(data))
            case Citations(links=links):
                return self._annotations(out.url_citations(links))
            case Media(url=url, alt=alt, kind=kind):
                return self._text(f"\n{'!' if kind == 'image' else ''}[{alt}]({url})\n")
            case Status(text=text):
                return sse.comment(text)
            case Started(provider=provider, model=model):
                self.provider, self._model = provider, model
                return b""
            case Usage():
                self._usage = event
                return b""
            case Finish(reason=reason):
                self._finish = self._finish or reason
                return b""
            case Preview() | Title() | Suggestions() | ConversationState():  # pragma: no branch
                return b""

    @property
    def native(self) -> bool:
        """Whether the upstream wrote the response itself."""
        return self._passed.begun

    def response(self) -> Json | None:
        """The response, once all events are there; None when those of an upstream do not tell it."""
        if self.native:
            return self._passed.response()
        if self._final is None:
            usage = self._usage or counted_usage(self._request, self._said.tokens)
            output = [item.wire(self._status(item)) for item in self._items]
            self._final = ended(self._skeleton(), self._finish, output, usage)
        return self._final

    def finish(self) -> bytes:
        """The ends of what is still open, and of the response."""
        if self.native:
            return b""
        written = self._begin()
        response = self.response()
        for item in self._items:
            if self._is_open(item):
                written += self._events(item.end(self._status(item)))
        kind = "incomplete" if is_cut(self._finish) else "completed"
        return written + self._event(f"response.{kind}", {"response": response})

    def error(self, error: GatewayError) -> bytes:
        """The event that the response failed; nothing follows it."""
        if self.native:
            self._began, self._number = self._passed.left_off()
        written = self._begin()
        output = [
            item.wire("incomplete" if self._is_open(item) else "completed") for item in self._items
        ]
        response = failed(self._skeleton(), error, output)
        return written + self._event("response.failed", {"response": response})

    def _skeleton(self) -> Json:
        """The response as it began: the same one, whenever it is asked for."""
        if self._began is None:
            began = response_object(self._request, self.provider, self._previous)
            self._began = began | {"model": self._model}
        return self._began

    def _begin(self) -> bytes:
        """The events that there is a response, once."""
        if self._number:
            return b""
        fields = {"response": self._skeleton()}
        return self._event("response.created", fields) + self._event("response.in_progress", fields)

    def _event(self, kind: str, fields: Json) -> bytes:
        number, self._number = self._number, self._number + 1
        data = dumps({"type": kind, "sequence_number": number, **fields})
        return b"event: %b\ndata: %b\n\n" % (kind.encode(), data)

    def _events(self, events: Iterable[told.Event]) -> bytes:
        return b"".join([self._event(kind, fields) for kind, fields in events])

    def _is_open(self, item: out.OutputItem) -> bool:
        return item is self._open or isinstance(item, out.CallItem)

    def _status(self, item: out.OutputItem) -> told.Status:
        """How an item is at the end of the response."""
        return "incomplete" if is_cut(self._finish) and self._is_open(item) else "completed"

    def _close(self) -> bytes:
        """The end of the message or of the thoughts."""
        item, self._open, self._text_head = self._open, None, b""
        return b"" if item is None else self._events(item.end("completed"))

    def _add(self, item: out.OutputItem) -> bytes:
        self._items.append(item)
        return self._events(item.begin())

    def _message(
        self, part: type[out.TextContent | out.RefusalContent]
    ) -> tuple[bytes, out.MessageItem]:
        """A message whose last part is of that kind: the open one, or a new one."""
        item = self._open
        if isinstance(item, out.MessageItem):
            if isinstance(item.parts[-1], part):
                return b"", item
            self._text_head = b""
            return self._events(item.open(part())), item
        written = self._begin() + self._close()
        item = self._open = out.MessageItem(len(self._items))
        return written + self._add(item) + self._events(item.open(part())), item

    def _text(self, text: str) -> bytes:
        self._said = self._said.plus(text)
        written = b""
        if not self._text_head:
            written, item = self._message(out.TextContent)
            place = dumps({"type": "response.output_text.delta", **item.at, "logprobs": []})
            self._text_head = b"event: response.output_text.delta\ndata: " + place[:-1]
        assert isinstance(self._open, out.MessageItem)  # noqa: S101  (its text is what is written)
        self._open.parts[-1].pieces.append(text)
        number, self._number = self._number, self._number + 1
        return b'%b%b,"sequence_number":%d,"delta":%b}\n\n' % (
            written,
            self._text_head,
            number,
            dumps(text),
        )

    def _refusal(self, text: str) -> bytes:
        self._said = self._said.plus(text)
        written, item = self._message(out.RefusalContent)
        item.parts[-1].pieces.append(text)
        return written + self._event("response.refusal.delta", {**item.at, "delta": text})

    def _thought(self, piece: ReasoningDelta) -> bytes:
        if not piece.text and piece.signature is None and piece.redacted is None:
            return b""
        self._said = self._said.plus(piece.text)
        written = b""
        item = self._open
        if not isinstance(item, ReasoningItem):
            written = self._begin() + self._close()
            item = self._open = ReasoningItem(len(self._items), self._summarized, self.provider)
            written += self._add(item)
        return written + self._events(item.say(piece))

    def _logprobs(self, tokens: list[Json]) -> bytes:
        """Those of the text just before, or of the text to come; they have no event of their own."""
        written, item = self._message(out.TextContent)
        part = item.parts[-1]
        assert isinstance(part, out.TextContent)  # noqa: S101  (it was asked for)
        part.logprobs += tokens
        delta = {**item.at, "delta": "", "logprobs": list(map(out.plain_token, tokens))}
        return written + self._event("response.output_text.delta", delta)

    def _annotations(self, annotations: list[Json]) -> bytes:
        written, item = self._message(out.TextContent)
        part = item.parts[-1]
        assert isinstance(part, out.TextContent)  # noqa: S101  (it was asked for)
        for annotation in annotations:
            fields = {
                **item.at,
                "annotation_index": len(part.annotations),
                "annotation": annotation,
            }
            part.annotations.append(annotation)
            written += self._event("response.output_text.annotation.added", fields)
        return written

    def _tool_call(self, event: ToolCallDelta) -> bytes:
        self._said = self._said.plus(event.arguments)
        written = b""
        call = self._calls.get(event.index)
        if call is None:
            written = self._begin() + self._close()
            taken = [other.call_id for other in self._calls.values()]
            named = self._toolbox.called(event.name or "")
            disguised = named.type == "custom" and event.type != "custom"
            if event.type == "custom":
                named = Named("custom", named.name, named.namespace)
            call = out.CallItem(
                len(self._items), named, new_call_id(event.id, taken), disguised=disguised
            )
            self._calls[event.index] = call
            written += self._add(call)
        return written + self._events(call.say(event.arguments))


def _wants_summary(raw: Json) -> bool:
    """Whether the client asks for a summary of the thoughts; else it gets them as they are."""
    reasoning = raw.get("reasoning") or {}
    return bool(reasoning.get("summary") or reasoning.get("generate_summary"))


def events_of(completion: Completion) -> list[Event]:
    """The events of a whole answer."""
    choice = completion.choice()
    events: list[Event] = []
    events.extend(choice.reasonings)
    if choice.text:
        events.append(TextDelta(choice.text))
    if choice.citations:
        events.append(Citations(tuple(choice.citations)))
    if choice.logprobs:
        events.append(Logprobs(dict(choice.logprobs)))
    if choice.refusal:
        events.append(RefusalDelta(choice.refusal))
    for index, call in enumerate(choice.tool_calls):
        events.append(ToolCallDelta(index, call.id, call.name, call.arguments, type=call.type))
    if completion.usage is not None:
        events.append(completion.usage)
    if choice.ending is not None:
        events.append(choice.ending)
    return events
