"""What can be seen of a running gateway is what was done with it, and no secret and no content."""

from __future__ import annotations

import asyncio
import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import aiohttp
import pytest
from prometheus_client import parser

from tests.collector import Collector, collecting
from tests.conftest import Upstream
from tests.e2e.gateway import Gateway, Start, run, running
from tests.e2e.waiting import until
from tests.e2e.wire import Answer, post, read

SETTINGS = """
[server]
api_key = "canary-boss"
otlp_endpoint = "{collector}"
otlp_headers = "x-collector-key=canary-collector"

[keys.clerk]
key = "canary-clerk"

[routing]
detect_local = false
retries = 0

[providers.first]
type = "openai-compatible"
base_url = "{base_url}"
api_key = "canary-upstream"
stream_timeout = 1
models = ["status-500", "status-400", "echo", "leak-500", "paced-20-1000"]

[providers.second]
type = "openai-compatible"
base_url = "{base_url}"
models = ["echo", "words-3"]

[models."chain"]
providers = [{{ provider = "first", model = "status-500" }}, {{ provider = "second", model = "words-3" }}]
"""
BOSS = "canary-boss"
CLERK = "canary-clerk"
PROMPT = "a very private matter"
REQUESTS = "/backend-api/v2/requests"


class Seen:
    """A scrape of ``/metrics``."""

    def __init__(self, text: str) -> None:
        self.text = text
        self.samples = {
            (sample.name, frozenset(sample.labels.items())): sample.value
            for family in parser.text_string_to_metric_families(text)
            for sample in family.samples
        }

    def sum(self, name: str, **labels: str) -> float:
        """The sum of the samples of that name with at least these labels."""
        return sum(
            value
            for (known, found), value in self.samples.items()
            if known == f"g4f_aio_{name}" and found >= set(labels.items())
        )


async def get(
    client: aiohttp.ClientSession, gateway: Gateway, path: str, key: str = BOSS
) -> Answer:
    async with client.get(f"{gateway.url}{path}", headers={"api-key": key}) as response:
        return await read(response)


async def scrape(client: aiohttp.ClientSession, gateway: Gateway) -> Seen:
    answer = await get(client, gateway, "/metrics")
    assert answer.status == 200
    return Seen(answer.body.decode())


async def logged(
    client: aiohttp.ClientSession, gateway: Gateway, query: str = "", key: str = BOSS
) -> list[dict[str, Any]]:
    answer = await get(client, gateway, f"{REQUESTS}{query}", key)
    found: list[dict[str, Any]] = answer.json()["data"]
    return found


@pytest.fixture
def collector() -> Iterator[Collector]:
    """A collector of spans."""
    with collecting() as found:
        yield found


@pytest.fixture
def hanging() -> Iterator[Collector]:
    """A collector that takes spans and says nothing."""
    with collecting("hang") as found:
        yield found


@pytest.fixture
def gateway(tmp_path: Path, upstream: Upstream, collector: Collector) -> Iterator[Gateway]:
    """A gateway that is watched in every way there is."""
    settings = SETTINGS.format(base_url=upstream.base_url, collector=collector.url)
    flags = ("--access-log", "--log-format", "json")
    environ = {"OTEL_BSP_SCHEDULE_DELAY": "100"}
    with running(tmp_path, settings, *flags, environ=environ) as found:
        yield found


async def leave_in_the_middle(client: aiohttp.ClientSession, gateway: Gateway) -> None:
    """Ask for a long stream and go after its first words."""
    body = {"model": "first:paced-20-1000", "stream": True}
    body["messages"] = [{"role": "user", "content": PROMPT}]
    headers = {"api-key": CLERK}
    async with client.post(gateway.chat, json=body, headers=headers) as response:
        await response.content.readline()
        response.close()


async def do_everything(client: aiohttp.ClientSession, gateway: Gateway) -> list[dict[str, Any]]:
    """Nine requests, of which five succeed; what the request log says of them, the newest first."""

    async def ask(model: str, key: str = BOSS, **fields: object) -> Answer:
        return await post(client, gateway.chat, model, PROMPT, key=key, **fields)

    for key in (BOSS, BOSS, CLERK):
        assert (await ask("second:echo", key)).status == 200
    assert (await ask("second:echo", stream=True)).done
    assert (await ask("chain")).status == 200
    assert (await ask("first:status-400")).status == 400
    assert (await ask("first:status-500", CLERK)).status == 502
    assert (await ask("nobody-has-this")).status == 404
    await leave_in_the_middle(client, gateway)
    async with asyncio.timeout(10):
        while len(entries := await logged(client, gateway)) < 9:  # noqa: ASYNC110  (no event comes)
            await asyncio.sleep(0.01)
    return entries


async def test_the_figures_are_those_of_what_was_done(
    gateway: Gateway, client: aiohttp.ClientSession
) -> None:
    before = await scrape(client, gateway)
    assert before.sum("requests_total") == 0
    entries = await do_everything(client, gateway)
    seen = await scrape(client, gateway)
    total = "requests_total"
    assert seen.sum(total) == 9
    assert seen.sum(total, outcome="ok") == 5
    assert seen.sum(total, outcome="cancelled") == 1
    assert seen.sum(total, provider="second", model="echo", outcome="ok", status="2xx") == 4
    assert seen.sum(total, provider="second", model="words-3", outcome="ok") == 1
    assert seen.sum(total, provider="first", model="other", status="4xx") == 1
    assert seen.sum(total, provider="first", model="other", status="5xx") == 1
    assert seen.sum(total, provider="none", status="4xx", outcome="failed") == 1
    assert seen.sum("request_duration_seconds_count") == 9
    assert seen.sum("time_to_first_token_seconds_count") == 2
    assert seen.sum("attempts_total", provider="first") == 4
    assert seen.sum("attempts_total", provider="first", code="provider_not_working") == 2
    assert seen.sum("attempts_total", provider="second", outcome="ok") == 5
    assert seen.sum("further_attempts_total", reason="fallback") == 1
    assert seen.sum("further_attempts_total") == 1
    assert seen.sum("key_requests_total", key="clerk") == 3
    assert seen.sum("key_requests_total") == 9
    usages = [entry["usage"] for entry in entries if entry["usage"] is not None]
    for kind in ("input", "output"):
        tokens = sum(usage[f"{kind}_tokens"] for usage in usages)
        assert seen.sum("tokens_total", type=kind) == tokens > 0
    path = "/v1/chat/completions"
    assert seen.sum("http_responses_total", method="POST", path=path) == 9
    assert seen.sum("requests_running") == seen.sum("provider_calls_running") == 0
    assert seen.sum("provider_keys", provider="first") == 1


async def test_the_request_log_and_the_log_say_what_was_done(
    gateway: Gateway, client: aiohttp.ClientSession
) -> None:
    entries = await do_everything(client, gateway)
    outcomes = [entry["outcome"] for entry in entries]
    assert outcomes == ["cancelled", *["failed"] * 3, *["ok"] * 5]
    (chain,) = [entry for entry in entries if entry["model"] == "chain"]
    assert [call["provider"] for call in chain["attempts"]] == ["first", "second"]
    assert [call["outcome"] for call in chain["attempts"]] == ["failed", "ok"]
    assert len(await logged(client, gateway, "?outcome=failed")) == 3
    mine = await logged(client, gateway, key=CLERK)
    assert [entry["caller"] for entry in mine] == ["clerk"] * 3
    lines = [json.loads(line) for line in gateway.log.having("g4f_aio.server.summary")]
    assert len(lines) == 9
    (line,) = [line for line in lines if line.get("model") == "chain"]
    assert (line["provider"], line["attempts"], line["request_id"]) == ("second", 2, chain["id"])
    assert line["tokens_out"] == chain["usage"]["output_tokens"]


async def test_the_spans_are_those_of_what_was_done(
    gateway: Gateway, client: aiohttp.ClientSession, collector: Collector
) -> None:
    entries = await do_everything(client, gateway)
    await until(lambda: len({span["trace"] for span in collector.spans}) == 9)
    (chain,) = [entry for entry in entries if entry["model"] == "chain"]
    await until(lambda: len(collector.of(chain["id"])) == 3)
    root, failed, answered = collector.of(chain["id"])
    assert root["attributes"]["gen_ai.request.model"] == "chain"
    assert (failed["status"], answered["status"]) == ("error", "unset")
    assert answered["attributes"]["gen_ai.request.model"] == "words-3"
    assert answered["attributes"]["gen_ai.usage.output_tokens"] == chain["usage"]["output_tokens"]
    assert root["end"] >= answered["end"] >= failed["end"]


async def test_no_secret_and_no_content_is_seen_anywhere(
    gateway: Gateway, client: aiohttp.ClientSession, collector: Collector
) -> None:
    models = ("echo", "leak-500", "status-400", "nothing")
    for model in models:
        for key in (BOSS, CLERK):
            for stream in (False, True):
                fields = {"api_key": "canary-body"} if stream else {}
                answer = await post(
                    client, gateway.chat, f"first:{model}", PROMPT, key=key, stream=stream, **fields
                )
                assert answer.body
    await get(client, gateway, "/metrics?api_key=canary-query", "canary-wrong")
    pages = ["/metrics", REQUESTS, f"{REQUESTS}?limit=5"]
    pages += [f"{REQUESTS}/{entry['id']}" for entry in await logged(client, gateway)]
    assert len(pages) == 3 + 4 * len(models)
    answers = [await get(client, gateway, page, key) for page in pages for key in (BOSS, CLERK)]
    said = "".join(answer.body.decode() for answer in answers)
    await until(lambda: len({span["trace"] for span in collector.spans}) == 4 * len(models))
    spans = json.dumps([request["spans"] for request in collector.requests])
    for text in (said, spans, gateway.log.text):
        assert re.findall(r"canary-[a-z]+", text) == []
        assert PROMPT not in text
    sent = {request["headers"]["x-collector-key"] for request in collector.requests}
    assert sent == {"canary-collector"}, "to the collector itself it goes"


async def test_names_of_models_without_end_leave_no_trace_in_the_figures(
    upstream: Upstream, start: Start, client: aiohttp.ClientSession
) -> None:
    gateway = start(
        "[routing]\ndetect_local = false\n[server]\nrequest_log = 100\n[providers.work]\n"
        f'type = "openai-compatible"\nbase_url = "{upstream.base_url}"\nmodels = ["echo"]\n'
    )

    async def ask(number: int) -> None:
        # a third of them answers, the others are unknown to us or to the upstream
        model = ("work:echo@tag{}", "work:nothing-{}", "nothing-{}")[number % 3].format(number)
        assert (await post(client, gateway.chat, model, "hi")).status in (200, 404)

    async def ask_all(numbers: range) -> None:
        for number in numbers:
            await ask(number)

    async def ask_many(first: int, count: int) -> None:
        async with asyncio.TaskGroup() as group:
            for at in range(8):
                group.create_task(ask_all(range(first + at, first + count, 8)))

    await ask_many(0, 600)
    before = await scrape(client, gateway)
    await ask_many(600, 1800)
    after = await scrape(client, gateway)
    assert after.sum("requests_total") == 2400
    assert len(after.text) < 1.1 * len(before.text)
    assert len(await logged(client, gateway, "?limit=1000")) == 100


async def test_listeners_do_not_hold_up_a_stop(start: Start, client: aiohttp.ClientSession) -> None:
    gateway = start("[routing]\ndetect_local = false\n[server]\ndrain = 20.0\n")
    async with client.get(f"{gateway.url}{REQUESTS}/stream") as response:
        await post(client, gateway.chat, "", "hi")
        assert await response.content.readline() == b"event: request\n"
        began = asyncio.get_running_loop().time()
        gateway.process.terminate()
        await response.content.read()
        assert await asyncio.to_thread(gateway.end) == 0
        assert asyncio.get_running_loop().time() - began < 10


def test_a_collector_without_its_packages_is_a_mistake_in_the_settings(tmp_path: Path) -> None:
    site = tmp_path / "site"
    site.mkdir()
    (site / "opentelemetry.py").write_text("raise ImportError('there is none here')\n", "utf-8")
    done = run(
        tmp_path,
        "--port",
        "0",
        "--otlp-endpoint",
        "http://127.0.0.1:4318",
        environ={"PYTHONPATH": str(site)},
    )
    assert done.returncode == 78
    assert "server.otlp_endpoint" in done.stderr
    assert "pip install g4f_aio[otel]" in done.stderr
    assert "Traceback" not in done.stderr


async def test_a_collector_that_hangs_holds_up_neither_a_request_nor_a_stop(
    start: Start, client: aiohttp.ClientSession, hanging: Collector
) -> None:
    gateway = start("[routing]\ndetect_local = false\n", "--otlp-endpoint", hanging.url)
    for _ in range(3):
        assert (await post(client, gateway.chat, "", "hi")).status == 200
    began = asyncio.get_running_loop().time()
    gateway.process.terminate()
    assert await asyncio.to_thread(gateway.end) == 0
    assert asyncio.get_running_loop().time() - began < 15
    assert "the last spans are lost" in gateway.log.rest()
