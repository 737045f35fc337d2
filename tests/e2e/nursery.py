"""Gateways that start in a tenth of the time: forked from a process that has imported the program.

Nine tenths of a start go into imports, and the tests start more than a hundred gateways. Such a
gateway is a process like any other, with surroundings, files, signals and an exit status of its own;
only its modules are there already.

This is a program as well: the one that forks. It gets its orders through the socket that is its
standard input, and ends when nobody is there any more who could give one.
"""

from __future__ import annotations

import atexit
import importlib
import json
import os
import select
import signal
import socket
import subprocess
import sys
import threading
from collections.abc import Mapping, Sequence
from functools import cache
from pathlib import Path
from typing import Self

from g4f_aio import cli
from g4f_aio.settings import environment, load

ROOT = Path(__file__).parents[2]
#: seconds until a test gives up
PATIENCE = 60.0


class Child:
    """A gateway, with the methods of ``Popen`` that tests use."""

    def __init__(self, pid: int, status: int, words: Sequence[str]) -> None:
        self._pid = pid
        self.args = ("g4f_aio", *words)
        self.returncode: int | None = None
        self._status = status

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.wait()
        os.close(self._status)

    @property
    def pid(self) -> int:
        """Its number."""
        return self._pid

    def poll(self) -> int | None:
        """Its exit status, if it has ended."""
        if self.returncode is None and select.select([self._status], [], [], 0)[0]:
            self.returncode = int(os.read(self._status, 100))
        return self.returncode

    def wait(self, timeout: float | None = None) -> int:
        """Its exit status, once it has ended."""
        if self.returncode is None:
            select.select([self._status], [], [], timeout)
        if (found := self.poll()) is None:
            raise subprocess.TimeoutExpired(self.args, timeout or 0)
        return found

    def send_signal(self, number: signal.Signals) -> None:
        """Send it a signal, unless it has ended."""
        if self.poll() is None:
            os.kill(self.pid, number)

    def terminate(self) -> None:
        """Ask it to end."""
        self.send_signal(signal.SIGTERM)

    def kill(self) -> None:
        """End it."""
        self.send_signal(signal.SIGKILL)


class Nursery:
    """The process that forks, as the tests see it."""

    def __init__(self) -> None:
        self._line, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        self._line.settimeout(PATIENCE)
        self._turn = threading.Lock()
        self._process = subprocess.Popen(
            [sys.executable, "-m", "tests.e2e.nursery"],
            cwd=ROOT,
            env={"PATH": environment()["PATH"]},
            stdin=theirs.fileno(),
        )
        theirs.close()

    def start(self, words: Sequence[str], env: Mapping[str, str], cwd: Path, *files: int) -> Child:
        """``python -m g4f_aio`` with these words; *files* are its standard output and errors."""
        ended, status = os.pipe()
        order = {"words": words, "env": dict(env), "cwd": str(cwd)}
        with self._turn:
            socket.send_fds(self._line, [json.dumps(order).encode()], [*files, status])
            os.close(status)
            return Child(int(self._line.recv(100)), ended, words)

    def close(self) -> None:
        """End it."""
        self._line.close()
        self._process.wait(PATIENCE)


@cache
def nursery() -> Nursery:
    """The one for all tests, which begins with the first that needs it."""
    made = Nursery()
    atexit.register(made.close)
    return made


def main() -> int:
    """Fork for each order. Only in a gateway it returns: with the exit status."""
    importlib.import_module("g4f_aio.commands.api")
    load({"data_dir": ROOT / "nothing"}, {})  # who reads settings imports more
    assert threading.active_count() == 1
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # from a terminal it is for the gateways
    with socket.socket(fileno=os.dup(0)) as line:
        null = os.open(os.devnull, os.O_RDONLY)
        os.dup2(null, 0)
        os.close(null)
        while True:
            order, files, *_ = socket.recv_fds(line, 2**20, 3)
            if not order:
                return 0
            if not os.fork():
                break
            for file in files:
                os.close(file)
            os.waitpid(-1, os.WNOHANG)
        _mind(line, *files)
    return _live(**json.loads(order))


def _mind(line: socket.socket, stdout: int, stderr: int, status: int) -> None:
    """Fork once more, and stay behind to tell how the child ends; only the child returns."""
    if not (child := os.fork()):
        os.dup2(stdout, 1)
        os.dup2(stderr, 2)
        for file in {stdout, stderr, status}:
            os.close(file)
        return
    line.send(str(child).encode())
    os.closerange(0, status)  # nobody is to wait for us
    _, ended = os.waitpid(child, 0)
    os.write(status, str(os.waitstatus_to_exitcode(ended)).encode())
    os._exit(0)


def _live(words: list[str], env: dict[str, str], cwd: str) -> int:
    """Be a gateway: as if this process had only just been started."""
    signal.signal(signal.SIGINT, signal.default_int_handler)
    os.chdir(cwd)
    os.environ.clear()  # noqa: TID251  (the environment is made here)
    os.environ.update(env)  # noqa: TID251
    sys.path[0] = cwd
    sys.argv[:] = [str(Path(cli.__file__).with_name("__main__.py")), *words]
    sys.stdout = open(1, "w", encoding="utf-8", closefd=False)  # noqa: SIM115
    return cli.main(words)


if __name__ == "__main__":
    sys.exit(main())
