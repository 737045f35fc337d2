"""What a polyfill is: a request rewritten on its way out, and the answer on its way back."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from ...core.events import Event
from ...core.requests import ChatRequest


class Polyfill:
    """Leaves everything as it is; a subclass changes what it is for.

    One serves one choice of one call. *done*: nothing more of the provider is wanted. *last*: there
    will be no further try, so an answer that does not do raises its error.
    """

    def __init__(self, *, last: bool = True) -> None:
        self.last = last
        self.done = False

    def prepare(self, request: ChatRequest) -> ChatRequest:
        """The request for a provider that lacks it; UnsupportedError for what cannot be supplied."""
        return request

    def feed(self, event: Event) -> Iterable[Event]:
        """The events in the place of one event; none while it is held back."""
        return (event,)

    def close(self) -> Iterable[Event]:
        """What was held back, when nothing more comes."""
        return ()

    def again(self, request: ChatRequest) -> ChatRequest | None:
        """After the end: the request for another try; None when the answer will do."""
        return None


class Chain:
    """Polyfills one after the other, the one next to the provider first."""

    def __init__(self, polyfills: Sequence[Polyfill]) -> None:
        self._polyfills = polyfills

    @property
    def done(self) -> bool:
        """Whether nothing more of the provider is wanted."""
        return any(one.done for one in self._polyfills)

    def feed(self, event: Event) -> list[Event]:
        """What comes out at the end of the chain for one event."""
        return self._through([event], 0)

    def close(self) -> list[Event]:
        """What was held back anywhere in it."""
        found: list[Event] = []
        for at, one in enumerate(self._polyfills):
            found += self._through(list(one.close()), at + 1)
        return found

    def again(self, request: ChatRequest) -> ChatRequest | None:
        """The request for another try, where one of them wants it."""
        wanted = (one.again(request) for one in self._polyfills)
        return next((one for one in wanted if one is not None), None)

    def _through(self, events: list[Event], first: int) -> list[Event]:
        for one in self._polyfills[first:]:
            events = [out for event in events for out in one.feed(event)]
        return events
