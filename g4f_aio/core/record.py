"""What is noted about a request: who asked, who was tried, how it ended. No content."""

from __future__ import annotations

import logging
import time
from typing import Literal, Protocol

import attrs

from .errors import GatewayError
from .events import Usage

Outcome = Literal["running", "ok", "failed", "cancelled"]
_log = logging.getLogger(__name__)


@attrs.define(eq=False)
class Attempt:
    """One call of a provider. *started*, on the monotonic clock, and the rest are in seconds.

    *ttft* is the time to its first event. *why* says what put it in its place in the order. *called*
    is false while it only waits for a place at the provider.
    """

    provider: str
    model: str
    started: float
    why: str = ""
    called: bool = False
    outcome: Outcome = "running"
    code: str | None = None
    status: int | None = None
    ttft: float | None = None
    duration: float | None = None

    def ended(self, outcome: Outcome, error: GatewayError | None = None) -> None:
        """It came to its end, with *error* when it failed."""
        self.outcome = outcome
        self.duration = time.monotonic() - self.started
        if error is not None:
            self.code = error.code
            self.status = error.status


@attrs.define(eq=False)
class RequestRecord:
    """One request, filled in while it is answered. Durations are in seconds.

    *began* is Unix time, *started* the same moment on the monotonic clock. *caller* is the name of
    the key it came with. *model* and *provider* are what was asked for. *pieces* counts the parts in
    which the answer came, which for a stream is about its tokens. *usage* is None until somebody
    reports or estimates it.
    """

    id: str
    caller: str
    dialect: str
    model: str
    provider: str | None = None
    streamed: bool = False
    began: float = attrs.field(factory=time.time)
    started: float = attrs.field(factory=time.monotonic)
    attempts: list[Attempt] = attrs.field(factory=list)
    outcome: Outcome = "running"
    status: int = 200
    code: str | None = None
    message: str | None = None
    usage: Usage | None = None
    pieces: int = 0
    ttft: float | None = None
    duration: float | None = None
    #: how a response cache took part: ``hit``, ``miss``, ``shared`` (with a request in flight)
    cache: str | None = None
    #: what the gateway supplied because the provider lacks it
    emulated: tuple[str, ...] = ()
    #: how many sources of the web it was given; None where it asked for no search
    sources: int | None = None

    @property
    def answered_by(self) -> Attempt | None:
        """The call whose answer the client got; None when none began one."""
        for attempt in reversed(self.attempts):
            if attempt.ttft is not None:
                return attempt
        return None

    def failed(self, error: GatewayError) -> None:
        """It ended in an error that the client was told."""
        self.outcome = "failed"
        self.status = error.status
        self.code = error.code
        self.message = error.message

    def cancelled(self) -> None:
        """The client left, or the server ended it."""
        self.outcome = "cancelled"

    def ended(self) -> None:
        """Nothing will be added any more."""
        self.duration = time.monotonic() - self.started
        if self.outcome == "running":
            self.outcome = "ok"
        usage = self.usage
        if usage is not None and usage.raw is not None:
            # an upstream's own object may hold anything
            self.usage = usage.plain()


class Observer(Protocol):
    """Who wants to know of each request that has ended."""

    def ended(self, record: RequestRecord) -> None:
        """Take note of it, quickly; what it raises is logged and no more."""


class Ledger:
    """Tells every observer of each request."""

    def __init__(self) -> None:
        self._observers: tuple[Observer, ...] = ()

    def tell(self, observer: Observer) -> None:
        """*observer* wants to know from now on."""
        self._observers = (*self._observers, observer)

    def close(self, record: RequestRecord) -> None:
        """A request has ended."""
        record.ended()
        for observer in self._observers:
            try:
                observer.ended(record)
            except Exception:  # noqa: BLE001  (logged; the request must not suffer for it)
                _log.exception("%s did not note a request", type(observer).__name__)
