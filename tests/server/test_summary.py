"""The log's line for a finished request."""

from __future__ import annotations

import io
import json
import logging
from collections.abc import Iterator

import pytest

from g4f_aio.core.errors import RateLimitError
from g4f_aio.core.events import Usage
from g4f_aio.logs import Redactor, handler
from g4f_aio.server import summary
from g4f_aio.server.summary import LONGEST, Summary
from tests.server.conftest import Start
from tests.server.fakes import HELLO, STREAM
from tests.server.records import attempt, record


@pytest.fixture
def lines(request: pytest.FixtureRequest) -> Iterator[io.StringIO]:
    """What is logged, as text or as JSON."""
    stream = io.StringIO()
    log = logging.getLogger(summary.__name__)
    added = handler(request.param, Redactor(["hidden-key"]), stream)
    log.addHandler(added)
    log.setLevel(logging.INFO)
    yield stream
    log.removeHandler(added)
    log.setLevel(logging.NOTSET)


@pytest.mark.parametrize("lines", ["text"], indirect=True)
def test_a_text_line_has_everything_worth_knowing(lines: io.StringIO) -> None:
    made = record(attempt("bad", outcome="failed"), attempt("good", "gpt-4o-2024"), cache="miss")
    made.usage = Usage(10, 20)
    Summary().ended(made)
    (line,) = lines.getvalue().splitlines()
    assert line.endswith(
        "openai-chat ok caller=alice model=gpt-4o provider=good upstream_model=gpt-4o-2024"
        " status=200 ttft=0.2 duration=4.0 tokens_in=10 tokens_out=20 attempts=2 cache=miss"
    )


@pytest.mark.parametrize("lines", ["json"], indirect=True)
def test_a_json_line_has_the_same_by_name_and_nothing_that_is_not_known(lines: io.StringIO) -> None:
    failed = attempt(outcome="failed", code="rate_limit_exceeded", status=429)
    Summary().ended(record(failed, error=RateLimitError("tell nobody"), model=""))
    found = json.loads(lines.getvalue())
    del found["timestamp"]
    assert found == {
        "event": "openai-chat failed",
        "level": "info",
        "logger": "g4f_aio.server.summary",
        "caller": "alice",
        "status": 429,
        "code": "rate_limit_exceeded",
        "duration": 4.0,
        "attempts": 1,
    }


@pytest.mark.parametrize("lines", ["text"], indirect=True)
def test_a_name_cannot_add_a_field_or_fill_the_log_or_show_a_key(lines: io.StringIO) -> None:
    Summary().ended(record(model="x status=500"))
    Summary().ended(record(model="m" * 10_000))
    Summary().ended(record(model="hidden-key"))
    forged, long, masked = lines.getvalue().splitlines()
    assert ' model="x status=500" ' in forged
    assert f" model={'m' * LONGEST} " in long
    assert " model=*** " in masked


@pytest.mark.parametrize("lines", ["json"], indirect=True)
async def test_it_is_logged_with_the_access_log_and_names_its_request(
    start: Start, lines: io.StringIO
) -> None:
    quiet = await start()
    await quiet.chat()
    assert not lines.getvalue()
    server = await start(access_log=True)
    await server.chat({**STREAM, "model": "small"}, headers={"x-request-id": "req_one"})
    await server.chat({**HELLO, "model": "none"}, headers={"x-request-id": "req_two"})
    one, two = map(json.loads, lines.getvalue().splitlines())
    assert (one["request_id"], one["event"], one["provider"]) == (
        "req_one",
        "openai-chat ok",
        "script",
    )
    assert (two["request_id"], two["event"], two["status"]) == (
        "req_two",
        "openai-chat failed",
        404,
    )
    assert "Hello" not in lines.getvalue()
