"""Who may ask what: Host and Origin, keys, and the access each route declares."""

from __future__ import annotations

import enum
import re

from aiohttp import hdrs, web
from multidict import istr

from ..core.errors import AuthenticationError, BadRequestError, PermissionDeniedError
from ..gateway.limits import Limits
from ..keys import NOBODY, Caller
from ..settings import KeySettings, Settings, is_loopback, users
from ..settings.users import digest, digests

LOCAL = Caller(users.LOCAL, admin=True)
_ONLY = Caller(users.ONLY, admin=True)
_LOOPBACK_NAMES = frozenset(("127.0.0.1", "[::1]", "localhost"))
_HOST = re.compile(r"(?P<name>[A-Za-z0-9._-]+|\[[0-9A-Fa-f:.]+\])(?::\d{1,5})?")
_SAFE = frozenset(("GET", "HEAD", "OPTIONS"))
# interned, so that looking them up does not fold their case each time
KEY_HEADERS = (istr("g4f-api-key"), istr("x-api-key"), istr("api-key"))
_FETCH_SITE = istr("Sec-Fetch-Site")
#: host headers known to be good are remembered, up to so many
_REMEMBERED = 64


class Access(enum.Enum):
    """What a route asks of its caller."""

    PUBLIC = "public"
    USER = "user"
    ADMIN = "admin"


class Doorman:
    """Checks requests by the settings in force."""

    def __init__(self, settings: Settings) -> None:
        self.apply(settings)

    def apply(self, settings: Settings) -> None:
        """Go by these settings from now on."""
        server = settings.server
        # how long it takes to look a digest up may tell how much of it is right, but from there no way
        # leads to the key: nobody can find a text whose digest begins as he likes it to
        self._callers = {
            found: _caller(name, settings.keys[name]) for name, found in digests(settings)
        }
        if server.api_key:
            self._callers[digest(server.api_key)] = _ONLY
        self._origins = frozenset(server.cors_origin)
        names = {name.lower() for name in server.allowed_hosts}
        checked = is_loopback(server.host) or bool(names)
        self._names = _LOOPBACK_NAMES | names if checked else None
        self._good_hosts: set[str | None] = set()
        #: who came with which keys; only good ones, so there are not many
        self._known: dict[str, Caller] = {}

    def check_host(self, request: web.Request) -> None:
        """The Host header must be one of ours: a web page elsewhere may resolve to this machine."""
        host = request.headers.get(hdrs.HOST)
        if host in self._good_hosts and request.raw_path.startswith("/"):
            return
        if not request.raw_path.startswith("/"):
            raise BadRequestError("The request target must be a path")
        if host is None:
            return  # HTTP/1.0; no browser does that
        found = _HOST.fullmatch(host)
        if found is None:
            raise BadRequestError("The Host header is malformed")
        if self._names is not None and found["name"].lower() not in self._names:
            raise BadRequestError(
                f"This server does not answer for {found['name']} (setting server.allowed_hosts)",
                status=421,
                code="misdirected_request",
            )
        if len(self._good_hosts) < _REMEMBERED:
            self._good_hosts.add(host)

    def check_origin(self, request: web.Request) -> None:
        """A page of another site may not change anything here unless it is listed."""
        if request.method in _SAFE:
            return
        headers = request.headers
        origin = headers.get(hdrs.ORIGIN)
        if origin is None:
            if headers.get(_FETCH_SITE, "none") in ("none", "same-origin"):
                return
        elif (
            origin in self._origins
            or "*" in self._origins
            or origin.partition("://")[2] == headers.get("Host")
        ):
            return
        raise PermissionDeniedError(
            f"Requests from {origin!r} are not allowed (setting server.cors_origin)"
            if origin is not None
            else "Requests from pages of other sites are not allowed"
        )

    def identify(self, request: web.Request, access: Access) -> Caller:
        """The caller; AuthenticationError when the route asks for a key and it is not good."""
        callers = self._callers
        if not callers:
            return LOCAL
        headers = request.headers
        authorization = headers.get(hdrs.AUTHORIZATION, "")
        if (caller := self._known.get(authorization)) is not None:
            return caller
        bearer, provider_key = _bearer(authorization)
        if bearer is not None and (caller := callers.get(digest(bearer))) is not None:
            if provider_key is not None:
                return caller.bringing(provider_key)
            if len(self._known) < _REMEMBERED:
                self._known[authorization] = caller
            return caller
        given = [value for name in KEY_HEADERS if (value := headers.get(name))]
        for key in given:
            if (caller := callers.get(digest(key))) is not None:
                return caller
        if access is Access.PUBLIC:
            return NOBODY
        raise AuthenticationError(
            "Invalid API key" if bearer or given else "This server needs an API key"
        )


def require(caller: Caller, access: Access) -> None:
    """PermissionDeniedError unless the caller may use a route of that access."""
    if access is Access.ADMIN and not caller.admin:
        raise PermissionDeniedError("This needs a key with admin rights")


def _bearer(value: str) -> tuple[str | None, str | None]:
    """The words after ``Bearer``: our key, and the caller's own for a provider."""
    words = value.split()
    if len(words) < 2 or words[0].lower() != "bearer":  # noqa: PLR2004
        return None, None
    return words[1], words[2] if len(words) > 2 else None  # noqa: PLR2004


def _caller(name: str, key: KeySettings) -> Caller:
    return Caller(name, admin=key.admin, limits=Limits.of(key))
