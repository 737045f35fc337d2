"""What a value may be."""

from __future__ import annotations

import math

import pytest

from g4f_aio.settings import checks


@pytest.mark.parametrize("host", ["localhost", "127.0.0.1", "::1", "0.0.0.0", "box.example"])  # noqa: S104
def test_a_host_is_a_name_or_an_address(host: str) -> None:
    assert checks.bare_host(host) is None
    assert checks.bare_hosts((host, host)) is None


@pytest.mark.parametrize("host", ["", "http://box", "box/path", "a b", "me@box", "[::1]"])
def test_what_is_more_than_a_host_is_refused(host: str) -> None:
    assert "must be a host" in str(checks.bare_host(host))
    assert "must be a host" in str(checks.bare_hosts(("good", host)))


@pytest.mark.parametrize("value", [0, 1, 1337, 65535])
def test_a_port_is_a_sixteen_bit_number(value: int) -> None:
    assert checks.port(value) is None


@pytest.mark.parametrize("value", [-1, 65536])
def test_other_ports_are_refused(value: int) -> None:
    assert checks.port(value) == f"must be between 0 and 65535, not {value}"


@pytest.mark.parametrize("value", [0.0, -1.0, math.inf, math.nan])
def test_a_timeout_is_finite_and_above_zero(value: float) -> None:
    assert checks.seconds(0.001) is None
    assert checks.seconds(value) == f"must be a number of seconds above 0, not {value}"


@pytest.mark.parametrize("value", [-1.0, math.inf, math.nan])
def test_a_drain_may_be_zero(value: float) -> None:
    assert checks.seconds_or_zero(0) is None
    assert checks.seconds_or_zero(value) == f"must be a number of seconds, not {value}"


def test_a_search_engine_is_one_that_is_known() -> None:
    for name in ("", "ddgs", "searxng", "off"):
        assert checks.search_engine(name) is None
    assert checks.search_engine("bing") == 'must be "ddgs", "searxng", "off" or "", not \'bing\''


def test_a_size_is_at_least_one() -> None:
    assert checks.size(1) is None
    assert checks.size(0) == "must be at least 1, not 0"


@pytest.mark.parametrize(
    "origins",
    [
        (),
        ("*",),
        ("https://app.example.org",),
        ("http://localhost:3000", "http://[::1]:3000", "chrome-extension://abcdef"),
    ],
)
def test_origins_are_scheme_host_and_port_or_a_star_alone(origins: tuple[str, ...]) -> None:
    assert checks.origins(origins) is None


@pytest.mark.parametrize(
    "origin",
    ["app.example.org", "https://a/", "https://a/path", "https://", "null", "", "http://[a"],
)
def test_what_no_browser_sends_as_an_origin_is_refused(origin: str) -> None:
    assert f"not {origin!r}" in str(checks.origins(("https://good", origin)))


def test_a_star_does_not_stand_beside_origins() -> None:
    assert "alone" in str(checks.origins(("*", "https://a")))


@pytest.mark.parametrize("url", ["http://proxy:8080", "https://user:pass@proxy", "http://[::1]:1"])
def test_a_proxy_is_an_http_url(url: str) -> None:
    assert checks.proxy(url) is None


@pytest.mark.parametrize(
    "url",
    [
        "proxy:8080",
        "socks5://u:hidden@proxy",
        "http://",
        "http://u:hidden@p:x",
        "http://u:hidden@[p",
        "http://u:hidden@\u2100/",  # a host that only looks like one
    ],
)
def test_other_proxies_are_refused_without_showing_them(url: str) -> None:
    problem = checks.proxy(url)
    assert problem == "must be a URL that starts with http:// or https://"


@pytest.mark.parametrize(
    "url", ["http://127.0.0.1:4318", "https://otlp.example.org/otlp", "http://[::1]:4318/"]
)
def test_a_collector_is_an_http_url(url: str) -> None:
    assert checks.collector(url) is None


@pytest.mark.parametrize(
    "url",
    [
        "127.0.0.1:4318",
        "grpc://a:4317",
        "http://",
        "http://u:hidden@a",
        "http://u@a",
        "http://a/?k=hidden",
    ],
)
def test_other_collectors_are_refused_without_showing_them(url: str) -> None:
    problem = str(checks.collector(url))
    assert problem.startswith("must be a URL")
    assert "hidden" not in problem


def test_headers_are_names_and_values() -> None:
    text = "authorization=Basic%20YTpi, x-scope=a=b"
    assert checks.headers(text) is None
    assert checks.header_pairs(text) == {"authorization": "Basic YTpi", "x-scope": "a=b"}
    assert checks.header_pairs("") == {}


@pytest.mark.parametrize(
    "text", ["hidden", "=hidden", "a=", "a b=hidden", "a=1,,b=2", "a=x%0d%0ahidden"]
)
def test_other_headers_are_refused_without_showing_them(text: str) -> None:
    assert checks.headers(text) == "must look like name=value,other=value"


def test_a_key_has_no_control_characters() -> None:
    assert checks.key("sk-123 ü") is None
    problem = checks.key("hidden\nkey")
    assert problem is not None
    assert "hidden" not in problem


def test_a_number_of_things_is_at_least_one_unless_it_may_be_none() -> None:
    assert checks.count(1) is checks.count_or_zero(0) is checks.count_or_zero(1) is None
    assert checks.count(0) == "must be at least 1, not 0"
    assert checks.count_or_zero(-1) == "must be at least 0, not -1"


@pytest.mark.parametrize("value", [-0.1, 1.1, math.nan, math.inf])
def test_a_share_is_between_nothing_and_all(value: float) -> None:
    assert checks.share(0) is checks.share(0.05) is checks.share(1) is None
    assert checks.share(value) == f"must be between 0 and 1, not {value}"


def test_several_keys_are_each_a_key_and_each_once() -> None:
    assert checks.keys(()) is checks.keys(("a", "b")) is None
    for wrong, problem in (
        (("a", "hidden", "hidden"), "has a key twice"),
        (("a", ""), "has an empty key"),
        (("a", "hidden\n"), "has a line break or another control character in it"),
    ):
        assert checks.keys(wrong) == problem


@pytest.mark.parametrize(
    "value", ["", "abc", "g" * 64, "a" * 63, "a" * 65, "ü" * 64, " " + "a" * 63]
)
def test_a_hash_is_64_hexadecimal_digits(value: str) -> None:
    assert checks.sha256("0123456789abcdef" * 4) is None
    assert checks.sha256("0123456789ABCDEF" * 4) is None
    assert checks.sha256(value) == "must be 64 hexadecimal digits"


def test_a_log_format_is_one_of_two() -> None:
    assert checks.log_format("text") is checks.log_format("json") is None
    assert checks.log_format("xml") == 'must be "text" or "json", not \'xml\''


def test_a_name_is_not_empty() -> None:
    assert checks.filled("x") is None
    assert checks.filled("") == "must not be empty"
