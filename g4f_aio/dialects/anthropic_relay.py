"""An upstream's message handed on byte for byte, but never unseen.

Every event is read: an answer that is cut, malformed or an error never ends as if it were whole.
"""

from __future__ import annotations

from collections.abc import Iterator

from ..core.errors import GatewayError
from ..core.events import Event, Passthrough
from . import sse
from .anthropic_decoder import Json, load_event, load_message
from .anthropic_usage import merged, usage_of
from .openai_chat_decoder import cut

#: events before the first content are withheld, so that a failure then can still be answered with
#: a status or by another provider
_BEGINNING = frozenset(("message_start", "ping"))
#: up to so many bytes
WITHHELD = 64 * 2**10


class Relay:
    """Whole frames in, the same frames out."""

    def __init__(self, provider: str) -> None:
        self._provider = provider
        self._usage: Json = {}
        #: events that are not handed on yet
        self._pieces = 0
        self._withheld = bytearray()
        self._begun = False
        self._done = False

    @property
    def done(self) -> bool:
        """Whether ``message_stop`` was read."""
        return self._done

    def feed(self, frames: bytes) -> Iterator[Event]:
        """The frames as one Passthrough; nothing while there is no content yet."""
        passed, begins, progress = [], False, False
        failure: GatewayError | None = None
        for frame, data in sse.split(frames):
            if self._done:
                break
            try:
                kind = self._read(data) if data else "ping"
            except GatewayError as error:
                failure = error
                break
            passed.append(frame)
            self._pieces += bool(data)
            begins = begins or kind not in _BEGINNING
            progress = progress or kind != "ping"
        yield from self._pass(b"".join(passed), begins=begins, progress=progress)
        if failure is not None:
            raise failure

    def close(self) -> Iterator[Event]:
        """Nothing more; UpstreamError unless the upstream said that it was done."""
        if not self._done:
            raise cut(self._provider)
        return iter(())

    def body(self, data: bytes) -> Iterator[Event]:
        """A whole answer."""
        message = load_message(data, self._provider)
        yield Passthrough(data, usage_of(merged({}, message.get("usage"))), last=True)

    def _read(self, data: bytes) -> str:
        """Take in what an event says; its type."""
        event = load_event(data, self._provider)
        kind: str = event["type"]
        match kind:
            case "message_start":
                message = event.get("message")
                self._usage = merged(self._usage, message.get("usage") if message else None)
            case "message_delta":
                self._usage = merged(self._usage, event.get("usage"))
            case "message_stop":
                self._done = True
            case _:
                pass
        return kind

    def _pass(self, frames: bytes, *, begins: bool, progress: bool) -> Iterator[Event]:
        if not self._begun:
            self._withheld += frames
            if not begins and len(self._withheld) < WITHHELD:
                return
            frames = bytes(self._withheld)
            self._withheld.clear()
            self._begun = True
        if frames:
            usage = usage_of(self._usage) if self._done else None
            pieces, self._pieces = self._pieces, 0
            yield Passthrough(frames, usage, last=self._done, progress=progress, pieces=pieces)
