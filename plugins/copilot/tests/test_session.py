"""Cookie exports and HARs, as browsers write them and as nobody should."""

from __future__ import annotations

import json
from typing import Any

import pytest
from g4f_aio_copilot.session import (
    TOKEN_LENGTH,
    Session,
    SessionError,
    checked_token,
    parse_export,
)
from hypothesis import given, settings
from hypothesis import strategies as st

HOST = "copilot.microsoft.com"
NOW = 1_790_000_000.0
SECRET = "s3cret-value-0123"


def cookie(name: str = "_C_Auth", value: object = SECRET, **more: Any) -> dict[str, Any]:
    return {"name": name, "value": value, "domain": HOST, "path": "/", **more}


def entry(url: str = f"https://{HOST}/c/api/user", **request: Any) -> dict[str, Any]:
    return {"startedDateTime": "2026-01-01", "request": {"method": "GET", "url": url, **request}}


def har(*entries: object) -> dict[str, Any]:
    return {"log": {"version": "1.2", "entries": list(entries)}}


def parse(document: object, host: str = HOST) -> Session:
    return parse_export(json.dumps(document).encode(), host, NOW)


def refusal(document: object) -> str:
    with pytest.raises(SessionError) as caught:
        parse(document)
    assert SECRET not in repr(caught.value)
    assert caught.value.__cause__ is None
    return str(caught.value)


@pytest.mark.parametrize("wrapped", [False, True])
def test_a_list_of_cookies(*, wrapped: bool) -> None:
    cookies = [cookie("a", "1"), cookie("b", "2", domain=".microsoft.com")]
    found = parse({"cookies": cookies, "origins": []} if wrapped else cookies)
    assert found == Session(cookies={"a": "1", "b": "2"})


def test_an_object_of_names_and_values() -> None:
    assert parse({"a": "1", "b": "x y"}) == Session(cookies={"a": "1", "b": "x y"})


def test_a_byte_order_mark_is_no_fault() -> None:
    data = b"\xef\xbb\xbf" + json.dumps([cookie()]).encode()
    assert parse_export(data, HOST, NOW).cookies == {"_C_Auth": SECRET}


@pytest.mark.parametrize(
    ("more", "taken"),
    [
        ({"domain": HOST}, True),
        ({"domain": "Copilot.Microsoft.com"}, True),
        ({"domain": f".{HOST}"}, True),
        ({"domain": ".microsoft.com"}, True),
        ({"domain": ""}, True),
        ({"domain": None}, True),
        ({"domain": "microsoft.com", "hostOnly": False}, True),
        ({"domain": "microsoft.com"}, False),
        ({"domain": ".microsoft.com", "hostOnly": True}, False),
        ({"domain": "evil-copilot.microsoft.com"}, False),
        ({"domain": ".soft.com"}, False),
        ({"domain": "bing.com"}, False),
        ({"path": "/c"}, True),
        ({"path": "/c/api/"}, True),
        ({"path": "/chats"}, False),
        ({"path": "/c/ap"}, False),
        ({"path": None}, True),
    ],
)
def test_only_what_a_browser_would_send_there_is_taken(
    more: dict[str, Any], *, taken: bool
) -> None:
    found = parse([cookie("kept", "1"), cookie(**more)])
    assert ("_C_Auth" in found.cookies) is taken


@pytest.mark.parametrize(
    ("more", "taken"),
    [
        ({"expirationDate": NOW - 1}, False),
        ({"expirationDate": NOW + 1.5}, True),
        ({"expires": -1}, True),
        ({"expires": 0}, True),
        ({"expires": int((NOW - 1) * 1000)}, False),
        ({"expires": int((NOW + 1) * 1000)}, True),
        ({"expiry": int(NOW) - 1}, False),
        ({"expires": "2020-01-01T00:00:00Z"}, False),
        ({"expires": "2120-01-01T00:00:00Z"}, True),
        ({"expires": "Wed, 21 Oct 2015 07:28:00 GMT"}, False),
        ({"expires": "Session"}, True),
        ({"expires": None}, True),
        ({"expires": True}, True),
    ],
)
def test_what_has_expired_is_left_out(more: dict[str, Any], *, taken: bool) -> None:
    found = parse([cookie("kept", "1"), cookie(**more)])
    assert ("_C_Auth" in found.cookies) is taken


def test_nothing_but_expired_cookies() -> None:
    said = refusal([cookie(expires=1), cookie("other", domain="bing.com")])
    assert said == f"holds only cookies of {HOST} that have expired"


def test_a_har_gives_the_newest_token_and_cookies_of_the_host() -> None:
    found = parse(
        har(
            entry(headers=[{"name": "Authorization", "value": "Bearer old"}]),
            entry(
                headers=[
                    {"name": "AUTHORIZATION", "value": "bearer new"},
                    {"name": "X-UserIdentityType", "value": "microsoft"},
                ],
                cookies=[{"name": "a", "value": "1"}, {"name": "b", "value": "2"}],
            ),
            entry(headers=[{"name": "Accept", "value": "*/*"}], cookies=[]),
            entry(
                "https://login.example/",
                headers=[{"name": "Authorization", "value": f"Bearer {SECRET}"}],
                cookies=[{"name": "c", "value": SECRET}],
            ),
        )
    )
    assert found == Session("new", {"a": "1", "b": "2"}, "microsoft")


def test_a_token_in_the_websocket_s_url() -> None:
    url = f"wss://{HOST}/c/api/chat?api-version=2&accessToken=a%2Bb%3D&X-UserIdentityType=google"
    assert parse(har(entry(url))) == Session("a+b=", {}, "google")


def test_cookies_that_stand_in_a_header_only() -> None:
    headers = [{"name": "Cookie", "value": "a=1; b=x=y; flag"}]
    assert parse(har(entry(headers=headers))) == Session(cookies={"a": "1", "b": "x=y"})


def test_another_way_to_authorize_is_no_token() -> None:
    headers = [{"name": "Authorization", "value": f"Basic {SECRET}"}]
    assert "no cookies and no access token" in refusal(har(entry(headers=headers)))


def test_entries_of_a_har_that_are_odd_are_left() -> None:
    odd: list[object] = [
        7,
        {},
        {"request": {"url": 7}},
        entry("https://[half"),
        entry(headers=7, cookies=[7, {"name": "a"}]),
    ]
    found = parse(har(*odd, entry(cookies=[{"name": "a", "value": "1"}])))
    assert found == Session(cookies={"a": "1"})


@pytest.mark.parametrize(
    ("document", "said"),
    [
        (7, "is neither a cookie export nor a HAR"),
        ({}, "is neither a cookie export nor a HAR"),
        ({"a": SECRET, "b": 7}, "is neither a cookie export nor a HAR"),
        ({"log": {"entries": SECRET}}, "is no whole HAR: $.log.entries is no list"),
        ({"log": SECRET}, "is no whole HAR: $.log.entries is no list"),
        ([cookie(), SECRET], "has no cookie at $[1]: name and value are texts"),
        (
            {"cookies": [{"name": SECRET}]},
            "has no cookie at $.cookies[0]: name and value are texts",
        ),
        ([cookie(value=7)], "has no cookie at $[0]: name and value are texts"),
        ([cookie(value=f"{SECRET}\n")], "has a cookie, the 1. of its host, that cannot be sent"),
        ([cookie(value=f"{SECRET};b")], "has a cookie, the 1. of its host, that cannot be sent"),
        ([cookie(value=f"{SECRET}é")], "has a cookie, the 1. of its host, that cannot be sent"),
        ([cookie(name="a=b")], "has a cookie, the 1. of its host, that cannot be sent"),
        ([cookie(name="")], "has a cookie, the 1. of its host, that cannot be sent"),
        (
            har(entry(headers=[{"name": "Authorization", "value": f"Bearer {SECRET} x"}])),
            "is no access token: there is a space in it",
        ),
    ],
)
def test_what_is_no_export_is_refused_without_quoting_it(document: object, said: str) -> None:
    assert refusal(document) == said


@pytest.mark.parametrize("document", [[], [cookie(domain="bing.com")], har(), har(entry())])
def test_an_export_without_a_session_says_how_to_get_one(document: object) -> None:
    said = refusal(document)
    assert said.startswith(f"holds no cookies and no access token of {HOST}")
    assert "with sensitive data" in said


@pytest.mark.parametrize(
    "data", [b"", b"\xff\xfe\x00", b"# Netscape HTTP Cookie File", b"[" * 100_000, b'{"a": NaN']
)
def test_what_is_no_json_is_refused(data: bytes) -> None:
    with pytest.raises(SessionError, match=r"^is no JSON$") as caught:
        parse_export(data, HOST, NOW)
    assert caught.value.__cause__ is None


@settings(deadline=None, max_examples=100)
@given(
    st.recursive(
        st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
        lambda inner: (
            st.lists(inner)
            | st.dictionaries(st.sampled_from(("log", "entries", "cookies", "name")), inner)
            | st.fixed_dictionaries(
                {"name": st.text(), "value": st.text()},
                optional={"domain": inner, "expires": inner, "path": inner},
            )
        ),
        max_leaves=20,
    )
)
def test_whatever_is_in_the_file_is_a_session_or_a_session_error(document: object) -> None:
    try:
        found = parse(document)
    except SessionError:
        return
    assert not found.empty
    for name, value in found.cookies.items():
        assert (name + value).isprintable()
        assert (name + value).isascii()


@pytest.mark.parametrize("token", ["", "a\nb", "é", "a" * (TOKEN_LENGTH + 1)])
def test_what_is_no_token(token: str) -> None:
    with pytest.raises(SessionError, match="is no access token") as caught:
        checked_token(token)
    assert not token or token not in str(caught.value)


def test_what_is_sent() -> None:
    session = Session("t0ken", {"a": "1", "b": "2"}, "google")
    assert session.headers() == {"Cookie": "a=1; b=2", "Authorization": "Bearer t0ken"}
    assert session.cookie_header() == {"Cookie": "a=1; b=2"}
    assert session.query() == {"accessToken": "t0ken", "X-UserIdentityType": "google"}
    assert Session("t0ken").query() == {"accessToken": "t0ken"}
    assert Session().headers() == Session().query() == Session().cookie_header() == {}


def test_nobody_prints_a_session() -> None:
    assert SECRET not in repr(Session(SECRET, {"a": SECRET}))


def test_quotes_are_without_secrets() -> None:
    session = Session("token/0123456789", {"a": SECRET, "short": "1", "none": ""})
    said = f"1: token/0123456789, token%2F0123456789 and {SECRET}0 and {SECRET}"
    assert session.mask(said) == "1: ***, *** and ***0 and ***"
