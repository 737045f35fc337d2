"""What a key may use: models by their names, requests and tokens by the minute."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING

import attrs

from ..core.lazy import LazyModule
from ..core.models import Capability
from ..core.operations import Operation, Request
from ..core.record import RequestRecord
from ..core.request_tokens import estimate_request
from ..settings import KeySettings, Settings
from .search import DEFAULT

if TYPE_CHECKING:
    from ..core import stores
else:  # most servers have no limits
    stores = LazyModule("..core.stores", __package__)

#: tokens that are reserved for an answer whose length the request does not bound
ANSWER = 500
#: what one request or token weighs in a meter, so that a limit of N is drained by N per nanosecond
_WEIGHT = 60 * 10**9
#: what a restricted key must be allowed to have a model chosen for it
AUTOMATIC = "auto"


class ModelNames:
    """The models that a key may ask for; in their names, ``*`` stands for any text."""

    def __init__(self, names: Iterable[str]) -> None:
        names = tuple(names)
        self._names = frozenset(name for name in names if "*" not in name)
        self._patterns = tuple(name.split("*") for name in names if "*" in name)

    def __contains__(self, name: str) -> bool:
        return name in self._names or any(_fits(parts, name) for parts in self._patterns)


def _fits(parts: list[str], name: str) -> bool:
    """Whether the *parts* of a pattern are in *name* in their order; linear in its length."""
    first, *middle, last = parts
    end = len(name) - len(last)
    at = len(first)
    if end < at or not name.startswith(first) or not name.endswith(last):
        return False
    for part in middle:
        found = name.find(part, at, end)
        if found < 0:
            return False
        at = found + len(part)
    return True


@attrs.frozen
class Limits:
    """What a key may do at most; None where everything is allowed."""

    quota: stores.Quota | None = None
    models: ModelNames | None = None

    @classmethod
    def of(cls, key: KeySettings) -> Limits | None:
        """Those of a key in the settings; None when it has none."""
        quota = stores.Quota(key.requests_per_minute, key.tokens_per_minute)
        limited = quota != stores.Quota()
        if not limited and not key.models:
            return None
        return cls(quota if limited else None, ModelNames(key.models) if key.models else None)


def asked_model(chat: Request, settings: Settings, resolve: Callable[[str], str | None]) -> str:
    """What a request asks for, as the one name by which a key is allowed it.

    ``PROVIDER:MODEL`` where it names a provider, whose default model goes by the provider's name
    alone; else the model just as the client calls it, be it an alias. Where it names no model: the
    settings' default, or ``auto``. *resolve* gives a provider's name as it is really written.
    """
    provider, model = chat.routing.provider, chat.model
    open_ = model.lower() in DEFAULT
    if provider is not None:
        name = resolve(provider) or provider
        return name if open_ else f"{name}:{model}"
    if not open_ or model in settings.models:
        return model
    default = settings.routing
    # that is a model for chats
    if Capability.CHAT in chat.needs and default.model and default.model.lower() not in DEFAULT:
        return default.model
    return default.provider or AUTOMATIC


def prompt_tokens(chat: Request) -> int:
    """About how many tokens the prompt of a request has."""
    return chat.prompt_tokens if isinstance(chat, Operation) else estimate_request(chat)


def answer_tokens(chat: Request) -> int:
    """The most tokens that the answer to a request may have, or a guess where it does not say."""
    if isinstance(chat, Operation):
        most = chat.answer_tokens
        return ANSWER if most is None else most
    most = chat.sampling.max_tokens
    return (ANSWER if most is None else max(0, most)) * max(1, chat.n)


def bounds_answer(chat: Request) -> bool:
    """Whether a request says how many tokens its answer may have."""
    if isinstance(chat, Operation):
        return chat.answer_tokens is not None
    return chat.sampling.max_tokens is not None


def used_tokens(record: RequestRecord, prompt: int) -> int:
    """How many tokens a request that has ended has used; *prompt* is the estimate for its prompt.

    None, unless an upstream began to answer, or was at it when the client left. Then what it
    reported; else the prompt, and the pieces in which the answer came.
    """
    tried = (one for one in record.attempts if one.called)
    if not any(one.ttft is not None or one.outcome == "cancelled" for one in tried):
        return 0
    usage = record.usage
    if usage is None:
        return prompt + record.pieces
    # what is reported about an answer that was cut may be from its beginning
    least = 0 if record.outcome == "ok" else record.pieces
    return max(0, usage.input) + max(least, usage.output)


class _Meter:
    """What was used of one limit, drained evenly: a whole limit in a minute.

    This is a token bucket seen from its other end, so that another limit changes nothing about
    what was used. All in integers; nothing is lost to rounding.
    """

    __slots__ = ("_at", "_limit", "_used")

    def __init__(self, now: int) -> None:
        self._at = now
        self._limit = 0
        self._used = 0

    def turn(self, now: int, limit: int | None = None) -> None:
        """Go on to the time *now*, in nanoseconds; from there on *limit* holds."""
        self._used = max(0, self._used - (now - self._at) * self._limit)
        self._at = now
        if limit is not None:
            self._limit = limit

    def add(self, amount: int) -> None:
        """So much was used, or is given back."""
        self._used = max(0, self._used + amount * _WEIGHT)

    def wait(self, amount: int) -> float:
        """Seconds until *amount* can be used."""
        return self._seconds(self._used + (amount - self._limit) * _WEIGHT)

    def allowance(self) -> stores.Allowance:
        """What is left."""
        left = max(0, self._limit - -(-self._used // _WEIGHT))
        return stores.Allowance(self._limit, left, self._seconds(self._used))

    def _seconds(self, weight: int) -> float:
        """How long it takes to drain so much."""
        return max(0, -(-weight // self._limit)) / 10**9


class MemoryQuotas:
    """What the keys have used, as long as this process runs. *clock* is monotonic, in nanoseconds.

    In any T seconds, what is reserved and not given back is at most the limit times 1 + T / 60.
    """

    def __init__(self, clock: Callable[[], int] = time.monotonic_ns) -> None:
        self._clock = clock
        self._requests: dict[str, _Meter] = {}
        self._tokens: dict[str, _Meter] = {}

    async def reserve(self, name: str, quota: stores.Quota, tokens: int) -> stores.Shortage | None:
        """Take one request and *tokens*, or nothing."""
        requests, used = self._meters(name, quota)
        short = None
        if requests is not None and (wait := requests.wait(1)):
            short = stores.Shortage("requests", wait)
        if used is not None and (wait := used.wait(tokens)) > (short.wait if short else 0):
            short = stores.Shortage("tokens", wait)
        if short is None:
            if requests is not None:
                requests.add(1)
            if used is not None:
                used.add(tokens)
        return short

    async def balance(self, name: str, quota: stores.Quota) -> stores.Balance:
        """What is left just now."""
        requests, tokens = self._meters(name, quota)
        return stores.Balance(
            None if requests is None else requests.allowance(),
            None if tokens is None else tokens.allowance(),
        )

    def settle(self, name: str, reserved: int, used: int) -> None:
        """Put *used* tokens in the place of *reserved* ones."""
        meter = self._meter(self._tokens, name)
        meter.turn(self._clock())
        meter.add(used - reserved)

    def _meters(self, name: str, quota: stores.Quota) -> tuple[_Meter | None, _Meter | None]:
        """Those for requests and tokens, brought to this moment; None where there is no limit."""
        now = self._clock()
        found = []
        for meters, limit in ((self._requests, quota.requests), (self._tokens, quota.tokens)):
            meter = None if limit is None else self._meter(meters, name)
            if meter is not None:
                meter.turn(now, limit)
            found.append(meter)
        return found[0], found[1]

    def _meter(self, meters: dict[str, _Meter], name: str) -> _Meter:
        found = meters.get(name)
        if found is None:
            found = meters[name] = _Meter(self._clock())
        return found
