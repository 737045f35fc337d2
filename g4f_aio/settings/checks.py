"""What a value of the right type may be: each check says what is wrong with one, or None."""

from __future__ import annotations

import math
import re
from typing import TYPE_CHECKING
from urllib.parse import SplitResult, unquote, urlsplit

from ..core.lazy import LazyModule
from ..storage import address

if TYPE_CHECKING:
    from . import conditions
else:  # few settings have any
    conditions = LazyModule(".conditions", __package__)

_HEADER = re.compile(r"[!#$%&'*+.^_`|~0-9A-Za-z-]+=[\x20-\x7e]+")


def filled(value: str) -> str | None:
    """Some text."""
    return None if value else "must not be empty"


def port(value: int) -> str | None:
    """A TCP port, or 0."""
    return None if 0 <= value <= 65535 else f"must be between 0 and 65535, not {value}"  # noqa: PLR2004


def size(value: int) -> str | None:
    """A number of bytes."""
    return None if value > 0 else f"must be at least 1, not {value}"


def count(value: int) -> str | None:
    """A number of things."""
    return None if value > 0 else f"must be at least 1, not {value}"


def count_or_zero(value: int) -> str | None:
    """A number of things that may be none."""
    return None if value >= 0 else f"must be at least 0, not {value}"


def share(value: float) -> str | None:
    """A part of a whole."""
    return None if 0 <= value <= 1 else f"must be between 0 and 1, not {value}"


def seconds(value: float) -> str | None:
    """A duration."""
    return None if 0 < value < math.inf else f"must be a number of seconds above 0, not {value}"


def seconds_or_zero(value: float) -> str | None:
    """A duration that may be nothing."""
    return None if 0 <= value < math.inf else f"must be a number of seconds, not {value}"


def days(value: float) -> str | None:
    """A long duration."""
    return None if 0 < value < math.inf else f"must be a number of days above 0, not {value}"


def database(value: str) -> str | None:
    """The URL of a database; it may have a password in it."""
    return address.problem(value)


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


def collector(value: str) -> str | None:
    """The base URL of a collector; a credential in it would be seen in the collector's errors."""
    match _split(value):
        case SplitResult(scheme="http" | "https", username=None, query="", fragment=""):
            return None
        case _:
            return "must be a URL that starts with http:// or https://, with no user and no query"


def search_engine(value: str) -> str | None:
    """The name of a search engine; empty: whichever there is."""
    names = ("", "ddgs", "searxng", "off")
    return None if value in names else f'must be "ddgs", "searxng", "off" or "", not {value!r}'


def headers(value: str) -> str | None:
    """A list of headers; its value is a secret."""
    good = all(_HEADER.fullmatch(item.strip()) for item in value.split(","))
    good = good and all(map(str.isprintable, header_pairs(value).values()))
    return None if good else "must look like name=value,other=value"


def header_pairs(value: str) -> dict[str, str]:
    """The headers of such a list by name; values may be percent-encoded."""
    pairs = (item.strip().partition("=") for item in value.split(",") if item.strip())
    return {name: unquote(found) for name, _, found in pairs}


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


def keys(values: tuple[str, ...]) -> str | None:
    """Several of them, each once."""
    if len(set(values)) < len(values):
        return "has a key twice"
    return next(
        filter(None, (key(value) if value else "has an empty key" for value in values)), None
    )


def sha256(value: str) -> str | None:
    """A SHA-256 in hexadecimal, which is no secret but nobody's business either."""
    good = len(value) == 64 and set(value.lower()) <= set("0123456789abcdef")  # noqa: PLR2004
    return None if good else "must be 64 hexadecimal digits"


def condition(value: str) -> str | None:
    """A condition on a link of a chain."""
    return conditions.problem(value)
