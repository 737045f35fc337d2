"""Where a request goes: an origin, and the proxy on the way to it."""

from __future__ import annotations

import base64
import re
from ipaddress import ip_address

import attrs
from yarl import URL

_HOST = re.compile(r"[A-Za-z0-9._~%:!$&'()*+,;=-]+")


@attrs.frozen
class Proxy:
    """An HTTP proxy. *authorization* is a whole header line, or nothing."""

    scheme: str
    host: str
    port: int
    authorization: bytes = attrs.field(default=b"", repr=False)


@attrs.frozen(cache_hash=True)
class Origin:
    """What a connection leads to: host and port, through TLS where the scheme is ``https``.

    *proxy* is who opens a tunnel to it.
    """

    scheme: str
    host: str
    port: int
    proxy: Proxy | None = None

    def __str__(self) -> str:
        """For messages; it holds no secret."""
        url = _url(self.scheme, self.host, self.port)
        if self.proxy is None:
            return url
        return f"{url} through {_url(self.proxy.scheme, self.proxy.host, self.proxy.port)}"


def parse_url(url: str, what: str = "the URL") -> URL:
    """A URL with which a connection can be opened; ValueError says what is wrong with it."""
    try:
        parsed = URL(url)
        port = parsed.port
    except ValueError:
        # the reason might quote a password
        raise ValueError(f"{what} is malformed") from None
    if parsed.scheme not in ("http", "https"):
        raise ValueError(f"{what} must begin with http:// or https://")
    if not parsed.raw_host or not _HOST.fullmatch(parsed.raw_host) or not port:
        raise ValueError(f"{what} names no proper host")
    return parsed


def parse_proxy(url: str) -> Proxy:
    """A proxy by its URL, whose user and password it takes."""
    parsed = parse_url(url, "the proxy's URL")
    line = b""
    if parsed.user is not None or parsed.password is not None:
        pair = f"{parsed.user or ''}:{parsed.password or ''}".encode()
        line = b"Proxy-Authorization: Basic " + base64.b64encode(pair) + b"\r\n"
    return Proxy(parsed.scheme, parsed.raw_host or "", parsed.port or 0, line)


def is_local(host: str) -> bool:
    """Whether a host is this machine, where a proxy would be a detour."""
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


def _url(scheme: str, host: str, port: int) -> str:
    return str(URL.build(scheme=scheme, host=host, port=port).origin())
