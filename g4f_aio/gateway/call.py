"""One call of a provider, watched: in time, well-formed, and ending in a finish."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncGenerator, Coroutine
from types import AsyncGeneratorType
from typing import get_args

from ..core.deadline import Deadline
from ..core.errors import GatewayError, UpstreamError
from ..core.events import (
    Event,
    EventStream,
    Finish,
    Passthrough,
    ReasoningDelta,
    Status,
    TextDelta,
    ToolCallDelta,
    Usage,
)
from ..core.operations import Operation, Request
from ..core.provider import CallContext
from .leaks import Guarded, LeakGuard
from .patience import Patience
from .registry import Entry

#: what is shown in the place of a secret
MASK = "***"
#: tool calls in one choice of an answer; nobody means more, and what each costs grows with them
CALLS = 1000
#: seconds that a provider of others may take to stop
CLOSING = 5.0
#: what may come in the place of an event
ENDS = (Exception, asyncio.CancelledError)
_EVENTS = frozenset(get_args(Event))
_GENERATORS = (AsyncGeneratorType, AsyncGenerator)
_log = logging.getLogger(__name__)


class Call:
    """The events of one provider. ``aclose`` must follow, and ends the provider's generator.

    A provider may fail in any way, and it fails alone: everything becomes a GatewayError. *guard*
    is for providers of others, who may leave tasks behind or never stop talking.
    """

    __slots__ = (
        "_begun",
        "_context",
        "_entry",
        "_finished",
        "_guard",
        "_request",
        "events",
        "patience",
        "pieces",
        "usage",
    )

    def __init__(
        self,
        entry: Entry,
        request: Request,
        context: CallContext,
        deadline: Deadline,
        guard: LeakGuard | None = None,
    ) -> None:
        self._guard = guard
        self._entry = entry
        self._request = request
        self._context = context
        #: what bounds the time of each wait for one of its events
        self.patience = Patience(entry.name, context.timeouts, deadline, streamed=request.stream)
        #: those of the provider, from the first on that ``next`` gave
        self.events: EventStream | Guarded
        self._begun = False
        self._finished = False
        #: parts of the answer that came, for a stream about its tokens
        self.pieces = 0
        #: as the provider reported it last
        self.usage: Usage | None = None

    #: nothing of its answer is supplied here
    emulated: tuple[str, ...] = ()

    @property
    def first_after(self) -> float | None:
        """Seconds from the start to the first event; None before it."""
        return self.patience.first_after

    async def aclose(self) -> None:
        """Stop the provider."""
        if not self._begun:
            return
        try:
            if self._guard is None:
                await self.events.aclose()
                return
            async with asyncio.timeout(CLOSING):
                await self.events.aclose()
        except Exception:  # noqa: BLE001  (how it fails at cleaning up changes nothing any more)
            _log.exception("provider %s raised when it was stopped", self._entry.name)

    async def next(self) -> Event | None:
        """The next event, None after the last; GatewayError when there is none to come."""
        try:
            if not self._begun:
                self.events = self._begin()
                self._begun = True
            self.patience.begin()
            event = await anext(self.events)
            self.took(event)
        except ENDS as error:
            self.ended(error)
            return None
        return event

    def took(self, event: Event) -> None:
        """An event came; UpstreamError when a provider may not say that."""
        if type(event) is Passthrough:
            if event.progress:
                self.patience.got()
            else:
                self.patience.noticed()
            self.pieces += event.pieces
            if event.last:
                self._finished = True
            if event.usage is not None:
                self.usage = event.usage
            return
        kind = type(event)
        if kind is Status:
            self.patience.noticed()
        else:
            self.patience.got()
        if kind is TextDelta or kind is ReasoningDelta:
            self.pieces += max(1, len(event.text) // 4)  # type: ignore[union-attr]
        elif kind is Finish:
            self._finished = True
        elif kind in _EVENTS:
            self.pieces += 1
            if kind is Usage:
                self.usage = event  # type: ignore[assignment]
            elif kind is ToolCallDelta and event.index >= CALLS:  # type: ignore[union-attr]
                name = self._entry.name
                raise UpstreamError(f"{name} makes more than {CALLS} tool calls", provider=name)
        else:
            name = self._entry.name
            raise UpstreamError(f"{name} yielded {kind.__name__}, which is no event", provider=name)

    def ended(self, error: BaseException) -> None:
        """This, one of ``ENDS``, came in the place of an event; raises unless the answer is complete.

        It is a GatewayError then, but for a cancellation that is somebody else's.
        """
        self.patience.over()
        name = self._entry.name
        match error:
            case StopAsyncIteration():
                if self._finished:
                    return
                message = f"{name} ended its answer without a finish"
                raise UpstreamError(message, provider=name) from None
            case asyncio.CancelledError():
                if self.patience.passed():
                    raise self.patience.error() from None
                raise error
            case GatewayError():
                hide_secrets(error, self._context, self._entry)
                raise error
            case _:
                _log.exception("provider %s raised", name)
                message = f"{name} failed with {type(error).__name__}"
                raise UpstreamError(message, provider=name) from error

    def _begin(self) -> EventStream | Guarded:
        """The provider's generator; UpstreamError when it returns something else."""
        provider, name = self._entry.provider, self._entry.name
        assert provider is not None  # noqa: S101  (the catalogue offers no broken ones)
        request = self._request
        events: object = (
            request.begin(provider, self._context)
            if isinstance(request, Operation)
            else provider.chat(request, self._context)
        )
        if isinstance(events, _GENERATORS):
            return events if self._guard is None else self._guard.guard(events, name)
        if isinstance(events, Coroutine):
            events.close()
        raise UpstreamError(f"{name}.chat is no asynchronous generator", provider=name)


def hide_secrets(error: GatewayError, context: CallContext, entry: Entry) -> None:
    """An upstream may quote what it was sent; no client and no log gets to see that."""
    secrets = {context.credential or "", *entry.settings.secrets()} - {""}
    # the longest first: one may be the beginning of another
    for secret in sorted(secrets, key=len, reverse=True):
        error.message = error.message.replace(secret, MASK)
    error.args = (error.message,)
