"""An upstream's chat completion handed on byte for byte, but never unseen.

Every chunk is read: an answer that is cut, malformed or an error never ends as if it were whole.
Changed are only the chunks that the contract wants otherwise: usage is where the caller asked for
it and nowhere else, and each choice finishes once.
"""

from __future__ import annotations

import time
from collections.abc import Iterator
from typing import Any

from ..core.errors import GatewayError
from ..core.events import Event, Passthrough, Usage
from ..core.requests import ChatRequest
from ..core.tokens import TokenCount
from . import sse
from .json_text import dumps
from .openai_chat_decoder import cut, load_answer, load_chunk, malformed
from .openai_chat_encoder import new_id
from .openai_chat_template import Template, end_of_plain, load_plain
from .openai_chat_usage import (
    arguments_of,
    counted_usage,
    estimated_usage,
    put_usage,
    text_of,
    usage_object,
    usage_of,
)

#: chunks before the first content are withheld up to this many bytes, so that a failure then can
#: still be answered with a status or by another provider
WITHHELD = 64 * 2**10
#: what chunks of ours take over from the upstream's
_CONSTANT = ("id", "object", "created", "model", "system_fingerprint")


class Relay:
    """Whole frames in, the same frames out."""

    def __init__(self, request: ChatRequest, provider: str) -> None:
        self._request = request
        self._provider = provider
        self._said = TokenCount()
        self._pieces = 0  # chunks that are not handed on yet
        self._seen: set[int] = set()
        self._finished: set[int] = set()
        self._called = self._usage_sent = False
        self._usage: Usage | None = None
        self._last: dict[str, Any] = {}
        #: a finishing frame, its data and its chunk, held back until the usage is known
        self._held: tuple[bytes, bytes, dict[str, Any]] | None = None
        self._withheld = bytearray()
        self._begun = self._content = self._done = False
        self._template: Template | None = None
        #: how often another template may be learned: upstreams whose chunks all differ have none
        self._lessons = 6
        # vLLM's way to ask for usage in every chunk
        options = (request.raw or {}).get("stream_options") or {}
        self._usage_everywhere = bool(options.get("continuous_usage_stats"))

    @property
    def done(self) -> bool:
        """Whether ``[DONE]`` was read."""
        return self._done

    def feed(self, frames: bytes) -> Iterator[Event]:
        """The frames as one Passthrough; nothing while there is no content yet."""
        if self._done:
            return
        passed, rest, progress = [], frames, False
        if not self._finished:
            head = frames[: end_of_plain(frames)]
            if self._plain(head):
                passed, rest, progress = [head], frames[len(head) :], bool(head)
        failure: GatewayError | None = None
        for frame, data in sse.split(rest):
            try:
                passed.append(self._frame(frame, data))
            except GatewayError as error:
                failure = error
                break
            progress = progress or bool(data)
            if self.done:
                break
        yield from self._pass(b"".join(passed), progress=progress)
        if failure is not None:
            raise failure

    def close(self) -> Iterator[Event]:
        """The end for an upstream that finishes its answer but says no ``[DONE]``."""
        if not self._done:
            if not self._finished or self._seen - self._finished:
                raise cut(self._provider)
            end = self._end() + sse.DONE
            self._done = True
            yield from self._pass(end, progress=True)

    def body(self, data: bytes) -> Iterator[Event]:
        """A whole answer; provider and usage are put in where they are missing."""
        answer = load_answer(data, self._provider)
        written = data.strip()
        usage = usage_of(answer.get("usage"), keep=False)
        if usage is None:
            usage = estimated_usage(self._request, text_of(answer))
            written = put_usage(written, answer, usage)
        if "provider" not in answer:
            written = b'{"provider":' + dumps(self._provider) + b"," + written[1:]
        yield Passthrough(written, usage, last=True)

    def _plain(self, frames: bytes) -> bool:
        """Read many chunks at once; False, with nothing noted, when one of them is special."""
        if not frames:
            return True
        if self._template is not None:
            said = self._template.read(frames)
            if said is not None:
                return self._fits(self._template, *said)
        if not self._lessons:
            self._template = None
            return self._parsed(frames)
        self._lessons -= 1
        # the first chunk of a stream is unlike the others, it has the role: learn from the last one
        first, last = frames.find(b"\n\n") + 2, frames.rfind(b"\n\n", 0, -2) + 2
        lesson = frames[last:] if last >= first else frames
        chunks = load_plain(lesson)
        learned = self._template = Template.of(lesson, chunks[0]) if chunks else None
        said = learned.read(frames[first:]) if learned and last >= first else None
        if learned is None or said is None:
            return self._parsed(frames)
        return self._parsed(frames[:first]) and self._fits(learned, *said)

    def _fits(self, template: Template, text: str, pieces: int) -> bool:
        self._content = True
        self._seen.add(template.choice)
        self._said = self._said.plus(text)
        self._pieces += pieces
        return True

    def _parsed(self, frames: bytes) -> bool:
        """As ``_plain``, by parsing every chunk."""
        chunks = load_plain(frames)
        if chunks is None:
            return False
        said = self._said
        for chunk in chunks:
            if (
                type(chunk) is not dict
                or chunk.get("usage")
                or chunk.get("error")
                or not chunk.get("choices")
                or self._note(chunk) != ()
            ):
                self._said = said
                return False
        self._pieces += len(chunks)
        return True

    def _note(self, chunk: dict[str, Any]) -> tuple[int, ...] | None:
        """Take in what the choices of a chunk say: those that end, or None when one is malformed."""
        choices = chunk.get("choices")
        if choices is None:
            return ()
        if type(choices) is not list:
            return None
        ends: tuple[int, ...] = ()
        for choice in choices:
            index = choice.get("index") or 0 if type(choice) is dict else None
            if type(index) is not int:
                return None
            self._seen.add(index)
            delta = choice.get("delta")
            if delta:
                if type(delta) is not dict:
                    return None
                self._delta(delta)
            if choice.get("finish_reason"):
                ends += (index,)
        if chunk.get("id"):
            self._last = chunk
        return ends

    def _delta(self, delta: dict[str, Any]) -> None:
        for key, value in delta.items():
            if value and key != "role":
                self._content = True
                if type(value) is str:
                    self._said = self._said.plus(value)
                elif key == "tool_calls":
                    self._called = True
                    self._said = self._said.plus(arguments_of(value))

    def _frame(self, frame: bytes, data: bytes) -> bytes:
        """One frame, changed where the contract wants it."""
        if data.strip() == b"[DONE]":
            end = self._finish_all() + self._end()
            self._done = True
            return end + frame
        if not data:
            return frame
        chunk = load_chunk(data, self._provider)
        self._pieces += 1
        ends = self._note(chunk)
        if ends is None:
            raise malformed(self._provider, data)
        return self._with_usage(frame, data, chunk, ends)

    def _with_usage(
        self, frame: bytes, data: bytes, chunk: dict[str, Any], ends: tuple[int, ...]
    ) -> bytes:
        """What to hand on for a chunk, once *ends* and the usage in it are taken into account."""
        wish = self._request.include_usage
        usage = usage_of(chunk.get("usage"))
        self._usage = usage or self._usage
        choices = chunk.get("choices")
        if usage is not None and not choices:
            # asked for by us, or not wanted, or said already
            sent, self._usage_sent = self._usage_sent, self._usage_sent or wish is True
            return frame if self._usage_sent and not sent else b""
        new = tuple(index for index in ends if index not in self._finished)
        changed = chunk
        if new != ends:
            changed = changed | {"choices": [_unfinished(one, new) for one in choices or ()]}
        if usage is not None and not self._is_wanted_here(ends=bool(new)):
            changed = {key: value for key, value in changed.items() if key != "usage"}
            changed |= {"usage": None} if wish else {}
        if changed is not chunk:
            data, chunk, old = dumps(changed), changed, data
            frame = sse.with_data(frame, old, data)
        self._finished.update(new)
        if wish is not None or not (new or self._seen - self._finished):
            return frame
        earlier, self._held = self._held, None
        if new and usage is None:
            self._held, frame = (frame, data, chunk), b""
        elif new:
            self._usage_sent = True
        return earlier[0] + frame if earlier else frame

    def _is_wanted_here(self, *, ends: bool) -> bool:
        """Whether usage belongs in a chunk that has choices; *ends* says that it finishes one."""
        wish = self._request.include_usage
        if wish is None:
            return ends or not self._finished
        return wish and self._usage_everywhere

    def _finish_all(self) -> bytes:
        """A finishing chunk for an upstream that says ``[DONE]`` without a finish reason."""
        if not self._seen:
            raise cut(self._provider)
        ends = tuple(sorted(self._seen - self._finished))
        if not ends:
            return b""
        reason = "tool_calls" if self._called else "stop"
        chunk = self._synthetic([{"index": i, "delta": {}, "finish_reason": reason} for i in ends])
        data = dumps(chunk)
        return self._with_usage(sse.event(data), data, chunk, ends)

    def _end(self) -> bytes:
        """What the usage was needed for."""
        sent = self._usage_sent
        self._usage = self._usage or counted_usage(self._request, self._said)
        if self._request.include_usage and not sent:
            return sse.event(dumps(self._synthetic([]) | {"usage": usage_object(self._usage)}))
        if self._held is None:
            return b""
        frame, data, chunk = self._held
        return frame if sent else sse.with_data(frame, data, put_usage(data, chunk, self._usage))

    def _synthetic(self, choices: list[dict[str, Any]]) -> dict[str, Any]:
        """A chunk of ours among the upstream's."""
        chunk: dict[str, Any] = {
            "id": new_id(),
            "object": "chat.completion.chunk",
            "created": int(time.time()),
            "model": self._request.model,
        }
        same = {key: self._last[key] for key in _CONSTANT if key in self._last}
        usage = {"usage": None} if self._request.include_usage else {}
        return chunk | same | {"choices": choices} | usage

    def _pass(self, frames: bytes, *, progress: bool) -> Iterator[Event]:
        if not self._begun:
            self._withheld += frames
            if not (self._content or self._done) and len(self._withheld) < WITHHELD:
                return
            frames = bytes(self._withheld)
            self._withheld.clear()
            self._begun = True
        if frames:
            usage = self._usage if self._done else None
            pieces, self._pieces = self._pieces, 0
            yield Passthrough(frames, usage, last=self._done, progress=progress, pieces=pieces)


def _unfinished(choice: dict[str, Any], new: tuple[int, ...]) -> dict[str, Any]:
    """A choice without its finish reason, unless it is among the *new* ones."""
    return choice if (choice.get("index") or 0) in new else choice | {"finish_reason": None}
