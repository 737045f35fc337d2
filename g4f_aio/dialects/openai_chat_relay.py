"""An upstream's chat completion handed on byte for byte, but never unseen.

Every chunk is read: an answer that is cut, malformed or an error never ends as if it were whole.
Changed are only the chunks that the contract wants otherwise: usage is where the caller asked for
it and nowhere else, and each choice finishes once.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import Any

from ..core.errors import GatewayError
from ..core.events import Event, Passthrough, Usage
from ..core.requests import ChatRequest
from . import sse
from .json_text import dumps
from .openai_chat_decoder import cut, load_answer, load_chunk, malformed
from .openai_chat_own import ended_once, own_chunk
from .openai_chat_said import Said
from .openai_chat_template import Template, end_of_plain, load_plain
from .openai_chat_usage import (
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


class Relay:
    """Whole frames in, the same frames out."""

    # how it begins; what is never set costs nothing
    _pieces = 0  # chunks that are not handed on yet
    _begun = _done = _usage_sent = False
    _usage: Usage | None = None
    #: a finishing frame, its data and its chunk, held back until the usage is known
    _held: tuple[bytes, bytes, dict[str, Any]] | None = None
    #: of the chunks that are expected; None as soon as a choice has finished
    _template: Template | None = None
    #: how often another template may be learned: upstreams whose chunks all differ have none
    _lessons = 6

    def __init__(self, request: ChatRequest, provider: str) -> None:
        self._request = request
        self._provider = provider
        self._said = Said()
        self._finished: set[int] = set()
        self._withheld = bytearray()

    @property
    def done(self) -> bool:
        """Whether ``[DONE]`` was read."""
        return self._done

    def feed(self, frames: bytes) -> Iterable[Event]:
        """The frames as one Passthrough; nothing while there is no content yet."""
        template = self._template
        read = None if template is None else template.read(frames)
        if read is None:
            return self._read(frames)
        # chunks like those before them, as nearly always
        text, pieces = read
        self._said.add(text)
        if self._pieces:
            pieces, self._pieces = pieces + self._pieces, 0
        return (Passthrough(frames, pieces=pieces),)

    def _read(self, frames: bytes) -> Iterable[Event]:
        """As ``feed``, for frames of any kind."""
        if self._done:
            return ()
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
        events = self._pass(b"".join(passed), progress=progress)
        return events if failure is None else _failed(events, failure)

    def close(self) -> Iterable[Event]:
        """The end for an upstream that finishes its answer but says no ``[DONE]``."""
        if self._done:
            return ()
        if not self._finished or self._said.choices - self._finished:
            return _failed((), cut(self._provider))
        end = self._end() + sse.DONE
        self._done = True
        return self._pass(end, progress=True)

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
            return self._parsed(load_plain(frames))
        # the first chunk of a stream is unlike the others, it has the role: learn from the last one
        first, last = frames.find(b"\n\n") + 2, frames.rfind(b"\n\n", 0, -2) + 2
        lesson = frames[last:] if last >= first else frames
        chunks = load_plain(lesson)
        if chunks is None:
            return False
        self._lessons -= 1
        learned = self._template = Template.of(lesson, chunks[0])
        if last < first:
            return self._parsed(chunks)
        said = learned.read(frames[first:]) if learned is not None else None
        if learned is None or said is None:
            return self._parsed(load_plain(frames))
        return self._parsed(load_plain(frames[:first])) and self._fits(learned, *said)

    def _fits(self, template: Template, text: str, pieces: int) -> bool:
        said = self._said
        said.content = True
        said.choices.add(template.choice)
        said.add(text)
        self._pieces += pieces
        return True

    def _parsed(self, chunks: list[Any] | None) -> bool:
        """As ``_plain``, for chunks that are parsed; None where that was not possible."""
        if chunks is None or not self._said.note_plain(chunks):
            return False
        self._pieces += len(chunks)
        return True

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
        ends = self._said.note(chunk)
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
        new = tuple(index for index in ends if index not in self._finished) if ends else ()
        changed = chunk
        if new != ends:
            changed = ended_once(chunk, new)
        if usage is not None and not self._is_wanted_here(ends=bool(new)):
            changed = {key: value for key, value in changed.items() if key != "usage"}
            changed |= {"usage": None} if wish else {}
        if changed is not chunk:
            data, chunk, old = dumps(changed), changed, data
            frame = sse.with_data(frame, old, data)
        if new:
            self._finished.update(new)
            self._template = None
        if wish is not None or not (new or self._said.choices - self._finished):
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
        # vLLM's way to ask for usage in every chunk
        options = (self._request.raw or {}).get("stream_options") or {}
        return wish and bool(options.get("continuous_usage_stats"))

    def _finish_all(self) -> bytes:
        """A finishing chunk for an upstream that says ``[DONE]`` without a finish reason."""
        if not self._said.choices:
            raise cut(self._provider)
        ends = tuple(sorted(self._said.choices - self._finished))
        if not ends:
            return b""
        reason = "tool_calls" if self._said.called else "stop"
        choices = [{"index": i, "delta": {}, "finish_reason": reason} for i in ends]
        chunk = own_chunk(self._request, self._said.last, choices)
        data = dumps(chunk)
        return self._with_usage(sse.event(data), data, chunk, ends)

    def _end(self) -> bytes:
        """What the usage was needed for."""
        sent = self._usage_sent
        if self._usage is None:
            self._usage = counted_usage(self._request, self._said.tokens)
        if self._request.include_usage and not sent:
            chunk = own_chunk(self._request, self._said.last, [])
            return sse.event(dumps(chunk | {"usage": usage_object(self._usage)}))
        if self._held is None:
            return b""
        frame, data, chunk = self._held
        return frame if sent else sse.with_data(frame, data, put_usage(data, chunk, self._usage))

    def _pass(self, frames: bytes, *, progress: bool) -> Sequence[Event]:
        if not self._begun:
            held = self._withheld
            if not (self._said.content or self._done) and len(held) + len(frames) < WITHHELD:
                held += frames
                return ()
            if held:
                frames = bytes(held) + frames
                held.clear()
            self._begun = True
        if not frames:
            return ()
        usage = self._usage if self._done else None
        pieces, self._pieces = self._pieces, 0
        return (Passthrough(frames, usage, self._done, progress, pieces),)


def _failed(events: Sequence[Event], error: GatewayError) -> Iterator[Event]:
    """What comes before an error, and the error."""
    yield from events
    raise error
