"""[fetch]: what is fetched from the web because a request or an answer names it by URL."""

from __future__ import annotations

from ipaddress import ip_network

import attrs

from ..files.guard import Exempt
from . import checks
from .setting import setting


def exempt(values: tuple[str, ...]) -> str | None:
    """Places that may be dialled although they are not public."""
    for value in values:
        try:
            Exempt.parse(value)
        except ValueError:
            return f"must be addresses, networks or hosts, with or without a port, not {value!r}"
    return None


def networks(values: tuple[str, ...]) -> str | None:
    """Networks, or single addresses."""
    for value in values:
        try:
            ip_network(value)
        except ValueError:
            return f"must be addresses or networks such as 203.0.113.0/24, not {value!r}"
    return None


@attrs.frozen
class FetchSettings:
    """[fetch]: files of the web."""

    urls: bool = setting(
        default=True,
        help="fetch images, files and pages that requests or answers name by URL",
        flag="--fetch-urls",
        env="G4F_FETCH_URLS",
    )
    allow: tuple[str, ...] = setting(
        (),
        "what may be fetched although it is not public: 127.0.0.1:8080, 10.1.0.0/16, files.lan",
        flag="--fetch-allow",
        env="G4F_FETCH_ALLOW",
        check=exempt,
    )
    deny: tuple[str, ...] = setting(
        (),
        "addresses and networks that may not be fetched from, public or not",
        flag="--fetch-deny",
        env="G4F_FETCH_DENY",
        check=networks,
    )
    max_size: int = setting(
        20 * 2**20,
        "largest file that is fetched, in bytes",
        flag="--fetch-max-size",
        env="G4F_FETCH_MAX_SIZE",
        check=checks.size,
    )
    max_time: float = setting(
        30.0,
        "seconds that one file may take",
        flag="--fetch-max-time",
        env="G4F_FETCH_MAX_TIME",
        check=checks.seconds,
    )
