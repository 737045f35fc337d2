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

from tests.load import report
from tests.load.clients import Place
from tests.load.loop import run
from tests.load.processes import answer, cores, gateway, more_files, pin, upstream, usage
from tests.load.workloads import Figures, Workload, as_json, put


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
            place = Place(f"{words.url.rstrip('/')}/v1", words.key, words.prefix)
            _say(f"the upstream is {source.url}")
            try:
                answer(place, "mock")
            except OSError as error:
                _say(f"{place.url} does not answer as it should: {error}")
                return 1
        time.sleep(words.settle)
        idle = usage(pid)
        pairs = [_measure(load, place, source, words.seconds, pid) for load in chosen]
        time.sleep(words.settle)
        after = usage(pid)
    found = {
        "cold_start_s": starts,
        "memory_idle": idle.memory if idle is not None else None,
        "memory_after": after.memory if after is not None else None,
        "gateway": [as_json(through) for through, _ in pairs],
        "direct": [as_json(direct) for _, direct in pairs],
    }
    print(f"{report.start(starts, idle, after)}\n\n{report.workloads(pairs)}")  # noqa: T201
    if words.json is not None:
        words.json.write_text(json.dumps(found, indent=1), "utf-8")
    return 1 if any(figures.failed for pair in pairs for figures in pair) else 0


def parser() -> argparse.ArgumentParser:
    """The command line."""
    made = argparse.ArgumentParser("python -m tests.load", description=__doc__)
    made.add_argument("--only", choices=("nonstream", "burst", "paced"), nargs="+", metavar="KIND")
    made.add_argument("--seconds", type=float, default=3.0, help="for each closed workload")
    made.add_argument("--clients", type=int, nargs="+", default=[1, 32, 256])
    made.add_argument("--burst-clients", type=int, nargs="+", default=[1, 32])
    made.add_argument("--burst-words", type=int, default=64)
    made.add_argument("--streams", type=int, nargs="+", default=[500, 1000], help="paced ones")
    made.add_argument("--words", type=int, default=100, help="in each paced stream")
    made.add_argument("--interval-ms", type=int, default=50, help="between two of its words")
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
    return [load for kind, some in kinds.items() if kind in (words.only or kinds) for load in some]


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
