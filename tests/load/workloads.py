"""The workloads: clients that ask as fast as they get answers, and streams at reading speed."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from typing import Any

import attrs

from tests.load.clients import PASSED, Client, Place, Tally, Way
from tests.load.processes import Usage, usage

#: seconds that late answers get before they count as failed
GRACE = 10.0
#: events besides the words: for chat completions the role, the finish, and [DONE]
AROUND = {"chat": 3, "responses": 8, "messages": 5}


@attrs.frozen
class Workload:
    """What clients do. *words* is 0 for answers that are not streamed.

    With an *interval* (seconds between two words) each client reads one stream; otherwise it asks
    again and again for some seconds.
    """

    name: str
    clients: int
    words: int = 0
    interval: float = 0.0
    way: Way = PASSED

    @property
    def direct(self) -> Workload:
        """The same without anybody between the client and the upstream."""
        return attrs.evolve(self, way=Way(self.way.upstream, self.way.upstream))

    @property
    def events(self) -> int:
        """How many a whole stream has; 0 for an answer that is none."""
        return self.words + AROUND[self.way.client] if self.words else 0

    @property
    def model(self) -> str:
        """The upstream's model that plays along."""
        if self.interval:
            return f"paced-{self.interval * 1000:.0f}-{self.words}"
        return f"burst-{self.words}" if self.words else "mock"

    @property
    def unit(self) -> str:
        """What is counted."""
        return "words" if self.interval else "streams" if self.words else "requests"


@attrs.frozen
class Figures:
    """How a workload went. Times are in milliseconds.

    *cpu* is the CPU time of the gateway's processes in microseconds for each unit, *busy* the share
    of a core that they used.
    """

    workload: str
    unit: str
    clients: int
    asked: int
    good: int
    failed: int
    failures: dict[str, int]
    count: int
    events: int
    seconds: float
    rate: float
    p50: float | None
    p99: float | None
    first_p50: float | None
    first_p99: float | None
    cpu: float | None
    busy: float | None
    memory: int | None


async def put(workload: Workload, place: Place, seconds: float, pid: int | None) -> Figures:
    """Put the load on *place*, and measure the process tree of *pid* meanwhile."""
    tally = Tally()
    request = place.request(workload.model, stream=bool(workload.words), way=workload.way)
    before, began = usage(pid), time.monotonic()
    if workload.interval:
        await _paced(workload, place, request, tally)
    else:
        await _closed(workload, place, request, tally, seconds)
    took = time.monotonic() - began
    return _figures(workload, tally, took, before, usage(pid))


async def _closed(
    workload: Workload, place: Place, request: bytes, tally: Tally, seconds: float
) -> None:
    """Each client has one request under way at any time."""
    until = time.monotonic() + seconds

    def again() -> bool:
        return time.monotonic() < until

    def client() -> Client:
        return Client(request, tally, again, expected=workload.events)

    made = [await _connect(place, client, tally) for _ in range(workload.clients)]
    await _wait([one for one in made if one is not None], seconds + GRACE)


async def _paced(workload: Workload, place: Place, request: bytes, tally: Tally) -> None:
    """All streams begin within a second, or within their length where that is less."""
    whole = workload.interval * workload.words
    step = min(1.0, whole) / workload.clients
    began = time.monotonic()

    def client() -> Client:
        return Client(request, tally, lambda: False, expected=workload.events, stamped=True)

    async def one(number: int) -> Client | None:
        await asyncio.sleep(max(0.0, began + number * step - time.monotonic()))
        return await _connect(place, client, tally)

    made = await asyncio.gather(*(one(number) for number in range(workload.clients)))
    await _wait([one for one in made if one is not None], whole + GRACE)


async def _connect(place: Place, client: Callable[[], Client], tally: Tally) -> Client | None:
    loop = asyncio.get_running_loop()
    host, port = place.address
    try:
        _, made = await loop.create_connection(client, host, port)
    except OSError as error:
        tally.fail(f"no connection: {error.strerror or error}")
        return None
    return made


async def _wait(clients: list[Client], seconds: float) -> None:
    try:
        async with asyncio.timeout(seconds):
            await asyncio.gather(*(asyncio.shield(client.ended) for client in clients))
    except TimeoutError:
        for client in clients:
            client.give_up()


def _figures(
    workload: Workload, tally: Tally, took: float, before: Usage | None, after: Usage | None
) -> Figures:
    count = tally.words if workload.interval else tally.good
    used = after.cpu - before.cpu if before is not None and after is not None else None
    waits, firsts = sorted(tally.waits), sorted(tally.firsts)
    return Figures(
        workload=workload.name,
        unit=workload.unit,
        clients=workload.clients,
        asked=tally.asked,
        good=tally.good,
        failed=tally.failed,
        failures=tally.failures,
        count=count,
        events=tally.events,
        seconds=took,
        rate=count / took,
        p50=percentile(waits, 0.5),
        p99=percentile(waits, 0.99),
        first_p50=percentile(firsts, 0.5),
        first_p99=percentile(firsts, 0.99),
        cpu=used / count * 1e6 if used is not None and count else None,
        busy=used / took if used is not None else None,
        memory=after.memory if after is not None else None,
    )


def percentile(values: list[float], share: float) -> float | None:
    """Of seconds in order, in milliseconds; None when there are none."""
    if not values:
        return None
    return values[min(len(values) - 1, int(len(values) * share))] * 1000


def as_json(figures: Figures) -> dict[str, Any]:
    """For other programs."""
    return attrs.asdict(figures)
