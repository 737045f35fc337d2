"""Spans of requests, as a collector in another process gets them over HTTP."""

from __future__ import annotations

import asyncio
import threading
import time
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from typing import Any

import pytest

from g4f_aio.core.errors import UpstreamError
from g4f_aio.core.events import Usage
from g4f_aio.core.record import RequestRecord
from g4f_aio.server import spans as module
from g4f_aio.server.spans import LONGEST, Spans
from tests.collector import Collector, collecting
from tests.e2e.waiting import until
from tests.patience import Stopwatch
from tests.server.records import attempt, record

SECOND = 10**9


@pytest.fixture
def collector(request: pytest.FixtureRequest) -> Iterator[Collector]:
    """A collector that takes everything, unless the test names another mode."""
    with collecting(getattr(request, "param", "take")) as found:
        yield found


@asynccontextmanager
async def sending(url: str, **headers: str) -> AsyncIterator[Spans]:
    """What sends spans; at the end, the rest is sent."""
    spans = await asyncio.to_thread(Spans, url, headers, "1.2.3")
    yield spans
    await spans.aclose()


async def sent(collector: Collector, *records: Any) -> list[dict[str, Any]]:
    """The spans of these requests, as they arrive."""
    async with sending(collector.url) as spans:
        for one in records:
            spans.ended(one)
    await until(lambda: bool(collector.requests))
    return collector.spans


async def test_a_request_is_a_span_and_each_call_one_inside_it(collector: Collector) -> None:
    usage = Usage(10, 20, 3, 4)
    late = attempt("OpenAI", "gpt-4o-2024")
    late.started = 101.5
    late.why = "failing"
    failed = attempt("bad", outcome="failed", code="provider_timeout", status=504)
    found = await sent(collector, record(failed, late, usage=usage, cache="miss"))
    assert len(found) == 3
    (root,) = [one for one in found if not one["parent"]]
    bad, good = sorted((one for one in found if one["parent"]), key=lambda one: one["start"])
    assert {one["trace"] for one in found} == {root["trace"]}
    assert bad["parent"] == good["parent"] == root["id"]
    assert (root["kind"], bad["kind"], good["kind"]) == ("SERVER", "CLIENT", "CLIENT")
    assert (root["name"], good["name"]) == ("chat gpt-4o", "chat gpt-4o-2024")
    assert (root["status"], bad["status"], good["status"]) == ("unset", "error", "unset")
    assert (root["start"], root["end"]) == (1000 * SECOND, 1004 * SECOND)
    assert (bad["start"], bad["end"]) == (1000.5 * SECOND, 1002.5 * SECOND)
    assert (good["start"], good["end"]) == (1002 * SECOND, 1004 * SECOND)
    assert root["attributes"] == {
        "gen_ai.operation.name": "chat",
        "gen_ai.request.model": "gpt-4o",
        "gen_ai.request.stream": True,
        "http.response.status_code": 200,
        "g4f_aio.request.id": "req_1",
        "g4f_aio.caller": "alice",
        "g4f_aio.dialect": "openai-chat",
        "g4f_aio.outcome": "ok",
        "g4f_aio.attempts": 2,
        "g4f_aio.cache": "miss",
    }
    assert bad["attributes"] == {
        "gen_ai.operation.name": "chat",
        "gen_ai.provider.name": "bad",
        "gen_ai.request.model": "gpt-4o",
        "gen_ai.request.stream": True,
        "error.type": "provider_timeout",
        "g4f_aio.provider": "bad",
        "g4f_aio.outcome": "failed",
    }
    assert good["attributes"] == {
        "gen_ai.operation.name": "chat",
        "gen_ai.provider.name": "openai",
        "gen_ai.request.model": "gpt-4o-2024",
        "gen_ai.request.stream": True,
        "gen_ai.response.time_to_first_chunk": 0.2,
        "gen_ai.usage.input_tokens": 10,
        "gen_ai.usage.output_tokens": 20,
        "gen_ai.usage.cache_read.input_tokens": 3,
        "gen_ai.usage.reasoning.output_tokens": 4,
        "g4f_aio.provider": "OpenAI",
        "g4f_aio.outcome": "ok",
        "g4f_aio.why": "failing",
    }


async def test_a_request_that_failed_is_an_error_without_its_message(collector: Collector) -> None:
    error = UpstreamError("the prompt was 'my secret plan'", code="secret_plan")
    lone = record(error=error, streamed=False, model="")
    lone.attempts = []
    (root,) = await sent(collector, lone)
    assert (root["name"], root["status"], root["message"]) == ("chat", "error", "other")
    assert root["attributes"]["error.type"] == "other"
    assert "gen_ai.request.model" not in root["attributes"]
    assert "gen_ai.request.stream" not in root["attributes"]
    assert "secret" not in str(collector.requests)


async def test_an_error_without_a_code_is_of_its_status(collector: Collector) -> None:
    calls = [attempt(outcome="failed", status=400), attempt(outcome="failed")]
    calls[1].started = 101.0
    found = await sent(collector, record(*calls, streamed=False))
    types = [one["attributes"].get("error.type") for one in sorted(found, key=lambda s: s["start"])]
    assert types == [None, "400", "_OTHER"]


async def test_tokens_of_which_there_were_none_are_not_told(collector: Collector) -> None:
    found = await sent(collector, record(usage=Usage(1, 2)))
    (told,) = [one["attributes"] for one in found if one["parent"]]
    assert {name for name in told if name.startswith("gen_ai.usage.")} == {
        "gen_ai.usage.input_tokens",
        "gen_ai.usage.output_tokens",
    }


async def test_what_is_no_chat_is_called_otherwise(collector: Collector) -> None:
    made = record()
    made.dialect = "openai-embeddings"
    for one in await sent(collector, made):
        assert one["name"] == "embeddings gpt-4o"
        assert one["attributes"]["gen_ai.operation.name"] == "embeddings"


async def test_long_names_are_cut(collector: Collector) -> None:
    found = await sent(collector, record(attempt(model="m" * 5000), model="m" * 5000))
    for one in found:
        assert one["name"] == f"chat {'m' * 5000}"[:LONGEST]
        assert one["attributes"]["gen_ai.request.model"] == "m" * LONGEST


async def test_the_collector_gets_its_headers_and_hears_who_we_are(collector: Collector) -> None:
    async with sending(f"{collector.url}/", authorization="Basic abc") as spans:
        spans.ended(record())
    await until(lambda: bool(collector.requests))
    (request,) = collector.requests
    assert request["path"] == "/v1/traces"
    assert request["headers"]["authorization"] == "Basic abc"
    assert request["service"]["service.name"] == "g4f_aio"
    assert request["service"]["service.version"] == "1.2.3"


async def test_the_library_s_own_variables_hold(
    collector: Collector, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("OTEL_SERVICE_NAME", "our-gateway")
    monkeypatch.setenv("OTEL_RESOURCE_ATTRIBUTES", "deployment.environment=test")
    async with sending(collector.url) as spans:
        spans.ended(record())
    await until(lambda: bool(collector.requests))
    service = collector.requests[0]["service"]
    assert service["service.name"] == "our-gateway"
    assert service["deployment.environment"] == "test"


async def test_they_are_sent_while_it_runs(
    collector: Collector, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "EVERY", 0.01)
    monkeypatch.setenv("OTEL_BSP_SCHEDULE_DELAY", "50")
    async with sending(collector.url) as spans, asyncio.TaskGroup() as group:
        run = group.create_task(spans.run())
        spans.ended(record())
        await until(lambda: len(collector.spans) == 2)
        spans.ended(record())
        await until(lambda: len(collector.spans) == 4)
        run.cancel()


async def test_if_too_many_come_at_once_the_oldest_are_lost_and_that_is_said(
    collector: Collector, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(module, "WAITING", 10)
    monkeypatch.setattr(module, "EVERY", 0.01)
    async with sending(collector.url) as spans, asyncio.TaskGroup() as group:
        for number in range(13):
            spans.ended(record(model=f"m{number}"))
        run = group.create_task(spans.run())
        await until(lambda: "no spans of 3 requests" in caplog.text)
        run.cancel()
    await until(lambda: len(collector.spans) == 20)
    roots = {one["name"] for one in collector.spans if not one["parent"]}
    assert roots == {f"chat m{number}" for number in range(3, 13)}


async def test_a_stop_loses_nothing_of_a_hand_over_under_way(
    collector: Collector, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "EVERY", 0.0)
    begun = threading.Event()
    export = Spans._spans

    def slowly(self: Spans, one: RequestRecord) -> None:
        if not begun.is_set():
            begun.set()
            time.sleep(0.2)
        export(self, one)

    monkeypatch.setattr(Spans, "_spans", slowly)
    async with sending(collector.url) as spans, asyncio.TaskGroup() as group:
        for number in range(10):
            spans.ended(record(model=f"m{number}"))
        run = group.create_task(spans.run())
        assert await asyncio.to_thread(begun.wait, 10)
        run.cancel()
    await until(lambda: len(collector.spans) == 20)


@pytest.mark.parametrize("collector", ["hang"], indirect=True)
async def test_a_stop_does_not_wait_for_a_collector_that_hangs(
    collector: Collector, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(module, "LAST_WORDS", 0.3)
    async with sending(collector.url) as spans:
        spans.ended(record())
        watch = Stopwatch()
    assert watch.seconds < 3
    assert "the last spans are lost" in caplog.text


@pytest.mark.parametrize("collector", ["refuse"], indirect=True)
async def test_a_collector_that_is_away_or_refuses_disturbs_nobody(
    collector: Collector, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(module, "LAST_WORDS", 0.3)
    for url in ("http://127.0.0.1:9", collector.url):
        async with sending(url, authorization="hidden-key") as spans:
            spans.ended(record())
    await until(lambda: bool(collector.spans))
    assert "hidden-key" not in caplog.text
