"""URLs lead to connections, or say why not."""

from __future__ import annotations

import base64

import attrs
import pytest

from g4f_aio.providers.origin import Origin, is_local, parse_proxy, parse_url


def test_origins_that_are_the_same_share_their_connections() -> None:
    proxy = parse_proxy("http://user:pass@proxy:3128")
    one = Origin("https", "api.example", 443, proxy)
    assert one == attrs.evolve(one)
    assert hash(one) == hash(attrs.evolve(one))
    others = (
        Origin("http", "api.example", 443, proxy),
        Origin("https", "other.example", 443, proxy),
        Origin("https", "api.example", 444, proxy),
        Origin("https", "api.example", 443),
        Origin("https", "api.example", 443, parse_proxy("http://other:pass@proxy:3128")),
    )
    assert len({one, *others}) == 6


@pytest.mark.parametrize(
    ("origin", "text"),
    [
        (Origin("https", "api.example", 443), "https://api.example"),
        (Origin("http", "api.example", 80), "http://api.example"),
        (Origin("http", "127.0.0.1", 11434), "http://127.0.0.1:11434"),
        (Origin("http", "::1", 80), "http://[::1]"),
        (Origin("http", "::1", 8080), "http://[::1]:8080"),
    ],
)
def test_an_origin_is_called_by_its_url(origin: Origin, text: str) -> None:
    assert str(origin) == text


def test_a_proxy_is_named_without_its_password() -> None:
    proxy = parse_proxy("http://user:hunter2@proxy.example:3128")
    origin = Origin("https", "api.example", 443, proxy)
    assert str(origin) == "https://api.example through http://proxy.example:3128"
    coded = base64.b64encode(b"user:hunter2").decode()
    assert "hunter2" not in repr(origin)
    assert coded not in repr(origin)
    assert proxy.authorization == f"Proxy-Authorization: Basic {coded}\r\n".encode()


@pytest.mark.parametrize(
    ("url", "pair"),
    [
        ("http://user@proxy", b"user:"),
        ("http://:pass@proxy", b":pass"),
        ("http://us%65r:p%40ss%0D%0A@proxy", b"user:p@ss\r\n"),
        ("http://ü:ñ@proxy", "ü:ñ".encode()),
    ],
)
def test_user_and_password_of_a_proxy_are_decoded(url: str, pair: bytes) -> None:
    coded = base64.b64encode(pair)
    assert parse_proxy(url).authorization == b"Proxy-Authorization: Basic %b\r\n" % coded


def test_a_proxy_without_user_gets_no_authorization() -> None:
    proxy = parse_proxy("https://proxy.example")
    assert (proxy.scheme, proxy.host, proxy.port) == ("https", "proxy.example", 443)
    assert proxy.authorization == b""


@pytest.mark.parametrize(
    "url",
    [
        "",
        "api.example/v1",
        "//api.example/v1",
        "ftp://api.example",
        "socks5://api.example",
        "http://",
        "http:///v1",
        "http://[::1",
        "http://host:0/",
        "http://host:65536/",
        "http://host:port/",
        "http://ho st/",
        "http://host\x00/",
    ],
)
def test_what_leads_nowhere_is_refused(url: str) -> None:
    with pytest.raises(ValueError, match=r"^the URL "):
        parse_url(url)
    with pytest.raises(ValueError, match=r"^the proxy's URL "):
        parse_proxy(url)


@pytest.mark.parametrize("host", ["localhost", "127.0.0.1", "127.8.8.8", "::1"])
def test_this_machine_is_local(host: str) -> None:
    assert is_local(host)


@pytest.mark.parametrize("host", ["", "localhost.example", "10.0.0.1", "::2", "example"])
def test_every_other_is_not(host: str) -> None:
    assert not is_local(host)
