"""What would become of a request: who would be asked first, who then, who not, and why."""

from __future__ import annotations

import asyncio
import math
from collections.abc import Iterable, Iterator, Mapping
from typing import Literal

import attrs

from ..core.errors import GatewayError
from ..core.requests import ChatRequest
from ..settings.condition_tree import Value
from .candidates import Candidate, Found, demand_usable
from .catalog import Catalog
from .choice import Place, places, ready
from .conditions import figures
from .desk import Desk
from .health import Health
from .polyfills.plan import SUPPLIED, asked, names
from .registry import Entry
from .state import CredentialStore

Asked = Literal["first", "then", "left_out"]


@attrs.frozen
class Prospect:
    """One provider with one of its models, as the request would find it.

    *why* says what put it in its place, or out of the order; it is empty where nothing did but the
    settings. *wait*: seconds until it may be asked; None when nobody knows. *when* is its
    condition, with what the names in it stand for in *values*. *health* is how the model has been
    doing; None for a provider that cannot be asked at all. *model* is empty where it stays open.
    *emulated* names what would be supplied for this request because the provider lacks it, as in
    ``x-emulated``; *suppliable*, what would be for requests that ask for it.
    """

    provider: str
    model: str
    asked: Asked
    why: str = ""
    wait: float | None = None
    when: str | None = None
    values: Mapping[str, Value] = attrs.field(factory=dict)
    health: Health | None = None
    emulated: tuple[str, ...] = ()
    suppliable: tuple[str, ...] = ()


@attrs.frozen
class Explanation:
    """The order for a request, those left out at the end; *error* is what it would be told at once.

    *rule* says which rule chose them.
    """

    prospects: tuple[Prospect, ...]
    rule: str
    error: GatewayError | None = None


async def explain(request: ChatRequest, catalog: Catalog, desk: Desk) -> Explanation:
    """Take the way of a request up to its first call, which is not made."""
    found = await catalog.find(request)
    credentials = desk.credentials
    candidates, error = found.candidates, found.error
    if found.particular:
        try:
            candidates = tuple(catalog.taking(found, request))
        except GatewayError as caught:
            candidates, error = (), caught
    order = places(candidates, desk.health, credentials, desk.quarantine)
    if error is None:
        try:
            ready(order, credentials)
        except GatewayError as caught:
            error = caught
    prospects = [_prospect(place, at, request, credentials) for at, place in enumerate(order)]
    prospects += (_ignoring(one, request) for one in found.candidates if one not in candidates)
    prospects += (_out(one.provider, one.model, one.error) for one in found.left_out)
    if found.anybody:
        entries = await asyncio.to_thread(catalog.registry.load_all)
        prospects += _unusable(request.model, found, entries, catalog)
    return Explanation(tuple(prospects), found.rule, error)


def _prospect(
    place: Place, at: int, request: ChatRequest, credentials: CredentialStore
) -> Prospect:
    """A candidate at a place of the order, the first of which is 0."""
    candidate, when = place.candidate, place.candidate.when
    asked: Asked = "then" if at else "first"
    return Prospect(
        candidate.entry.name,
        candidate.model,
        asked if place.wait == 0 else "left_out",
        place.why,
        place.wait if place.wait < math.inf else None,
        when.text if when is not None else None,
        {} if when is None else figures(when, candidate, place.standing, credentials),
        place.standing.model,
        names(request, candidate.supplied, candidate.ignores),
        _suppliable(candidate),
    )


def _suppliable(candidate: Candidate) -> tuple[str, ...]:
    lacking: tuple[str, ...] = ()
    if candidate.follows_instructions:
        can = candidate.capabilities
        lacking = tuple(name for flag, name in SUPPLIED.items() if flag not in can)
    return (*lacking, *sorted(candidate.ignores))


def _ignoring(candidate: Candidate, request: ChatRequest) -> Prospect:
    """One that is not asked, as others take all parameters, or as nobody may supply them."""
    what = ", ".join(sorted(asked(request, candidate.ignores)))
    why = f"{candidate.entry.name} does not take: {what}"
    return Prospect(candidate.entry.name, candidate.model, "left_out", why)


def _out(provider: str, model: str, error: GatewayError) -> Prospect:
    return Prospect(provider, model, "left_out", error.message)


def _unusable(
    model: str, found: Found, entries: Iterable[Entry], catalog: Catalog
) -> Iterator[Prospect]:
    """Those that would be asked, too, if they did not lack something."""
    told = {one.provider for one in found.left_out}
    for entry in entries:
        info = catalog.model(entry, model)
        if entry.usable or entry.name in told or not (entry.chosen or info is not None):
            continue
        try:
            demand_usable(entry, own_key=False, ignored=False)
        except GatewayError as error:
            yield _out(entry.name, info.id if info is not None else "", error)
