"""Events into the stream and the body of a chat completion.

https://platform.openai.com/docs/api-reference/chat-streaming and contract section 4.
"""

from __future__ import annotations

import secrets
import time
from collections.abc import Container, Iterable
from typing import Any

import attrs

from ..core.completion import Choice, Completion
from ..core.errors import GatewayError
from ..core.events import (
    Citation,
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
from . import sse
from .json_text import dumps
from .openai_chat_functions import wants_functions
from .openai_chat_parts import tool_call_object
from .openai_chat_usage import estimated_usage, usage_object


def new_id() -> str:
    """An id for a completion, unique and unguessable."""
    return f"chatcmpl-{secrets.token_urlsafe(21)}"


def new_call_id(given: str | None, taken: Container[str]) -> str:
    """An id for a tool call: the *given* one unless there is none or another call has it."""
    return given if given and given not in taken else f"call_{secrets.token_urlsafe(18)}"


def error_object(error: GatewayError) -> dict[str, Any]:
    """An error as this dialect writes it: always all four keys."""
    return {
        "error": {
            "message": error.message,
            "type": error.type,
            "param": error.param,
            "code": error.code,
        }
    }


class StreamEncoder:
    """Events into ``chat.completion.chunk`` objects."""

    # how it begins; what is never set costs nothing
    _usage: Usage | None = None
    _passed_last = False
    _head = b""

    def __init__(self, request: ChatRequest) -> None:
        self._request = request
        self._functions = wants_functions(request)
        self._texts: list[str] = []
        self._begun: set[int] = set()
        #: for each choice the calls begun, in order, and the ids given
        self._tool_calls: dict[int, dict[int, str]] = {}
        self._finishes: dict[int, Finish] = {}
        self._tail = b',"usage":null}' if request.include_usage else b"}"
        self._model = request.model

    def feed(self, event: Event) -> bytes:
        """The chunks for one event."""
        if type(event) is Passthrough:  # as nearly all of them are
            if event.last:
                self._passed_last = True
            return event.data
        match event:
            case TextDelta(text=text, choice=choice):
                return self._text(b"content", text, choice)
            case Started(model=model):
                self._model = model
                return b""
            case ReasoningDelta(text=text, choice=choice):
                return self._text(b"reasoning_content", text, choice)
            case RefusalDelta(text=text, choice=choice):
                return self._text(b"refusal", text, choice)
            case ToolCallDelta(choice=choice):
                if self._functions:
                    return self._function_call(event)
                return self._delta(dumps({"tool_calls": [self._tool_call(event)]}), choice)
            case Logprobs(data=data, choice=choice):
                return self._begin(choice) + self._chunk(b"{}", choice, logprobs=dumps(data))
            case Media(url=url, alt=alt, kind=kind):
                mark = "!" if kind == "image" else ""
                return self._text(b"content", f"\n{mark}[{alt}]({url})\n", 0)
            case Citations(links=links, choice=choice):
                return self._delta(dumps({"annotations": url_citations(links)}), choice)
            case Status(text=text):
                return sse.comment(text)
            case Finish(choice=choice):
                self._finishes.setdefault(choice, event)
                return b""
            case Usage():
                self._usage = event
                return b""
            case (  # pragma: no branch
                Passthrough() | Preview() | Title() | Suggestions() | ConversationState()
            ):
                return b""

    def error(self, error: GatewayError) -> bytes:
        """An error event; nothing follows it, not even ``[DONE]``."""
        return sse.event(dumps(error_object(error)))

    def finish(self) -> bytes:
        """What was held back until the usage is known, and ``[DONE]``."""
        if self._passed_last:
            return b""
        wish = self._request.include_usage
        usage = b""
        if wish is not False:
            counted = self._usage or estimated_usage(self._request, "".join(self._texts))
            usage = dumps(usage_object(counted))
        written = [self._begin(choice) for choice in self._finishes]
        for number, (choice, finish) in enumerate(self._finishes.items(), 1):
            last = number == len(self._finishes)
            tail = b',"usage":' + usage + b"}" if last and wish is None else self._tail
            written.append(
                self._chunk(b"{}", choice, finish=dumps(self._reason(finish)), tail=tail)
            )
        if wish:
            written.append(sse.event((self._head or self._start()) + b'],"usage":' + usage + b"}"))
        written.append(sse.DONE)
        return b"".join(written)

    def _start(self) -> bytes:
        """What all chunks have in common; made when the first one is, as most streams pass through."""
        head = {
            "id": new_id(),
            "object": "chat.completion.chunk",
            "created": int(time.time()),
            "model": self._model,
        }
        self._head = dumps(head)[:-1] + b',"choices":['
        return self._head

    def _text(self, name: bytes, text: str, choice: int) -> bytes:
        self._texts.append(text)
        return self._delta(b'{"' + name + b'":' + dumps(text) + b"}", choice)

    def _delta(self, delta: bytes, choice: int) -> bytes:
        if choice in self._begun:
            return self._chunk(delta, choice)
        return self._begin(choice) + self._chunk(delta, choice)

    def _begin(self, choice: int) -> bytes:
        """The chunk with the role, once for each choice."""
        if choice in self._begun:
            return b""
        self._begun.add(choice)
        return self._chunk(b'{"role":"assistant","content":""}', choice)

    def _chunk(
        self,
        delta: bytes,
        choice: int,
        *,
        finish: bytes = b"null",
        logprobs: bytes = b"null",
        tail: bytes | None = None,
    ) -> bytes:
        return b'data: %b{"index":%d,"delta":%b,"logprobs":%b,"finish_reason":%b}]%b\n\n' % (
            self._head or self._start(),
            choice,
            delta,
            logprobs,
            finish,
            self._tail if tail is None else tail,
        )

    def _reason(self, finish: Finish) -> str:
        called = self._functions and finish.reason == "tool_calls"
        return "function_call" if called else finish.reason

    def _function_call(self, event: ToolCallDelta) -> bytes:
        """A fragment of the only call that there can be; the name is in the first one."""
        begun = self._tool_calls.setdefault(event.choice, {})
        if begun and event.index not in begun:
            return b""
        self._texts.append(event.arguments)
        named = {} if begun else {"name": event.name or ""}
        begun[event.index] = ""
        called = {"function_call": {**named, "arguments": event.arguments}}
        return self._delta(dumps(called), event.choice)

    def _tool_call(self, event: ToolCallDelta) -> dict[str, Any]:
        """A fragment; id, type and name only in the first one of a call."""
        self._texts.append(event.arguments)
        called = {"input" if event.type == "custom" else "arguments": event.arguments}
        begun = self._tool_calls.setdefault(event.choice, {})
        if event.index in begun:
            return {"index": list(begun).index(event.index), event.type: called}
        id_ = new_call_id(event.id, begun.values())
        begun[event.index] = id_
        return {
            "index": len(begun) - 1,
            "id": id_,
            "type": event.type,
            event.type: {"name": event.name or "", **called},
        }


def url_citations(links: Iterable[Citation]) -> list[dict[str, Any]]:
    """Citations as OpenAI's url_citation annotations, which here belong to the whole answer."""
    return [
        {
            "type": "url_citation",
            "url_citation": {
                "url": link.url,
                "title": link.title,
                "start_index": 0,
                "end_index": 0,
            },
        }
        for link in links
    ]


def encode_completion(request: ChatRequest, completion: Completion) -> bytes:
    """A ``chat.completion`` object."""
    if completion.body is not None:
        return completion.body
    answers = sorted(completion.choices.items())
    texts = "".join(
        choice.reasoning + choice.text + "".join(call.arguments for call in choice.tool_calls)
        for _, choice in answers
    )
    usage = completion.usage or estimated_usage(request, texts)
    return dumps(
        {
            "id": new_id(),
            "object": "chat.completion",
            "created": int(time.time()),
            "model": completion.model,
            "provider": completion.provider,
            "choices": [_choice(request, index, choice) for index, choice in answers],
            "usage": usage_object(usage),
        }
    )


def _choice(request: ChatRequest, index: int, choice: Choice) -> dict[str, Any]:
    calls: dict[str, dict[str, Any]] = {}
    for call in choice.tool_calls:
        id_ = new_call_id(call.id, calls)
        calls[id_] = tool_call_object(attrs.evolve(call, id=id_))
    message: dict[str, Any] = {
        "role": "assistant",
        "content": choice.text if choice.text or not (calls or choice.refusal) else None,
        "refusal": choice.refusal or None,
    }
    if choice.reasoning:
        message["reasoning_content"] = choice.reasoning
    finish: str | None = choice.finish
    if calls and wants_functions(request):
        message["function_call"] = next(iter(calls.values()))["function"]
        finish = "function_call" if finish == "tool_calls" else finish
    elif calls:
        message["tool_calls"] = list(calls.values())
    if choice.citations:
        message["annotations"] = url_citations(choice.citations)
    return {
        "index": index,
        "message": message,
        "logprobs": {"content": None, **choice.logprobs} if choice.logprobs else None,
        "finish_reason": finish,
    }
