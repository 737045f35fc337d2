"""The figures as tables for people."""

from __future__ import annotations

from collections.abc import Sequence

from tests.load.processes import Usage
from tests.load.workloads import Figures

_HEAD = (
    "workload",
    "per second",
    "of direct",
    "p50 ms",
    "p99 ms",
    "direct p50",
    "first p50",
    "first p99",
    "CPU µs each",
    "CPU %",
    "failed",
)


def table(head: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """Rows under a head; the first column is text, the others are numbers."""
    widths = [max(len(row[at]) for row in (head, *rows)) for at in range(len(head))]

    def line(row: Sequence[str]) -> str:
        first, *others = zip(row, widths, strict=True)
        cells = [first[0].ljust(first[1]), *(text.rjust(width) for text, width in others)]
        return "  ".join(cells).rstrip()

    return "\n".join([line(head), line(["-" * width for width in widths]), *map(line, rows)])


def workloads(pairs: Sequence[tuple[Figures, Figures | None]]) -> str:
    """One line for each workload: through the gateway, and compared with the upstream itself."""
    return table(_HEAD, [_row(through, direct) for through, direct in pairs])


def _row(through: Figures, direct: Figures | None) -> tuple[str, ...]:
    share = through.rate / direct.rate if direct is not None and direct.rate else None
    return (
        through.workload,
        f"{number(through.rate)} {through.unit}",
        number(share),
        number(through.p50),
        number(through.p99),
        number(direct.p50 if direct is not None else None),
        number(through.first_p50),
        number(through.first_p99),
        number(through.cpu),
        number(through.busy * 100 if through.busy is not None else None),
        failures(through),
    )


def failures(figures: Figures) -> str:
    """How many failed, and how."""
    if not figures.failed:
        return "0"
    return ", ".join(f"{count} {how}" for how, count in figures.failures.items())


def start(seconds: Sequence[float], idle: Usage | None, after: Usage | None) -> str:
    """What the gateway takes before and after its work."""
    return table(
        ("start and memory", ""),
        [
            ("cold start to the first answer, s", " ".join(map(number, seconds)) or "-"),
            ("memory idle, MiB", _mib(idle)),
            ("memory after the load, MiB", _mib(after)),
        ],
    )


def _mib(usage: Usage | None) -> str:
    return number(usage.memory / 2**20 if usage is not None else None)


def number(value: float | None) -> str:
    """Three significant digits; large ones in full."""
    if value is None:
        return "-"
    if value >= 100:
        return f"{value:,.0f}"
    return f"{value:.3g}"
