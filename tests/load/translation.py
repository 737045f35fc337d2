"""What it costs to translate: the same streams between the same upstreams and clients of each dialect."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import attrs

from tests.load.clients import Way
from tests.load.report import number, table
from tests.load.workloads import Figures, Workload

#: by upstream, that which is handed on as it is first
WAYS = (
    Way("chat", "chat"),
    Way("chat", "responses"),
    Way("chat", "messages"),
    Way("messages", "messages"),
    Way("messages", "chat"),
    Way("messages", "responses"),
)
#: clients of streams that come at once
_CROWD = 4
_HEAD = (
    "upstream to client",
    "CPU µs a frame",
    "of pass-through",
    "at once",
    "of pass-through",
    "p50 ms",
    "p99 ms",
    "first p50",
    "direct",
    "added ms",
    "failed",
)


@attrs.frozen
class Cost:
    """The figures of one way: streams at reading speed, long ones at once, and one client's first word.

    *words* is how many a stream at once has.
    """

    way: Way
    paced: Figures
    at_once: Figures
    first: Figures
    direct: Figures
    words: int

    @property
    def frame(self) -> float | None:
        """CPU time of a frame that comes alone, in microseconds."""
        return self.paced.cpu

    @property
    def frame_at_once(self) -> float | None:
        """The same of one that comes with others."""
        return self.at_once.cpu / self.words if self.at_once.cpu is not None else None

    @property
    def added(self) -> float | None:
        """Milliseconds that the first word takes longer than without the gateway."""
        if self.first.first_p50 is None or self.direct.first_p50 is None:
            return None
        return self.first.first_p50 - self.direct.first_p50

    @property
    def failed(self) -> int:
        """How many requests failed."""
        return sum(one.failed for one in (self.paced, self.at_once, self.first, self.direct))


def measured(
    way: Way,
    measure: Callable[[Workload], Figures],
    directly: Callable[[Workload], Figures],
    paced: Workload,
    words: int,
) -> Cost:
    """The cost of one way; *paced* says how many streams there are, and how fast."""
    name = f"{way.upstream} to {way.client}"
    first = Workload(f"{name}, the first word", 1, 1, way=way)
    return Cost(
        way,
        measure(attrs.evolve(paced, name=f"{name}, paced", way=way)),
        measure(Workload(f"{name}, at once", _CROWD, words, way=way)),
        measure(first),
        directly(first.direct),
        words,
    )


def report(costs: Sequence[Cost]) -> str:
    """A line for each way, beside the one of the same upstream that is handed on."""
    passed = {cost.way.upstream: cost for cost in costs if not cost.way.translated}
    return table(_HEAD, [_row(cost, passed.get(cost.way.upstream)) for cost in costs])


def _row(cost: Cost, passed: Cost | None) -> tuple[str, ...]:
    alone, together = (None, None) if passed is None else (passed.frame, passed.frame_at_once)
    return (
        f"{cost.way.upstream} to {cost.way.client}",
        number(cost.frame),
        number(_share(cost.frame, alone)),
        number(cost.frame_at_once),
        number(_share(cost.frame_at_once, together)),
        number(cost.paced.p50),
        number(cost.paced.p99),
        number(cost.first.first_p50),
        number(cost.direct.first_p50),
        number(cost.added),
        str(cost.failed),
    )


def _share(one: float | None, other: float | None) -> float | None:
    return one / other if one is not None and other else None


def as_json(cost: Cost) -> dict[str, Any]:
    """For other programs."""
    found = {"frame_us": cost.frame, "frame_at_once_us": cost.frame_at_once}
    return attrs.asdict(cost) | found | {"added_ms": cost.added}
