"""Which addresses may be dialled for somebody else's URL."""

from __future__ import annotations

from ipaddress import ip_address

import pytest
from hypothesis import given
from hypothesis.strategies import ip_addresses

from g4f_aio.files.guard import Exempt, Guard, is_public

PUBLIC = (
    "1.1.1.1",
    "93.184.216.34",
    "2606:4700::1111",
    # one of IPv4, in a network that has only IPv6
    "64:ff9b::5db8:d822",
    "::ffff:93.184.216.34",
    "2002:5db8:d822::1",
)
FORBIDDEN = (
    "0.0.0.0",  # noqa: S104  (asks, and does not listen)
    "10.0.0.1",
    "100.64.0.1",
    "100.100.100.200",
    "127.0.0.1",
    "127.255.255.254",
    "168.63.129.16",
    "169.254.169.254",
    "172.16.0.1",
    "192.0.0.192",
    "192.0.2.1",
    "192.88.99.1",
    "192.168.0.1",
    "198.18.0.1",
    "224.0.0.1",
    "240.0.0.1",
    "255.255.255.255",
    "::",
    "::1",
    "::7f00:1",
    "::ffff:127.0.0.1",
    "::ffff:169.254.169.254",
    "64:ff9b::7f00:1",
    "64:ff9b::a9fe:a9fe",
    "64:ff9b:1::1",
    "100::1",
    "2001::1",
    "2001:0:7f00:1::",
    "2001:db8::1",
    "2002:7f00:1::",
    "2002:a9fe:a9fe::1",
    "fc00::1",
    "fd00:ec2::254",
    "fe80::1",
    "fe80::1%2",
    "fec0::1",
    "ff02::1",
)


def test_everybodys_addresses_are_public() -> None:
    assert [text for text in PUBLIC if not is_public(ip_address(text))] == []


def test_no_others_are_however_they_are_wrapped() -> None:
    assert [text for text in FORBIDDEN if is_public(ip_address(text))] == []
    guard = Guard()
    assert [text for text in FORBIDDEN if guard.permits(text, 443)] == []


@given(ip_addresses(v=4))
def test_wrapping_an_address_of_ipv4_makes_it_no_more_public(address: object) -> None:
    number = int(ip_address(str(address)))
    for front in (0xFFFF << 32, 0x64FF9B << 96, (0x2002 << 112) | (number << 80)):
        wrapped = ip_address(front if front >> 112 else front | number)
        assert not is_public(wrapped) or is_public(ip_address(number))


@pytest.mark.parametrize("port", [22, 25, 6379, 11434, 1])
def test_only_the_ports_of_web_servers_are_dialled(port: int) -> None:
    assert not Guard().permits("1.1.1.1", port)
    assert Guard.of(("1.1.1.1",), ()).permits("1.1.1.1", port)


@pytest.mark.parametrize(
    ("allowed", "address", "port", "permitted"),
    [
        ("127.0.0.1:8188", "127.0.0.1", 8188, True),
        ("127.0.0.1:8188", "::ffff:127.0.0.1", 8188, True),
        ("127.0.0.1:8188", "127.0.0.1", 8189, False),
        ("127.0.0.1:8188", "127.0.0.2", 8188, False),
        ("[::1]:8188", "::1", 8188, True),
        ("[::1]", "::1", 9, True),
        ("::1", "::1", 9, True),
        ("10.1.0.0/16", "10.1.2.3", 5000, True),
        ("10.1.0.0/16:80", "10.1.2.3", 5000, False),
        ("10.1.0.0/16", "10.2.2.3", 80, False),
        ("fd00::/8", "fd12::1", 80, True),
        ("files.lan", "10.1.2.3", 80, False),
    ],
)
def test_what_the_settings_allow_is_dialled_and_nothing_else(
    allowed: str, address: str, port: int, *, permitted: bool
) -> None:
    assert Guard.of((allowed,), ()).permits(address, port) is permitted


def test_a_host_can_be_allowed_by_its_name() -> None:
    guard = Guard.of(("Files.lan:8000", "wiki.lan"), ())
    assert guard.trusts("files.LAN.", 8000)
    assert guard.trusts("wiki.lan", 1)
    assert not guard.trusts("files.lan", 8001)
    assert not guard.trusts("evil-files.lan", 8000)
    assert guard.permits("10.1.2.3", 8000, trusted=True)


def test_what_is_denied_is_never_dialled() -> None:
    guard = Guard.of(("files.lan", "93.184.216.34"), ("93.184.216.0/24", "2606:4700::/32"))
    for address in ("93.184.216.34", "::ffff:93.184.216.34", "2606:4700::1"):
        assert not guard.permits(address, 443)
        assert not guard.permits(address, 443, trusted=True)
    assert guard.permits("1.1.1.1", 443)


@pytest.mark.parametrize(
    "text",
    [
        "",
        ":80",
        "a:b",
        "a:0",
        "a:70000",
        "[::1",
        "[::1]8",
        "[::1]:",
        "http://a",
        "a/b",
        "a b",
        "*.lan",
        "::g",
    ],
)
def test_what_is_no_place_is_an_error(text: str) -> None:
    with pytest.raises(ValueError, match="no "):
        Exempt.parse(text)
