"""The one call that shows whether a provider is well again."""

from __future__ import annotations

from collections.abc import Callable

from ..core.events import Event, Passthrough, Status
from .call import Call
from .counted_call import CountedCall
from .emulation import EmulatedCall


class Probe:
    """As the *call* in it; *answered* is told once when its first content comes.

    What a provider does, and comments of an upstream, are no content.
    """

    __slots__ = ("_answered", "_call")

    def __init__(
        self, call: Call | CountedCall | EmulatedCall, answered: Callable[[], None]
    ) -> None:
        self._call = call
        self._answered: Callable[[], None] | None = answered

    @property
    def emulated(self) -> tuple[str, ...]:
        """What is supplied here."""
        return self._call.emulated

    @property
    def pieces(self) -> int:
        """Parts of the answer that came."""
        return self._call.pieces

    @property
    def first_after(self) -> float | None:
        """Seconds from the start to the first event; None before it."""
        return self._call.first_after

    async def next(self) -> Event | None:
        """The next event, None after the last; GatewayError when there is none to come."""
        event = await self._call.next()
        if self._answered is not None:
            match event:
                case None | Status() | Passthrough(progress=False):
                    pass
                case _:
                    self._answered()
                    self._answered = None
        return event

    async def aclose(self) -> None:
        """Stop the provider."""
        await self._call.aclose()
