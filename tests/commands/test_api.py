"""``g4f-aio api``: a whole process, from its start over a reload to its end."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from urllib.error import HTTPError
from urllib.request import Request, urlopen

import attrs
import pytest

KEY = "sk-hidden-0123"


@attrs.frozen
class Service:
    """A running server, and what a service manager knows of it."""

    process: subprocess.Popen[str]
    manager: socket.socket
    directory: Path

    def told(self) -> str:
        """The next thing the service manager is told, its heartbeats left out."""
        while (state := self.manager.recv(1000).decode()) == "WATCHDOG=1":
            pass
        return state

    def write(self, settings: str) -> None:
        """Put *settings* into its file."""
        (self.directory / "gateway.toml").write_text(settings, "utf-8")

    def line(self, text: str) -> str:
        """The next line of its log that has *text* in it."""
        assert self.process.stderr is not None
        for line in self.process.stderr:
            assert KEY not in line
            if text in line:
                return line
        raise AssertionError(f"no line with {text!r}")


@pytest.fixture
def service(tmp_path: Path) -> Iterator[Service]:
    """A server with a key, as systemd would start it."""
    (tmp_path / "key").write_text(f"{KEY}\n", "utf-8")
    (tmp_path / "gateway.toml").write_text('[server]\napi_key = { file = "key" }\n', "utf-8")
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as manager:
        manager.bind(str(tmp_path / "notify"))
        manager.settimeout(20)
        environ = {
            "PATH": os.defpath,
            "HOME": str(tmp_path),
            "STATE_DIRECTORY": str(tmp_path),
            "NOTIFY_SOCKET": str(tmp_path / "notify"),
            "WATCHDOG_USEC": "200000",
            "G4F_PROT": "1",
        }
        with subprocess.Popen(
            [sys.executable, "-m", "g4f_aio", "--port", "0", "--debug"],
            env=environ,
            stderr=subprocess.PIPE,
            text=True,
        ) as process:
            yield Service(process, manager, tmp_path)
            process.kill()


def status(url: str, key: str) -> int:
    """The status of a listing of models."""
    request = Request(f"{url}/v1/models", headers={"Authorization": f"Bearer {key}"})  # noqa: S310
    try:
        with urlopen(request, timeout=20) as answer:  # noqa: S310
            return int(answer.status)
    except HTTPError as error:
        with error:
            return error.code


def test_it_starts_reloads_and_stops_as_a_service(service: Service) -> None:
    assert "did you mean G4F_PORT?" in service.line("G4F_PROT")
    url = service.line("listens on").split()[-1]
    assert service.told().startswith("READY=1")
    assert status(url, KEY) == 200
    assert status(url, "sk-wrong") == 401

    service.write("[server]\nprot = 1\n")
    service.process.send_signal(signal.SIGHUP)
    assert "server.prot: unknown setting; did you mean server.port?" in service.line("not reloaded")
    assert service.told().startswith("RELOADING=1")
    assert service.told().startswith("READY=1")
    assert status(url, KEY) == 200

    service.write('[server]\napi_key = "sk-new-4567"\n')
    service.process.send_signal(signal.SIGHUP)
    service.line("settings reloaded")
    assert status(url, "sk-new-4567") == 200
    assert status(url, KEY) == 401

    service.process.send_signal(signal.SIGTERM)
    assert service.process.wait(20) == 0
    assert service.told().startswith("RELOADING=1")
    assert service.told().startswith("READY=1")
    assert service.told().startswith("STOPPING=1")


def test_the_service_manager_hears_a_heartbeat(service: Service) -> None:
    heard = [service.manager.recv(1000) for _ in range(4)]
    assert heard.count(b"WATCHDOG=1") >= 3
