"""A call of a provider whose tokens are counted here when it reports none."""

from __future__ import annotations

import attrs

from ..core.events import (
    Event,
    Passthrough,
    ReasoningDelta,
    RefusalDelta,
    TextDelta,
    ToolCallDelta,
    Usage,
)
from ..core.request_tokens import estimate_request
from ..core.requests import ChatRequest
from ..core.tokens import TokenCount
from .call import Call
from .tokenizing import TokenCounter


def seen(request: ChatRequest, provider: str, counter: TokenCounter) -> ChatRequest:
    """The request as it is sent: whoever reports no usage is not handed on verbatim.

    What is handed on says an estimate already. So it is seen which models report none, and their
    further answers are read.
    """
    if request.accept is None or not counter.is_silent(provider, request.model):
        return request
    return attrs.evolve(request, accept=None)


class CountedCall:
    """As ``Call``, with a ``Usage`` at the end of an answer that had none."""

    __slots__ = ("_call", "_counter", "_over", "_provider", "_request", "_said", "_told")

    def __init__(
        self, call: Call, request: ChatRequest, provider: str, counter: TokenCounter
    ) -> None:
        self._call = call
        self._request = request
        self._provider = provider
        self._counter = counter
        #: what was said, by what it was and in which choice
        self._said: dict[tuple[type[Event], int, int], list[str]] = {}
        self._told = False
        self._over = False

    #: as of any call that supplies nothing
    emulated: tuple[str, ...] = ()

    @property
    def pieces(self) -> int:
        """Parts of the answer that came."""
        return self._call.pieces

    @property
    def first_after(self) -> float | None:
        """Seconds from the start to the first event; None before it."""
        return self._call.first_after

    async def aclose(self) -> None:
        """Stop the provider."""
        await self._call.aclose()

    async def next(self) -> Event | None:
        """The next event, None after the last; GatewayError when there is none to come."""
        if self._over:
            return None
        event = await self._call.next()
        match event:
            case TextDelta(text=text) | ReasoningDelta(text=text) | RefusalDelta(text=text):
                self._said.setdefault((type(event), event.choice, 0), []).append(text)
            case ToolCallDelta(index=index, choice=choice, name=name, arguments=text):
                said = self._said.setdefault((ToolCallDelta, choice, index), [])
                said += (name or "", text)
            case Usage():
                self._told = True
                self._remember(silent=False)
            case Passthrough(last=True, usage=usage):
                self._told = True
                self._remember(silent=usage is not None and usage.estimated)
            case None:
                self._over = True
                if not self._told:
                    self._remember(silent=True)
                    return await self._usage()
            case _:
                pass
        return event

    def _remember(self, *, silent: bool) -> None:
        self._counter.remember(self._provider, self._request.model, silent=silent)

    async def _usage(self) -> Usage:
        request, model = self._request, self._request.model
        texts = ["".join(pieces) for pieces in self._said.values()]
        read = await self._counter.prompt(request, model)
        written = await self._counter.count(texts, model)
        if written is None:
            count = TokenCount()
            for text in texts:
                count = count.plus(text)
            written = count.tokens
        return Usage(estimate_request(request) if read is None else read, written, estimated=True)
