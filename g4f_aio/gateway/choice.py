"""In which order candidates are asked, and who is left alone for now."""

from __future__ import annotations

import math
from collections.abc import Sequence

import attrs

from ..core.errors import OverloadedError
from .candidates import Candidate
from .conditions import figures, shown
from .credentials import Credential
from .health import Standing
from .quarantine import Quarantine
from .state import CredentialStore, HealthStore

#: of automatic choice: who fails this share of its calls comes after the others …
UNHEALTHY = 0.5
#: … and so does who takes this many times longer than the fastest to begin
SLOW = 2.0
#: calls from which on the share says something
_ENOUGH = 5


# not in slots: it is made for every request, and that takes half the time so
@attrs.frozen(slots=False)
class Place:
    """A candidate's place in the order; *why* explains it where it is not the settings' own.

    *wait*: seconds until it may be asked, without end while its condition does not hold. *key*: the
    one to ask with, where there is no choice. *unhealthy* and *slow* are only said of those that are
    chosen automatically.
    """

    candidate: Candidate
    standing: Standing
    wait: float = 0.0
    why: str = ""
    key: Credential | None = None
    unhealthy: bool = False
    slow: bool = False


def places(
    candidates: Sequence[Candidate],
    health: HealthStore,
    credentials: CredentialStore,
    quarantine: Quarantine,
) -> list[Place]:
    """All candidates, the one to ask first at the beginning, those that may not be asked at the end."""
    if len(candidates) == 1:
        return [_place(candidates[0], health, credentials, quarantine)]
    found = [_place(one, health, credentials, quarantine) for one in candidates]
    fastest = _fastest(found)
    found = [_compared(place, fastest) for place in found]
    found.sort(key=_rank)
    return found


def in_order(
    candidates: Sequence[Candidate],
    health: HealthStore,
    credentials: CredentialStore,
    quarantine: Quarantine,
) -> list[Place]:
    """Those that may be asked now, in order; the error that says why when there is none."""
    return ready(places(candidates, health, credentials, quarantine), credentials)


def ready(found: Sequence[Place], credentials: CredentialStore) -> list[Place]:
    """Those that may be asked now; the error that says why when there is none."""
    able = [place for place in found if place.wait == 0]
    if able:
        return able
    waits = [place.wait for place in found if place.wait < math.inf]
    if (
        len(found) == 1
        and waits
        and found[0].standing.wait() == 0
        and credentials.wait(found[0].candidate.entry, found[0].candidate.model)
    ):
        credentials.take(
            found[0].candidate.entry, found[0].candidate.model
        )  # raises what is wrong with its keys
    wait = min(waits, default=None)
    why = "; ".join(place.why for place in found)
    hint = "" if wait is None else f". Try again in {wait:.1f} s"
    raise OverloadedError(
        f"No provider can be asked now: {why}{hint}",
        code="no_provider_available",
        provider=found[0].candidate.entry.name,
        retry_after=wait,
    )


def _place(
    candidate: Candidate, health: HealthStore, credentials: CredentialStore, quarantine: Quarantine
) -> Place:
    entry = candidate.entry
    standing = health.standing(entry.name, candidate.model, local=entry.local)
    when = candidate.when
    if when is not None:
        values = figures(when, candidate, standing, credentials)
        if not when.holds(values):
            why = f"{entry.name} is asked only when {when.text} ({shown(values)})"
            return Place(candidate, standing, math.inf, why)
    if quarantine.used and (reason := quarantine.reason(entry.name)):
        return Place(candidate, standing, quarantine.wait(entry.name), reason)
    why = ""
    model = standing.model
    if model.failed_at is not None or model.breaker.is_open or standing.provider.breaker.is_open:
        if wait := standing.wait():
            last = model.last_error or standing.provider.last_error or ""
            return Place(candidate, standing, wait, f"{entry.name} keeps failing ({last})")
        if standing.resting:
            why = f"{entry.name} failed just now"
    key = None
    if candidate.own_key is None:
        keys = credentials.of(entry)
        if len(keys) == 1 and not keys[0].rests:
            key = keys[0]
        elif wait := credentials.wait(entry, candidate.model):
            return Place(candidate, standing, wait, f"every key of {entry.name} rests")
    return Place(candidate, standing, 0.0, why, key)


def _fastest(found: Sequence[Place]) -> float | None:
    """The shortest time to a first event among those that are chosen automatically, in seconds."""
    times = [
        place.standing.model.ttft
        for place in found
        if place.candidate.automatic
        and place.standing.model.ttft is not None
        and place.standing.model.recent
    ]
    return min(times, default=None)


def _compared(place: Place, fastest: float | None) -> Place:
    """With what speaks against one that nobody named, next to the others."""
    if not (place.candidate.automatic and place.standing.model.recent):
        return place
    name, model = place.candidate.entry.name, place.standing.model
    rate, ttft = model.success_rate, model.ttft
    why = place.why
    slow = fastest is not None and ttft is not None and ttft > SLOW * fastest
    if slow:
        why = why or f"{name} takes {ttft:.3g} s to begin, the fastest {fastest:.3g} s"
    unhealthy = rate is not None and model.calls >= _ENOUGH and rate < UNHEALTHY
    if unhealthy:
        why = place.why or f"only {rate:.0%} of the last calls of {name} succeeded"
    return attrs.evolve(place, why=why, unhealthy=unhealthy, slow=slow) if why else place


def _rank(place: Place) -> tuple[bool, bool, bool, bool]:
    """Smaller is better; the order of the settings decides between equals."""
    return (place.wait > 0, place.standing.resting, place.unhealthy, place.slow)
