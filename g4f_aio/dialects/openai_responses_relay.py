"""An upstream's response handed on byte for byte, but never unseen.

Every event is read: a response that is cut, malformed or failed never ends as if it were whole. An
upstream that streams though one body was asked for, or the reverse, is put right.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from ..core.errors import BadRequestError, GatewayError
from ..core.events import Event, Passthrough, Usage
from ..core.requests import ChatRequest
from ..core.upstream_errors import MESSAGE_LIMIT, error_in_answer
from . import sse
from .json_text import dumps, loads
from .openai_chat_decoder import cut, malformed
from .openai_chat_usage import estimated_usage
from .openai_responses_object import usage_of
from .openai_responses_passed import TERMINAL

Json = dict[str, Any]

#: events before the first content are withheld, so that a failure then can still be answered with
#: a status or by another provider
_BEGINNING = frozenset(("response.created", "response.queued", "response.in_progress"))
#: up to so many bytes; each of them repeats the instructions and the tools
WITHHELD = 2**20
#: codes of a failure that the request itself is the reason for
_REQUESTS = ("invalid_prompt", "context_length_exceeded")


class Relay:
    """Whole frames in, the same frames out."""

    def __init__(self, request: ChatRequest, provider: str) -> None:
        self._request = request
        self._provider = provider
        #: events that are not handed on yet
        self._pieces = 0
        self._withheld = bytearray()
        self._begun = False
        self._done = False
        self._usage: Usage | None = None
        #: the response of a stream that is to be handed on as one body
        self._whole: Json | None = None

    @property
    def done(self) -> bool:
        """Whether the event that ends a response was read."""
        return self._done

    def feed(self, frames: bytes) -> Iterator[Event]:
        """The frames as one Passthrough; nothing while there is no content yet."""
        passed, begins, progress = [], False, False
        failure: GatewayError | None = None
        for frame, data in _split(frames):
            if self._done:
                break
            try:
                begins = self._read(data) or begins
            except GatewayError as error:
                failure = error
                break
            passed.append(frame)
            progress = progress or bool(data)
        yield from self._pass(b"".join(passed), begins=begins, progress=progress)
        if failure is not None:
            raise failure

    def close(self) -> Iterator[Event]:
        """Nothing more; UpstreamError unless the response came to its end."""
        if not self._done:
            raise cut(self._provider)
        return iter(())

    def body(self, data: bytes) -> Iterator[Event]:
        """A whole response."""
        response = self._load(data)
        if not isinstance(response.get("output"), list):
            raise malformed(self._provider, data)
        if response.get("status") == "failed":
            raise self._failure(response.get("error"))
        self._take_usage(response)
        if self._request.stream:
            data = b"".join(_as_events(response))
        yield Passthrough(data, self._usage, last=True)

    def _load(self, data: bytes) -> Json:
        """A JSON object; the error in it, or UpstreamError when it is none."""
        try:
            found = loads(data)
        except ValueError:
            raise malformed(self._provider, data) from None
        if type(found) is not dict:
            raise malformed(self._provider, data)
        if found.get("error") and found.get("object") != "response":
            raise self._failure(found["error"])
        return found

    def _read(self, data: bytes) -> bool:
        """Take in what an event says; whether it is more than that there is a response."""
        if not data:
            return False
        if data.strip() == b"[DONE]":
            raise cut(self._provider)
        event = self._load(data)
        self._pieces += 1
        kind = event.get("type")
        if type(kind) is not str:
            raise malformed(self._provider, data)
        if kind == "error":
            raise self._failure(event)
        if kind in TERMINAL:
            response = event.get("response")
            if type(response) is not dict:
                raise malformed(self._provider, data)
            if kind == "response.failed":
                raise self._failure(response.get("error"))
            self._take_usage(response)
            self._whole = response
            self._done = True
        return kind not in _BEGINNING

    def _take_usage(self, response: Json) -> None:
        self._usage = usage_of(response.get("usage"))
        if self._usage is None and response.get("status") != "queued":
            self._usage = estimated_usage(self._request, _text_of(response))

    def _failure(self, problem: Any) -> GatewayError:
        """The error that an upstream tells of in its response."""
        if isinstance(problem, dict) and problem.get("code") in _REQUESTS:
            said = str(problem.get("message") or problem["code"])[:MESSAGE_LIMIT]
            return BadRequestError(
                f"{self._provider} failed: {said}", code=problem["code"], provider=self._provider
            )
        return error_in_answer(problem, provider=self._provider)

    def _pass(self, frames: bytes, *, begins: bool, progress: bool) -> Iterator[Event]:
        if not self._request.stream:
            if self._whole is not None:
                yield Passthrough(dumps(self._whole), self._usage, last=True)
            return
        if not self._begun:
            self._withheld += frames
            if not begins and len(self._withheld) < WITHHELD:
                return
            frames = bytes(self._withheld)
            self._withheld.clear()
            self._begun = True
        if frames:
            pieces, self._pieces = self._pieces, 0
            last = self._done
            yield Passthrough(frames, self._usage, last=last, progress=progress, pieces=pieces)


def _split(frames: bytes) -> Iterator[tuple[bytes, bytes]]:
    """As ``sse.split``; quickly where an event is its name and its data, as OpenAI writes them."""
    if b"\r" in frames or not frames.endswith(b"\n\n"):
        yield from sse.split(frames)
        return
    for block in frames[:-2].split(b"\n\n"):
        frame = block + b"\n\n"
        name, _, data = block.partition(b"\ndata: ")
        if data and name.startswith(b"event: ") and b"\n" not in name and b"\n" not in data:
            yield frame, data
        else:
            yield frame, sse.data_of(frame)


def _as_events(response: Json) -> Iterator[bytes]:
    """A whole response as a stream."""
    began = response | {"status": "in_progress", "output": [], "usage": None}
    kind = response.get("status")
    events: list[tuple[str, Json]] = [("response.created", {"response": began})]
    for index, item in enumerate(response["output"]):
        place = {"output_index": index, "item": item}
        events += [("response.output_item.added", place), ("response.output_item.done", place)]
    last = f"response.{kind}" if f"response.{kind}" in TERMINAL else "response.completed"
    events.append((last, {"response": response}))
    for number, (name, fields) in enumerate(events):
        data = dumps({"type": name, "sequence_number": number, **fields})
        yield b"event: %b\ndata: %b\n\n" % (name.encode(), data)


def _text_of(response: Json) -> str:
    """Everything the model wrote in a response."""
    texts = []
    for item in response.get("output") or ():
        if isinstance(item, dict):
            texts += [str(item.get("arguments") or ""), str(item.get("input") or "")]
            for name in ("content", "summary"):
                parts = item.get(name)
                for part in parts if isinstance(parts, list) else ():
                    texts.append(str(part.get("text") or "") if isinstance(part, dict) else "")
    return "".join(texts)
