"""The load benchmark runs, and its counts add up; how fast it was is nobody's business here."""

from __future__ import annotations

import json
import socket
import subprocess
import sys
from pathlib import Path
from typing import Any

import attrs

from tests.e2e.gateway import running
from tests.load.clients import Tally, Way
from tests.load.report import failures, number, table
from tests.load.translation import WAYS, Cost, report
from tests.load.workloads import AROUND, Figures, Workload, percentile

ROOT = Path(__file__).parents[2]
LITTLE = "--seconds 0.2 --clients 1 4 --burst-clients 3 --burst-words 5 --streams 10 --words 8"
LITTLE += " --interval-ms 10 --starts 1 --settle 0 --ways-streams 3 --ways-words 20"


#: of a workload that did nothing
EMPTY = Figures(
    workload="",
    unit="requests",
    clients=0,
    asked=0,
    good=0,
    failed=0,
    failures={},
    count=0,
    events=0,
    seconds=1.0,
    rate=0.0,
    p50=None,
    p99=None,
    first_p50=None,
    first_p99=None,
    cpu=None,
    busy=None,
    memory=None,
)


def measure(directory: Path, *flags: str, status: int = 0) -> tuple[str, dict[str, Any]]:
    """What the benchmark prints, and its figures."""
    file = directory / "figures.json"
    done = subprocess.run(
        [sys.executable, "-m", "tests.load", *LITTLE.split(), "--json", str(file), *flags],
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert done.returncode == status, done.stdout + done.stderr
    return done.stdout, json.loads(file.read_text("utf-8"))


def assert_adds_up(figures: dict[str, Any]) -> None:
    """Nothing failed, nothing got lost."""
    assert figures["failed"] == 0, figures
    assert figures["asked"] == figures["good"] > 0
    assert figures["p99"] >= figures["p50"] > 0
    match figures["unit"]:
        case "requests":
            assert figures["count"] == figures["good"]
            assert figures["events"] == 0
        case "streams":
            assert figures["count"] == figures["good"]
            assert figures["events"] == figures["good"] * (5 + AROUND["chat"])
        case _:
            assert figures["good"] == figures["clients"] == 10
            assert figures["count"] == 10 * 8
            assert figures["events"] == 10 * (8 + AROUND["chat"])


def test_every_workload_adds_up(tmp_path: Path) -> None:
    said, found = measure(tmp_path)
    names = ["non-stream, 1 clients", "non-stream, 4 clients", "bursts of 5, 3 clients"]
    names.append("paced, 10 streams")
    assert [figures["workload"] for figures in found["gateway"]] == names
    assert [figures["workload"] for figures in found["direct"]] == names
    assert all(name in said for name in names)
    for figures in (*found["gateway"], *found["direct"]):
        assert_adds_up(figures)
    assert len(found["cold_start_s"]) == 1
    if sys.platform == "linux":
        assert found["memory_idle"] > 2**20
        assert all(figures["cpu"] > 0 for figures in found["gateway"] if figures["good"] > 100)


def test_every_translation_adds_up(tmp_path: Path) -> None:
    said, found = measure(tmp_path, "--only", "translated", "--seconds", "0.1")
    assert found["gateway"] == []
    assert [Way(**cost["way"]) for cost in found["translation"]] == list(WAYS)
    for cost in found["translation"]:
        client, upstream = cost["way"]["client"], cost["way"]["upstream"]
        assert f"{upstream} to {client}" in said
        for name, words, around in (
            ("paced", 8, AROUND[client]),
            ("at_once", 20, AROUND[client]),
            ("first", 1, AROUND[client]),
            ("direct", 1, AROUND[upstream]),
        ):
            figures = cost[name]
            assert figures["failures"] == {}
            assert figures["asked"] == figures["good"] > 0
            assert figures["events"] == figures["good"] * (words + around)
        assert cost["paced"]["count"] == 3 * 8, "each word once, though its dialect says it again"


def test_a_gateway_that_runs_already(tmp_path: Path) -> None:
    port = free_port()
    settings = f"""
    [routing]
    detect_local = false
    [providers.load]
    type = "openai-compatible"
    base_url = "http://127.0.0.1:{port}/v1"
    models = ["mock"]
    """
    with running(tmp_path, settings) as gateway:
        flags = ["--only", "paced", "--upstream-port", str(port), "--url", gateway.url]
        _, found = measure(tmp_path, *flags, "--prefix", "load:", "--pid", str(gateway.process.pid))
    (figures,) = found["gateway"]
    assert_adds_up(figures)
    assert found["cold_start_s"] == []


def test_a_gateway_that_does_not_answer_is_said() -> None:
    done = subprocess.run(
        [sys.executable, "-m", "tests.load", "--url", f"http://127.0.0.1:{free_port()}"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert done.returncode == 1
    assert "does not answer as it should" in done.stderr
    assert "Traceback" not in done.stderr


def free_port() -> int:
    """A port that nobody listens on."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        return int(server.getsockname()[1])


def test_failures_are_counted_by_kind_and_end_in_status_1(tmp_path: Path) -> None:
    settings = """
    [routing]
    detect_local = false
    [providers.load]
    type = "scripted"
    answer = "too short"
    """
    with running(tmp_path, settings) as gateway:
        flags = ["--only", "burst", "--url", gateway.url, "--prefix", "load:"]
        said, found = measure(tmp_path, *flags, status=1)
    (figures,) = found["gateway"]
    assert figures["failed"] == 3
    assert figures["good"] == 0
    (how,) = figures["failures"]
    assert how.endswith(" of 8 events")
    assert f"3 {how}" in said


def test_the_model_of_a_workload_says_what_it_does() -> None:
    assert Workload("", 1).model == "mock"
    assert Workload("", 1, 64).model == "burst-64"
    assert Workload("", 1, 100, 0.05).model == "paced-50-100"


def test_a_translation_is_compared_with_what_is_handed_on() -> None:
    def cost(client: str, cpu: float | None, first: float) -> Cost:
        figures = attrs.evolve(EMPTY, cpu=cpu, first_p50=first)
        direct = attrs.evolve(EMPTY, first_p50=0.5)
        return Cost(Way("chat", client), figures, figures, figures, direct, 10)

    said = report([cost("chat", 20.0, 1.0), cost("messages", 50.0, 2.0)]).splitlines()
    assert said[2].split()[3:7] == ["20", "1", "2", "1"]
    assert said[3].split()[3:7] == ["50", "2.5", "5", "2.5"]
    assert said[3].split()[-4:] == ["2", "0.5", "1.5", "0"]
    alone = report([cost("messages", None, 2.0)]).splitlines()
    assert alone[2].split()[3:7] == ["-", "-", "-", "-"]


def test_a_percentile_is_one_of_the_values() -> None:
    assert percentile([], 0.5) is None
    assert percentile([0.1], 0.99) == 100
    assert percentile([0.001, 0.002, 0.003], 0.5) == 2
    assert percentile([0.001, 0.002, 0.003], 1.0) == 3


def test_numbers_are_short_and_columns_stand_below_each_other() -> None:
    assert [number(value) for value in (None, 0, 0.01234, 12.34, 1234.5)] == [
        "-",
        "0",
        "0.0123",
        "12.3",
        "1,234",
    ]
    assert table(("a", "b"), [("x", "100"), ("long", "2")]).splitlines() == [
        "a       b",
        "----  ---",
        "x     100",
        "long    2",
    ]


def test_failures_are_named() -> None:
    tally = Tally()
    for how in ("cut off", "status 502", "cut off"):
        tally.fail(how)
    assert tally.failed == 3
    assert tally.failures == {"cut off": 2, "status 502": 1}
    figures = attrs.evolve(EMPTY, failed=tally.failed, failures=tally.failures)
    assert failures(figures) == "2 cut off, 1 status 502"
    assert failures(EMPTY) == "0"
