"""One call of a provider, from the wait for a place there to what is learned from its end."""

from __future__ import annotations

import time
from functools import partial

import attrs

from ..core.deadline import Deadline
from ..core.errors import (
    GatewayError,
    OverloadedError,
    RateLimitError,
    UpstreamError,
    UpstreamTimeoutError,
)
from ..core.events import Usage
from ..core.models import Capability
from ..core.operations import Request
from ..core.provider import CallContext
from ..core.record import Attempt
from ..core.requests import ChatRequest
from .call import Call
from .choice import Place
from .credentials import Credential
from .desk import Desk
from .emulation import EmulatedCall
from .leaks import LeakGuard
from .polyfills.plan import asked
from .registry import Entry
from .snapshot import Snapshot
from .turnstile import Turnstile

_NOTHING = Capability.NONE
#: seconds of an answer from which on its speed says something
_MEASURABLE = 0.05


class Trip:
    """One call of a provider with all that is held for it."""

    __slots__ = (
        "_began",
        "_credential",
        "_deadline",
        "_desk",
        "_place",
        "_routing",
        "_streamed",
        "attempt",
        "call",
        "turnstile",
    )

    def __init__(
        self,
        desk: Desk,
        now: Snapshot,
        request: Request,
        place: Place,
        credential: Credential,
    ) -> None:
        candidate = place.candidate
        entry = candidate.entry
        self._desk = desk
        self._place = place
        self._credential = credential
        self._streamed = request.stream
        self._routing = request.routing
        self._began: float | None = None
        #: where the provider takes only so many calls at one time: ``wait`` before ``begin``
        self.turnstile = (
            None
            if entry.settings.max_requests is None
            else desk.turnstile(entry, now.settings.server.queue)
        )
        self._deadline = desk.deadline()
        self.attempt = Attempt(entry.name, candidate.model, time.monotonic(), place.why)
        context = None
        if candidate.own_key is None:
            context = now.known_context(entry, request, credential.value)
        if context is None:
            context = now.context(
                entry,
                routing=request.routing,
                streamed=request.stream,
                credential=credential.value,
                own=candidate.own_key is not None,
            )
        if request.model != candidate.model:
            request = attrs.evolve(request, model=candidate.model)
        guard = None if entry.built_in else desk.guard
        self.call: Call | EmulatedCall
        if isinstance(request, ChatRequest) and (
            candidate.supplied is not _NOTHING
            or (candidate.ignores and asked(request, candidate.ignores))
        ):
            self.call = EmulatedCall(
                request,
                candidate,
                context,
                partial(_begin, entry, guard),
                desk,
                self._deadline,
                self.turnstile,
            )
        else:
            self.call = Call(entry, request, context, self._deadline, guard)

    async def wait(self, patience: float) -> None:
        """Wait for a place at the provider, *patience* seconds at most."""
        assert self.turnstile is not None  # noqa: S101  (only then there is something to wait for)
        try:
            await self.turnstile.enter(patience)
            self._demand_well(self.turnstile)
        except BaseException as error:
            known = error if isinstance(error, GatewayError) else None
            self.attempt.ended("failed" if known else "cancelled", known)
            self._desk.give_back(self._deadline)
            raise

    def begin(self) -> None:
        """The call begins; one of the three ends must follow."""
        self.attempt.called = True
        self._began = self._place.standing.begin()

    async def succeeded(self, usage: Usage | None) -> None:
        """It came to its proper end."""
        attempt = self.attempt
        attempt.ended("ok")
        speed = None
        took = (attempt.duration or 0.0) - (attempt.ttft or 0.0)
        if self._streamed and took > _MEASURABLE:
            speed = (self.call.pieces if usage is None else usage.output) / took
        # a whole answer has no first event before its last
        self._place.standing.succeeded(attempt.ttft if self._streamed else None, speed)
        self._credential.succeeded(attempt.model)
        await self._leave()

    async def failed(self, error: GatewayError) -> None:
        """It failed, before its first event or after."""
        self.attempt.ended("failed", error)
        if self._callers_doing(error):
            self._place.standing.release(self._began)
        else:
            self._place.standing.failed(error, self._began)
        self._desk.credentials.failed(self._credential, self.attempt.model, error)
        await self._leave()

    async def cancelled(self) -> None:
        """It was left before its end."""
        self.attempt.ended("cancelled")
        self._place.standing.release(self._began)
        await self._leave()

    def _demand_well(self, turnstile: Turnstile) -> None:
        """OverloadedError when it broke while this stood in line."""
        wait = self._place.standing.wait()
        if wait:
            turnstile.leave()
            name = self.attempt.provider
            raise OverloadedError(f"{name} keeps failing", provider=name, retry_after=wait)

    def _callers_doing(self, error: GatewayError) -> bool:
        """Whether the caller's own key, proxy or time limit may be why, and no fault of the provider."""
        if self._place.candidate.own_key is not None and isinstance(error, RateLimitError):
            return True
        if self._routing.proxy is not None:
            return isinstance(error, UpstreamError)
        return self._routing.timeout is not None and isinstance(error, UpstreamTimeoutError)

    async def _leave(self) -> None:
        try:
            await self.call.aclose()
        finally:
            self._desk.give_back(self._deadline)
            if self.turnstile is not None:
                self.turnstile.leave()


def _begin(
    entry: Entry,
    guard: LeakGuard | None,
    request: ChatRequest,
    context: CallContext,
    deadline: Deadline,
) -> Call:
    return Call(entry, request, context, deadline, guard)
