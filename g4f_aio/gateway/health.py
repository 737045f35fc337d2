"""How each provider and each of its models has been doing, from the calls they got."""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Callable

from ..core.errors import (
    AuthenticationError,
    BadRequestError,
    GatewayError,
    RateLimitError,
    UpstreamAuthError,
    UpstreamError,
)
from .breaker import LONGEST, Breaker
from .trials import Trials

#: the last calls that count
WINDOW = 50
#: seconds for which a provider that failed comes after the others
REST = 30.0
#: seconds a server on this machine is left alone at most: it may be started any moment
LONGEST_LOCAL = 5.0
#: calls from which on a share of them says something
ENOUGH = 20
#: seconds without a call after which those before say nothing about the next one
FORGET = 300.0
#: seconds for which a good word says that its provider is well
FRESH = 30.0
#: the most models whose records are kept
MODELS = 2000
#: how much a new figure weighs against the average of the older ones
_WEIGHT = 0.2


class Health:
    """The record of a provider or of one of its models.

    *last_ok* is Unix time in seconds; *ttft*, the time to the first event, is in seconds; *speed* is
    in tokens per second.
    """

    __slots__ = (
        "_calls",
        "_clock",
        "_ended_at",
        "_firsts",
        "_spoke_at",
        "breaker",
        "failed_at",
        "last_error",
        "last_ok",
        "running",
        "speed",
        "ttft",
    )

    def __init__(self, clock: Callable[[], float], longest: float = LONGEST) -> None:
        self._clock = clock
        self.last_ok: float | None = None
        self.last_error: str | None = None
        self.ttft: float | None = None
        self.speed: float | None = None
        #: calls under way
        self.running = 0
        self.breaker = Breaker(longest)
        self._ended_at = float("-inf")
        #: when the last call did, on the clock; None when it succeeded
        self.failed_at: float | None = None
        #: when content came last, if no failure did since
        self._spoke_at: float | None = None
        self._calls: deque[bool] = deque(maxlen=WINDOW)
        self._firsts: deque[float] = deque(maxlen=WINDOW)

    @property
    def state(self) -> str:
        """``unknown`` before the first call, ``open`` while left alone, else by the last call."""
        if self.breaker.is_open:
            return "open"
        if not self._calls:
            return "unknown"
        return "ok" if self._calls[-1] else "failing"

    @property
    def calls(self) -> int:
        """How many of the last calls are known, at most ``WINDOW``."""
        return len(self._calls)

    @property
    def success_rate(self) -> float | None:
        """The share of the last calls that succeeded; None before the first."""
        return sum(self._calls) / len(self._calls) if self._calls else None

    @property
    def recent(self) -> bool:
        """Whether a call ended lately; else who chooses goes by nothing that was measured.

        Who is asked no more because of a figure would otherwise never get a better one.
        """
        return self._clock() - self._ended_at < FORGET

    @property
    def resting(self) -> bool:
        """Whether it failed just now: then others are asked first."""
        return self.failed_at is not None and self._clock() - self.failed_at < REST

    @property
    def well(self) -> bool:
        """Whether the last that was heard of it is good, and new."""
        return self._spoke_at is not None and self._clock() - self._spoke_at < FRESH

    @property
    def slow_after(self) -> float | None:
        """Seconds within which nine of ten first events came; None while too few are known."""
        if len(self._firsts) < ENOUGH:
            return None
        return sorted(self._firsts)[len(self._firsts) * 9 // 10]

    def spoke(self) -> None:
        """A call has got its first content."""
        self._spoke_at = self._clock()

    def succeeded(self, ttft: float | None, speed: float | None) -> None:
        """A call came to its proper end, its first event after *ttft* seconds."""
        now = self._clock()
        if now - self._ended_at >= FORGET:
            self._forget()
        self._ended_at = self._spoke_at = now
        self.failed_at = None
        self.last_ok = time.time()
        self._calls.append(True)
        self.breaker.succeeded(now)
        if ttft is not None:
            self._firsts.append(ttft)
            # an average that favours the newer ones
            self.ttft = ttft if self.ttft is None else self.ttft + _WEIGHT * (ttft - self.ttft)
        if speed is not None:
            self.speed = (
                speed if self.speed is None else self.speed + _WEIGHT * (speed - self.speed)
            )

    def failed(self, error: GatewayError) -> None:
        """A call failed by the provider's fault."""
        now = self._clock()
        if now - self._ended_at >= FORGET:
            self._forget()
        self._ended_at = self.failed_at = now
        self._calls.append(False)
        self._spoke_at = None
        self.last_error = error.message

    def _forget(self) -> None:
        """After a long pause a call is the first of a new record."""
        self._calls.clear()
        self._firsts.clear()
        self.ttft = self.speed = None


class Standing:
    """A provider and one of its models as one, which is what a call is about."""

    __slots__ = ("_clock", "model", "provider", "trials")

    def __init__(self, provider: Health, model: Health, clock: Callable[[], float]) -> None:
        self.provider = provider
        self.model = model
        self._clock = clock
        #: there are some until a call says whether it is well: ``answered`` with its first content
        self.trials: Trials | None = None

    def wait(self) -> float:
        """Seconds until a call may be tried; 0 when one may be tried now."""
        provider, model = self.provider.breaker, self.model.breaker
        if not (provider.is_open or model.is_open):
            return 0.0
        now = self._clock()
        return max(provider.wait(now), model.wait(now))

    @property
    def resting(self) -> bool:
        """Whether it failed just now."""
        return self.model.resting

    def try_out(self) -> Trials:
        """The way to it for requests that others failed, while nobody knows it to be well."""
        if self.trials is None:
            self.trials = Trials(self.model.breaker)
        return self.trials

    def begin(self) -> float | None:
        """A call begins; exactly one of the other three follows, and gets what this returns."""
        self.provider.running += 1
        self.model.running += 1
        if not (self.provider.breaker.is_open or self.model.breaker.is_open):
            return None
        now = self._clock()
        self.provider.breaker.begin(now)
        self.model.breaker.begin(now)
        return now

    def answered(self, began: float | None) -> None:
        """The call has got its first content; its end is still to come."""
        self.provider.breaker.answered(began)
        self.model.breaker.answered(began)
        self.model.spoke()
        if self.trials is not None:
            self._end_trials(self.trials, well=True)

    def release(self, began: float | None) -> None:
        """The call ended without telling anything about its provider."""
        self._end()
        self.provider.breaker.release(began)
        self.model.breaker.release(began)

    def succeeded(self, ttft: float | None, speed: float | None) -> None:
        """The call came to its proper end; *ttft* in seconds, *speed* in tokens per second."""
        for one in (self.provider, self.model):
            one.running -= 1
            one.succeeded(ttft, speed)
        if self.trials is not None:
            self._end_trials(self.trials, well=True)

    def failed(self, error: GatewayError, began: float | None) -> None:
        """The call failed.

        A wrong request, or a wrong key of the caller's own, is not the provider's fault. A refused
        or exhausted key says nothing about other keys, so no breaker counts it. Who cannot be
        reached cannot be reached for any model.
        """
        match error:
            case BadRequestError() | AuthenticationError():
                self.release(began)
                return
            case RateLimitError() | UpstreamAuthError():
                self.release(began)
            case _:
                self._end()
                now = self._clock()
                self.model.breaker.failed(now, began)
                if isinstance(error, UpstreamError) and error.unreachable:
                    self.provider.breaker.failed(now, began)
                else:
                    self.provider.breaker.release(began)
        self.provider.failed(error)
        self.model.failed(error)
        if self.trials is not None and self.wait():
            self._end_trials(self.trials, well=False)

    def _end_trials(self, trials: Trials, *, well: bool) -> None:
        self.trials = None
        trials.end(well=well)

    def _end(self) -> None:
        self.provider.running -= 1
        self.model.running -= 1


class HealthBook:
    """The records of all providers and models. *clock* is monotonic, in seconds."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._providers: dict[str, Health] = {}
        self._standings: dict[tuple[str, str], Standing] = {}

    def of(self, provider: str, *, local: bool = False) -> Health:
        """The record of a provider, made when it is new. *local*: it runs on this machine."""
        found = self._providers.get(provider)
        if found is None:
            longest = LONGEST_LOCAL if local else LONGEST
            found = self._providers[provider] = Health(self._clock, longest)
        return found

    def standing(self, provider: str, model: str, *, local: bool = False) -> Standing:
        """A provider with one of its models."""
        found = self._standings.get((provider, model))
        if found is None:
            if len(self._standings) >= MODELS:
                self._forget()
            longest = LONGEST_LOCAL if local else LONGEST
            health = Health(self._clock, longest)
            found = Standing(self.of(provider, local=local), health, self._clock)
            self._standings[provider, model] = found
        return found

    def standings(self) -> dict[tuple[str, str], Standing]:
        """All that are known, by provider and model."""
        return dict(self._standings)

    def _forget(self) -> None:
        """Make room: names of models come from clients, and there is no end to them."""
        for key, one in tuple(self._standings.items()):
            if not one.model.running:
                del self._standings[key]
