"""Tell systemd how the service is: the protocol of sd_notify(3), without its library."""

from __future__ import annotations

import socket
from collections.abc import Mapping


def notify(state: str, environ: Mapping[str, str]) -> bool:
    """Send *state* (``READY=1``, ``WATCHDOG=1``, …) and say whether anybody is there to be told.

    It never waits and never fails: a service manager that does not listen is not our trouble.
    """
    address = environ.get("NOTIFY_SOCKET", "")
    if not address.startswith(("/", "@")):
        return False
    if address.startswith("@"):  # the abstract namespace
        address = f"\0{address[1:]}"
    try:
        with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as sender:
            sender.settimeout(0)
            sender.sendto(state.encode(), address)
    except OSError:
        return False
    return True


def watchdog_interval(environ: Mapping[str, str], pid: int) -> float | None:
    """Seconds between two ``WATCHDOG=1``, half of what systemd allows the process *pid*; or None."""
    allowed = environ.get("WATCHDOG_USEC", "")
    if not allowed.isdecimal() or environ.get("WATCHDOG_PID", str(pid)) != str(pid):
        return None
    return int(allowed) / 1e6 / 2 or None
