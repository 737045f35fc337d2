"""The fake collector of spans as tests use it."""

from __future__ import annotations

import json
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import attrs

_PATIENCE = 60.0


@attrs.define
class Collector:
    """A running one at *url*, and all that it got so far."""

    url: str
    requests: list[dict[str, Any]] = attrs.field(factory=list)

    @property
    def spans(self) -> list[dict[str, Any]]:
        """All spans."""
        return [span for request in tuple(self.requests) for span in request["spans"]]

    def of(self, request_id: str) -> list[dict[str, Any]]:
        """The spans of a request, its own first."""
        spans = self.spans
        roots = [one for one in spans if one["attributes"].get("g4f_aio.request.id") == request_id]
        traces = {one["trace"] for one in roots}
        children = [one for one in spans if one["trace"] in traces and one["parent"]]
        return [*roots, *sorted(children, key=lambda one: one["start"])]


@contextmanager
def collecting(mode: str = "take") -> Iterator[Collector]:
    """A collector in a process of its own."""
    script = Path(__file__).parent / "otlp_server.py"
    with subprocess.Popen(
        [sys.executable, script, mode], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as process:
        assert process.stdin is not None
        assert process.stdout is not None
        collector = Collector(process.stdout.readline().strip())
        lines = process.stdout

        def read() -> None:
            for line in lines:
                collector.requests.append(json.loads(line))

        reader = threading.Thread(target=read, daemon=True)
        reader.start()
        try:
            yield collector
        finally:
            process.stdin.close()
            process.wait(_PATIENCE)
            reader.join(_PATIENCE)
