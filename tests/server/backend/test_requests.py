"""The request log on the wire: whose requests who may see, pages, filters, and the stream of them."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from typing import Any

import aiohttp
import attrs
import pytest

from g4f_aio.core.errors import BadRequestError, UpstreamError
from g4f_aio.core.events import Finish, TextDelta, Usage
from g4f_aio.keys import Caller
from g4f_aio.server.backend.followers import FOLLOWERS, LISTENERS
from g4f_aio.server.backend.requests import LONGEST_PAGE, PAGE, request_object
from g4f_aio.settings import KeySettings
from g4f_aio.settings.secret import SecretStr
from tests.e2e.waiting import until
from tests.server.conftest import QUIET, Start
from tests.server.fakes import HELLO, Script, Server, entry
from tests.server.records import attempt, record

PATH = "/backend-api/v2/requests"
BOSS = {"api-key": "boss-key"}
CLERK = {"api-key": "clerk-key"}
OTHER = {"api-key": "other-key"}
KEYS = attrs.evolve(
    QUIET,
    keys={
        "boss": KeySettings(key=SecretStr("boss-key"), admin=True),
        "clerk": KeySettings(key=SecretStr("clerk-key")),
        "other": KeySettings(key=SecretStr("other-key")),
    },
)


async def listed(server: Server, query: str = "", **headers: str) -> list[str]:
    """The ids of a page."""
    answer = await server.get(f"{PATH}{query}", **headers)
    assert answer.status == 200, answer.body
    return [one["id"] for one in answer.json()["data"]]


async def ask(server: Server, name: str, **fields: Any) -> None:
    """Send a chat with this id."""
    headers = {"x-request-id": name, **fields.pop("headers", {})}
    await server.chat({**HELLO, **fields}, headers=headers)


async def test_a_request_is_listed_with_who_asked_who_answered_and_how_long_it_took(
    start: Start,
) -> None:
    steps = (TextDelta("Hello"), Usage(3, 4, 1, 2), Finish())
    failing = entry(Script(steps=(UpstreamError("it is broken"),)), "broken")
    server = await start(failing, entry(Script(steps=steps), "script"))
    await ask(server, "one")
    answer = await server.get(PATH)
    found = answer.json()
    assert (found["object"], found["next"]) == ("list", None)
    (one,) = found["data"]
    broken, script = one.pop("attempts")
    assert one.pop("created") > 1.7e9
    assert one.pop("duration_ms") >= one.pop("ttft_ms") >= 0
    assert one == {
        "id": "one",
        "object": "request",
        "caller": "local",
        "dialect": "openai-chat",
        "model": "",
        "provider": None,
        "stream": False,
        "outcome": "ok",
        "status": 200,
        "code": None,
        "message": None,
        "answered_by": {"provider": "script", "model": "small"},
        "usage": {
            "input_tokens": 3,
            "output_tokens": 4,
            "cached_tokens": 1,
            "reasoning_tokens": 2,
            "estimated": False,
        },
        "cache": None,
        "emulated": [],
    }
    assert broken["provider"] == "broken"
    assert (broken["outcome"], broken["code"]) == ("failed", "provider_not_working")
    assert (broken["status"], broken["ttft_ms"]) == (502, None)
    assert script["outcome"] == "ok"
    assert script["after_ms"] >= broken["after_ms"]
    assert script["duration_ms"] >= script["ttft_ms"]


async def test_one_request_is_the_same_object(server: Server) -> None:
    await ask(server, "one")
    ((one,), two) = (
        (await server.get(PATH)).json()["data"],
        (await server.get(f"{PATH}/one")).json(),
    )
    assert one == two
    missing = await server.get(f"{PATH}/two")
    assert missing.status == 404
    assert missing.error()["code"] == "request_not_found"


async def test_a_request_that_failed_says_why(start: Start) -> None:
    server = await start(entry(Script(steps=(UpstreamError("it is broken"),))))
    await ask(server, "one", model="small")
    one = (await server.get(f"{PATH}/one")).json()
    assert (one["outcome"], one["status"], one["message"]) == ("failed", 502, "it is broken")
    assert one["answered_by"] is one["usage"] is None


async def test_everybody_sees_his_own_and_an_admin_those_of_all(start: Start) -> None:
    server = await start(settings=KEYS)
    for name, headers in (("a", CLERK), ("b", OTHER), ("c", BOSS), ("d", CLERK)):
        await ask(server, name, headers=headers)
    assert await listed(server, **BOSS) == ["d", "c", "b", "a"]
    assert await listed(server, "?caller=clerk", **BOSS) == ["d", "a"]
    assert await listed(server, **CLERK) == await listed(server, "?caller=clerk", **CLERK)
    assert await listed(server, **CLERK) == ["d", "a"]
    assert await listed(server, **OTHER) == ["b"]
    refused = await server.get(f"{PATH}?caller=boss", **CLERK)
    assert (refused.status, refused.error()["param"]) == (403, "caller")
    assert (await server.get(f"{PATH}/b", **BOSS)).status == 200
    assert (await server.get(f"{PATH}/b", **OTHER)).status == 200
    assert (await server.get(f"{PATH}/b", **CLERK)).status == 404
    assert (await server.get(PATH)).status == 401


async def test_what_may_quote_a_request_is_told_to_who_sent_it_alone(start: Start) -> None:
    quoting = BadRequestError("no such thing as 'my secret plan'")
    server = await start(entry(Script(steps=(quoting,))), settings=KEYS)
    await ask(server, "a", headers=CLERK)
    own = (await server.get(f"{PATH}/a", **CLERK)).json()
    assert own["message"] == quoting.message
    seen = await server.get(f"{PATH}/a", **BOSS)
    assert seen.json()["message"] is None
    assert seen.json()["status"] == 400
    assert b"secret plan" not in seen.body
    assert b"secret plan" not in (await server.get(PATH, **BOSS)).body


def test_any_other_message_is_told_to_an_admin() -> None:
    made = record(attempt(outcome="failed"), error=UpstreamError("no"))
    assert request_object(made, Caller("boss", admin=True))["message"] == "no"


async def test_the_list_can_be_narrowed(start: Start) -> None:
    failing = entry(Script(steps=(UpstreamError("it is broken"),)), "broken")
    server = await start(entry(Script()), failing)
    await ask(server, "a", provider="script", model="small")
    await ask(server, "b", provider="script", model="large")
    await ask(server, "c", provider="broken", model="small")
    assert await listed(server, "?provider=SCRIPT") == ["b", "a"]
    assert await listed(server, "?model=small") == ["c", "a"]
    assert await listed(server, "?outcome=failed") == ["c"]
    assert await listed(server, "?outcome=ok&model=small") == ["a"]
    created = (await server.get(f"{PATH}/b")).json()["created"]
    assert await listed(server, f"?since={created}") == ["c", "b"]
    assert await listed(server, "?since=99999999999") == []


async def test_the_list_comes_in_pages(server: Server) -> None:
    for name in "abcde":
        await ask(server, name)
    first = (await server.get(f"{PATH}?limit=2")).json()
    await ask(server, "f")
    second = (await server.get(f"{PATH}?limit=2&before={first['next']}")).json()
    third = (await server.get(f"{PATH}?limit=2&before={second['next']}")).json()
    pages = [[one["id"] for one in page["data"]] for page in (first, second, third)]
    assert pages == [["e", "d"], ["c", "b"], ["a"]]
    assert third["next"] is None
    whole = (await server.get(f"{PATH}?limit=6")).json()
    assert (len(whole["data"]), whole["next"]) == (6, None)
    assert PAGE <= LONGEST_PAGE


@pytest.mark.parametrize(
    ("query", "name"),
    [
        ("limit=0", "limit"),
        ("limit=1001", "limit"),
        ("limit=many", "limit"),
        ("before=x", "before"),
        ("since=yesterday", "since"),
        ("since=nan", "since"),
        ("since=inf", "since"),
        ("outcome=running", "outcome"),
        ("outcome=OK", "outcome"),
    ],
)
@pytest.mark.parametrize("path", [PATH, f"{PATH}/stream"])
async def test_a_wrong_parameter_is_named(server: Server, path: str, query: str, name: str) -> None:
    answer = await server.get(f"{path}?{query}")
    assert answer.status == 400
    assert answer.error()["param"] == name
    assert answer.error()["message"].startswith(f"{name}: must be ")


async def test_nothing_is_remembered_where_that_is_switched_off(start: Start) -> None:
    server = await start(request_log=0)
    await ask(server, "a")
    assert await listed(server) == []


# the stream of them


@asynccontextmanager
async def following(
    server: Server, query: str = "", **headers: str
) -> AsyncIterator[aiohttp.ClientResponse]:
    """An open stream."""
    url = f"http://{server.address}{PATH}/stream{query}"
    async with server.client.get(url, headers=headers) as response:
        yield response


async def told(response: aiohttp.ClientResponse) -> dict[str, Any]:
    """The next request of a stream."""
    async with asyncio.timeout(20):
        while not (line := await response.content.readline()).startswith(b"data: "):
            assert line, "the stream has ended"
            assert line in (b"event: request\n", b"\n", b": keep-alive\n")
    found: dict[str, Any] = json.loads(line.removeprefix(b"data: "))
    return found


async def test_each_request_is_told_as_it_ends(server: Server) -> None:
    await ask(server, "before")
    async with following(server) as response:
        assert response.headers["Content-Type"] == "text/event-stream; charset=utf-8"
        await ask(server, "one")
        assert await told(response) == (await server.get(f"{PATH}/one")).json()
        await ask(server, "two")
        assert (await told(response))["id"] == "two"


async def test_only_those_that_one_may_see_and_wants(start: Start) -> None:
    server = await start(settings=KEYS)
    async with (
        following(server, **CLERK) as own,
        following(server, "?model=large", **BOSS) as large,
    ):
        await ask(server, "a", headers=OTHER)
        await ask(server, "b", headers=CLERK)
        await ask(server, "c", model="large", headers=OTHER)
        await ask(server, "d", headers=CLERK)
        assert [(await told(own))["id"] for _ in range(2)] == ["b", "d"]
        assert (await told(large))["id"] == "c"
    async with following(server, "?caller=boss", **CLERK) as refused:
        assert refused.status == 403


async def test_in_silence_a_comment_is_sent(start: Start) -> None:
    server = await start(keep_alive=0.05)
    async with following(server) as response, asyncio.timeout(20):
        for _ in range(2):
            assert await response.content.readline() == b": keep-alive\n"
            assert await response.content.readline() == b"\n"


async def test_a_listener_that_leaves_is_forgotten(server: Server) -> None:
    followers = server.app[FOLLOWERS]
    async with following(server):
        await until(lambda: len(followers._queues) == 1)
    await until(lambda: not followers._queues)


async def test_a_listener_that_reads_nothing_is_cut_off(start: Start) -> None:
    server = await start(write_timeout=0.2, keep_alive=0.05)
    followers = server.app[FOLLOWERS]
    reader, writer = await server.connect()
    writer.write(f"GET {PATH}/stream HTTP/1.1\r\nHost: localhost\r\n\r\n".encode())
    await until(lambda: len(followers._queues) == 1)
    large = record(model="m" * 200_000)
    async with asyncio.timeout(10):
        while followers._queues:  # until all buffers between the two are full
            followers.ended(large)
            await asyncio.sleep(0.01)
        said = b""
        with suppress(ConnectionError):
            while piece := await reader.read(2**20):
                said = said[-10:] + piece
    assert not said.endswith(b"0\r\n\r\n"), "it ended in order"
    writer.close()


async def test_a_head_is_answered_without_waiting(server: Server) -> None:
    async with asyncio.timeout(20):
        answer = await server.ask("HEAD", f"{PATH}/stream")
    assert (answer.status, answer.body) == (200, b"")


async def test_there_are_only_so_many_listeners(server: Server) -> None:
    queues = server.app[FOLLOWERS]._queues
    queues |= {asyncio.Queue() for _ in range(LISTENERS)}
    answer = await server.get(f"{PATH}/stream")
    assert answer.status == 503
    queues.clear()


async def test_it_ends_with_the_server(server: Server) -> None:
    async with following(server) as response, asyncio.timeout(20):
        await server.app.shutdown()
        assert await response.content.read() == b""
