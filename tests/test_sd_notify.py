"""The service manager is told over a datagram socket, and its absence disturbs nobody."""

from __future__ import annotations

import os
import socket
import uuid
from collections.abc import Iterator
from pathlib import Path

import pytest

from g4f_aio.sd_notify import notify, watchdog_interval


@pytest.fixture(params=["path", "abstract"])
def manager(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[socket.socket]:
    """A socket such as systemd listens on."""
    address = str(tmp_path / "notify") if request.param == "path" else f"\0g4f-{uuid.uuid4()}"
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as listener:
        listener.bind(address)
        listener.settimeout(5)
        yield listener


def address_of(manager: socket.socket) -> str:
    """How systemd writes the socket's address into NOTIFY_SOCKET."""
    name = manager.getsockname()
    return f"@{name[1:].decode()}" if isinstance(name, bytes) else name


def test_the_state_arrives_as_one_datagram(manager: socket.socket) -> None:
    environ = {"NOTIFY_SOCKET": address_of(manager)}
    assert notify("READY=1\nSTATUS=übt", environ)
    assert notify("WATCHDOG=1", environ)
    assert manager.recv(1000).decode() == "READY=1\nSTATUS=übt"
    assert manager.recv(1000) == b"WATCHDOG=1"


@pytest.mark.parametrize("address", ["", "vsock:2:1", "relative/path"])
def test_without_a_socket_of_systemd_nothing_is_sent(address: str) -> None:
    assert not notify("READY=1", {"NOTIFY_SOCKET": address})
    assert not notify("READY=1", {})


def test_a_socket_that_is_gone_is_no_error(tmp_path: Path) -> None:
    assert not notify("READY=1", {"NOTIFY_SOCKET": str(tmp_path / "gone")})


def test_a_manager_that_reads_nothing_does_not_block(manager: socket.socket) -> None:
    environ = {"NOTIFY_SOCKET": address_of(manager)}
    sent = [notify("WATCHDOG=1", environ) for _ in range(5000)]
    assert sent[0]
    assert not sent[-1]


def test_the_watchdog_is_fed_twice_in_its_time() -> None:
    environ = {"WATCHDOG_USEC": "20000000", "WATCHDOG_PID": str(os.getpid())}
    assert watchdog_interval(environ, os.getpid()) == 10.0
    assert watchdog_interval({"WATCHDOG_USEC": "20000000"}, os.getpid()) == 10.0


@pytest.mark.parametrize(
    "environ",
    [
        {},
        {"WATCHDOG_USEC": ""},
        {"WATCHDOG_USEC": "0"},
        {"WATCHDOG_USEC": "soon"},
        {"WATCHDOG_USEC": "20000000", "WATCHDOG_PID": "1"},
    ],
)
def test_without_a_watchdog_for_this_process_there_is_no_interval(environ: dict[str, str]) -> None:
    assert watchdog_interval(environ, 4711) is None
