"""How things stand just now: what is under way, what waits, who is left alone."""

from __future__ import annotations

import time
from collections import Counter

import attrs
from aiohttp import web

from ..gateway.credentials import Credential
from ..gateway.gateway import Gateway
from ..gateway.registry import Entry
from ..keys import CURRENT, GATEWAY, TURNSTILE
from .counters import OTHER, Counters


@attrs.frozen
class ProviderGauges:
    """Of one provider. *resting* of its *keys* are left alone, if only for one model.

    *waiting* is None where any number of calls may be under way.
    """

    name: str
    running: int
    waiting: int | None
    left_alone: bool
    keys: int
    resting: int


@attrs.frozen
class Gauges:
    """Of the whole server. *left_alone* counts models whose breaker is open, by provider and model."""

    running: int
    waiting: int
    draining: bool
    providers: tuple[ProviderGauges, ...]
    left_alone: dict[tuple[str, str], int]


def gauges(app: web.Application, counters: Counters) -> Gauges:
    """How *app* stands."""
    turnstile = app[TURNSTILE]
    gateway = app[GATEWAY]
    return Gauges(
        turnstile.inside,
        turnstile.in_line,
        app[CURRENT].draining,
        tuple(_provider(gateway, entry) for entry in gateway.now.registry.chosen),
        _left_alone(gateway, counters),
    )


def _provider(gateway: Gateway, entry: Entry) -> ProviderGauges:
    desk, settings = gateway.desk, gateway.now.settings
    health = desk.health.of(entry.name, local=entry.local)
    waiting = None
    if entry.settings.max_requests is not None:
        waiting = desk.turnstile(entry, settings.server.queue).in_line
    keys = [key for key in desk.credentials.of(entry) if key.value is not None]
    return ProviderGauges(
        entry.name,
        health.running,
        waiting,
        health.breaker.is_open,
        len(keys),
        sum(map(_rests, keys)),
    )


def _rests(key: Credential) -> bool:
    now = time.monotonic()
    return any(rest.until > now for rest in key.rests.values())


def _left_alone(gateway: Gateway, counters: Counters) -> dict[tuple[str, str], int]:
    """By provider and model, 0 for those that are told apart; the others together."""
    found: Counter[tuple[str, str]] = Counter()
    for (provider, model), standing in gateway.health.standings().items():
        shown = counters.model(provider, model)
        is_open = standing.model.breaker.is_open
        if is_open or shown is not OTHER:
            found[provider, shown] += is_open
    return dict(found)
