"""The fake upstream is a real server: what it says goes over a socket."""

from __future__ import annotations

import asyncio
import io
import time
from collections.abc import AsyncIterator

import aiohttp
import pytest

from g4f_aio.testing import Answer, FakeUpstream, Received


@pytest.fixture
async def client() -> AsyncIterator[aiohttp.ClientSession]:
    """A client that knows nothing of the kit."""
    async with aiohttp.ClientSession() as session:
        yield session


async def test_requests_are_recorded(client: aiohttp.ClientSession) -> None:
    async with FakeUpstream({"/ask": {"answer": 42}}) as upstream:
        url = f"{upstream.url}/ask?q=a%20b"
        async with client.post(url, json={"a": 1}, headers={"X-Key": "k"}) as response:
            assert await response.json() == {"answer": 42}
        (request,) = upstream.requests
        assert (request.method, request.path) == ("POST", "/ask")
        assert (dict(request.query), request.headers["x-key"]) == ({"q": "a b"}, "k")
        assert (request.json, request.body) == ({"a": 1}, b'{"a": 1}')
        async with client.get(f"{upstream.url}/ask") as response:
            assert response.status == 200
        assert upstream.requests[1].json is None


async def test_a_large_request_is_taken(client: aiohttp.ClientSession) -> None:
    async with FakeUpstream({"/ask": {}}) as upstream:
        body = io.BytesIO(b"x" * 2**22)
        async with client.post(f"{upstream.url}/ask", data=body) as response:
            assert response.status == 200
        assert len(upstream.requests[0].body) == 2**22


async def test_an_error_has_its_status_body_and_headers(client: aiohttp.ClientSession) -> None:
    answer = Answer.json({"error": "slow down"}, status=429, headers={"Retry-After": "7"})
    async with (
        FakeUpstream({"/ask": answer}) as upstream,
        client.get(f"{upstream.url}/ask") as response,
    ):
        assert (response.status, response.headers["Retry-After"]) == (429, "7")
        assert await response.json() == {"error": "slow down"}


async def test_a_method_may_have_an_answer_of_its_own(client: aiohttp.ClientSession) -> None:
    async with FakeUpstream({"POST /ask": {"by": "post"}, "/ask": {"by": "any"}}) as upstream:
        async with client.post(f"{upstream.url}/ask") as response:
            assert await response.json() == {"by": "post"}
        async with client.get(f"{upstream.url}/ask") as response:
            assert await response.json() == {"by": "any"}


async def test_what_has_no_answer_is_not_found_and_noted(client: aiohttp.ClientSession) -> None:
    async with FakeUpstream({"/ask": {}}) as upstream:
        async with client.get(f"{upstream.url}/aks") as response:
            assert response.status == 404
            assert "no answer for GET /aks, but /ask" in await response.text()
        assert upstream.unknown == upstream.requests


async def test_answers_come_one_after_the_other_and_the_last_one_stays(
    client: aiohttp.ClientSession,
) -> None:
    async with FakeUpstream({"/ask": [{"n": 1}, {"n": 2}]}) as upstream:
        found = []
        for _ in range(3):
            async with client.get(f"{upstream.url}/ask") as response:
                found.append((await response.json())["n"])
        assert found == [1, 2, 2]


async def test_a_function_may_answer(client: aiohttp.ClientSession) -> None:
    def answer(request: Received) -> Answer:
        return Answer.stream(request.query["say"])

    async with (
        FakeUpstream({"/ask": answer}) as upstream,
        client.get(f"{upstream.url}/ask?say=hi") as response,
    ):
        assert await response.text() == "hi"


def failing(request: Received) -> Answer:
    """A function that does not know an answer."""
    raise LookupError(f"no {request.path}")


async def test_a_function_that_fails_fails_the_test(client: aiohttp.ClientSession) -> None:
    upstream = FakeUpstream({"/ask": failing})
    await upstream.__aenter__()
    async with client.get(f"{upstream.url}/ask") as response:
        assert response.status == 500
        assert "no /ask" in await response.text()
    with pytest.raises(LookupError, match="no /ask"):
        await upstream.__aexit__(None, None, None)


async def test_the_failure_of_the_test_itself_comes_first(client: aiohttp.ClientSession) -> None:
    upstream = FakeUpstream({"/ask": failing})
    await upstream.__aenter__()
    await client.get(f"{upstream.url}/ask")
    mine = ValueError("mine")
    await upstream.__aexit__(ValueError, mine, None)


async def test_pieces_come_one_by_one_with_their_pauses(client: aiohttp.ClientSession) -> None:
    async with (
        FakeUpstream({"/ask": Answer.stream("a", 0.2, "b")}) as upstream,
        client.get(f"{upstream.url}/ask") as response,
    ):
        assert response.headers["Transfer-Encoding"] == "chunked"
        assert await response.content.readany() == b"a"
        began = time.monotonic()
        assert await response.content.readany() == b"b"
        assert time.monotonic() - began > 0.1
        assert await response.content.read() == b""


@pytest.mark.parametrize(
    "answer", [Answer.stream("abc").cut(), Answer.json({"a": 1}).cut()], ids=["chunks", "sized"]
)
async def test_a_cut_answer_is_no_whole_one(
    client: aiohttp.ClientSession, answer: Answer, caplog: pytest.LogCaptureFixture
) -> None:
    async with FakeUpstream({"/ask": answer}) as upstream:
        async with client.get(f"{upstream.url}/ask") as response:
            with pytest.raises(aiohttp.ClientPayloadError):
                await response.read()
        assert not upstream.requests[0].left.is_set()
    assert not caplog.records


async def test_an_upstream_can_hang_up_without_a_word(client: aiohttp.ClientSession) -> None:
    async with FakeUpstream({"/ask": Answer(end="cut")}) as upstream:
        with pytest.raises(aiohttp.ServerDisconnectedError):
            await client.get(f"{upstream.url}/ask")


async def test_an_upstream_can_be_silent(client: aiohttp.ClientSession) -> None:
    async with FakeUpstream({"/ask": Answer.silence()}) as upstream:
        with pytest.raises(TimeoutError):
            async with asyncio.timeout(0.1):
                await client.get(f"{upstream.url}/ask")
        assert (await upstream.left()).path == "/ask"


async def test_a_client_that_leaves_is_noticed(client: aiohttp.ClientSession) -> None:
    async with FakeUpstream({"/ask": Answer.stream("a").hanging()}) as upstream:
        async with client.get(f"{upstream.url}/ask") as response:
            assert await response.content.readany() == b"a"
            await upstream.requests[0].held.wait()
            assert not upstream.requests[0].left.is_set()
        assert await upstream.left() is upstream.requests[0]
        assert await upstream.abandoned()


async def test_a_client_that_stays_is_noticed_too(client: aiohttp.ClientSession) -> None:
    async with (
        FakeUpstream({"/ask": Answer.stream("a").hanging()}) as upstream,
        client.get(f"{upstream.url}/ask"),
    ):
        with pytest.raises(AssertionError, match="of GET /ask was not closed by its client"):
            await upstream.left(within=0.05)
        assert not await upstream.abandoned(within=0.05)
        assert upstream.connections == 1


async def test_who_took_the_whole_answer_did_not_leave(client: aiohttp.ClientSession) -> None:
    async with FakeUpstream({"/ask": {}}) as upstream:
        async with client.get(f"{upstream.url}/ask", headers={"Connection": "close"}) as response:
            await response.read()
        assert await upstream.abandoned()
        assert not upstream.requests[0].left.is_set()


async def test_nobody_can_leave_who_did_not_come() -> None:
    async with FakeUpstream() as upstream:
        with pytest.raises(AssertionError, match="nobody asked"):
            await upstream.left()


async def test_its_end_does_not_wait_for_answers_that_hang(client: aiohttp.ClientSession) -> None:
    began = time.monotonic()
    async with FakeUpstream({"/ask": Answer.stream("a", 60).hanging()}) as upstream:
        response = await client.get(f"{upstream.url}/ask")
        assert await response.content.readany() == b"a"
    assert time.monotonic() - began < 5
    assert not upstream.requests[0].left.is_set()
    response.close()


async def test_it_has_no_address_unless_it_runs() -> None:
    upstream = FakeUpstream()
    with pytest.raises(RuntimeError, match="inside `async with`"):
        _ = upstream.url
    assert upstream.connections == 0
    async with upstream:
        assert upstream.url.startswith("http://127.0.0.1:")


async def test_answers_can_be_twisted_for_a_while(client: aiohttp.ClientSession) -> None:
    async def ask() -> str:
        async with client.get(f"{upstream.url}/ask") as response:
            return await response.text()

    async with FakeUpstream({"/ask": [Answer.stream("one"), Answer.stream("two")]}) as upstream:
        assert await ask() == "one"
        with upstream.twisted(lambda _, usual: Answer(usual.steps * 2)) as requests:
            assert await ask() == "oneone"
            assert len(requests) == 1
        assert await ask() == "two"
        assert len(upstream.requests) == 2
