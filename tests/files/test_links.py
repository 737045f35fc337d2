"""URLs that somebody else names."""

from __future__ import annotations

import pytest
from yarl import URL

from g4f_aio.core.errors import BadRequestError
from g4f_aio.files.links import LONGEST, led_on, link


@pytest.mark.parametrize(
    ("text", "read"),
    [
        ("https://example.org", "https://example.org"),
        ("HTTP://EXAMPLE.org:80/a?b=c#d", "http://example.org/a?b=c"),
        ("https://bücher.example/ä b", "https://xn--bcher-kva.example/%C3%A4%20b"),
        ("http://[::1]:8080/", "http://[::1]:8080/"),
    ],
)
def test_a_url_is_read_as_the_request_has_it(text: str, read: str) -> None:
    assert str(link(text)) == read


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("", "begin"),
        ("example.org/a.png", "begin"),
        ("file:///etc/passwd", "begin"),
        ("gopher://example.org", "begin"),
        ("ftp://example.org/a", "begin"),
        ("data:image/png;base64,AA==", "begin"),
        ("//example.org/a", "begin"),
        ("http:///a", "names no host|malformed"),
        ("http://", "names no host|malformed"),
        ("http://user@example.org/", "a user"),
        ("http://user:pass@example.org/", "a user"),
        ("http://example.org:0/", "names no host"),
        ("http://example.org:99999/", "malformed"),
        ("http://[::1/", "malformed"),
        ("http://example.org\\@127.0.0.1/", "character"),
        ("http://example.org/\r\nX-Evil: 1", "character"),
        ("http://example.org/\x00", "character"),
        ("http://exa\u202emple.org/", "character"),
        (f"http://example.org/{'a' * LONGEST}", "more than"),
    ],
)
def test_what_may_not_be_fetched_is_an_error(text: str, why: str) -> None:
    with pytest.raises(BadRequestError, match=why) as caught:
        link(text)
    assert (caught.value.status, caught.value.code) == (400, "url_blocked")


@pytest.mark.parametrize(
    ("location", "target"),
    [
        ("/b", "https://example.org/b"),
        ("c?d#e", "https://example.org/x/c?d"),
        ("//other.example/", "https://other.example/"),
        ("https://other.example:8443/", "https://other.example:8443/"),
    ],
)
def test_a_redirect_may_lead_to_another_place(location: str, target: str) -> None:
    assert led_on(URL("https://example.org/x/y"), location) == URL(target)


@pytest.mark.parametrize(
    ("location", "why"),
    [
        ("http://example.org/", "from https to http"),
        ("file:///etc/passwd", "leads on"),
        ("https://user@example.org/", "leads on"),
        ("https://example.org\\@other.example/", "leads on"),
        ("https://[::1/", "leads on"),
        ("javascript:alert(1)", "leads on"),
        ("a" * (LONGEST + 1), "leads on"),
    ],
)
def test_but_not_to_what_may_not_be_fetched(location: str, why: str) -> None:
    with pytest.raises(BadRequestError, match=why) as caught:
        led_on(URL("https://example.org/x"), location)
    assert caught.value.code == "url_blocked"


def test_a_redirect_without_tls_may_lead_to_one_with_it() -> None:
    assert led_on(URL("http://a.example/"), "https://a.example/") == URL("https://a.example/")
