"""Events into a response: what the client sees, when, and what becomes of the provider."""

from __future__ import annotations

import asyncio
from typing import cast

import pytest

from g4f_aio.core.errors import UpstreamError
from g4f_aio.core.events import Finish, TextDelta
from g4f_aio.core.models import ModelInfo
from g4f_aio.dialects.openai_chat_encoder import StreamEncoder
from g4f_aio.server.answers import ANSWERS
from tests.server.conftest import Start
from tests.server.fakes import HELLO, STREAM, Record, Script, Server, Step, entry

WORDS = (TextDelta("One"), TextDelta(" two"))
#: an event that no wire format can carry, such as a careless plug-in makes
NO_TEXT = TextDelta("x", choice=cast(int, {1, 2}))
#: seconds within which a provider must hear that its client has left
AT_ONCE = 0.25


async def serving(start: Start, *steps: Step, record: Record | None = None) -> Server:
    """A server whose one provider goes through these steps."""
    return await start(entry(Script(steps=steps, record=record or Record())))


async def test_the_headers_of_a_stream(server: Server) -> None:
    headers = (await server.chat(STREAM)).headers
    assert headers["Content-Type"] == "text/event-stream; charset=utf-8"
    assert headers["Cache-Control"] == "no-cache, no-transform"
    assert headers["X-Accel-Buffering"] == "no"
    assert headers["Transfer-Encoding"] == "chunked"
    assert headers["x-provider"] == "script"
    assert headers["x-model"] == "small"
    assert headers["x-attempts"] == '"script/small"'


async def test_names_that_fit_in_no_header_are_left_out(start: Start) -> None:
    server = await start(entry(Script(listed=(ModelInfo("größer"),)), "größer"))
    for body in (HELLO, STREAM):
        answer = await server.chat(body)
        assert answer.status == 200
        assert not {"x-provider", "x-model", "x-attempts"} & set(answer.headers)


async def test_every_event_is_sent_when_it_comes(start: Start) -> None:
    server = await serving(start, TextDelta("One"), 0.2, TextDelta(" two"), Finish())
    loop = asyncio.get_running_loop()
    async with server.stream() as response:
        first = await response.content.readany()
        at = loop.time()
        assert b'"One"' in first
        assert b"two" not in first
        assert b'" two"' in await response.content.readany()
        assert loop.time() - at > 0.15


async def test_nothing_is_sent_before_the_first_event(start: Start) -> None:
    """So that an error can still have its status."""
    server = await serving(start, 0.2, UpstreamError("It broke"))
    answer = await server.chat(STREAM)
    assert answer.status == 502


async def test_a_stream_goes_to_clients_of_http_1_0_too(server: Server) -> None:
    body = b'{"stream": true, "messages": [{"role": "user", "content": "x"}]}'
    head = b"POST /v1/chat/completions HTTP/1.0\r\nContent-Type: application/json\r\n"
    answer = await server.raw(head + b"Content-Length: %d\r\n\r\n" % len(body) + body)
    assert answer.done
    assert "Transfer-Encoding" not in answer.headers


# errors


async def test_an_error_after_the_first_byte_is_the_last_event(start: Start) -> None:
    error = UpstreamError("It broke", code="broken", param="x")
    server = await serving(start, *WORDS, error)
    answer = await server.chat(STREAM)
    assert answer.status == 200
    assert not answer.cut
    assert not answer.done
    assert b"[DONE]" not in answer.body
    assert answer.text() == "One two"
    assert answer.chunks()[-1] == {
        "error": {"message": "It broke", "type": "provider_error", "param": "x", "code": "broken"}
    }


async def test_the_same_error_is_a_status_for_who_does_not_stream(start: Start) -> None:
    server = await serving(start, *WORDS, UpstreamError("It broke"))
    answer = await server.chat()
    assert answer.status == 502
    assert answer.error()["message"] == "It broke"


@pytest.mark.parametrize("steps", [WORDS, (*WORDS, ZeroDivisionError("a detail"))])
async def test_a_provider_that_just_stops_or_raises_is_an_error(
    start: Start, steps: tuple[Step, ...]
) -> None:
    server = await serving(start, *steps)
    answer = await server.chat(STREAM)
    assert b"[DONE]" not in answer.body
    assert answer.chunks()[-1]["error"]["code"] == "provider_not_working"
    assert b"a detail" not in answer.body
    assert (await server.chat()).status == 502


async def test_a_provider_that_says_nothing_at_all_is_an_error_with_a_status(start: Start) -> None:
    server = await serving(start)
    for body in (HELLO, STREAM):
        assert (await server.chat(body)).error()["code"] == "provider_not_working"


async def test_what_cannot_be_written_ends_the_stream_with_an_error(
    start: Start, caplog: pytest.LogCaptureFixture
) -> None:
    """A second response in the middle of the first would be taken for a part of it."""
    server = await serving(start, *WORDS, NO_TEXT, Finish())
    answer = await server.chat(STREAM)
    assert answer.status == 200
    assert not answer.cut
    assert b"HTTP/1.1" not in answer.body
    assert answer.text() == "One two"
    error = answer.chunks()[-1]["error"]
    assert (error["type"], error["code"]) == ("server_error", "internal_error")
    assert answer.headers["x-request-id"] in error["message"]
    assert "a stream failed after its first byte" in caplog.text
    # and the connection goes on
    assert (await server.get("/livez")).status == 200


async def test_what_cannot_be_written_at_first_is_an_error_with_a_status(start: Start) -> None:
    server = await serving(start, NO_TEXT, Finish())
    for body in (HELLO, STREAM):
        answer = await server.chat(body)
        assert answer.status == 500
        assert answer.error()["code"] == "internal_error"


async def test_where_even_the_error_cannot_be_written_the_connection_is_cut(
    start: Start, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(*_: object) -> bytes:
        raise ZeroDivisionError

    monkeypatch.setattr(StreamEncoder, "error", broken)
    server = await serving(start, *WORDS, UpstreamError("It broke"))
    answer = await server.chat(STREAM)
    assert answer.cut
    assert b"HTTP/1.1" not in answer.body


# clients that leave


@pytest.mark.parametrize("streamed", [True, False])
@pytest.mark.parametrize("steps", [(60.0,), (TextDelta("One"), 60.0)], ids=["before", "after"])
async def test_a_provider_hears_at_once_that_its_client_has_left(
    start: Start,
    caplog: pytest.LogCaptureFixture,
    steps: tuple[Step, ...],
    streamed: bool,  # noqa: FBT001
) -> None:
    record = Record()
    server = await serving(start, *steps, record=record)
    loop = asyncio.get_running_loop()
    async with asyncio.TaskGroup() as group:
        asking = group.create_task(server.chat({**HELLO, "stream": streamed}))
        await record.begun.wait()
        await asyncio.sleep(0.05)
        left = loop.time()
        asking.cancel()
        async with asyncio.timeout(AT_ONCE):
            await record.over.wait()
    assert record.closed[0] - left < AT_ONCE
    await asyncio.sleep(0.01)
    assert len(server.app[ANSWERS]) == 0
    assert not caplog.records


async def test_a_provider_hears_it_too_when_the_client_only_says_no_more(start: Start) -> None:
    """It closes its side in order, with data of ours still unread."""
    record = Record()
    server = await serving(start, TextDelta("One"), 60.0, record=record)
    async with server.stream() as response:
        await response.content.readany()
        response.close()
        async with asyncio.timeout(AT_ONCE):
            await record.over.wait()


async def test_one_client_that_leaves_disturbs_no_other(start: Start) -> None:
    record = Record()
    server = await serving(start, TextDelta("One"), 0.3, TextDelta(" two"), Finish(), record=record)
    async with asyncio.TaskGroup() as group:
        asking = [group.create_task(server.chat(STREAM)) for _ in range(10)]
        await asyncio.sleep(0.1)
        for task in asking[::2]:
            task.cancel()
    assert [task.result().done for task in asking[1::2]] == [True] * 5


async def test_the_health_of_a_provider_does_not_suffer_from_it(start: Start) -> None:
    record = Record()
    server = await serving(start, TextDelta("One"), 60.0, record=record)
    async with server.stream() as response:
        await response.content.readany()
        response.close()
        await record.over.wait()
    health = (await server.get("/v1/providers/script")).json()["health"]
    assert health["state"] == "unknown"
