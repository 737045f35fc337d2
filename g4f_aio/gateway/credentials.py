"""The keys this server holds for each provider: used in turn, and left alone when refused."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping

import attrs

from ..core.errors import GatewayError, RateLimitError, UpstreamAuthError
from .registry import Entry

#: seconds a key rests that has used up its quota and was not told how long: at first, at most
COOLDOWN = 1.0
LONGEST = 300.0
#: seconds a key rests that was refused: at first, at most
QUARANTINE = 10.0
LONGEST_QUARANTINE = 3600.0
#: the most models of a key whose rests are remembered
MODELS = 1000
_FORBIDDEN = 403


@attrs.frozen
class Rest:
    """A key is left alone until then; it had lasted *seconds*. *refused*: not just for its quota."""

    until: float
    seconds: float
    refused: bool


@attrs.define(eq=False)
class Credential:
    """A key of a provider, None where it takes none.

    It rests for one model, because quotas and permissions are mostly for one, or for all of them.
    """

    value: str | None = attrs.field(repr=False)
    #: by model; None: for all of them
    rests: dict[str | None, Rest] = attrs.field(factory=dict, init=False)

    def rest(self, model: str) -> Rest | None:
        """The longer of the rests that hold for *model*; None when none was ever needed."""
        if not self.rests:
            return None
        found = [rest for rest in map(self.rests.get, (None, model)) if rest is not None]
        return max(found, key=lambda rest: rest.until, default=None)

    def succeeded(self, model: str) -> None:
        """It was accepted."""
        if self.rests:
            self.rests.pop(None, None)
            self.rests.pop(model, None)

    def failed(self, model: str, error: GatewayError, now: float) -> None:
        """A call with it failed; it rests when that was because of it."""
        match error:
            case RateLimitError(retry_after=hint):
                seconds = self._longer(model, COOLDOWN, LONGEST, now)
                rest = seconds if hint is None else min(hint, LONGEST_QUARANTINE)
                self._rest(model, Rest(now + rest, seconds, refused=False))
            case UpstreamAuthError(upstream_status=status):
                where = model if status == _FORBIDDEN else None
                seconds = self._longer(where, QUARANTINE, LONGEST_QUARANTINE, now)
                self._rest(where, Rest(now + seconds, seconds, refused=True))
            case _:
                pass

    def _longer(self, where: str | None, first: float, longest: float, now: float) -> float:
        last = self.rests.get(where)
        if last is None:
            return first
        if last.until > now:  # a call from before it rests says nothing new
            return max(first, last.seconds)
        return min(max(first, last.seconds * 2), longest)

    def _rest(self, where: str | None, rest: Rest) -> None:
        if len(self.rests) >= MODELS:
            self.rests.clear()
        self.rests[where] = rest


class CredentialBook:
    """All keys of all providers and how they stand. *clock* is monotonic, in seconds."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._keys: dict[str, dict[str | None, Credential]] = {}
        #: those of each entry as it was last asked for
        self._found: dict[str, tuple[Entry, tuple[Credential, ...]]] = {}
        self._last: dict[str, int] = {}
        #: the keys that the newest settings have; None before a reload
        self._held: Mapping[str, tuple[str | None, ...]] | None = None

    def of(self, entry: Entry) -> tuple[Credential, ...]:
        """The keys of a provider, in the order of the settings; one without value where it has none."""
        found = self._found.get(entry.name)
        if found is not None and found[0] is entry:
            return found[1]
        known = self._keys.get(entry.name, {})
        keys = {value: known.get(value) or Credential(value) for value in entry.credentials}
        # a request that goes on with older settings brings no key back that a reload removed
        if self._held is None or set(keys) <= {None, *self._held.get(entry.name, ())}:
            self._keys[entry.name] = known | keys
            self._found[entry.name] = (entry, tuple(keys.values()))
        return tuple(keys.values())

    def keep(self, held: Mapping[str, tuple[str | None, ...]]) -> None:
        """Forget every key but those *held*, by the names of their providers: the settings are new."""
        self._held = held
        self._found.clear()
        for name, known in self._keys.items():
            stays = {None, *held.get(name, ())}
            self._keys[name] = {value: key for value, key in known.items() if value in stays}

    def wait(self, entry: Entry, model: str) -> float:
        """Seconds until a key of it may be used for *model*; 0 when one may be used now."""
        rests = [key.rest(model) for key in self.of(entry)]
        if None in rests:
            return 0.0
        now = self._clock()
        return max(0.0, min(rest.until for rest in rests if rest is not None) - now)

    def any(self, entry: Entry) -> str | None:
        """A key for what costs nothing, such as a list of models: one that does not rest, if any."""
        keys = self.of(entry)
        return next((key for key in keys if None not in key.rests), keys[0]).value

    def take(self, entry: Entry, model: str) -> Credential:
        """The next key in turn that does not rest; the error that says why when there is none."""
        keys = self.of(entry)
        if len(keys) == 1 and not keys[0].rests:
            return keys[0]
        now = self._clock()
        start = self._last.get(entry.name, -1) + 1
        rests = []
        for step in range(len(keys)):
            at = (start + step) % len(keys)
            rest = keys[at].rest(model)
            if rest is None or rest.until <= now:
                self._last[entry.name] = at
                return keys[at]
            rests.append(rest)
        raise _at_rest(entry.name, min(rests, key=lambda rest: rest.until), now)

    def failed(self, credential: Credential, model: str, error: GatewayError) -> None:
        """A call with it failed."""
        credential.failed(model, error, self._clock())


def _at_rest(provider: str, rest: Rest, now: float) -> GatewayError:
    wait = rest.until - now
    if rest.refused:
        return UpstreamAuthError(
            f"{provider} refused every key this server has for it; it is asked again in {wait:.0f} s",
            provider=provider,
            retry_after=wait,
        )
    return RateLimitError(
        f"Every key of {provider} has used up its quota; try again in {wait:.1f} s",
        provider=provider,
        retry_after=wait,
    )
