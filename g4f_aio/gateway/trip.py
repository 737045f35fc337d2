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
from ..core.operations import CompletionRequest, Request
from ..core.provider import CallContext
from ..core.record import Attempt
from ..core.requests import ChatRequest
from .call import Call
from .choice import Place
from .counted_call import CountedCall, seen
from .credentials import Credential
from .desk import Desk
from .emulation import EmulatedCall
from .expiry import NEVER, Expiry
from .leaks import LeakGuard
from .polyfills.plan import asked
from .probe import Probe
from .registry import Entry
from .snapshot import Snapshot
from .tokenizing import TokenCounter
from .turnstile import Turnstile

_NOTHING = Capability.NONE
#: seconds of an answer from which on its speed says something
_MEASURABLE = 0.05


class Trip:
    """One call of a provider with all that is held for it; *call* is there once it has begun."""

    __slots__ = (
        "_began",
        "_credential",
        "_deadline",
        "_desk",
        "_expiry",
        "_now",
        "_place",
        "_request",
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
        self._now = now
        self._request = request
        self._place = place
        self._credential = credential
        self._expiry: Expiry
        self._began: float | None
        #: where the provider takes only so many calls at one time: ``wait`` before ``begin``
        self.turnstile = (
            None
            if entry.settings.max_requests is None
            else desk.turnstile(entry, now.settings.server.queue)
        )
        self._deadline = desk.deadline()
        self.attempt = Attempt(entry.name, candidate.model, time.monotonic(), place.why)
        self.call: Call | CountedCall | EmulatedCall | Probe

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

    def begin(self, expiry: Expiry = NEVER) -> None:
        """The call begins; one of the three ends must follow. *expiry* is that of the request."""
        self._expiry = expiry
        now, request, desk = self._now, self._request, self._desk
        candidate = self._place.candidate
        entry, supplied = candidate.entry, candidate.supplied
        context = None
        if candidate.own_key is None:
            context = now.known_context(entry, request, self._credential.value)
        if context is None:
            context = self._context()
        if request.model != candidate.model:
            request = attrs.evolve(request, model=candidate.model)
        guard = None if entry.built_in else desk.guard
        if supplied is _NOTHING and not candidate.ignores and not desk.tokens.able:
            self.call = Call(entry, request, context, self._deadline, guard)
        else:
            self.call = self._supplied(request, context, guard)
        self.attempt.called = True
        standing = self._place.standing
        began = self._began = standing.begin()
        if began is not None or standing.trials is not None:
            self.call = Probe(self.call, partial(standing.answered, began))

    def _context(self) -> CallContext:
        """What the call may use."""
        candidate, request = self._place.candidate, self._request
        routing = request.routing
        if self._expiry is not NEVER:
            routing = attrs.evolve(routing, timeout=self._expiry.left())
        return self._now.context(
            candidate.entry,
            routing=routing,
            streamed=request.stream,
            credential=self._credential.value,
            own=candidate.own_key is not None,
        )

    def _supplied(
        self, request: Request, context: CallContext, guard: LeakGuard | None
    ) -> Call | CountedCall | EmulatedCall:
        """A call that is to say something of which its provider may lack it."""
        candidate, desk = self._place.candidate, self._desk
        entry, supplied = candidate.entry, candidate.supplied
        if supplied is not _NOTHING and isinstance(request, CompletionRequest):
            request = attrs.evolve(request, singly=True)
        if not isinstance(request, ChatRequest):
            return Call(entry, request, context, self._deadline, guard)
        if supplied is _NOTHING and not asked(request, candidate.ignores):
            return _begin(entry, guard, desk.tokens, request, context, self._deadline)
        begin = partial(_begin, entry, guard, desk.tokens)
        return EmulatedCall(
            request, candidate, context, begin, desk, self._deadline, self.turnstile
        )

    async def succeeded(self, usage: Usage | None) -> None:
        """It came to its proper end."""
        attempt = self.attempt
        attempt.ended("ok")
        # a whole answer has no first event before its last
        ttft = speed = None
        if self._request.stream:
            ttft = attempt.ttft
            took = (attempt.duration or 0.0) - (ttft or 0.0)
            if took > _MEASURABLE:
                speed = (self.call.pieces if usage is None else usage.output) / took
        self._place.standing.succeeded(ttft, speed)
        self._credential.succeeded(attempt.model)
        await self._leave()

    async def failed(self, error: GatewayError) -> None:
        """It failed, before its first event or after."""
        self._expiry.name(error)
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
        routing = self._request.routing
        if routing.proxy is not None:
            return isinstance(error, UpstreamError)
        return routing.timeout is not None and isinstance(error, UpstreamTimeoutError)

    async def _leave(self) -> None:
        try:
            await self.call.aclose()
        finally:
            self._desk.give_back(self._deadline)
            if self.turnstile is not None:
                self.turnstile.leave()


def _begin(  # noqa: PLR0917  (what a call takes, and who counts)
    entry: Entry,
    guard: LeakGuard | None,
    counter: TokenCounter,
    request: ChatRequest,
    context: CallContext,
    deadline: Deadline,
) -> Call | CountedCall:
    if not counter.able:
        return Call(entry, request, context, deadline, guard)
    request = seen(request, entry.name, counter)
    return CountedCall(Call(entry, request, context, deadline, guard), request, entry.name, counter)
