"""What the names in a condition stand for: how a candidate has been doing, and the time of day."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING

import attrs

from .candidates import Candidate
from .health import Health, Standing
from .state import CredentialStore

if TYPE_CHECKING:
    from ..settings.condition_tree import Value
    from ..settings.conditions import Condition


@attrs.frozen
class Outlook:
    """A candidate at one moment. Figures are of its model; *now* is the local time."""

    candidate: Candidate
    standing: Standing
    credentials: CredentialStore
    now: time.struct_time

    @property
    def model(self) -> Health | None:
        """What was measured of its model; None when that is long ago."""
        return self.standing.model if self.standing.model.recent else None

    @property
    def quota_wait(self) -> float:
        """Seconds until a key may be used; a caller's own key may be used at once."""
        if self.candidate.own_key is not None:
            return 0.0
        return self.credentials.wait(self.candidate.entry, self.candidate.model)


def _measured(figure: Callable[[Health], Value]) -> Callable[[Outlook], Value]:
    """A figure that is not known any more once the last call is long ago."""

    def look(outlook: Outlook) -> Value:
        model = outlook.model
        return None if model is None else figure(model)

    return look


def _error_rate(model: Health) -> float | None:
    """The share of the last calls that failed, without the dust of floating point."""
    rate = model.success_rate
    return None if rate is None else round(1 - rate, 9)


#: every name that there is in ``settings.condition_tree``
FIGURES: dict[str, Callable[[Outlook], Value]] = {
    "success_rate": _measured(lambda model: model.success_rate),
    "error_rate": _measured(_error_rate),
    "ttft": _measured(lambda model: model.ttft),
    "ttft_p90": _measured(lambda model: model.slow_after),
    "speed": _measured(lambda model: model.speed),
    "calls": lambda outlook: 0 if outlook.model is None else outlook.model.calls,
    "running": lambda outlook: outlook.standing.model.running,
    "quota_wait": lambda outlook: outlook.quota_wait,
    "resting": lambda outlook: outlook.standing.resting,
    # not ``is_open``: once a probe may pass, one has to, or it would stay so for ever
    "open": lambda outlook: outlook.standing.wait() > 0,
    "hour": lambda outlook: outlook.now.tm_hour,
    "weekday": lambda outlook: outlook.now.tm_wday + 1,
}


def figures(
    condition: Condition,
    candidate: Candidate,
    standing: Standing,
    credentials: CredentialStore,
    now: time.struct_time | None = None,
) -> dict[str, Value]:
    """What the names in *condition* stand for now; None for what is not known yet."""
    outlook = Outlook(candidate, standing, credentials, now or time.localtime())
    return {name: FIGURES[name](outlook) for name in condition.names}


def shown(values: Mapping[str, Value]) -> str:
    """The values for people."""
    return ", ".join(f"{name} is {_shown(value)}" for name, value in values.items())


def _shown(value: Value) -> str:
    match value:
        case None:
            return "not known"
        case bool():
            return "yes" if value else "no"
        case _:
            return f"{value:.3g}"
