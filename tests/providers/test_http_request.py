"""Heads of requests: complete, and nothing in them that the caller did not mean."""

from __future__ import annotations

from collections.abc import Mapping

import pytest
from hypothesis import given
from hypothesis import strategies as st

from g4f_aio import __version__
from g4f_aio.providers.http_request import encode_head, target_of
from g4f_aio.providers.origin import Origin, Proxy

URL = "https://api.example/v1/chat"
PROXY = "http://user:pass@proxy.example:3128"
AUTHORIZATION = "Proxy-Authorization: Basic dXNlcjpwYXNz"


def head(
    method: str = "GET",
    url: str = URL,
    headers: Mapping[str, str] | None = None,
    length: int | None = None,
    proxy: str | None = None,
) -> list[str]:
    """The lines of a head."""
    data = encode_head(target_of(method, url, proxy), headers, length)
    assert data.endswith(b"\r\n\r\n")
    return data.decode("latin-1").removesuffix("\r\n\r\n").split("\r\n")


def test_a_head_is_complete() -> None:
    headers = {"Authorization": "Bearer sk-1", "X-Own": "a, b"}
    assert head("POST", headers=headers, length=12) == [
        "POST /v1/chat HTTP/1.1",
        "Host: api.example",
        f"User-Agent: g4f_aio/{__version__}",
        "Accept: */*",
        "Authorization: Bearer sk-1",
        "X-Own: a, b",
        "Content-Length: 12",
    ]


@pytest.mark.parametrize(
    ("url", "target", "host"),
    [
        ("http://h", "/", "h"),
        ("http://h:80/a", "/a", "h"),
        ("https://h:443/a", "/a", "h"),
        ("http://h:443/a", "/a", "h:443"),
        ("http://[::1]:8080/a", "/a", "[::1]:8080"),
        ("http://[::1]/a", "/a", "[::1]"),
        (
            "https://bücher.example/ä b?q=ö&r=%2F#part",
            "/%C3%A4%20b?q=%C3%B6&r=/",
            "xn--bcher-kva.example",
        ),
        ("http://h/models/a%2Fb", "/models/a%2Fb", "h"),
        ("HTTP://H.Example/A", "/A", "h.example"),
        ("http://h/a\r\nX: y", "/aX:%20y", "h"),
        ("http://h/%0D%0AX", "/%0D%0AX", "h"),
    ],
)
def test_a_url_becomes_request_line_and_host(url: str, target: str, host: str) -> None:
    assert head("GET", url)[:2] == [f"GET {target} HTTP/1.1", f"Host: {host}"]


@pytest.mark.parametrize(
    ("url", "origin"),
    [
        ("http://h/a", Origin("http", "h", 80)),
        ("https://h/a", Origin("https", "h", 443)),
        ("https://h:8443/b", Origin("https", "h", 8443)),
        ("http://[::1]/a", Origin("http", "::1", 80)),
    ],
)
def test_a_url_names_its_origin(url: str, origin: Origin) -> None:
    assert target_of("GET", url, None).origin == origin


@pytest.mark.parametrize(
    ("method", "length", "line"),
    [
        ("GET", None, None),
        ("GET", 3, "Content-Length: 3"),
        ("DELETE", None, None),
        ("POST", None, "Content-Length: 0"),
        ("PUT", None, "Content-Length: 0"),
        ("PATCH", 0, "Content-Length: 0"),
    ],
)
def test_a_length_is_told_where_it_is_expected(
    method: str, length: int | None, line: str | None
) -> None:
    found = [one for one in head(method, length=length) if one.startswith("Content-Length")]
    assert found == ([] if line is None else [line])


def test_the_caller_may_say_differently_who_asks_whom_for_what() -> None:
    headers = {"user-agent": "curl/8", "HOST": "other.example", "Accept": "text/event-stream"}
    assert head(headers=headers) == [
        "GET /v1/chat HTTP/1.1",
        "user-agent: curl/8",
        "HOST: other.example",
        "Accept: text/event-stream",
    ]


@pytest.mark.parametrize(
    "name",
    [
        "Content-Length",
        "transfer-encoding",
        "CONNECTION",
        "Upgrade",
        "Expect",
        "Proxy-Authorization",
    ],
)
def test_the_caller_may_not_say_where_a_request_ends(name: str) -> None:
    with pytest.raises(ValueError, match=f"^header {name.lower()} is not the caller's to set$"):
        head(headers={"X-Own": "1", name: "1"})


@pytest.mark.parametrize(
    "name", ["", "X Own", "X:", "X-Own\r\nX-Evil", "X-Own\n", "Ünicode", "a\x00", "a\t", "a/b"]
)
def test_a_header_without_proper_name_is_refused(name: str) -> None:
    with pytest.raises(ValueError, match=r" is no header's name$"):
        head(headers={name: "x"})


@pytest.mark.parametrize(
    "value", ["secret\r\nX-Evil: 1", "secret\n", "secret\r", "secret\x00", "secret\x7f", "secret€"]
)
def test_a_header_with_a_line_end_is_refused_and_not_quoted(value: str) -> None:
    with pytest.raises(ValueError, match=r"^header Authorization has a line end") as caught:
        head(headers={"Authorization": value})
    assert "secret" not in str(caught.value)


def test_values_may_be_latin_1_and_have_tabs() -> None:
    assert "X-Own: café\tau lait" in head(headers={"X-Own": "café\tau lait"})


@given(st.dictionaries(st.text(max_size=9), st.text(max_size=30), max_size=4))
def test_a_head_has_as_many_lines_as_headers(headers: dict[str, str]) -> None:
    try:
        lines = head(headers={f"X{name}": value for name, value in headers.items()})
    except ValueError:
        return
    assert len(lines) == 4 + len(headers)
    assert not set("\r\n\0") & set("".join(lines))


@pytest.mark.parametrize("method", ["", "GET /x HTTP/1.1\r\nX:", "G T", "GÉT"])
def test_a_method_is_one_word(method: str) -> None:
    with pytest.raises(ValueError, match=r"^the method "):
        target_of(method, URL, None)


@pytest.mark.parametrize("url", ["https://user:pass@h/", "https://user@h/", "https://:pass@h/"])
def test_a_url_with_a_password_is_refused_and_not_quoted(url: str) -> None:
    with pytest.raises(ValueError, match=r"^the URL may not hold a user or password") as caught:
        target_of("GET", url, None)
    assert "pass@" not in str(caught.value)


# proxies


def test_a_proxy_is_asked_by_the_whole_url() -> None:
    target = target_of("GET", "http://api.example:8080/v1?a=b", PROXY)
    assert target.origin == Origin("http", "proxy.example", 3128)
    assert head(url="http://api.example:8080/v1?a=b", proxy=PROXY)[:3] == [
        "GET http://api.example:8080/v1?a=b HTTP/1.1",
        AUTHORIZATION,
        "Host: api.example:8080",
    ]


def test_through_tls_a_proxy_opens_a_way_and_sees_no_more() -> None:
    origin = target_of("GET", URL, PROXY).origin
    assert (origin.scheme, origin.host, origin.port) == ("https", "api.example", 443)
    assert origin.proxy == Proxy("http", "proxy.example", 3128, f"{AUTHORIZATION}\r\n".encode())
    lines = head(proxy=PROXY)
    assert lines[0] == "GET /v1/chat HTTP/1.1"
    assert not any(line.startswith("Proxy") for line in lines)


@pytest.mark.parametrize("host", ["localhost", "127.0.0.1:11434", "[::1]"])
@pytest.mark.parametrize("scheme", ["http", "https"])
def test_to_this_machine_there_is_a_shorter_way(scheme: str, host: str) -> None:
    url = f"{scheme}://{host}/v1"
    assert target_of("GET", url, PROXY) == target_of("GET", url, None)


@pytest.mark.parametrize(
    "proxy",
    ["proxy.example:3128", "socks5://user:pass@h", "http://u:pass@h:99999", "http://u:pass@\u2100"],
)
def test_a_proxy_that_is_none_is_refused_and_not_quoted(proxy: str) -> None:
    with pytest.raises(ValueError, match=r"^the proxy's URL ") as caught:
        target_of("GET", URL, proxy)
    assert "pass" not in str(caught.value)


def test_a_target_shows_no_secret() -> None:
    assert "dXNlcjpwYXNz" not in repr(target_of("GET", "http://api.example/v1", PROXY))


def test_what_headers_look_like_is_remembered_for_some_and_not_for_all() -> None:
    target = target_of("GET", URL, None)
    heads = {
        encode_head(target, {"authorization": f"Bearer {number}"}, None) for number in range(200)
    }
    assert len(heads) == 200
    assert 0 < len(target.known) <= 64
    assert encode_head(target, {"authorization": "Bearer 199"}, None) in heads
