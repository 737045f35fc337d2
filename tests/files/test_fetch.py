"""The one way to a URL that somebody else names: real servers, and a canary that nobody may reach."""

from __future__ import annotations

import asyncio
import gzip
import socket
import ssl
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from typing import Any

import attrs
import pytest
import trustme
from aiohttp import web

from g4f_aio.core.errors import BadRequestError, GatewayError, UpstreamError, UpstreamTimeoutError
from g4f_aio.core.fetch import Fetched
from g4f_aio.files.fetch import HOPS, Fetcher, Rules, fetcher_of
from g4f_aio.files.guard import Guard
from g4f_aio.settings import FetchSettings

PNG = b"\x89PNG\r\n\x1a\n" + bytes(100)
LIMIT = 2**20
Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]


@attrs.frozen
class Site:
    """A server on this machine, and the requests it got."""

    port: int
    requests: list[web.Request]

    def url(self, path: str = "/", host: str = "127.0.0.1") -> str:
        """The URL of a path there."""
        return f"http://{host}:{self.port}{path}"


@asynccontextmanager
async def serving(
    handler: Handler, host: str = "127.0.0.1", port: int = 0, tls: ssl.SSLContext | None = None
) -> AsyncIterator[Site]:
    """A server that answers everything with *handler*."""
    requests: list[web.Request] = []

    async def answer(request: web.Request) -> web.StreamResponse:
        requests.append(request)
        return await handler(request)

    app = web.Application()
    app.router.add_route("*", "/{path:.*}", answer)
    runner = web.AppRunner(app, handler_cancellation=True, shutdown_timeout=0.01)
    await runner.setup()
    try:
        await web.TCPSite(runner, host, port, ssl_context=tls).start()
        yield Site(runner.addresses[0][1], requests)
    finally:
        await runner.cleanup()


async def image(_: web.Request) -> web.Response:
    """A picture."""
    return web.Response(body=PNG, content_type="image/png")


@pytest.fixture
async def canary() -> AsyncIterator[Site]:
    """A server that nobody may reach; at the end of the test nobody has."""
    async with serving(image) as site:
        yield site
        assert site.requests == []


def fetcher(*sites: Site, **rules: Any) -> Fetcher:
    """One that may also fetch from these."""
    allowed = tuple(f"127.0.0.1:{site.port}" for site in sites)
    return Fetcher(Rules(guard=Guard.of(allowed, ()), **rules))


async def got(handler: Handler, path: str = "/", *, limit: int = LIMIT, **rules: Any) -> Fetched:
    """What is fetched from a server with that *handler*."""
    async with serving(handler) as site:
        return await fetcher(site, **rules)(site.url(path), limit=limit)


def plain(body: bytes, **headers: str) -> Handler:
    """An answer with these headers, in which ``_`` stands for ``-``."""

    async def answer(_: web.Request) -> web.Response:
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        return web.Response(body=body, headers=named)

    return answer


def redirect(*targets: str, status: int = 302) -> Handler:
    """Redirects to these, one after the other, and then a picture."""
    left = list(targets)

    async def answer(request: web.Request) -> web.StreamResponse:
        if not left:
            return await image(request)
        return web.Response(status=status, headers={"Location": left.pop(0)})

    return answer


def code(error: GatewayError) -> tuple[int, str | None]:
    """What a client sees of it."""
    return error.status, error.code


async def test_a_file_comes_with_what_it_is_and_not_what_is_said() -> None:
    found = await got(plain(PNG, Content_Type="text/html"), "/a.png?b=c#d")
    assert (found.media_type, found.data, found.charset) == ("image/png", PNG, None)
    assert found.url.endswith("/a.png?b=c")
    page = await got(plain("<html>Grüße".encode("latin-1"), Content_Type="image/png"))
    assert (page.media_type, page.charset) == ("text/html", "cp1252")


async def test_nothing_about_us_is_sent(monkeypatch: pytest.MonkeyPatch) -> None:
    """No cookies that an answer before has set, no credentials, no proxy of the environment."""
    monkeypatch.setenv("http_proxy", "http://127.0.0.1:9")
    async with serving(plain(b"x", Set_Cookie="a=b")) as site:
        fetch = fetcher(site)
        for _ in range(2):
            await fetch(site.url(), limit=LIMIT)
        for request in site.requests:
            assert {*request.headers} == {
                "Accept",
                "Accept-Encoding",
                "Connection",
                "Host",
                "User-Agent",
            }
            assert request.method == "GET"


SPELLINGS = (
    "127.0.0.1",
    "127.1",
    "2130706433",
    "0x7f000001",
    "0x7f.0.0.1",
    "0177.0.0.1",
    "127.0.0.1.",
    "[::ffff:127.0.0.1]",
    "[::ffff:7f00:1]",
    "[64:ff9b::7f00:1]",
    "[2002:7f00:1::]",
    "[::1]",
    "[::]",
    "[fec0::1]",
    "0.0.0.0",  # noqa: S104  (asks, and does not listen)
    "0",
    "localhost",
    "LOCALHOST",
    "localhost.",
    "①②⑦.⓪.⓪.①",
    "127。0。0。1",
)


@pytest.mark.parametrize("host", SPELLINGS)
async def test_this_machine_is_not_reached_however_it_is_spelt(canary: Site, host: str) -> None:
    with pytest.raises(GatewayError) as caught:
        # an allowed port, so that it is the address that is judged
        await Fetcher(Rules(guard=Guard.of((f"192.0.2.1:{canary.port}",), ())))(
            canary.url(host=host), limit=LIMIT
        )
    # some of them are no names to the system
    assert code(caught.value) in {(400, "url_blocked"), (502, "fetch_failed")}
    assert "127.0.0.1" not in caught.value.message.replace(host, "")


@pytest.mark.parametrize(
    "host",
    [
        "169.254.169.254",
        "100.100.100.200",
        "100.64.0.1",
        "168.63.129.16",
        "192.0.0.192",
        "10.0.0.1",
        "[fd00:ec2::254]",
        "[64:ff9b::a9fe:a9fe]",
    ],
)
async def test_nor_are_private_networks_and_the_metadata_of_clouds(host: str) -> None:
    with pytest.raises(BadRequestError, match="no public address") as caught:
        await Fetcher()(f"http://{host}/latest/meta-data/", limit=LIMIT)
    assert code(caught.value) == (400, "url_blocked")


async def test_a_name_is_judged_by_the_address_that_is_dialled(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """It is looked up again for a redirect, and leads elsewhere then."""
    answers = ["127.0.0.1", "127.0.0.2", "127.0.0.2"]
    asked: list[str] = []

    def look_up(host: str, port: int, *_: object, **__: object) -> list[Any]:
        asked.append(host)
        address = (answers.pop(0), port)
        return [(socket.AF_INET, socket.SOCK_STREAM, socket.IPPROTO_TCP, "", address)]

    async with (
        serving(redirect("/again")) as site,
        serving(image, "127.0.0.2", site.port) as other,
    ):
        monkeypatch.setattr(socket, "getaddrinfo", look_up)
        with pytest.raises(BadRequestError) as caught:
            await fetcher(site)(site.url(host="rebinding.example"), limit=LIMIT)
        assert code(caught.value) == (400, "url_blocked")
        assert "127.0.0" not in caught.value.message
        # once for each connection: there is no second answer between the look and the dial
        assert asked == ["rebinding.example"] * 2
        assert len(site.requests) == 1
        assert other.requests == []


async def test_of_several_addresses_only_those_that_may_be_are_dialled(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    async with serving(image) as site:
        monkeypatch.setattr(
            socket,
            "getaddrinfo",
            lambda _, port, *__, **___: [
                (socket.AF_INET, socket.SOCK_STREAM, socket.IPPROTO_TCP, "", (address, port))
                for address in ("127.0.0.3", "127.0.0.1")
            ],
        )
        found = await fetcher(site)(site.url(host="two.example"), limit=LIMIT)
        assert found.media_type == "image/png"


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
async def test_redirects_are_followed(status: int) -> None:
    found = await got(redirect("/b", "c", status=status), "/a")
    assert found.url.endswith("/c")


async def test_but_not_many_of_them() -> None:
    assert (await got(redirect(*["/"] * HOPS))).media_type == "image/png"
    with pytest.raises(UpstreamError, match="leads on more than 3 times") as caught:
        await got(redirect(*["/"] * (HOPS + 1)))
    assert code(caught.value) == (502, "fetch_failed")


@pytest.mark.parametrize("host", ["127.0.0.1", "localhost", "[::ffff:127.0.0.1]", "0x7f000001"])
async def test_nor_to_where_one_may_not_go(canary: Site, host: str) -> None:
    with pytest.raises(BadRequestError) as caught:
        await got(redirect(canary.url(host=host)))
    assert code(caught.value) == (400, "url_blocked")


@pytest.mark.parametrize(
    "target", ["file:///etc/passwd", "http://user:pass@127.0.0.1/", "http://[::1", "gopher://a"]
)
async def test_nor_to_what_is_no_proper_url(target: str) -> None:
    with pytest.raises(BadRequestError, match="leads on") as caught:
        await got(redirect(target))
    assert code(caught.value) == (400, "url_blocked")


@pytest.fixture(scope="module")
def authority() -> trustme.CA:
    """Who signs the certificates of our servers."""
    return trustme.CA()


@pytest.fixture
def server_tls(authority: trustme.CA) -> ssl.SSLContext:
    """A server that is 127.0.0.1, and says so with a certificate."""
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    authority.issue_cert("127.0.0.1").configure_cert(context)
    return context


@pytest.fixture
def client_tls(authority: trustme.CA) -> ssl.SSLContext:
    """A client that trusts our certificates."""
    context = ssl.create_default_context()
    authority.configure_trust(context)
    return context


async def test_tls_is_not_left_by_a_redirect(
    canary: Site, server_tls: ssl.SSLContext, client_tls: ssl.SSLContext
) -> None:
    async with (
        serving(redirect("/b"), tls=server_tls) as good,
        serving(redirect(canary.url()), tls=server_tls) as bad,
    ):
        fetch = attrs.evolve(fetcher(good, bad, canary), tls=client_tls)
        found = await fetch(good.url().replace("http:", "https:"), limit=LIMIT)
        assert found.data == PNG
        with pytest.raises(BadRequestError, match="from https to http") as caught:
            await fetch(bad.url().replace("http:", "https:"), limit=LIMIT)
        assert code(caught.value) == (400, "url_blocked")


async def test_a_certificate_that_nobody_signed_is_not_good_enough(
    server_tls: ssl.SSLContext,
) -> None:
    async with serving(image, tls=server_tls) as site:
        with pytest.raises(UpstreamError, match="no certificate") as caught:
            await fetcher(site)(site.url().replace("http:", "https:"), limit=LIMIT)
        assert code(caught.value) == (502, "fetch_failed")
        assert site.requests == []


async def test_a_host_may_be_allowed_by_its_name(canary: Site) -> None:
    async with serving(image) as site:
        fetch = Fetcher(Rules(guard=Guard.of((f"localhost:{site.port}",), ())))
        assert (await fetch(site.url(host="localhost"), limit=LIMIT)).data == PNG
        for url in (site.url(), canary.url(host="localhost")):
            with pytest.raises(BadRequestError):
                await fetch(url, limit=LIMIT)


async def test_it_can_be_switched_off(canary: Site) -> None:
    with pytest.raises(BadRequestError, match="switched off") as caught:
        await fetcher(canary, enabled=False)(canary.url(), limit=LIMIT)
    assert code(caught.value) == (400, "url_blocked")


def test_the_settings_are_its_rules() -> None:
    wishes = FetchSettings(
        urls=False, allow=("files.lan",), deny=("1.1.1.1",), max_size=5, max_time=6.0
    )
    rules = fetcher_of(wishes).rules
    guard = Guard.of(("files.lan",), ("1.1.1.1",))
    assert rules == Rules(enabled=False, guard=guard, max_size=5, max_time=6.0)


async def test_what_is_too_large_is_not_read_to_its_end() -> None:
    sent = asyncio.Event()

    async def endless(request: web.Request) -> web.StreamResponse:
        response = web.StreamResponse()
        await response.prepare(request)
        try:
            while True:
                await response.write(bytes(2**14))
        finally:
            sent.set()

    with pytest.raises(BadRequestError, match="larger than 1048576 bytes") as caught:
        await got(endless)
    assert code(caught.value) == (400, "file_too_large")
    await asyncio.wait_for(sent.wait(), 10)


async def test_nor_begun_when_its_size_is_told() -> None:
    async def large(request: web.Request) -> web.StreamResponse:
        response = web.StreamResponse(headers={"Content-Length": str(10**10)})
        await response.prepare(request)
        await asyncio.Event().wait()
        return response

    with pytest.raises(BadRequestError, match="larger than 1048576 bytes"):
        await got(large)


async def test_the_settings_bound_it_as_well() -> None:
    assert len((await got(plain(bytes(100)), max_size=100)).data) == 100
    with pytest.raises(BadRequestError, match="larger than 99 bytes"):
        await got(plain(bytes(100)), max_size=99)
    with pytest.raises(BadRequestError, match="larger than 99 bytes"):
        await got(plain(bytes(100)), limit=99)


async def test_packed_answers_are_unpacked_and_bombs_are_not() -> None:
    text = b"Guten Tag. " * 50
    found = await got(plain(gzip.compress(text), Content_Encoding="gzip"))
    assert (found.media_type, found.data) == ("text/plain", text)
    bomb = gzip.compress(bytes(8 * 2**20))
    with pytest.raises(BadRequestError, match=r"larger than|packed") as caught:
        await got(plain(bomb, Content_Encoding="gzip"), limit=10**9, max_size=10**9)
    assert code(caught.value) == (400, "file_too_large")


async def hang(_: web.Request) -> web.Response:
    """No answer."""
    await asyncio.Event().wait()
    return web.Response()


async def drip(request: web.Request) -> web.StreamResponse:
    """A byte now and then."""
    response = web.StreamResponse()
    await response.prepare(request)
    while True:
        await response.write(b"x")
        await asyncio.sleep(0.01)


@pytest.mark.parametrize(
    ("handler", "rules", "why"),
    [
        (hang, {"silence": 0.05}, "sent nothing for 0.05 s"),
        (hang, {"max_time": 0.05}, "took more than 0.05 s"),
        (drip, {"max_time": 0.1}, "took more than 0.1 s"),
        (drip, {"grace": 0.05}, "sends less than 1024 bytes a second"),
    ],
)
async def test_who_takes_too_long_is_left(
    handler: Handler, rules: dict[str, Any], why: str
) -> None:
    with pytest.raises(UpstreamTimeoutError, match=why) as caught:
        await got(handler, **rules)
    assert code(caught.value) == (504, "fetch_timeout")
    assert caught.value.message.startswith("127.0.0.1 ")


async def test_a_connection_that_does_not_come_is_not_waited_for() -> None:
    """A queue of connections that is full."""
    with socket.socket() as server:
        server.bind(("127.0.0.1", 0))
        server.listen(0)
        port = server.getsockname()[1]
        with socket.socket() as first, socket.socket() as second:
            for one in (first, second):
                one.settimeout(0)
                one.connect_ex(("127.0.0.1", port))
            fetch = fetcher(Site(port, []), connect=0.1)
            with pytest.raises(UpstreamTimeoutError, match=r"no connection within 0\.1 s"):
                await fetch(f"http://127.0.0.1:{port}/", limit=LIMIT)


@pytest.mark.parametrize("status", [204, 206, 299])
async def test_any_success_is_one(status: int) -> None:
    async def answer(_: web.Request) -> web.Response:
        return web.Response(status=status)

    assert (await got(answer)).data == b""


@pytest.mark.parametrize("status", [300, 302, 400, 404, 500, 503])
async def test_other_answers_are_failures(status: int) -> None:
    """A redirect to nowhere among them."""

    async def answer(_: web.Request) -> web.Response:
        return web.Response(status=status, text="internal: 10.0.0.1")

    with pytest.raises(UpstreamError, match=f"127.0.0.1 answers {status}") as caught:
        await got(answer)
    assert code(caught.value) == (502, "fetch_failed")
    assert "10.0.0.1" not in caught.value.message


async def test_a_server_that_is_not_there_is_a_failure() -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        site = Site(taken.getsockname()[1], [])
        with pytest.raises(UpstreamError, match=r"^127\.0\.0\.1 cannot be reached$"):
            await fetcher(site)(site.url(), limit=LIMIT)


@pytest.mark.parametrize("host", ["nobody.example", "xn--"])  # no IDNA is that
async def test_so_is_a_name_that_nobody_knows(host: str, monkeypatch: pytest.MonkeyPatch) -> None:
    def look_up(*_: object, **__: object) -> None:
        raise socket.gaierror(socket.EAI_NONAME, "no such name")

    monkeypatch.setattr(socket, "getaddrinfo", look_up)
    with pytest.raises(UpstreamError, match=f"^{host} is not known") as caught:
        await Fetcher()(f"https://{host}/a.png", limit=LIMIT)
    assert code(caught.value) == (502, "fetch_failed")


@pytest.mark.parametrize(
    ("said", "what"),
    [
        (b"", "broke off"),
        (b"SSH-2.0-OpenSSH_9\r\n\r\n", "no HTTP"),
        (b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nabc", "broke off"),
        (b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n", "broke off|no HTTP"),
    ],
)
async def test_so_is_what_is_no_answer(said: bytes, what: str) -> None:
    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        writer.write(said)
        writer.close()

    server = await asyncio.start_server(answer, "127.0.0.1", 0)
    async with server:
        site = Site(server.sockets[0].getsockname()[1], [])
        with pytest.raises(UpstreamError, match=what) as caught:
            await fetcher(site)(site.url(), limit=LIMIT)
        assert code(caught.value) == (502, "fetch_failed")


async def test_who_asks_may_leave() -> None:
    gone = asyncio.Event()

    async def wait(_: web.Request) -> web.Response:
        begun.set()
        try:
            await asyncio.Event().wait()
        finally:
            gone.set()
        return web.Response()

    begun = asyncio.Event()
    app_site = serving(wait)
    async with app_site as site, asyncio.TaskGroup() as tasks:
        task = tasks.create_task(fetcher(site)(site.url(), limit=LIMIT))
        await begun.wait()
        task.cancel()
        await asyncio.wait((task,))
        assert task.cancelled()
