"""Which addresses of the network may be dialled for a URL that somebody else names.

Only those that everybody can reach: whoever could make this machine ask others would get at what
only this machine and its network can see, such as the metadata of a cloud.
"""

from __future__ import annotations

from collections.abc import Iterable
from ipaddress import (
    IPv4Address,
    IPv4Network,
    IPv6Address,
    IPv6Network,
    ip_address,
    ip_network,
)
from typing import Self

import attrs

Address = IPv4Address | IPv6Address
Network = IPv4Network | IPv6Network

#: those of web servers
PORTS = frozenset((80, 443, 8080, 8443))
_MOST_PORT = 65535
#: what the library takes for public in some of its versions: carriers' networks, in which clouds
#: keep their metadata, too; protocol assignments, likewise; relays of 6to4; Azure's host
_NOT_PUBLIC = tuple(
    map(IPv4Network, ("100.64.0.0/10", "192.0.0.0/24", "192.88.99.0/24", "168.63.129.16/32"))
)
#: all that is public of IPv6
_UNICAST = IPv6Network("2000::/3")
#: the front of an address of IPv4 in a network that has only IPv6
_NAT64 = IPv6Network("64:ff9b::/96")


def is_public(address: Address) -> bool:
    """Whether everybody can reach it; for one that wraps another, whether that is so of both."""
    if isinstance(address, IPv4Address):
        return (
            address.is_global
            and not (address.is_multicast or address.is_reserved)
            and not any(address in network for network in _NOT_PUBLIC)
        )
    if (inner := _only_wraps(address)) is not None:
        return is_public(inner)
    wrapped = (address.sixtofour, *(address.teredo or ()))
    return (
        address in _UNICAST
        and address.is_global
        and all(is_public(one) for one in wrapped if one is not None)
    )


def _only_wraps(address: IPv6Address) -> IPv4Address | None:
    """The address of IPv4 that is meant by one of IPv6 that is no place of its own."""
    if address.ipv4_mapped is not None:
        return address.ipv4_mapped
    return IPv4Address(int(address) & 0xFFFF_FFFF) if address in _NAT64 else None


@attrs.frozen
class Exempt:
    """A place that may be dialled although not everybody can reach it.

    By the name in the URL, *host*, or else by the *network* of the address. *port* None: any.
    """

    host: str | None = None
    network: Network | None = None
    port: int | None = None

    @classmethod
    def parse(cls, text: str) -> Self:
        """``127.0.0.1:8080``, ``[::1]:8080``, ``10.0.0.0/8``, ``files.lan:8080``, or without a port.

        ValueError when it is nothing of that kind.
        """
        host, port = text, None
        if text.startswith("["):
            host, end, rest = text[1:].partition("]")
            if not end or rest[:1] not in ("", ":"):
                raise ValueError(f"no address, network or host: {text!r}")
            port = _port(rest[1:]) if rest else None
        elif text.count(":") == 1:
            host, _, rest = text.partition(":")
            port = _port(rest)
        try:
            return cls(network=ip_network(host), port=port)
        except ValueError:
            if not host or not set(host).isdisjoint(":/@?#[] \t\r\n*"):
                raise ValueError(f"no address, network or host: {text!r}") from None
        return cls(host=host.lower().rstrip("."), port=port)


def _port(text: str) -> int:
    if not text.isdecimal() or not 0 < int(text) <= _MOST_PORT:
        raise ValueError(f"no port: {text!r}")
    return int(text)


@attrs.frozen
class Guard:
    """Judges the address that is about to be dialled: no name and no redirect can get around that.

    *allow* exempts places that not everybody can reach, and ports that are no web server's. What is
    in *deny* may not be dialled in any case.
    """

    allow: tuple[Exempt, ...] = ()
    deny: tuple[Network, ...] = ()

    @classmethod
    def of(cls, allow: Iterable[str], deny: Iterable[str]) -> Self:
        """As the settings write it; ValueError for what is malformed."""
        return cls(tuple(map(Exempt.parse, allow)), tuple(map(ip_network, deny)))

    def trusts(self, host: str, port: int) -> bool:
        """Whether a *host* is exempt by its name, wherever that leads."""
        name = host.lower().rstrip(".")
        return any(one.host == name and one.port in (None, port) for one in self.allow)

    def permits(self, address: str, port: int, *, trusted: bool = False) -> bool:
        """Whether it may be dialled; *trusted*: for a host that is exempt by its name."""
        found = ip_address(address)
        if isinstance(found, IPv6Address):
            found = found.ipv4_mapped or found
        if any(found in network for network in self.deny):
            return False
        if trusted or any(
            one.network is not None and found in one.network and one.port in (None, port)
            for one in self.allow
        ):
            return True
        return port in PORTS and is_public(found)
