"""The answers under way: kept alive, cut off when nobody reads, ended at a stop."""

from __future__ import annotations

import asyncio
import logging
from contextlib import suppress
from typing import Any, cast

import attrs
import pytest

from g4f_aio.core.errors import UpstreamError
from g4f_aio.core.events import EventStream, Finish, TextDelta
from g4f_aio.core.provider import CallContext
from g4f_aio.core.requests import ChatRequest
from g4f_aio.keys import CURRENT
from g4f_aio.server import answers
from g4f_aio.server.answers import ANSWERS, Answers
from tests.patience import PATIENCE, Stopwatch, at_some_pace, until
from tests.server.conftest import Start
from tests.server.fakes import CHAT, HELLO, STREAM, Record, Script, Server, Step, entry

COMMENT = b": keep-alive\n\n"
ASK = b'{"stream": true, "messages": [{"role": "user", "content": "x"}]}'
REQUEST = (
    b"POST /v1/chat/completions HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n"
    b"Content-Length: %d\r\n\r\n" % len(ASK)
) + ASK
MANY = tuple(TextDelta("x" * 50_000) for _ in range(300))


async def serving(
    start: Start, *steps: Step, record: Record | None = None, **settings: Any
) -> Server:
    """A server whose one provider goes through these steps."""
    return await start(entry(Script(steps=steps, record=record or Record())), **settings)


# comments


async def test_a_silent_stream_gets_comments_before_the_first_event(start: Start) -> None:
    async def check(pace: float) -> None:
        first = (0.5 * pace, TextDelta("One"), Finish())
        answer = await (await serving(start, *first, keep_alive=0.1 * pace)).chat(STREAM)
        assert answer.done
        assert answer.text() == "One"
        comments = len(answer.body) - len(answer.body.lstrip(b": kep-aliv\n"))
        assert 2 * len(COMMENT) <= comments <= 5 * len(COMMENT)
        assert answer.body.startswith(COMMENT)
        assert answer.headers["Content-Type"].startswith("text/event-stream")

    await at_some_pace(check)


async def test_it_gets_them_between_two_events(start: Start) -> None:
    async def check(pace: float) -> None:
        steps = (TextDelta("One"), 0.3 * pace, TextDelta(" two"), Finish())
        answer = await (await serving(start, *steps, keep_alive=0.1 * pace)).chat(STREAM)
        assert answer.done
        assert answer.text() == "One two"
        between = answer.body[answer.body.index(b'"One"') : answer.body.index(b'" two"')]
        assert between.count(COMMENT) in (1, 2, 3)
        assert answer.body.count(COMMENT) == between.count(COMMENT)

    await at_some_pace(check)


async def test_a_stream_with_events_gets_none(start: Start) -> None:
    async def check(pace: float) -> None:
        steps = [step for _ in range(20) for step in (TextDelta("x"), 0.02 * pace)]
        answer = await (await serving(start, *steps, Finish(), keep_alive=0.2 * pace)).chat(STREAM)
        assert answer.done
        assert COMMENT not in answer.body

    await at_some_pace(check)


async def test_an_answer_that_is_no_stream_gets_none(start: Start) -> None:
    server = await serving(start, 0.2, TextDelta("One"), Finish(), keep_alive=0.05)
    assert (await server.chat()).json()["choices"][0]["message"]["content"] == "One"


async def test_after_a_comment_an_error_is_an_event(start: Start) -> None:
    """The status was sent before the comment."""
    server = await serving(start, 0.3, UpstreamError("It broke"), keep_alive=0.1)
    answer = await server.chat(STREAM)
    assert answer.status == 200
    assert answer.body.startswith(COMMENT)
    assert answer.chunks() == [
        {
            "error": {
                "message": "It broke",
                "type": "provider_error",
                "param": None,
                "code": "provider_not_working",
            }
        }
    ]


class Unwell:
    """An answer that cannot be written to."""

    def __init__(self, error: Exception | None) -> None:
        self.error = error

    async def keep_alive(self) -> None:
        """Fail, or take for ever."""
        if self.error is not None:
            raise self.error
        await asyncio.sleep(60)


@pytest.mark.parametrize("error", [ConnectionResetError(), RuntimeError("it has ended"), None])
async def test_one_that_takes_no_comment_does_not_stop_those_of_the_others(
    monkeypatch: pytest.MonkeyPatch, error: Exception | None
) -> None:
    monkeypatch.setattr(answers, "_COMMENT", 0.05)
    async with asyncio.timeout(PATIENCE):
        await Answers()._keep_alive(cast(answers.Answer, Unwell(error)))


async def test_many_silent_streams_are_all_kept_alive(start: Start) -> None:
    server = await serving(start, 0.4, TextDelta("One"), Finish(), keep_alive=0.1)
    done = await asyncio.gather(*(server.chat(STREAM) for _ in range(50)))
    assert all(answer.done and COMMENT in answer.body for answer in done)


# clients that read nothing


async def not_reading(
    server: Server,
) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
    """A client that asks for a stream and reads next to nothing until it is told to."""
    host, _, port = server.address.rpartition(":")
    reader, writer = await asyncio.open_connection(host, int(port), limit=1024)
    writer.write(REQUEST)
    return reader, writer


async def everything(reader: asyncio.StreamReader) -> bytes:
    """All that comes, until nothing comes any more."""
    data = bytearray()
    with suppress(TimeoutError):
        while True:
            async with asyncio.timeout(0.3):
                data += await reader.readexactly(1)
            data += await reader.read(2**20)
    return bytes(data)


@attrs.frozen(kw_only=True)
class Flood(Script):
    """Says more to *loud* requests than a socket holds."""

    last: bool = False

    async def chat(self, request: ChatRequest, ctx: CallContext) -> EventStream:
        """Much, or what the steps say."""
        if request.last_user_text != "x":
            async for event in super().chat(request, ctx):
                yield event
            return
        self.record.begun.set()
        try:
            if self.last:
                yield TextDelta("x")
                raise UpstreamError("x" * 15_000_000)
            for event in MANY:
                yield event
            yield Finish()
        finally:
            self.record.over.set()


@pytest.mark.parametrize("last", [False, True], ids=["in the middle", "with the last bytes"])
async def test_a_client_that_reads_nothing_is_cut_off_and_others_go_on(
    start: Start,
    caplog: pytest.LogCaptureFixture,
    last: bool,  # noqa: FBT001
) -> None:
    caplog.set_level(logging.INFO)
    record = Record()
    steps = (TextDelta("One"), 0.4, TextDelta(" two"), 0.4, Finish())
    server = await start(
        entry(Flood(record=record, steps=steps, last=last)), write_timeout=0.4, keep_alive=0.2
    )
    _, writer = await not_reading(server)
    async with asyncio.timeout(PATIENCE):
        other = await server.chat(STREAM)
        await record.over.wait()
        assert await server.app[ANSWERS].drain(PATIENCE) == 0
    writer.close()
    assert other.done
    assert other.text() == "One two"
    assert "read nothing for 0.4 s: cut off" in caplog.text
    unheard = [one for one in caplog.records if one.name != "g4f_aio.gateway.watchdog"]
    assert not [record for record in unheard if record.levelno > logging.INFO]


@pytest.mark.parametrize("last", [False, True], ids=["many events", "one big one"])
async def test_a_client_that_reads_slowly_is_waited_for(
    start: Start,
    last: bool,  # noqa: FBT001
) -> None:
    async def check(pace: float) -> None:
        server = await start(entry(Flood(last=last)), write_timeout=0.2 * pace)
        reader, writer = await server.connect()
        writer.write(REQUEST)
        total = 0
        loop = asyncio.get_running_loop()
        began = loop.time()
        async with asyncio.timeout(PATIENCE):
            while piece := await reader.read(2**20):
                total += len(piece)
                if piece.endswith(b"\r\n0\r\n\r\n"):
                    break
                await asyncio.sleep(0.02 * pace)
        writer.close()
        assert total > 15_000_000
        assert loop.time() - began > 0.6 * pace

    await at_some_pace(check)


# the end


async def draining(server: Server, seconds: float, answers: int = 1) -> int:
    """Stop the server while so many answers are under way."""
    await until(lambda: len(server.app[ANSWERS]) == answers)
    await asyncio.sleep(0.05)  # for what they have to say at first
    server.app[CURRENT].draining = True
    return await server.app[ANSWERS].drain(seconds)


async def test_with_no_answers_under_way_there_is_nothing_to_wait_for(server: Server) -> None:
    watch = Stopwatch()
    assert await server.app[ANSWERS].drain(10) == 0
    assert watch.seconds < 0.1


async def test_answers_that_end_in_time_are_left_alone(start: Start) -> None:
    server = await serving(start, TextDelta("One"), 0.2, TextDelta(" two"), Finish())
    async with asyncio.TaskGroup() as group:
        asking = [group.create_task(server.chat(body)) for body in (STREAM, HELLO)]
        assert await draining(server, 5, answers=2) == 0
    assert asking[0].result().done
    assert asking[1].result().status == 200


async def test_a_stream_that_does_not_is_ended_with_an_error_event(start: Start) -> None:
    record = Record()
    server = await serving(start, TextDelta("One"), 60.0, record=record)
    async with asyncio.TaskGroup() as group:
        asking = group.create_task(server.chat(STREAM))
        assert await draining(server, 0.1) == 1
    answer = asking.result()
    assert answer.status == 200
    assert not answer.cut
    assert b"[DONE]" not in answer.body
    assert answer.text() == "One"
    assert answer.chunks()[-1]["error"] == {
        "message": "The server is shutting down; ask again",
        "type": "server_error",
        "param": None,
        "code": "server_shutdown",
    }
    assert record.over.is_set()
    assert len(server.app[ANSWERS]) == 0


@pytest.mark.parametrize("body", [HELLO, STREAM], ids=["whole", "streamed"])
async def test_one_that_has_not_begun_gets_a_status(start: Start, body: dict[str, object]) -> None:
    record = Record()
    server = await serving(start, 60.0, record=record)
    async with asyncio.TaskGroup() as group:
        asking = group.create_task(server.chat(body))
        assert await draining(server, 0.0) == 1
    answer = asking.result()
    assert answer.status == 503
    assert answer.error()["code"] == "server_shutdown"
    assert answer.headers["retry-after"] == "1"
    assert answer.headers["Connection"] == "close"
    assert record.over.is_set()


async def test_many_are_ended_at_once(start: Start) -> None:
    server = await serving(start, TextDelta("One"), 60.0)
    async with asyncio.TaskGroup() as group:
        asking = [group.create_task(server.chat(STREAM)) for _ in range(50)]
        await until(lambda: len(server.app[ANSWERS]) == 50)
        watch = Stopwatch()
        assert await draining(server, 0.0, answers=50) == 50
        assert watch.seconds < 1.5
    codes = {task.result().chunks()[-1]["error"]["code"] for task in asking}
    assert codes == {"server_shutdown"}


@attrs.frozen(kw_only=True)
class Stubborn(Script):
    """Does not let itself be stopped."""

    async def chat(self, request: ChatRequest, ctx: CallContext) -> EventStream:
        """Two words, and a long time between them."""
        yield TextDelta("One")
        for _ in range(5):
            with suppress(asyncio.CancelledError):
                await asyncio.sleep(0.2)
        yield Finish()


async def test_a_provider_that_does_not_stop_does_not_hold_the_server(
    start: Start, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(answers, "_LAST_WORDS", 0.1)
    server = await start(entry(Stubborn()))
    async with asyncio.TaskGroup() as group:
        group.create_task(server.chat(STREAM))
        assert await draining(server, 0.0) == 1
        assert "1 answers could not be ended in order" in caplog.text


async def test_an_answer_whose_last_bytes_are_on_their_way_is_not_ended_once_more(
    start: Start, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A second end would be taken for the beginning of the next response."""
    monkeypatch.setattr(answers, "_LAST_WORDS", 0.1)
    server = await start(entry(Flood(last=True)), keep_alive=0.05)
    reader, writer = await not_reading(server)
    await asyncio.sleep(0.2)
    assert await server.app[ANSWERS].drain(0.0) == 1
    body = await everything(reader)
    writer.close()
    assert b"server_shutdown" not in body
    assert COMMENT not in body
    assert body.endswith(b"\r\n0\r\n\r\n")
    assert body.count(b'{"error":') == 1


async def test_answers_are_counted(start: Start) -> None:
    record = Record()
    server = await serving(start, 0.1, Finish(), record=record)
    async with asyncio.TaskGroup() as group:
        group.create_task(server.chat(STREAM))
        await record.begun.wait()
        assert len(server.app[ANSWERS]) == 1
    assert len(server.app[ANSWERS]) == 0
    assert (await server.ask("POST", CHAT, data=b"{}")).status == 415
    assert len(server.app[ANSWERS]) == 0
