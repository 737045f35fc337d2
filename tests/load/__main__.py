"""A load benchmark of the gateway: ``python -m tests.load``; README.md says what it measures."""

from __future__ import annotations

import argparse
import gc
import json
import sys
import tempfile
import time
from collections.abc import Coroutine, Sequence
from contextlib import ExitStack
from pathlib import Path
from typing import Any

from tests.load import report, translation
from tests.load.clients import Place, Way
from tests.load.loop import run
from tests.load.processes import answer, cores, gateway, more_files, pin, upstream, usage
from tests.load.workloads import Figures, Workload, as_json, put

#: the kinds of workloads that are measured unless others are asked for
_USUAL = ("nonstream", "burst", "paced")


def main(argv: Sequence[str] | None = None) -> int:
    """Measure, and print what was found; 1 when any request failed."""
    words = parser().parse_args(argv)
    more_files()
    chosen = workloads(words)
    theirs, ours = (None, None) if words.no_pin else cores()
    pin(ours)
    with tempfile.TemporaryDirectory() as directory, ExitStack() as stack:
        source = stack.enter_context(upstream(ours, words.upstream_port))
        starts: list[float] = []
        pid: int | None = words.pid
        if words.url is None:
            for _ in range(words.starts):
                with gateway(source, Path(directory), theirs) as (_, _, took):
                    starts.append(took)
                _say(f"cold start {took:.2f} s")
            pid, place, _ = stack.enter_context(gateway(source, Path(directory), theirs))
        else:
            url, others = f"{words.url.rstrip('/')}/v1", words.messages_prefix or ""
            place = Place(url, words.key, words.prefix, others)
            _say(f"the upstream is {source.url}")
            try:
                answer(place, "mock")
            except OSError as error:
                _say(f"{place.url} does not answer as it should: {error}")
                return 1
        time.sleep(words.settle)
        idle = usage(pid)
        pairs = [_measure(load, place, source, words.seconds, pid) for load in chosen]
        costs = [_cost(way, place, source, pid, words) for way in ways(words)]
        time.sleep(words.settle)
        after = usage(pid)
    found = {
        "cold_start_s": starts,
        "memory_idle": idle.memory if idle is not None else None,
        "memory_after": after.memory if after is not None else None,
        "gateway": [as_json(through) for through, _ in pairs],
        "direct": [as_json(direct) for _, direct in pairs],
        "translation": list(map(translation.as_json, costs)),
    }
    tables = [report.start(starts, idle, after)]
    tables += [report.workloads(pairs)] if pairs else []
    tables += [translation.report(costs)] if costs else []
    print("\n\n".join(tables))  # noqa: T201
    if words.json is not None:
        words.json.write_text(json.dumps(found, indent=1), "utf-8")
    failed = [figures.failed for pair in pairs for figures in pair]
    return 1 if any(failed) or any(cost.failed for cost in costs) else 0


def parser() -> argparse.ArgumentParser:
    """The command line."""
    made = argparse.ArgumentParser("python -m tests.load", description=__doc__)
    made.add_argument(
        "--only",
        choices=(*_USUAL, "translated"),
        default=_USUAL,
        nargs="+",
        metavar="KIND",
        help="nonstream, burst, paced; or translated, which is left out otherwise",
    )
    made.add_argument("--seconds", type=float, default=3.0, help="for each closed workload")
    made.add_argument("--clients", type=int, nargs="+", default=[1, 32, 256])
    made.add_argument("--burst-clients", type=int, nargs="+", default=[1, 32])
    made.add_argument("--burst-words", type=int, default=64)
    made.add_argument("--streams", type=int, nargs="+", default=[500, 1000], help="paced ones")
    made.add_argument("--words", type=int, default=100, help="in each paced stream")
    made.add_argument("--interval-ms", type=int, default=50, help="between two of its words")
    made.add_argument("--ways-streams", type=int, default=200, help="paced ones, in each dialect")
    made.add_argument("--ways-words", type=int, default=1024, help="in each stream at once")
    made.add_argument("--starts", type=int, default=3, help="cold starts")
    made.add_argument("--settle", type=float, default=1.0, help="seconds before memory is read")
    made.add_argument("--json", type=Path, metavar="FILE", help="write the figures there as well")
    made.add_argument("--no-pin", action="store_true", help="let the system choose the cores")
    running = made.add_argument_group("a gateway that runs already")
    running.add_argument("--url", help="its address; it must have our upstream as a provider")
    running.add_argument("--key", default="-", help="its key")
    running.add_argument(
        "--prefix", default="", metavar="NAME:", help="what its models begin with there"
    )
    running.add_argument(
        "--messages-prefix",
        metavar="NAME:",
        help="the same for our upstream as one of the Messages API; none is asked otherwise",
    )
    running.add_argument("--pid", type=int, help="its process, for CPU and memory")
    running.add_argument("--upstream-port", type=int, default=0, help="where it expects ours")
    return made


def workloads(words: argparse.Namespace) -> list[Workload]:
    """What the command line asks for."""
    kinds = {
        "nonstream": [Workload(f"non-stream, {n} clients", n) for n in words.clients],
        "burst": [
            Workload(f"bursts of {words.burst_words}, {n} clients", n, words.burst_words)
            for n in words.burst_clients
        ],
        "paced": [
            Workload(f"paced, {n} streams", n, words.words, words.interval_ms / 1000)
            for n in words.streams
        ],
    }
    return [load for kind, some in kinds.items() if kind in words.only for load in some]


def ways(words: argparse.Namespace) -> list[Way]:
    """Between which dialects is to be translated."""
    if "translated" not in words.only:
        return []
    both = words.url is None or words.messages_prefix is not None
    return [way for way in translation.WAYS if both or way.upstream == "chat"]


def _cost(
    way: Way, place: Place, source: Place, pid: int | None, words: argparse.Namespace
) -> translation.Cost:
    """The cost of one way."""

    def measure(load: Workload) -> Figures:
        _say(load.name)
        return _run(put(load, place, words.seconds, pid))

    def directly(load: Workload) -> Figures:
        return _run(put(load, source, words.seconds, None))

    paced = Workload("", words.ways_streams, words.words, words.interval_ms / 1000)
    return translation.measured(way, measure, directly, paced, words.ways_words)


def _measure(
    load: Workload, place: Place, source: Place, seconds: float, pid: int | None
) -> tuple[Figures, Figures]:
    """The same load on the gateway and on the upstream itself."""
    _say(load.name)
    through = _run(put(load, place, seconds, pid))
    return through, _run(put(load, source, seconds, None))


def _run(coroutine: Coroutine[Any, Any, Figures]) -> Figures:
    gc.collect()
    gc.disable()
    try:
        return run(coroutine)
    finally:
        gc.enable()


def _say(text: str) -> None:
    print(text, file=sys.stderr, flush=True)  # noqa: T201


if __name__ == "__main__":
    sys.exit(main())
