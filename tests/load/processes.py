"""The processes under measurement: their start, their end, their CPU time and their memory."""

from __future__ import annotations

import os
import re
import resource
import signal
import subprocess
import sys
import threading
import time
import urllib.error
import urllib.request
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import IO

import attrs

from tests.load.clients import Place

#: seconds until something that does not start, or does not end, is given up
PATIENCE = 20.0
KEY = "sk-load-5d1c7b3a"
SETTINGS = """
[server]
api_key = "{key}"

[routing]
provider = "load"
detect_local = false

[providers.load]
type = "openai-compatible"
base_url = "{upstream}"
api_key = "sk-upstream"

[providers.Anthropic]
base_url = "{upstream}"
api_key = "sk-upstream"
models = ["burst-1"]
"""
_PROC = Path("/proc")


@attrs.frozen
class Usage:
    """What a process and its children have used: seconds of CPU, and bytes of memory now."""

    cpu: float
    memory: int


def usage(pid: int | None) -> Usage | None:
    """The usage of a process tree; None where it cannot be told."""
    if pid is None or not (_PROC / str(pid)).exists():
        return None
    cpu, memory = 0.0, 0
    for one in _tree(pid):
        try:
            fields = (_PROC / str(one) / "stat").read_text("utf-8").rpartition(")")[2].split()
        except OSError:
            continue  # it has just ended
        cpu += sum(map(int, fields[11:15])) / os.sysconf("SC_CLK_TCK")
        memory += int(fields[21]) * resource.getpagesize()
    return Usage(cpu, memory)


def _tree(pid: int) -> Iterator[int]:
    yield pid
    for children in (_PROC / str(pid) / "task").glob("*/children"):
        try:
            found = children.read_text("utf-8").split()
        except OSError:
            continue  # it has just ended
        for child in found:
            yield from _tree(int(child))


def pin(core: int | None, pid: int = 0) -> None:
    """Keep a process (this one) on a core, so that the others cannot take its time."""
    if core is not None:
        os.sched_setaffinity(pid, {core})


def cores() -> tuple[int | None, int | None]:
    """A core for the gateway and one for everything else; None where that cannot be chosen."""
    if not hasattr(os, "sched_getaffinity"):
        return None, None
    allowed = sorted(os.sched_getaffinity(0))
    return (allowed[0], allowed[1]) if len(allowed) > 1 else (None, None)


def more_files() -> None:
    """Each stream takes sockets, and the usual limit is low."""
    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))


@contextmanager
def upstream(core: int | None, port: int = 0) -> Iterator[Place]:
    """The fast upstream, as a process of its own."""
    command = [sys.executable, "-m", "tests.load.upstream", "--port", str(port)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        pin(core, process.pid)
        try:
            yield Place(process.stdout.readline().strip())
        finally:
            process.kill()


@contextmanager
def gateway(
    place: Place, directory: Path, core: int | None, command: Sequence[str] = ()
) -> Iterator[tuple[int, Place, float]]:
    """A gateway in front of *place*: its process id, where it is, and its seconds to an answer."""
    config = directory / "gateway.toml"
    config.write_text(SETTINGS.format(key=KEY, upstream=place.url), "utf-8")
    flags = ["--port", "0", "--config", str(config), "--data-dir", str(directory)]
    began = time.monotonic()
    with subprocess.Popen(
        [*(command or (sys.executable, "-m", "g4f_aio")), *flags],
        env=_environment(),
        stderr=subprocess.PIPE,
        text=True,
    ) as process:
        assert process.stderr is not None
        pin(core, process.pid)
        try:
            url = f"{_listens(process.stderr)}/v1"
            there = Place(url, KEY, messages_prefix="Anthropic:")
            answer(there, "mock")
            yield process.pid, there, time.monotonic() - began
        finally:
            process.send_signal(signal.SIGTERM)
            try:
                process.wait(PATIENCE)
            except subprocess.TimeoutExpired:
                process.kill()


def _environment() -> dict[str, str]:
    """Ours, without what could change the gateway's settings or give it further providers."""
    given = os.environ.items()  # noqa: TID251  (this is no part of the program)
    return {
        name: value
        for name, value in given
        if not name.startswith("G4F_") and not name.endswith("_API_KEY")
    }


def _listens(log: IO[str]) -> str:
    """The address in a gateway's log; the rest of the log is read and forgotten."""
    said = ""
    for line in log:
        said += line
        if found := re.search(r"listens on (http\S+)", line):
            threading.Thread(target=log.read, daemon=True).start()
            return found[1]
    raise RuntimeError(f"the gateway did not start: {said}")


def answer(place: Place, model: str) -> bytes:
    """One answer, by Python's own client; an error unless it is a success."""
    head, _, body = place.request(model, stream=False).partition(b"\r\n\r\n")
    lines = [line.split(": ", 1) for line in head.decode().split("\r\n")[2:]]
    request = urllib.request.Request(  # noqa: S310  (our own URL)
        f"{place.url}/chat/completions", body, dict(lines)
    )
    with urllib.request.urlopen(request, timeout=PATIENCE) as response:  # noqa: S310
        return bytes(response.read())
