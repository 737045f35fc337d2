"""An upstream's chat completion, streamed or whole, into events."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, cast, get_args

import orjson

from ..core.errors import GatewayError, UpstreamError
from ..core.events import (
    Citation,
    Citations,
    Event,
    Finish,
    FinishReason,
    Logprobs,
    ReasoningDelta,
    RefusalDelta,
    TextDelta,
    ToolCallDelta,
    Usage,
)
from ..core.upstream_errors import error_in_answer
from . import sse

_REASONS = frozenset(get_args(FinishReason))


def usage_of(raw: Any) -> Usage | None:
    """An upstream's usage object; None when it is none."""
    if not isinstance(raw, dict):
        return None

    def count(of: dict[str, Any], name: str) -> int:
        value = of.get(name)
        return value if isinstance(value, int) else 0

    asked = raw.get("prompt_tokens_details")
    answered = raw.get("completion_tokens_details")
    return Usage(
        input=count(raw, "prompt_tokens"),
        output=count(raw, "completion_tokens"),
        cached=count(asked, "cached_tokens") if isinstance(asked, dict) else 0,
        reasoning=count(answered, "reasoning_tokens") if isinstance(answered, dict) else 0,
        raw=raw,
    )


def malformed(provider: str, data: bytes) -> UpstreamError:
    """The error for data of an upstream that is not what the format says."""
    shown = data[:80].decode("utf-8", "replace")
    return UpstreamError(f"{provider} sent malformed data: {shown!r}", provider=provider)


def cut(provider: str) -> UpstreamError:
    """The error for a stream that ended before the answer was complete."""
    return UpstreamError(f"{provider} ended its answer before it was complete", provider=provider)


def load_answer(data: bytes, provider: str) -> dict[str, Any]:
    """A whole answer; the error in it, or UpstreamError when it is no answer."""
    try:
        answer = orjson.loads(data)
    except orjson.JSONDecodeError:
        raise malformed(provider, data) from None
    if not isinstance(answer, dict):
        raise malformed(provider, data)
    if answer.get("error"):
        raise error_in_answer(answer["error"], provider=provider)
    choices = answer.get("choices")
    if not isinstance(choices, list) or not choices:
        raise malformed(provider, data)
    return answer


class EventDecoder:
    """Chunks of an upstream into events."""

    def __init__(self, provider: str) -> None:
        self._provider = provider
        self._seen: set[int] = set()
        self._finished: set[int] = set()
        self._done = False

    def feed(self, frames: bytes) -> Iterator[Event]:
        """The events in whole frames; what follows ``[DONE]`` is ignored."""
        for _, data in sse.split(frames):
            if self._done:
                return
            if data == b"[DONE]":
                self._done = True
            elif data:
                yield from self._chunk(data)

    def close(self) -> Iterator[Event]:
        """Nothing more; UpstreamError unless every choice was finished."""
        if not self._finished or self._seen - self._finished:
            raise cut(self._provider)
        return iter(())

    def body(self, data: bytes) -> Iterator[Event]:
        """The events of a whole answer."""
        answer = load_answer(data, self._provider)
        for number, choice in enumerate(answer["choices"]):
            if not isinstance(choice, dict):
                raise malformed(self._provider, data)
            message = choice.get("message")
            index = choice.get("index", number)
            if isinstance(message, dict):
                yield from self._delta(message, index)
            yield from self._end(
                choice | {"finish_reason": choice.get("finish_reason") or "stop"}, index
            )
        if usage := usage_of(answer.get("usage")):
            yield usage

    def _chunk(self, data: bytes) -> Iterator[Event]:
        try:
            chunk = orjson.loads(data)
        except orjson.JSONDecodeError:
            raise malformed(self._provider, data) from None
        if not isinstance(chunk, dict):
            raise malformed(self._provider, data)
        if chunk.get("error"):
            error: GatewayError = error_in_answer(chunk["error"], provider=self._provider)
            raise error
        for choice in chunk.get("choices") or ():
            if not isinstance(choice, dict):
                raise malformed(self._provider, data)
            index = choice.get("index") or 0
            self._seen.add(index)
            delta = choice.get("delta")
            if isinstance(delta, dict):
                yield from self._delta(delta, index)
            yield from self._end(choice, index)
        if usage := usage_of(chunk.get("usage")):
            yield usage

    def _delta(self, delta: dict[str, Any], index: int) -> Iterator[Event]:
        if reasoning := delta.get("reasoning_content") or delta.get("reasoning"):
            yield ReasoningDelta(_text(reasoning), index)
        if content := delta.get("content"):
            yield TextDelta(_text(content), index)
        if refusal := delta.get("refusal"):
            yield RefusalDelta(_text(refusal), index)
        for number, call in enumerate(delta.get("tool_calls") or ()):
            if isinstance(call, dict):
                yield _tool_call(call, number, index)
        links = tuple(
            Citation(str(link.get("url", "")), str(link.get("title") or ""))
            for note in delta.get("annotations") or ()
            if isinstance(note, dict) and isinstance(link := note.get("url_citation"), dict)
        )
        if links:
            yield Citations(links)

    def _end(self, choice: dict[str, Any], index: int) -> Iterator[Event]:
        if isinstance(logprobs := choice.get("logprobs"), dict):
            yield Logprobs(logprobs, index)
        reason = choice.get("finish_reason")
        if reason and index not in self._finished:
            self._finished.add(index)
            self._seen.add(index)
            yield Finish(cast(FinishReason, reason) if reason in _REASONS else "stop", index)


def _tool_call(call: dict[str, Any], number: int, choice: int) -> ToolCallDelta:
    function = call.get("function")
    if not isinstance(function, dict):
        function = {}
    arguments = function.get("arguments")
    index = call.get("index")
    return ToolCallDelta(
        index if isinstance(index, int) else number,
        call.get("id") or None,
        function.get("name") or None,
        # some upstreams send the arguments as an object
        arguments
        if isinstance(arguments, str)
        else orjson.dumps(arguments).decode()
        if arguments is not None
        else "",
        choice,
    )


def _text(value: Any) -> str:
    """Text, also where it comes as a list of parts."""
    match value:
        case str():
            return value
        case list():
            return "".join(
                part["text"]
                for part in value
                if isinstance(part, dict) and isinstance(part.get("text"), str)
            )
        case _:
            return ""
