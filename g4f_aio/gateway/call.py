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
    TextDelta,
    ToolCallDelta,
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
_EVENTS = frozenset(get_args(Event))
_log = logging.getLogger(__name__)


class Call:
    """The events of one provider. ``aclose`` must follow, and ends the provider's generator.

    A provider may fail in any way, and it fails alone: everything becomes a GatewayError. *guard*
    is for providers of others, who may leave tasks behind or never stop talking.
    """

    __slots__ = (
        "_context",
        "_entry",
        "_events",
        "_finished",
        "_guard",
        "_patience",
        "_request",
        "pieces",
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
        self._patience = Patience(entry.name, context.timeouts, deadline, streamed=request.stream)
        self._events: EventStream | Guarded | None = None
        self._finished = False
        #: parts of the answer that came, for a stream about its tokens
        self.pieces = 0

    #: nothing of its answer is supplied here
    emulated: tuple[str, ...] = ()

    @property
    def first_after(self) -> float | None:
        """Seconds from the start to the first event; None before it."""
        return self._patience.first_after

    async def aclose(self) -> None:
        """Stop the provider."""
        if self._events is None:
            return
        try:
            if self._guard is None:
                await self._events.aclose()
                return
            async with asyncio.timeout(CLOSING):
                await self._events.aclose()
        except Exception:  # noqa: BLE001  (how it fails at cleaning up changes nothing any more)
            _log.exception("provider %s raised when it was stopped", self._entry.name)

    async def next(self) -> Event | None:
        """The next event, None after the last; GatewayError when there is none to come."""
        patience = self._patience
        patience.begin()
        try:
            if self._events is None:
                self._events = self._begin()
            event = await self._events.__anext__()
        except StopAsyncIteration:
            patience.over()
            if self._finished:
                return None
            name = self._entry.name
            raise UpstreamError(
                f"{name} ended its answer without a finish", provider=name
            ) from None
        except asyncio.CancelledError:
            late = patience.passed()
            patience.over()
            if late:
                raise patience.error() from None
            raise
        except GatewayError as error:
            patience.over()
            hide_secrets(error, self._context, self._entry)
            raise
        except Exception as error:
            patience.over()
            name = self._entry.name
            _log.exception("provider %s raised", name)
            raise UpstreamError(
                f"{name} failed with {type(error).__name__}", provider=name
            ) from error
        patience.got(event)
        kind = type(event)
        if kind is Passthrough:
            if event.last:  # type: ignore[union-attr]
                self._finished = True
            self.pieces += event.pieces  # type: ignore[union-attr]
        elif kind is Finish:
            self._finished = True
        elif kind is TextDelta or kind is ReasoningDelta:
            self.pieces += max(1, len(event.text) // 4)  # type: ignore[union-attr]
        elif kind in _EVENTS:
            self.pieces += 1
            if kind is ToolCallDelta and event.index >= CALLS:  # type: ignore[union-attr]
                name = self._entry.name
                raise UpstreamError(f"{name} makes more than {CALLS} tool calls", provider=name)
        else:
            name = self._entry.name
            raise UpstreamError(f"{name} yielded {kind.__name__}, which is no event", provider=name)
        return event

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
        if isinstance(events, (AsyncGeneratorType, AsyncGenerator)):
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
