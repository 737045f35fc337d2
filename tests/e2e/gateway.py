"""The gateway as a process of its own."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryFile
from types import TracebackType
from typing import IO, Protocol, Self

import attrs

from g4f_aio.settings import environment
from tests.e2e import nursery

COMMAND = (sys.executable, "-m", "g4f_aio")
#: seconds until a test gives up on a process
PATIENCE = 60.0
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


class Process(Protocol):
    """A process that was started, as far as tests have to do with it."""

    @property
    def pid(self) -> int: ...

    def __enter__(self) -> Self: ...

    def __exit__(
        self,
        kind: type[BaseException] | None,
        value: BaseException | None,
        traceback: TracebackType | None,
        /,
    ) -> None: ...

    def poll(self) -> int | None: ...

    def wait(self, timeout: float | None = None) -> int: ...

    def send_signal(self, number: signal.Signals, /) -> None: ...

    def terminate(self) -> None: ...

    def kill(self) -> None: ...


@attrs.frozen
class Gateway:
    """A running gateway; *config* is its settings file."""

    process: Process
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
    directory: Path,
    *words: str,
    environ: Mapping[str, str] | None = None,
    command: Sequence[str] = (),
) -> subprocess.CompletedProcess[str]:
    """Start the gateway where it is bound to end by itself at once; *command* as in ``running``."""
    with (
        TemporaryFile("w+", encoding="utf-8") as stdout,
        TemporaryFile("w+", encoding="utf-8") as stderr,
    ):
        files = stdout.fileno(), stderr.fileno()
        with _process(words, directory, environ, command, files) as process:
            try:
                status = process.wait(PATIENCE)
            finally:
                process.kill()
        stdout.seek(0)
        stderr.seek(0)
        return subprocess.CompletedProcess(words, status, stdout.read(), stderr.read())


@contextmanager
def running(
    directory: Path,
    settings: str = "",
    *words: str,
    environ: Mapping[str, str] | None = None,
    command: Sequence[str] = (),
    traceback: bool = False,
) -> Iterator[Gateway]:
    """A gateway with a settings file of the given text, on a free port.

    It comes from the nursery unless there is a *command*; ``COMMAND`` is how people start it. It
    must end in order, and only where that is expected with a *traceback* in its log.
    """
    config = directory / "gateway.toml"
    config.write_text(settings, "utf-8")
    port = () if "--port" in words or command not in {(), COMMAND} else ("--port", "0")
    reader, writer = os.pipe()
    stream = open(reader, encoding="utf-8", errors="replace")  # noqa: PTH123, SIM115
    files = writer, writer
    try:
        process = _process((*words, *port), directory, environ, command, files)
    finally:
        os.close(writer)
    with stream, process:
        log = Log(stream)
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


def _process(
    words: Sequence[str],
    directory: Path,
    environ: Mapping[str, str] | None,
    command: Sequence[str],
    files: tuple[int, int],
) -> Process:
    env = surroundings(directory, environ)
    if not command and not any(name.startswith("PYTHON") for name in env):
        return nursery.nursery().start(words, env, directory, *files)
    return subprocess.Popen(
        [*(command or COMMAND), *words],
        env=env,
        cwd=directory,
        stdout=files[0],
        stderr=files[1],
        text=True,
    )


def _lives_on(process: Process) -> bool:
    try:
        process.wait(5)
    except subprocess.TimeoutExpired:
        return True
    return False
