"""What a value of the right type may be: each check says what is wrong with one, or None."""

from __future__ import annotations

import math
from urllib.parse import SplitResult, urlsplit


def filled(value: str) -> str | None:
    """Some text."""
    return None if value else "must not be empty"


def port(value: int) -> str | None:
    """A TCP port, or 0."""
    return None if 0 <= value <= 65535 else f"must be between 0 and 65535, not {value}"  # noqa: PLR2004


def size(value: int) -> str | None:
    """A number of bytes."""
    return None if value > 0 else f"must be at least 1, not {value}"


def seconds(value: float) -> str | None:
    """A duration."""
    return None if 0 < value < math.inf else f"must be a number of seconds above 0, not {value}"


def seconds_or_zero(value: float) -> str | None:
    """A duration that may be nothing."""
    return None if 0 <= value < math.inf else f"must be a number of seconds, not {value}"


def log_format(value: str) -> str | None:
    """The name of a log format."""
    return None if value in {"text", "json"} else f'must be "text" or "json", not {value!r}'


def bare_host(value: str) -> str | None:
    """A host without scheme, port or path."""
    if not value or set(value) & set("/@?#[] \t\r\n"):
        return f"must be a host name or an address and nothing else, not {value!r}"
    return None


def bare_hosts(values: tuple[str, ...]) -> str | None:
    """Several of them."""
    return next(filter(None, map(bare_host, values)), None)


def origins(values: tuple[str, ...]) -> str | None:
    """Web origins, or ``*`` alone."""
    if values == ("*",):
        return None
    if "*" in values:
        return '"*" means all origins and must stand alone'
    return next(filter(None, map(_origin, values)), None)


def _origin(value: str) -> str | None:
    match _split(value):
        case SplitResult(scheme=str(scheme), netloc=netloc) if value == f"{scheme}://{netloc}":
            return None
        case _:
            return f"must look like https://app.example.org, without a path, not {value!r}"


def proxy(value: str) -> str | None:
    """The URL of an HTTP proxy; its value is a secret."""
    match _split(value):
        case SplitResult(scheme="http" | "https"):
            return None
        case _:
            return "must be a URL that starts with http:// or https://"


def _split(url: str) -> SplitResult | None:
    """The parts of a URL with a scheme and a host. The standard library's errors would quote it."""
    try:
        parts = urlsplit(url)
        whole = parts.scheme and parts.hostname and (parts.port is None or parts.port)
    except ValueError:
        return None
    return parts if whole else None


def key(value: str) -> str | None:
    """A key that can be sent in a header; its value is a secret."""
    return None if value.isprintable() else "has a line break or another control character in it"
