"""How each provider has been doing, from the calls it got."""

from __future__ import annotations

import time
from collections import deque

import attrs

from ..core.errors import AuthenticationError, BadRequestError, GatewayError

#: the last calls that count
WINDOW = 50
#: seconds for which a provider that failed comes after the others
REST = 30.0


@attrs.define
class Health:
    """One provider's record. Times are Unix time in seconds, *ttft* is in seconds."""

    last_ok: float | None = None
    last_error: str | None = None
    ttft: float | None = None
    _failed_at: float | None = None
    _calls: deque[bool] = attrs.field(factory=lambda: deque(maxlen=WINDOW))

    @property
    def state(self) -> str:
        """``unknown`` before the first call, then ``ok`` or ``failing`` by the last one."""
        if not self._calls:
            return "unknown"
        return "ok" if self._calls[-1] else "failing"

    @property
    def success_rate(self) -> float | None:
        """The share of the last calls that succeeded; None before the first."""
        return sum(self._calls) / len(self._calls) if self._calls else None

    @property
    def resting(self) -> bool:
        """Whether it failed just now: then others are asked first."""
        return self._failed_at is not None and time.monotonic() - self._failed_at < REST

    def succeeded(self, ttft: float | None) -> None:
        """A call came to its proper end; its first event came after *ttft* seconds."""
        if ttft is not None:
            # an average that favours the newer ones
            self.ttft = ttft if self.ttft is None else 0.8 * self.ttft + 0.2 * ttft
        self._calls.append(True)
        self._failed_at = None
        self.last_ok = time.time()

    def failed(self, error: GatewayError) -> None:
        """A call failed; a wrong request, or a wrong key of the caller's own, is not its fault."""
        if isinstance(error, BadRequestError | AuthenticationError):
            return
        self._calls.append(False)
        self._failed_at = time.monotonic()
        self.last_error = error.message


class HealthBook:
    """The records of all providers by name."""

    def __init__(self) -> None:
        self._records: dict[str, Health] = {}

    def of(self, provider: str) -> Health:
        """The record of one provider, made when it is new."""
        return self._records.setdefault(provider, Health())
