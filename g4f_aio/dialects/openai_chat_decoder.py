"""An upstream's chat completion, streamed or whole, into events."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator
from typing import Any, cast, get_args

import attrs

from ..core.errors import UpstreamError
from ..core.events import (
    Citation,
    Citations,
    Event,
    Finish,
    FinishReason,
    Logprobs,
    Media,
    ReasoningDelta,
    RefusalDelta,
    TextDelta,
    ToolCallDelta,
)
from ..core.upstream_errors import error_in_answer
from . import json_text, sse
from .openai_chat_usage import usage_of

_REASONS = frozenset(get_args(FinishReason))
#: what some upstreams say instead
_SYNONYMS: dict[str, FinishReason] = {
    "model_length": "length",
    "max_tokens": "length",
    "function_call": "tool_calls",
}
#: finish reasons of answers that were given up
_FAILURES = ("error", "insufficient_system_resource")


def malformed(provider: str, data: bytes) -> UpstreamError:
    """The error for data of an upstream that is not what the format says."""
    shown = data[:80].decode("utf-8", "replace")
    return UpstreamError(f"{provider} sent malformed data: {shown!r}", provider=provider)


def cut(provider: str) -> UpstreamError:
    """The error for a stream that ended before the answer was complete."""
    return UpstreamError(f"{provider} ended its answer before it was complete", provider=provider)


def load_chunk(data: bytes, provider: str) -> dict[str, Any]:
    """A chunk or a whole answer; the error in it, or UpstreamError when it is no object."""
    try:
        chunk = json_text.loads(data)
    except ValueError:
        raise malformed(provider, data) from None
    if type(chunk) is not dict:
        raise malformed(provider, data)
    problem = chunk.get("error") or (chunk if chunk.get("object") == "error" else None)
    if problem:
        raise error_in_answer(problem, provider=provider)
    return chunk


def load_answer(data: bytes, provider: str) -> dict[str, Any]:
    """A whole answer; the error in it, or UpstreamError when it is no answer."""
    answer = load_chunk(data, provider)
    choices = answer.get("choices")
    if type(choices) is not list or set(map(type, choices)) != {dict}:
        raise malformed(provider, data)
    return answer


@attrs.define
class _Choice:
    """What is known of one choice: whether it ended, and which call each index stands for."""

    finished: bool = False
    calls: dict[int, tuple[int, str | None]] = attrs.field(factory=dict)
    count: int = 0

    def number(self, index: int, id_: str | None) -> int:
        """The number of the call that a fragment belongs to, without gaps.

        Some upstreams give every call the same index: a new id means a new call.
        """
        number, known = self.calls.get(index, (-1, None))
        if number < 0 or (id_ and known and id_ != known):
            number, known = self.count, None
            self.count += 1
        self.calls[index] = number, known or id_
        return number


class EventDecoder:
    """Chunks of an upstream into events. *stops* are the stop sequences that it was given."""

    def __init__(self, provider: str, stops: Collection[str] = ()) -> None:
        self._provider = provider
        self._stops = stops
        self._choices: dict[int, _Choice] = {}
        self._joiner = json_text.Joiner()
        self._done = False

    @property
    def done(self) -> bool:
        """Whether ``[DONE]`` was read."""
        return self._done

    def feed(self, frames: bytes) -> Iterator[Event]:
        """The events in whole frames; what follows ``[DONE]`` is ignored."""
        for _, data in sse.split(frames):
            if self._done:
                return
            if data.strip() == b"[DONE]":
                self._done = True
                yield from self._finish_all()
            elif data:
                yield from self._chunk(data)

    def close(self) -> Iterator[Event]:
        """Nothing more; UpstreamError unless every choice was finished."""
        if not self._choices or not all(c.finished for c in self._choices.values()):
            raise cut(self._provider)
        return iter(())

    def body(self, data: bytes) -> Iterator[Event]:
        """The events of a whole answer."""
        answer = load_answer(data, self._provider)
        events: list[Event] = []
        for number, raw in enumerate(answer["choices"]):
            index = raw.get("index")
            self._choice(events, raw, "message", index if type(index) is int else number)
        yield from events
        yield from self._finish_all()
        if usage := usage_of(answer.get("usage")):
            yield usage

    def _chunk(self, data: bytes) -> list[Event]:
        chunk = load_chunk(data, self._provider)
        events: list[Event] = []
        choices = chunk.get("choices") or []
        if type(choices) is not list:
            raise malformed(self._provider, data)
        for raw in choices:
            index = raw.get("index") or 0 if type(raw) is dict else None
            if type(index) is not int:
                raise malformed(self._provider, data)
            self._choice(events, raw, "delta", index)
        if usage := usage_of(chunk.get("usage")):
            events.append(usage)
        return events

    def _choice(self, events: list[Event], raw: dict[str, Any], name: str, index: int) -> None:
        """Add what a choice says, in its message or delta called *name*."""
        choice = self._choices.get(index)
        if choice is None:
            choice = self._choices[index] = _Choice()
        said = raw.get(name)
        if type(said) is dict:
            self._delta(events, said, index)
        elif said:
            raise malformed(self._provider, json_text.dumps(raw))
        if type(logprobs := raw.get("logprobs")) is dict:
            events.append(Logprobs(logprobs, index))
        reason = raw.get("finish_reason")
        if reason in _FAILURES:
            raise UpstreamError(
                f"{self._provider} gave its answer up: {reason}", provider=self._provider
            )
        if reason and not choice.finished:
            choice.finished = True
            # as vLLM and SGLang call it
            stop = raw.get("stop_reason") or raw.get("matched_stop")
            stop = stop if type(stop) is str and stop in self._stops else None
            events.append(Finish(_reason(reason), index, stop))

    def _delta(self, events: list[Event], delta: dict[str, Any], index: int) -> None:
        content = delta.get("content")
        thoughts = delta.get("reasoning_content") or delta.get("reasoning")
        if type(content) is list:
            thoughts = thoughts or _thinking(content)
        if thoughts and (text := self._joined(_text(thoughts), index, "reasoning")):
            events.append(ReasoningDelta(text, index))
        if content and (text := self._joined(_text(content), index, "content")):
            events.append(TextDelta(text, index))
        refusal = delta.get("refusal")
        if refusal and (text := self._joined(_text(refusal), index, "refusal")):
            events.append(RefusalDelta(text, index))
        if calls := delta.get("tool_calls"):
            for position, call in enumerate(_objects(calls)):
                events.append(self._tool_call(call, position, index))
        elif type(called := delta.get("function_call")) is dict:
            events.append(self._tool_call({"function": called}, 0, index))
        if images := delta.get("images"):
            urls = (_string(_object(i.get("image_url")).get("url")) for i in _objects(images))
            events.extend(Media("image", url) for url in urls if url)
        if (notes := delta.get("annotations")) and (links := tuple(_links(notes))):
            events.append(Citations(links))

    def _tool_call(self, call: dict[str, Any], position: int, choice: int) -> ToolCallDelta:
        index, id_ = call.get("index"), _string(call.get("id"))
        if type(index) is not int:
            index = position
        number = self._choices[choice].number(index, id_)
        custom = _object(call.get("custom"))
        called = custom or _object(call.get("function"))
        arguments = called.get("input" if custom else "arguments")
        if arguments is None:
            arguments = ""
        elif not isinstance(arguments, str):  # some upstreams send them as an object
            arguments = json_text.dumps(arguments).decode()
        return ToolCallDelta(
            number,
            id_,
            _string(called.get("name")),
            self._joined(arguments, choice, number),
            choice,
            "custom" if custom else "function",
        )

    def _finish_all(self) -> Iterator[Event]:
        """The end of an answer whose upstream gave no finish reason."""
        for index, choice in self._choices.items():
            if not choice.finished:
                choice.finished = True
                yield Finish("tool_calls" if choice.count else "stop", index)

    def _joined(self, text: str, index: int, what: object) -> str:
        return self._joiner.feed(text, (index, what))


def _reason(reason: Any) -> FinishReason:
    if not isinstance(reason, str):
        return "stop"
    if reason in _SYNONYMS:
        return _SYNONYMS[reason]
    return cast(FinishReason, reason) if reason in _REASONS else "stop"


def _text(value: Any) -> str:
    """Text, also where it comes as a list of parts."""
    if isinstance(value, str):
        return value
    return "".join(_string(part.get("text")) or "" for part in _objects(value))


def _thinking(content: Any) -> str:
    """The thoughts among the parts of a content, as Mistral writes them."""
    return "".join(_text(part.get("thinking")) for part in _objects(content))


def _links(notes: Any) -> Iterator[Citation]:
    """The sources among the annotations of a message."""
    for note in _objects(notes):
        link = _object(note.get("url_citation"))
        if url := _string(link.get("url")):
            yield Citation(url, _string(link.get("title")) or "")


def _objects(value: Any) -> Iterable[dict[str, Any]]:
    """The objects in an array; nothing when it is none."""
    return [item for item in value if type(item) is dict] if type(value) is list else ()


def _object(value: Any) -> dict[str, Any]:
    return value if type(value) is dict else {}


def _string(value: Any) -> str | None:
    return value if isinstance(value, str) and value else None
