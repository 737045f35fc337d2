"""An upstream's text completion handed on byte for byte, but never unseen.

Every chunk is read: an answer that is cut, malformed or an error never ends as if it were whole.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, cast

from ..core.errors import GatewayError
from ..core.events import Event, Finish, FinishReason, Logprobs, Passthrough, TextDelta, Usage
from ..core.operations import CompletionRequest
from ..core.tokens import TokenCount
from . import sse
from .json_text import dumps
from .openai_chat_decoder import cut, load_answer, load_chunk, malformed
from .openai_chat_relay import WITHHELD
from .openai_chat_usage import put_usage, usage_object, usage_of
from .openai_completions_encoder import counted_usage, head_of

_CONSTANT = ("id", "created", "model", "system_fingerprint")


class _Progress:
    """What is known of an answer: which choices there are, which of them ended, and the usage."""

    def __init__(self, request: CompletionRequest, provider: str) -> None:
        self.request = request
        self.provider = provider
        self.seen: set[int] = set()
        self.finished: set[int] = set()
        self.said = TokenCount()
        self.usage: Usage | None = None
        #: some text, or the end of a choice
        self.content = False

    @property
    def counted(self) -> Usage:
        """The upstream's usage, or an estimate."""
        return self.usage or counted_usage(self.request, self.said)

    def read(self, data: bytes) -> dict[str, Any]:
        """A chunk, its choices checked and taken note of; its error, or UpstreamError."""
        chunk = load_chunk(data, self.provider)
        choices = chunk.get("choices")
        if type(choices) is not list:
            # some send the usage without any
            if choices is not None or "usage" not in chunk:
                raise malformed(self.provider, data)
            choices = []
        for choice in choices:
            self._note(choice, data)
        self.usage = usage_of(chunk.get("usage")) or self.usage
        return chunk

    def demand_whole(self) -> None:
        """UpstreamError unless every choice that began has ended."""
        if not self.finished or self.seen - self.finished:
            raise cut(self.provider)

    def _note(self, choice: Any, data: bytes) -> None:
        index = choice.get("index") or 0 if type(choice) is dict else None
        text = choice.get("text") or "" if type(choice) is dict else None
        if type(index) is not int or type(text) is not str:
            raise malformed(self.provider, data)
        self.seen.add(index)
        self.said = self.said.plus(text)
        if choice.get("finish_reason"):
            self.finished.add(index)
            self.content = True
        self.content = self.content or bool(text)


class Relay:
    """Whole frames in, the same frames out; usage goes only to whom asked for it."""

    def __init__(self, request: CompletionRequest, provider: str) -> None:
        self._request = request
        self._progress = _Progress(request, provider)
        #: the upstream's chunk with the usage, which comes last
        self._held = b""
        self._last: dict[str, Any] = {}
        #: events that are not handed on yet
        self._pieces = 0
        self._withheld = bytearray()
        self._begun = False
        self._done = False

    @property
    def done(self) -> bool:
        """Whether ``[DONE]`` was read."""
        return self._done

    def feed(self, frames: bytes) -> Iterator[Event]:
        """The frames as one Passthrough; nothing while there is no content yet."""
        passed: list[bytes] = []
        progress = False
        failure: GatewayError | None = None
        for frame, data in sse.split(frames):
            if self._done:
                break
            try:
                passed.append(self._frame(frame, data))
            except GatewayError as error:
                failure = error
                break
            progress = progress or bool(data)
        yield from self._pass(b"".join(passed), progress=progress)
        if failure is not None:
            raise failure

    def close(self) -> Iterator[Event]:
        """The end for an upstream that finishes its answer but says no ``[DONE]``."""
        if self._done:
            return
        self._progress.demand_whole()
        self._done = True
        yield from self._pass(self._end() + sse.DONE, progress=True)

    def body(self, data: bytes) -> Iterator[Event]:
        """A whole answer; for a client that wanted a stream it becomes one."""
        progress = self._progress
        answer = load_answer(data, progress.provider)
        progress.read(data)
        usage = progress.counted
        written = put_usage(data.strip(), answer, usage) if progress.usage is None else data
        if not self._request.stream:
            yield Passthrough(written, usage, last=True)
            return
        # a whole answer and a chunk have the same shape
        self._last = answer
        ends = [
            one | {"finish_reason": one.get("finish_reason") or "stop"} for one in answer["choices"]
        ]
        chunk = {key: value for key, value in answer.items() if key != "usage"} | {"choices": ends}
        if self._request.include_usage:
            chunk["usage"] = None
        self._done = True
        frames = sse.event(dumps(chunk)) + self._end() + sse.DONE
        yield Passthrough(frames, usage, last=True)

    def _frame(self, frame: bytes, data: bytes) -> bytes:
        """One frame as it is to be handed on."""
        if data.strip() == b"[DONE]":
            end = self._finish_all() + self._end()
            self._done = True
            return end + frame
        if not data:
            return frame
        chunk = self._progress.read(data)
        self._pieces += 1
        if chunk.get("id"):
            self._last = chunk
        if chunk.get("choices") or "usage" not in chunk:
            return frame
        if self._request.include_usage:  # else it was asked for by us, or is not wanted
            self._held = frame
        return b""

    def _finish_all(self) -> bytes:
        """A finishing chunk for an upstream that says ``[DONE]`` without a finish reason."""
        progress = self._progress
        if not progress.seen:
            raise cut(progress.provider)
        ends = sorted(progress.seen - progress.finished)
        if not ends:
            return b""
        choices = [
            {"text": "", "index": index, "logprobs": None, "finish_reason": "stop"}
            for index in ends
        ]
        return sse.event(dumps(self._synthetic(choices)))

    def _end(self) -> bytes:
        """The usage where it was asked for."""
        if not self._request.include_usage or self._held:
            return self._held
        usage = usage_object(self._progress.counted)
        return sse.event(dumps(self._synthetic([]) | {"usage": usage}))

    def _synthetic(self, choices: list[dict[str, Any]]) -> dict[str, Any]:
        """A chunk of ours among the upstream's."""
        same = {key: self._last[key] for key in _CONSTANT if key in self._last}
        usage = {"usage": None} if self._request.include_usage else {}
        return head_of(self._request.model) | same | {"choices": choices} | usage

    def _pass(self, frames: bytes, *, progress: bool) -> Iterator[Event]:
        if not self._begun:
            self._withheld += frames
            if not (self._progress.content or self._done) and len(self._withheld) < WITHHELD:
                return
            frames = bytes(self._withheld)
            self._withheld.clear()
            self._begun = True
        if frames:
            usage = self._progress.counted if self._done else None
            pieces, self._pieces = self._pieces, 0
            yield Passthrough(frames, usage, last=self._done, progress=progress, pieces=pieces)


class Reader:
    """A stream into events, for a client that did not ask for one."""

    def __init__(self, request: CompletionRequest, provider: str) -> None:
        self._progress = _Progress(request, provider)
        self._done = False

    @property
    def done(self) -> bool:
        """Whether ``[DONE]`` was read."""
        return self._done

    def feed(self, frames: bytes) -> Iterator[Event]:
        """The events in whole frames; what follows ``[DONE]`` is ignored."""
        for _, data in sse.split(frames):
            if self._done or not data:
                continue
            if data.strip() == b"[DONE]":
                self._done = True
                yield from self._end()
                continue
            for choice in self._progress.read(data).get("choices") or ():
                yield from _events(choice)

    def close(self) -> Iterator[Event]:
        """The end for an upstream that says no ``[DONE]``."""
        if not self._done:
            self._progress.demand_whole()
            yield from self._end()

    def body(self, data: bytes) -> Iterator[Event]:
        """It is for streams."""
        raise malformed(self._progress.provider, data)

    def _end(self) -> Iterator[Event]:
        progress = self._progress
        if not progress.seen:
            raise cut(progress.provider)
        for index in sorted(progress.seen - progress.finished):
            yield Finish("stop", index)
        yield progress.counted


def _events(choice: dict[str, Any]) -> Iterator[Event]:
    """What one choice of a chunk says."""
    index = choice.get("index") or 0
    if text := choice.get("text"):
        yield TextDelta(text, index)
    if type(choice.get("logprobs")) is dict:
        yield Logprobs(choice["logprobs"], index)
    if reason := choice.get("finish_reason"):
        known = reason in ("length", "content_filter")
        yield Finish(cast(FinishReason, reason) if known else "stop", index)
