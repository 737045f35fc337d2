"""Who may ask: keys in all spellings, Host and Origin."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from typing import Any

import attrs
import pytest
from aiohttp.test_utils import make_mocked_request

from g4f_aio.core.errors import PermissionDeniedError
from g4f_aio.core.record import RequestRecord
from g4f_aio.gateway.registry import Entry
from g4f_aio.keys import LEDGER, Caller
from g4f_aio.server.access import LOCAL, Access, require
from g4f_aio.server.middlewares import DOORMAN
from g4f_aio.server.routes import Route, table
from g4f_aio.settings import KeySettings, ServerSettings, Settings
from g4f_aio.settings.secret import SecretStr
from g4f_aio.settings.users import ONLY
from tests.server.conftest import QUIET, Start
from tests.server.fakes import CHAT, HELLO, OptionallyKeyed, Record, Script, Server, entry
from tests.server.test_routes import ENDLESS, SPECIAL, begin, body_of, example

KEY = "your-secret-key"
SPELLINGS: dict[str, Callable[[str], dict[str, str]]] = {
    "bearer": lambda key: {"Authorization": f"Bearer {key}"},
    "bearer in lower case": lambda key: {"authorization": f"bearer {key}"},
    "bearer with a second word": lambda key: {"Authorization": f"Bearer {key} sk-own"},
    "g4f-api-key": lambda key: {"g4f-api-key": key},
    "x-api-key": lambda key: {"x-api-key": key},
    "api-key": lambda key: {"api-key": key},
    "the last of several": lambda key: {
        "Authorization": "Bearer no",
        "x-api-key": "",
        "api-key": key,
    },
}
WRONG = {
    "none": {},
    "empty": {"Authorization": "Bearer ", "x-api-key": ""},
    "wrong": {"Authorization": f"Bearer {KEY}x"},
    "a part": {"x-api-key": KEY[:-1]},
    "in capital letters": {"api-key": KEY.upper()},
    "no bearer": {"Authorization": KEY},
    "basic": {"Authorization": f"Basic {KEY}"},
    "second word": {"Authorization": f"Bearer x {KEY}"},
    "cookie": {"Cookie": f"g4f-api-key={KEY}; api_key={KEY}"},
    "not ASCII": {"x-api-key": "schlüssel"},
}
ROWS = [pytest.param(row, id=f"{row.method} {row.path}") for row in table()]


@pytest.fixture
async def keyed(start: Start) -> Server:
    """A server with a key."""
    return await start(api_key=KEY)


@pytest.mark.parametrize("row", ROWS)
async def test_a_route_that_is_not_public_needs_the_key(keyed: Server, row: Route) -> None:
    """With and without a slash at the end of the path, and for HEAD too."""
    path = example(row.path)
    for headers in WRONG.values():
        for target in (path, f"{path}/"):
            answer = await keyed.ask(row.method, target, headers=headers, json=body_of(row))
            if row.access is Access.PUBLIC:
                assert answer.status == 200
                continue
            assert answer.status == 401
            error = answer.json()["error"]
            assert error["type"] == "authentication_error"
            if not row.path.startswith("/v1/messages"):  # Anthropic's errors have no codes
                assert answer.error()["code"] == "invalid_api_key"
            assert answer.headers["x-should-retry"] == "false"
            if row.method == "GET":
                assert (await keyed.ask("HEAD", target, headers=headers)).status == 401


@pytest.mark.parametrize("row", [row for row in ROWS if row.values[0].path not in ENDLESS])  # type: ignore[union-attr]
@pytest.mark.parametrize("spelling", SPELLINGS)
async def test_the_key_is_taken_in_every_spelling(keyed: Server, row: Route, spelling: str) -> None:
    headers = SPELLINGS[spelling](KEY)
    await begin(keyed, ONLY, **headers)
    answer = await keyed.ask(row.method, example(row.path), headers=headers, json=body_of(row))
    # what the scripted provider cannot do is refused only after the key was taken
    assert answer.status == (400 if row.path in SPECIAL else 200)


async def test_a_wrong_key_is_answered_alike_in_every_spelling(keyed: Server) -> None:
    answers = [await keyed.get("/v1/models", **spelled("wrong")) for spelled in SPELLINGS.values()]
    assert {(one.status, one.body) for one in answers} == {(401, answers[0].body)}


async def test_the_key_is_asked_for_before_the_body_is_read(keyed: Server) -> None:
    answer = await keyed.raw(
        b"POST /v1/chat/completions HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n"
        b"Content-Type: application/json\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n"
    )
    assert answer.status == 401


async def test_unknown_urls_and_methods_tell_no_more_without_a_key(keyed: Server) -> None:
    assert (await keyed.get("/v1/none")).error()["code"] == "unknown_url"
    assert (await keyed.ask("DELETE", "/v1/models")).error()["code"] == "method_not_allowed"


async def test_without_a_key_everybody_is_the_local_user(server: Server) -> None:
    """SDKs always send some key."""
    for headers in WRONG.values():
        assert (await server.get("/v1/models", **headers)).status == 200


@pytest.mark.parametrize(
    ("headers", "key"),
    [
        ({"Authorization": f"Bearer {KEY} sk-own"}, "sk-own"),
        ({"Authorization": f"Bearer {KEY}"}, None),
        ({"x-api-key": KEY}, None),
        ({"x-api-key": KEY, "Authorization": "Bearer other sk-own"}, None),
    ],
)
async def test_the_word_after_the_key_is_the_callers_own_for_the_provider(
    start: Start, headers: dict[str, str], key: str | None
) -> None:
    record = Record()
    server = await start(entry(OptionallyKeyed(record=record)), api_key=KEY)
    assert (await server.chat(headers=headers)).status == 200
    assert record.contexts[0].credential == key


async def test_a_bearer_value_is_nobodys_key_when_the_server_has_none(start: Start) -> None:
    record = Record()
    server = await start(entry(OptionallyKeyed(record=record)))
    await server.chat(headers={"Authorization": "Bearer none sk-own"})
    assert record.contexts[0].credential is None


def test_a_route_for_admins_refuses_others() -> None:
    require(LOCAL, Access.ADMIN)
    require(Caller("friend"), Access.USER)
    with pytest.raises(PermissionDeniedError):
        require(Caller("friend"), Access.ADMIN)


# several users


def user(key: str, **fields: Any) -> KeySettings:
    """A table [keys.NAME]."""
    return KeySettings(key=SecretStr(key), **fields)


def hashed(key: str) -> KeySettings:
    """One that has only the key's digest."""
    return KeySettings(sha256=hashlib.sha256(key.encode()).hexdigest())


USERS = {
    "alice": user("alice-key", requests_per_minute=1000),
    "bob": hashed("bob-key"),
    "root": user("root-key", admin=True),
}


class Names:
    """Notes by which name each request is known."""

    def __init__(self, server: Server) -> None:
        self.seen: list[str] = []
        server.app[LEDGER].tell(self)

    def ended(self, record: RequestRecord) -> None:
        """A request is over."""
        self.seen.append(record.caller)


async def with_users(start: Start, *entries: Entry, **server: Any) -> Server:
    """A server with several users."""
    return await start(*entries, settings=attrs.evolve(QUIET, keys=USERS), **server)


@pytest.mark.parametrize("spelling", SPELLINGS)
async def test_everybody_is_known_by_his_key_in_every_spelling(start: Start, spelling: str) -> None:
    server = await with_users(start, api_key=KEY)
    names = Names(server)
    for key in ("alice-key", "bob-key", "root-key", KEY):
        assert (await server.chat(headers=SPELLINGS[spelling](key))).status == 200
    assert names.seen == ["alice", "bob", "root", "key"]


async def test_where_there_are_users_everybody_needs_a_key(start: Start) -> None:
    server = await with_users(start)
    digest_itself = USERS["bob"].sha256
    assert digest_itself is not None
    for headers in (*WRONG.values(), {"x-api-key": digest_itself}, {"x-api-key": "alice"}):
        answer = await server.get("/v1/models", **headers)
        assert (answer.status, answer.error()["code"]) == (401, "invalid_api_key")
        assert (await server.get("/livez", **headers)).status == 200


async def test_every_user_may_bring_a_key_for_the_provider(start: Start) -> None:
    record = Record()
    server = await with_users(start, entry(OptionallyKeyed(record=record)))
    names = Names(server)
    answer = await server.chat(headers={"Authorization": "Bearer alice-key sk-own"})
    assert "x-ratelimit-limit-requests" in answer.headers
    assert record.contexts[0].credential == "sk-own"
    assert names.seen == ["alice"]


async def test_only_an_admin_may_name_a_proxy(start: Start) -> None:
    server = await with_users(start, api_key=KEY)
    body = {**HELLO, "proxy": "http://127.0.0.1:9"}
    statuses = [
        (await server.chat(body, headers={"x-api-key": key})).status
        for key in ("alice-key", "bob-key", "root-key", KEY)
    ]
    assert statuses == [403, 403, 200, 200]


async def test_a_request_without_a_key_is_nobodys(start: Start) -> None:
    server = await with_users(start)
    doorman = server.app[DOORMAN]
    request = make_mocked_request("GET", "/livez")
    assert doorman.identify(request, Access.PUBLIC) == Caller("anonymous")


async def test_users_come_and_go_with_the_settings(start: Start) -> None:
    server = await with_users(start)
    new = {"carol": user("alice-key"), "bob": user("new-key")}
    server.app[DOORMAN].apply(attrs.evolve(QUIET, keys=new))
    names = Names(server)
    for key, status in (("alice-key", 200), ("bob-key", 401), ("new-key", 200), ("root-key", 401)):
        assert (await server.chat(headers={"x-api-key": key})).status == status
    assert names.seen == ["carol", "bob"]


async def test_new_settings_bring_a_new_key(keyed: Server) -> None:
    keyed.app[DOORMAN].apply(Settings(server=ServerSettings(api_key=SecretStr("new-key"))))
    assert (await keyed.get("/v1/models", **{"x-api-key": KEY})).status == 401
    assert (await keyed.get("/v1/models", **{"x-api-key": "new-key"})).status == 200


# Host


def request_for(host: bytes | None, target: bytes = b"/livez") -> bytes:
    line = b"" if host is None else b"Host: " + host + b"\r\n"
    return b"GET " + target + b" HTTP/1.1\r\n" + line + b"Connection: close\r\n\r\n"


@pytest.mark.parametrize(
    "host",
    [
        "localhost", "localhost:1337", "LocalHost", "127.0.0.1", "127.0.0.1:1", "127.0.0.1:65535",
        "[::1]", "[::1]:8080",
    ],
)  # fmt: skip
async def test_a_loopback_server_answers_to_its_own_names(server: Server, host: str) -> None:
    assert (await server.raw(request_for(host.encode()))).status == 200


@pytest.mark.parametrize(
    "host",
    [
        "evil.example", "evil.example:1337", "localhost.evil.example", "evil.localhost", "127.0.0.2",
        "127.1", "[::]", "[::2]", "2130706433", "localhost.", "my-machine",
        "0.0.0.0",  # noqa: S104
    ],
)  # fmt: skip
async def test_a_loopback_server_is_nobody_elses(server: Server, host: str) -> None:
    """A page of evil.example can have its name resolved to this machine."""
    for _ in range(2):
        answer = await server.raw(request_for(host.encode()))
        assert answer.status == 421
        error = answer.error()
        assert error["type"] == "invalid_request_error"
        assert error["code"] == "misdirected_request"
        assert "server.allowed_hosts" in error["message"]


@pytest.mark.parametrize(
    "host",
    [
        b"evil:1/x?y#", b"localhost/x", b"localhost?", b"localhost#", b"user@localhost", b"a b",
        b"localhost:", b"localhost:x", b"localhost:123456", b"[::1", b"::1", b"", b"\xff", b"%6c",
    ],
)  # fmt: skip
async def test_a_malformed_host_is_refused(server: Server, host: bytes) -> None:
    answer = await server.raw(request_for(host))
    assert answer.status == 400
    answer.error()


@pytest.mark.parametrize(
    "head",
    [
        b"GET /livez HTTP/1.1\r\nHost: localhost\r\nHost: evil.example\r\n\r\n",
        b"GET /livez HTTP/1.1\r\nHost: localhost\r\nHost: localhost\r\n\r\n",
        b"GET http://localhost/livez HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n",
        b"GET http://evil.example/livez HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n",
        b"OPTIONS * HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n",
        b"CONNECT evil.example:443 HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n",
    ],
)
async def test_several_hosts_and_targets_that_are_no_path_are_refused(
    server: Server, head: bytes
) -> None:
    answer = await server.raw(head)
    assert answer.status == 400
    answer.error()


async def test_a_browser_always_names_a_host(server: Server) -> None:
    """HTTP/1.1 demands it; HTTP/1.0 does not, and no browser speaks that."""
    assert (await server.raw(request_for(None))).status == 400
    assert (await server.raw(b"GET /livez HTTP/1.0\r\n\r\n")).status == 200


@pytest.mark.parametrize("path", ["/v1/chat/completions", "/v1/models", "/docs", "/none"])
async def test_the_host_is_looked_at_before_everything_else(start: Start, path: str) -> None:
    record = Record()
    server = await start(entry(Script(record=record)), api_key=KEY)
    for method in ("GET", "POST", "OPTIONS"):
        answer = await server.ask(
            method, path, headers={"Host": "evil.example", "x-api-key": KEY}, json=HELLO
        )
        assert answer.status == 421
    assert not record.requests


async def test_further_names_are_answered_where_the_settings_list_them(start: Start) -> None:
    server = await start(allowed_hosts=("Gateway.Internal",))
    assert (await server.raw(request_for(b"gateway.internal:80"))).status == 200
    assert (await server.raw(request_for(b"localhost"))).status == 200
    assert (await server.raw(request_for(b"other.internal"))).status == 421


async def test_a_server_for_others_answers_to_any_name_unless_names_are_listed(
    start: Start,
) -> None:
    """It is reached by names it does not know; a key guards it."""
    server = await start(host="0.0.0.0", api_key=KEY)  # noqa: S104  (it listens on loopback all the same)
    assert (await server.raw(request_for(b"gateway.example"))).status == 200
    assert (await server.raw(request_for(b"gateway.example/x"))).status == 400
    listed = await start(host="0.0.0.0", api_key=KEY, allowed_hosts=("gateway.example",))  # noqa: S104
    assert (await listed.raw(request_for(b"gateway.example"))).status == 200
    assert (await listed.raw(request_for(b"evil.example"))).status == 421


async def test_names_that_are_taken_off_the_list_are_no_longer_answered(start: Start) -> None:
    server = await start(allowed_hosts=("gateway.internal",))
    assert (await server.raw(request_for(b"gateway.internal"))).status == 200
    server.app[DOORMAN].apply(Settings())
    assert (await server.raw(request_for(b"gateway.internal"))).status == 421


async def test_many_different_names_fill_no_memory(start: Start) -> None:
    server = await start(host="0.0.0.0", api_key=KEY)  # noqa: S104
    for number in range(80):
        assert (await server.get("/livez", Host=f"host-{number}")).status == 200
    assert len(server.app[DOORMAN]._good_hosts) <= 64


# Origin

OWN, LISTED = "own", "https://app.example.com"


@pytest.mark.parametrize(
    ("headers", "allowed"),
    [
        ({}, True),
        ({"Origin": OWN}, True),
        ({"Origin": LISTED}, True),
        ({"Origin": "https://evil.example"}, False),
        ({"Origin": "null"}, False),
        ({"Origin": ""}, False),
        ({"Origin": "http://["}, False),
        ({"Origin": "http://\udcff"}, False),
        ({"Origin": "http://localhost.evil.example"}, False),
        ({"Origin": "http://127.0.0.1"}, False),
        ({"Origin": "https://app.example.com.evil.example"}, False),
        ({"Origin": "http://app.example.com"}, False),
        ({"Origin": "https://evil.example", "Sec-Fetch-Site": "same-origin"}, False),
        ({"Sec-Fetch-Site": "same-origin"}, True),
        ({"Sec-Fetch-Site": "none"}, True),
        ({"Sec-Fetch-Site": "cross-site"}, False),
        ({"Sec-Fetch-Site": "same-site"}, False),
        ({"Sec-Fetch-Site": "nonsense"}, False),
    ],
)
async def test_pages_of_other_sites_change_nothing(
    start: Start,
    headers: dict[str, str],
    allowed: bool,  # noqa: FBT001
) -> None:
    record = Record()
    server = await start(entry(Script(record=record)), cors_origin=(LISTED,))
    sent = {key: f"http://{server.address}" if v == OWN else v for key, v in headers.items()}
    answer = await server.chat(headers=sent)
    assert answer.status == (200 if allowed else 403)
    assert bool(record.requests) is allowed
    if not allowed:
        assert answer.error()["type"] == "permission_error"


async def test_reading_asks_for_no_origin(server: Server) -> None:
    """A page of another site cannot see the answer without CORS."""
    headers = {"Origin": "https://evil.example", "Sec-Fetch-Site": "cross-site"}
    answer = await server.get("/v1/models", **headers)
    assert answer.status == 200
    assert "Access-Control-Allow-Origin" not in answer.headers


async def test_any_origin_may_be_allowed(start: Start) -> None:
    server = await start(cors_origin=("*",))
    assert (await server.chat(headers={"Origin": "https://any.example"})).status == 200


@pytest.mark.parametrize("kind", ["text/plain", "application/x-www-form-urlencoded", None])
async def test_a_form_of_another_site_cannot_chat(server: Server, kind: str | None) -> None:
    """It can send JSON in such a body without asking first."""
    headers = {} if kind is None else {"Content-Type": kind}
    answer = await server.ask("POST", CHAT, headers=headers, data=b'{"messages": []}')
    assert answer.status == 415
