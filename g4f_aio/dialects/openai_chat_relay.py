"""An upstream's chat completion handed on byte for byte, but never unseen.

Every chunk is read: an answer that is cut, malformed or an error never ends as if it were whole.
Changed are only the chunks that the contract wants otherwise (section 4, usage in streams).
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, cast

import orjson

from ..core.errors import GatewayError
from ..core.events import Event, Passthrough, Usage
from ..core.requests import ChatRequest
from ..core.upstream_errors import error_in_answer
from . import sse
from .openai_chat_decoder import cut, load_answer, malformed, usage_of
from .openai_chat_template import Template
from .openai_chat_encoder import estimated_usage, usage_object

#: chunks before the first content are withheld up to this many bytes, so that a failure then can
#: still be answered with a status or by another provider
WITHHELD = 64 * 2**10


class Relay:
    """Whole frames in, the same frames out."""

    def __init__(self, request: ChatRequest, provider: str) -> None:
        self._request = request
        self._provider = provider
        self._texts: list[str] = []
        self._seen: set[int] = set()
        self._finished: set[int] = set()
        self._usage: Usage | None = None
        self._usage_sent = False
        self._last: dict[str, Any] = {}
        #: a finishing chunk and its data, held back until the usage is known
        self._held: tuple[bytes, dict[str, Any]] | None = None
        self._withheld: list[bytes] = []
        self._begun = False
        self._content = False
        self._done = False
        self._template: Template | None = None

    @property
    def done(self) -> bool:
        """Whether ``[DONE]`` was read."""
        return self._done

    def feed(self, frames: bytes) -> Iterator[Event]:
        """The frames as one Passthrough; nothing while there is no content yet."""
        if self._done:
            return
        head = frames if self._finished else frames[: _end_of_plain(frames)]
        if not self._finished and self._plain(head):
            passed, rest, progress = [head], frames[len(head) :], bool(head)
        else:
            passed, rest, progress = [], frames, False
        failure: GatewayError | None = None
        for frame, data in sse.split(rest):
            try:
                passed.append(self._frame(frame, data))
            except GatewayError as error:
                failure = error
                break
            progress = progress or bool(data)
            if data == b"[DONE]":
                break
        yield from self._pass(b"".join(passed), progress=progress)
        if failure is not None:
            raise failure

    def close(self) -> Iterator[Event]:
        """The end for an upstream that finishes its answer but says no ``[DONE]``."""
        if self._done:
            return
        if not self._finished or self._seen - self._finished:
            raise cut(self._provider)
        self._done = True
        yield from self._pass(self._end() + sse.DONE, progress=True)

    def body(self, data: bytes) -> Iterator[Event]:
        """A whole answer; provider and usage are put in where they are missing."""
        answer = load_answer(data, self._provider)
        usage = usage_of(answer.get("usage"))
        inner = data.strip()[1:-1]
        if "provider" not in answer:
            inner = b'"provider":' + orjson.dumps(self._provider) + b"," + inner
        if usage is None:
            usage = estimated_usage(self._request, _texts_of(answer))
            if "usage" in answer:  # null: a second one would be ambiguous
                answer["usage"] = usage_object(usage)
                inner = orjson.dumps({"provider": self._provider} | answer)[1:-1]
            else:
                inner += b',"usage":' + orjson.dumps(usage_object(usage))
        yield Passthrough(b"{" + inner + b"}", usage, last=True)

    def _plain(self, frames: bytes) -> bool:
        """Read many chunks at once; False, with nothing noted, when one of them is special."""
        if not frames:
            return True
        if self._template is not None and self._fits(self._template, frames):
            return True
        # the first chunk of a stream is unlike the others, it has the role: learn from the last one
        first, last = frames.find(b"\n\n") + 2, frames.rfind(b"\n\n", 0, -2) + 2
        learned = None
        if last > first and (chunks := _load_plain(frames[last:])):
            learned = Template.of(frames[last:], chunks[0])
        if learned is None or learned.texts(frames[first:]) is None:
            return self._parsed(frames)
        self._template = learned
        return self._parsed(frames[:first]) and self._fits(learned, frames[first:])

    def _fits(self, template: Template, frames: bytes) -> bool:
        texts = template.texts(frames)
        if texts is None:
            return False
        self._content = True
        self._texts += texts
        return True

    def _parsed(self, frames: bytes) -> bool:
        """As ``_plain``, by parsing every chunk."""
        chunks = _load_plain(frames)
        if chunks is None:
            return False
        noted = len(self._texts)
        for chunk in chunks:
            if chunk.get("usage") or chunk.get("error") or not self._choices(chunk):
                del self._texts[noted:]
                return False
        self._last = chunks[-1]
        if len(chunks) == 1 and self._template is None:
            self._template = Template.of(frames, chunks[0])
        return True

    def _choices(self, chunk: dict[str, Any]) -> bool:
        """Note what the choices of a chunk say; False when one is malformed."""
        choices = chunk.get("choices")
        if choices is None:
            return True
        if type(choices) is not list:
            return False
        for choice in choices:
            if type(choice) is not dict:
                return False
            self._seen.add(choice.get("index") or 0)
            delta = choice.get("delta")
            if delta:
                self._delta(delta)
        return True

    def _delta(self, delta: dict[str, Any]) -> None:
        for key, value in delta.items():
            if value and key != "role":
                self._content = True
                if type(value) is str:
                    self._texts.append(value)
                elif key == "tool_calls":
                    self._texts.extend(
                        str(call["function"].get("arguments") or "")
                        for call in value
                        if type(call) is dict and type(call.get("function")) is dict
                    )

    def _frame(self, frame: bytes, data: bytes) -> bytes:
        """One frame, changed where the contract wants it."""
        if data == b"[DONE]":
            return self._finish_all() + self._end() + self._complete(frame)
        if not data:
            return frame
        try:
            chunk = orjson.loads(data)
        except orjson.JSONDecodeError:
            raise malformed(self._provider, data) from None
        if type(chunk) is not dict:
            raise malformed(self._provider, data)
        if chunk.get("error"):
            raise error_in_answer(chunk["error"], provider=self._provider)
        if not self._choices(chunk):
            raise malformed(self._provider, data)
        self._last = chunk
        return self._with_usage(frame, data, chunk)

    def _with_usage(self, frame: bytes, data: bytes, chunk: dict[str, Any]) -> bytes:
        """A chunk that finishes a choice or reports usage, as the caller wants its usage."""
        wish = self._request.include_usage
        usage = usage_of(chunk.get("usage"))
        self._usage = usage or self._usage
        choices = chunk.get("choices") or ()
        finishes = {c.get("index") or 0 for c in choices if c.get("finish_reason")}
        self._finished |= finishes
        if wish:
            self._usage_sent = self._usage_sent or usage is not None
            return frame
        if usage is not None and not choices:
            return b""  # asked for by us, or not wanted
        if usage is not None and wish is False:
            return sse.event(orjson.dumps({k: v for k, v in chunk.items() if k != "usage"}))
        if not finishes or wish is False:
            return frame
        if usage is not None:
            self._usage_sent = True
            return frame
        earlier = sse.event(self._held[0]) if self._held else b""
        self._held = (data, chunk)
        return earlier

    def _finish_all(self) -> bytes:
        """A finishing chunk for an upstream that says ``[DONE]`` without a finish reason."""
        if not self._seen:
            raise cut(self._provider)
        open_choices = sorted(self._seen - self._finished)
        if not open_choices:
            return b""
        self._finished |= self._seen
        chunk = self._synthetic(
            [{"index": i, "delta": {}, "finish_reason": "stop"} for i in open_choices]
        )
        return self._with_usage(sse.event(orjson.dumps(chunk)), orjson.dumps(chunk), chunk)

    def _end(self) -> bytes:
        """What the usage was needed for."""
        wish = self._request.include_usage
        if wish is False or self._usage_sent:
            return sse.event(self._held[0]) if self._held else b""
        usage = self._usage or estimated_usage(self._request, "".join(self._texts))
        written = usage_object(usage)
        if wish:
            return sse.event(orjson.dumps(self._synthetic([]) | {"usage": written}))
        if self._held is None:
            return b""
        data, chunk = self._held
        if "usage" in chunk:  # null: a second one would be ambiguous
            return sse.event(orjson.dumps(chunk | {"usage": written}))
        return sse.event(data.rstrip()[:-1] + b',"usage":' + orjson.dumps(written) + b"}")

    def _complete(self, frame: bytes) -> bytes:
        self._done = True
        return frame

    def _synthetic(self, choices: list[dict[str, Any]]) -> dict[str, Any]:
        """A chunk of ours among the upstream's."""
        same = {key: self._last[key] for key in _CONSTANT if key in self._last}
        return same | {"choices": choices}

    def _pass(self, frames: bytes, *, progress: bool) -> Iterator[Event]:
        if not self._begun:
            self._withheld.append(frames)
            size = sum(map(len, self._withheld))
            if not (self._content or self._done) and size < WITHHELD:
                return
            frames = b"".join(self._withheld)
            self._withheld.clear()
            self._begun = True
        if frames:
            usage = self._usage if self._done else None
            yield Passthrough(frames, usage, last=self._done, progress=progress)


_CONSTANT = ("id", "object", "created", "model", "system_fingerprint")


def _end_of_plain(frames: bytes) -> int:
    """Where the first chunk that finishes a choice begins."""
    at = frames.find(b'"finish_reason":"')
    return len(frames) if at < 0 else max(0, frames.rfind(b"\n\n", 0, at) + 2)


def _load_plain(frames: bytes) -> list[dict[str, Any]] | None:
    """The chunks of frames that have one ``data:`` line each, read in one go; None for others.

    JSON text holds no line feed inside its strings, so a blank line only ever ends a frame.
    """
    if not frames:
        return []
    if not frames.startswith(b"data: {") or not frames.endswith(b"}\n\n"):
        return None
    try:
        chunks = orjson.loads(b"[" + frames[6:-2].replace(b"}\n\ndata: {", b"},{") + b"]")
    except orjson.JSONDecodeError:
        return None
    if len(chunks) != frames.count(b"\n\n"):
        return None
    return cast(list[dict[str, Any]], chunks)


def _texts_of(answer: dict[str, Any]) -> str:
    """Everything the model wrote in a whole answer."""
    texts = []
    for choice in answer["choices"]:
        message = choice.get("message") if isinstance(choice, dict) else None
        if isinstance(message, dict):
            texts += [str(message.get(key) or "") for key in ("content", "reasoning_content")]
            texts += [str(call) for call in message.get("tool_calls") or ()]
    return "".join(texts)
