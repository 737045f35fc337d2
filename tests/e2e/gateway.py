"""The gateway as a process of its own, as people start it."""

from __future__ import annotations

import re
import signal
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import IO

import attrs

from g4f_aio.settings import environment

COMMAND = (sys.executable, "-m", "g4f_aio")
#: seconds until a test gives up on a process
PATIENCE = 20.0
_ADDRESS = re.compile(r'listens on (http[^\s"]+)')


class Log:
    """What a process writes, read as it comes, so that the process never waits for us."""

    def __init__(self, stream: IO[str]) -> None:
        self._stream = stream
        self._lines: list[str] = []
        self._ended = False
        self._news = threading.Condition()
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()

    @property
    def text(self) -> str:
        """Everything so far."""
        return "".join(self._lines)

    def having(self, text: str) -> list[str]:
        """The lines so far that have *text* in them."""
        return [line for line in tuple(self._lines) if text in line]

    def wait(self, text: str, count: int = 1) -> str:
        """The *count*-th line that has *text* in it, as soon as it is there."""

        def come() -> bool:
            return self._ended or len(self.having(text)) >= count

        with self._news:
            self._news.wait_for(come, PATIENCE)
        found = self.having(text)
        if len(found) < count:
            raise AssertionError(f"{len(found)} of {count} lines with {text!r} in:\n{self.text}")
        return found[count - 1]

    def rest(self) -> str:
        """Everything, once the process has ended."""
        self._reader.join(PATIENCE)
        return self.text

    def _read(self) -> None:
        for line in self._stream:
            with self._news:
                self._lines.append(line)
                self._news.notify_all()
        with self._news:
            self._ended = True
            self._news.notify_all()


@attrs.frozen
class Gateway:
    """A running gateway; *config* is its settings file."""

    process: subprocess.Popen[str]
    log: Log
    config: Path
    url: str

    @property
    def v1(self) -> str:
        """The base URL that SDKs want."""
        return f"{self.url}/v1"

    @property
    def chat(self) -> str:
        """The URL of chat completions."""
        return f"{self.url}/v1/chat/completions"

    @property
    def port(self) -> int:
        """The port it listens on."""
        return int(self.url.rpartition(":")[2])

    def signal(self, number: signal.Signals) -> None:
        """Send it a signal."""
        self.process.send_signal(number)

    def end(self) -> int:
        """Its exit status, once it has ended by itself."""
        return self.process.wait(PATIENCE)

    def resident(self) -> int:
        """The memory that it occupies, in bytes; it needs Linux."""
        status = Path(f"/proc/{self.process.pid}/status").read_text("utf-8")
        return int(status.partition("VmRSS:")[2].split()[0]) * 1024


Start = Callable[..., Gateway]


def surroundings(directory: Path, environ: Mapping[str, str] | None = None) -> dict[str, str]:
    """An environment that does not depend on who runs the tests, but for coverage's variables."""
    kept = {name: value for name, value in environment().items() if name.startswith("COVERAGE_")}
    home = {"HOME": str(directory), "G4F_DATA_DIR": str(directory)}
    return {"PATH": environment()["PATH"], **kept, **home, **(environ or {})}


def run(
    directory: Path, *words: str, environ: Mapping[str, str] | None = None
) -> subprocess.CompletedProcess[str]:
    """Start the gateway where it is bound to end by itself at once."""
    return subprocess.run(
        [*COMMAND, *words],
        env=surroundings(directory, environ),
        cwd=directory,
        capture_output=True,
        text=True,
        timeout=PATIENCE,
        check=False,
    )


@contextmanager
def running(
    directory: Path,
    settings: str = "",
    *words: str,
    environ: Mapping[str, str] | None = None,
    command: Sequence[str] = COMMAND,
    traceback: bool = False,
) -> Iterator[Gateway]:
    """A gateway with a settings file of the given text, on a free port.

    It must end in order, and only where that is expected with a *traceback* in its log.
    """
    config = directory / "gateway.toml"
    config.write_text(settings, "utf-8")
    port = () if "--port" in words or command is not COMMAND else ("--port", "0")
    with subprocess.Popen(
        [*command, *words, *port],
        env=surroundings(directory, environ),
        cwd=directory,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    ) as process:
        assert process.stdout is not None
        log = Log(process.stdout)
        try:
            found = _ADDRESS.search(log.wait("listens on"))
            assert found is not None
            yield Gateway(process, log, config, found[1].replace("0.0.0.0", "127.0.0.1"))  # noqa: S104
            if process.poll() is None:
                process.send_signal(signal.SIGTERM)
                if _lives_on(process):  # for requests that no test waits for any more
                    process.send_signal(signal.SIGTERM)
            assert process.wait(PATIENCE) == 0, log.rest()
            assert ("Traceback" in log.rest()) is traceback, log.rest()
        finally:
            process.kill()


def _lives_on(process: subprocess.Popen[str]) -> bool:
    try:
        process.wait(5)
    except subprocess.TimeoutExpired:
        return True
    return False
