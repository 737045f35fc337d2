"""The head of an HTTP/1.1 request."""

from __future__ import annotations

import re
from collections.abc import Mapping
from functools import lru_cache

import attrs

from .. import __version__
from .origin import Origin, is_local, parse_proxy, parse_url

_TOKEN = re.compile(r"[!#$%&'*+.^_`|~0-9A-Za-z-]+")
_VALUE = re.compile(r"[\t\x20-\x7e\x80-\xff]*")
_VISIBLE = re.compile(r"[!-~]+")
#: what decides where a request ends and what becomes of its connection
_OURS = frozenset(
    {
        "connection",
        "content-length",
        "expect",
        "keep-alive",
        "proxy-authorization",
        "proxy-connection",
        "te",
        "trailer",
        "transfer-encoding",
        "upgrade",
    }
)
#: a length is told for these also when there is no body
_WITH_BODY = frozenset({"POST", "PUT", "PATCH"})
# some hosts refuse who does not name itself
_DEFAULTS = {
    "user-agent": f"User-Agent: g4f_aio/{__version__}\r\n".encode(),
    "accept": b"Accept: */*\r\n",
}

#: the most sets of headers that are remembered for a target
_KNOWN = 64
_SPECIAL = _OURS | {"host"} | _DEFAULTS.keys()


@attrs.frozen
class Target:
    """What every request of one method to one URL has in common.

    *start*: the head as far as the caller has no say in it; *line* and *defaults* are its parts.
    *known*: what headers that were sent before look like, by their names and values.
    """

    method: str
    origin: Origin
    line: bytes = attrs.field(repr=False)
    defaults: dict[str, bytes] = attrs.field(repr=False)
    start: bytes = attrs.field(repr=False)
    known: dict[tuple[object, ...], bytes] = attrs.field(factory=dict, eq=False, repr=False)


def target_of(method: str, url: str, proxy: str | None) -> Target:
    """A target from a URL; ValueError when nothing can be asked there.

    *proxy* is a URL as well; to this machine there is a shorter way.
    """
    if not _TOKEN.fullmatch(method):
        raise ValueError("the method is none")
    parsed = parse_url(url)
    if parsed.raw_user is not None or parsed.raw_password is not None:
        raise ValueError("the URL may not hold a user or password; use headers")
    host = parsed.raw_host or ""
    authority = parsed.host_port_subcomponent or ""
    path = parsed.raw_path_qs
    if not _VISIBLE.fullmatch(path):
        raise ValueError("the URL holds what no URL may hold")
    origin = _origin(parsed.scheme, host, parsed.port or 0)
    extra = b""
    if proxy is not None and not is_local(parsed.host or ""):
        through = parse_proxy(proxy)
        if parsed.scheme == "https":
            origin = attrs.evolve(origin, proxy=through)
        else:
            origin = Origin(through.scheme, through.host, through.port)
            path = f"http://{authority}{path}"
            extra = through.authorization
    line = f"{method} {path} HTTP/1.1\r\n".encode() + extra
    defaults = {"host": f"Host: {authority}\r\n".encode(), **_DEFAULTS}
    return Target(method, origin, line, defaults, line + b"".join(defaults.values()))


@lru_cache(1024)
def _origin(scheme: str, host: str, port: int) -> Origin:
    """The same object for all who lead there, for it is looked up with every request."""
    return Origin(scheme, host, port)


def encode_head(
    target: Target, headers: Mapping[str, str] | None, length: int | None, kind: str | None = None
) -> bytes:
    """A whole head; ValueError for a header that cannot be sent, naming it without its value.

    *length* is the body's, None without one; *kind* its content type where *headers* name none.
    """
    key = (kind, *headers.items()) if headers else (kind,)
    lines = target.known.get(key)
    if lines is None:
        lines = _lines(target, headers or {}, kind)
        if len(target.known) >= _KNOWN:
            target.known.clear()  # keys of callers come and go
        target.known[key] = lines
    if length is None:
        if target.method not in _WITH_BODY:
            return lines + b"\r\n"
        length = 0
    return b"%bContent-Length: %d\r\n\r\n" % (lines, length)


def _lines(target: Target, headers: Mapping[str, str], kind: str | None) -> bytes:
    """A head as far as it is the same for every body."""
    lines = []
    names = {name.lower() for name in headers}
    if kind is not None and "content-type" not in names:
        lines.append(f"Content-Type: {kind}\r\n")
    for name, value in headers.items():
        if not _TOKEN.fullmatch(name):
            raise ValueError(f"{name[:80]!r} is no header's name")
        plain = value.isascii() and value.isprintable()
        if not plain and not _VALUE.fullmatch(value):
            raise ValueError(f"header {name} has a line end, or what latin-1 does not have")
        lines.append(f"{name}: {value}\r\n")
    start = target.start if names.isdisjoint(_SPECIAL) else _start_without(target, names)
    return start + "".join(lines).encode("latin-1")


def _start_without(target: Target, given: set[str]) -> bytes:
    """The start of a head whose caller has a say in what is usually ours."""
    if taken := given & _OURS:
        raise ValueError(f"header {min(taken)} is not the caller's to set")
    kept = (line for name, line in target.defaults.items() if name not in given)
    return target.line + b"".join(kept)
