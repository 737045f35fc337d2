"""One call of a provider, watched: in time, well-formed, and ending in a finish."""

from __future__ import annotations

import logging
from collections.abc import AsyncGenerator, Coroutine
from types import AsyncGeneratorType, TracebackType
from typing import Self

from ..core.errors import GatewayError, UpstreamError
from ..core.events import Event, EventStream, Finish, Passthrough
from ..core.provider import CallContext
from ..core.requests import ChatRequest
from .patience import Patience
from .registry import Entry

#: what is shown in the place of a secret
MASK = "***"
_log = logging.getLogger(__name__)


class Call:
    """The events of one provider. Leaving its context ends the provider's generator.

    A provider may fail in any way, and it fails alone: everything becomes a GatewayError.
    """

    def __init__(self, entry: Entry, request: ChatRequest, context: CallContext) -> None:
        self._entry = entry
        self._request = request
        self._context = context
        self._patience = Patience(entry.name, context.timeouts, streamed=request.stream)
        self._events: EventStream | None = None
        self._finished = False

    @property
    def first_after(self) -> float | None:
        """Seconds from the start to the first event; None before it."""
        return self._patience.first_after

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._patience.close()
        if self._events is None:
            return
        try:
            await self._events.aclose()
        except Exception:  # noqa: BLE001  (how it fails at cleaning up changes nothing any more)
            _log.exception("provider %s raised when it was stopped", self._entry.name)

    async def next(self) -> Event | None:
        """The next event, None after the last; GatewayError when there is none to come."""
        name = self._entry.name
        try:
            if self._events is None:
                self._events = self._begin()
            event = await self._patience.next(self._events)
        except GatewayError as error:
            hide_secrets(error, self._context, self._entry)
            raise
        except Exception as error:
            _log.exception("provider %s raised", name)
            raise UpstreamError(
                f"{name} failed with {type(error).__name__}", provider=name
            ) from error
        if event is not None:
            self._finished = _ends(event, name) or self._finished
        elif not self._finished:
            raise UpstreamError(f"{name} ended its answer without a finish", provider=name)
        return event

    def _begin(self) -> EventStream:
        """The provider's generator; UpstreamError when it returns something else."""
        provider, name = self._entry.provider, self._entry.name
        assert provider is not None  # noqa: S101  (the catalogue offers no broken ones)
        events: object = provider.chat(self._request, self._context)
        if isinstance(events, (AsyncGeneratorType, AsyncGenerator)):
            return events
        if isinstance(events, Coroutine):
            events.close()
        raise UpstreamError(f"{name}.chat is no asynchronous generator", provider=name)


def _ends(event: object, provider: str) -> bool:
    """Whether an event ends an answer; UpstreamError when it is no event at all."""
    match event:
        case Passthrough(last=last):
            return last
        case Finish():
            return True
        case _ if isinstance(event, Event):
            return False
        case _:
            kind = type(event).__name__
            raise UpstreamError(f"{provider} yielded {kind}, which is no event", provider=provider)


def hide_secrets(error: GatewayError, context: CallContext, entry: Entry) -> None:
    """An upstream may quote what it was sent; no client and no log gets to see that."""
    for secret in (context.credential, *entry.settings.secrets()):
        if secret:
            error.message = error.message.replace(secret, MASK)
