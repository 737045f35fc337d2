"""A user's own session at the service, out of what his browser exported. No I/O.

Cookie exports are lists of ``{"name", "value", "domain", …}`` (as extensions and browser
automation write them, also under a key ``cookies``), or one object of names and values. A HAR is a
browser's record of its requests. No message of an error quotes what stands in the file.
"""

from __future__ import annotations

import datetime as dt
import email.utils
import json
from collections.abc import Iterable, Iterator, Mapping
from typing import Any
from urllib.parse import SplitResult, parse_qs, quote, urlsplit

import attrs

#: characters of an access token, at most
TOKEN_LENGTH = 16 * 2**10
#: what the calls go to; a cookie for another path is none of theirs
PATH = "/c/api/"
#: a shorter value is no secret, and may be part of any word
_SHORT = 8
#: later times than this are in milliseconds
_SECONDS = 1e11


class SessionError(ValueError):
    """Why an export gives no session; the message goes on after the file's name."""


@attrs.frozen
class Session:
    """What the service knows a user by: an access token, cookies, or both.

    *identity* says in the service's own word what kind of account the token is for.
    """

    token: str | None = attrs.field(default=None, repr=False)
    cookies: Mapping[str, str] = attrs.field(factory=dict, repr=False)
    identity: str | None = None

    @property
    def empty(self) -> bool:
        """Whether there is nothing in it to be known by."""
        return self.token is None and not self.cookies

    def headers(self) -> dict[str, str]:
        """The headers of a request."""
        found = self.cookie_header()
        if self.token is not None:
            found["Authorization"] = f"Bearer {self.token}"
        return found

    def cookie_header(self) -> dict[str, str]:
        """The cookies as a header; nothing when there are none."""
        pairs = "; ".join(f"{name}={value}" for name, value in self.cookies.items())
        return {"Cookie": pairs} if pairs else {}

    def query(self) -> dict[str, str]:
        """What the WebSocket's URL says of it: a browser cannot set headers there."""
        if self.token is None:
            return {}
        identity = {"X-UserIdentityType": self.identity} if self.identity else {}
        return {"accessToken": self.token, **identity}

    def mask(self, text: str) -> str:
        """*text* without the secrets of this session, for a message that quotes the service."""
        secrets = [value for value in (self.token, *self.cookies.values()) if value]
        for secret in sorted(secrets, key=len, reverse=True):
            if len(secret) >= _SHORT:
                text = text.replace(secret, "***").replace(quote(secret, safe=""), "***")
        return text


def parse_export(data: bytes, host: str, now: float) -> Session:
    """The session at *host* that a cookie export or a HAR holds; SessionError when there is none.

    *now* is Unix time, for cookies that have expired.
    """
    try:
        document = json.loads(data)
    except (ValueError, RecursionError):
        # its own reason would hold on to the text
        raise SessionError("is no JSON") from None
    match document:
        case {"log": {"entries": list(entries)}}:
            found = _from_requests(entries, host)
        case {"log": _}:
            raise SessionError("is no whole HAR: $.log.entries is no list")
        case {"cookies": list(cookies)}:
            found = Session(cookies=_from_list(cookies, "$.cookies", host, now))
        case list(cookies):
            found = Session(cookies=_from_list(cookies, "$", host, now))
        case dict() if document and all(type(value) is str for value in document.values()):
            found = Session(cookies=_checked(document.items()))
        case _:
            raise SessionError("is neither a cookie export nor a HAR")
    if found.empty:
        raise SessionError(
            f"holds no cookies and no access token of {host} (browsers leave them out of a HAR"
            " unless it is exported with sensitive data)"
        )
    return found


def checked_token(token: str) -> str:
    """*token*, if it can be one; SessionError otherwise."""
    if not 0 < len(token) <= TOKEN_LENGTH or not token.isascii() or not token.isprintable():
        raise SessionError("is no access token: one is a single word of plain characters")
    if " " in token:
        raise SessionError("is no access token: there is a space in it")
    return token


def _from_list(cookies: list[Any], where: str, host: str, now: float) -> dict[str, str]:
    found = []
    expired = False
    for number, cookie in enumerate(cookies):
        match cookie:
            case {"name": str(name), "value": str(value)}:
                domain = cookie.get("domain")
            case _:
                raise SessionError(f"has no cookie at {where}[{number}]: name and value are texts")
        if not _belongs(domain, cookie, host):
            continue
        if _expired(cookie, now):
            expired = True
            continue
        found.append((name, value))
    if expired and not found:
        raise SessionError(f"holds only cookies of {host} that have expired")
    return _checked(found)


def _belongs(domain: object, cookie: Mapping[str, Any], host: str) -> bool:
    """Whether a browser would send the cookie along; one without a domain was exported for it."""
    path = cookie.get("path")
    if type(path) is str and not PATH.startswith(f"{path.rstrip('/')}/"):
        return False
    if type(domain) is not str or not domain:
        return True
    name = domain.lower().lstrip(".")
    exact = cookie.get("hostOnly", not domain.startswith("."))
    return host == name or (not exact and host.endswith(f".{name}"))


def _expired(cookie: Mapping[str, Any], now: float) -> bool:
    for key in ("expirationDate", "expires", "expiry"):
        match cookie.get(key):
            case bool():
                continue
            case int() | float() as when:
                # 0 and -1 stand for "until the browser is closed"
                return 0 < when < (now * 1000 if when > _SECONDS else now)
            case str(text):
                read = _time(text)
                return read is not None and read < now
            case _:
                continue
    return False


def _time(text: str) -> float | None:
    """Unix time, of a time in ISO 8601 or as in HTTP; None for other words, such as "Session"."""
    for read in (dt.datetime.fromisoformat, email.utils.parsedate_to_datetime):
        try:
            return read(text).timestamp()
        except (ValueError, OverflowError):
            continue
    return None


def _from_requests(entries: list[Any], host: str) -> Session:
    """The newest credentials that the browser sent to *host*. Entries of other shapes are left."""
    found = Session()
    for entry in entries:
        match entry:
            case {"request": {"url": str(url), **request}}:
                target = _split(url)
            case _:
                continue
        if target is None or target.hostname != host:
            continue
        headers = dict(_pairs(request.get("headers")))
        query = parse_qs(target.query)
        scheme, _, bearer = headers.get("authorization", "").partition(" ")
        token = query.get("accessToken", [""])[0] or (bearer if scheme.lower() == "bearer" else "")
        if token:
            kind = query.get("X-UserIdentityType", [headers.get("x-useridentitytype")])[0]
            found = attrs.evolve(found, token=checked_token(token), identity=kind)
        cookies = list(_pairs(request.get("cookies"), lower=False)) or list(
            _split_header(headers.get("cookie", ""))
        )
        if cookies:
            found = attrs.evolve(found, cookies=_checked(cookies))
    return found


def _split(url: str) -> SplitResult | None:
    try:
        return urlsplit(url)
    except ValueError:
        return None


def _pairs(items: object, *, lower: bool = True) -> Iterator[tuple[str, str]]:
    """Names and values of a HAR's headers or cookies; the names of headers in lower case."""
    for item in items if isinstance(items, list) else ():
        match item:
            case {"name": str(name), "value": str(value)}:
                yield name.lower() if lower else name, value
            case _:
                continue


def _split_header(header: str) -> Iterator[tuple[str, str]]:
    for pair in header.split(";"):
        name, equals, value = pair.strip().partition("=")
        if equals:
            yield name, value


def _checked(cookies: Iterable[tuple[str, str]]) -> dict[str, str]:
    """Cookies that can be sent; of two with one name the later."""
    found = dict(cookies)
    for number, (name, value) in enumerate(found.items(), 1):
        text = name + value
        if not name or not text.isascii() or not text.isprintable() or ";" in text or "=" in name:
            raise SessionError(f"has a cookie, the {number}. of its host, that cannot be sent")
    return found
