"""The figures as text: parsed again by the library's own parsers, they say what was counted."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable
from typing import Any

import pytest
from aiohttp import web
from prometheus_client import Metric, parser
from prometheus_client.openmetrics import parser as openmetrics
from prometheus_client.process_collector import ProcessCollector

import g4f_aio
from g4f_aio.core.errors import GatewayError, UpstreamError
from g4f_aio.core.events import Usage
from g4f_aio.server.counters import MODELS_OF_ONE, Counters
from g4f_aio.server.exposition import render
from g4f_aio.server.gauges import Gauges, ProviderGauges
from tests.server.records import attempt, record

OPENMETRICS = "application/openmetrics-text; version=1.0.0"
NOW = Gauges(
    running=3,
    waiting=2,
    draining=True,
    providers=(
        ProviderGauges("work", 1, 4, left_alone=True, keys=3, resting=2),
        ProviderGauges("wide", 5, None, left_alone=False, keys=0, resting=0),
    ),
    left_alone={("work", "gpt-4o"): 0, ("work", "other"): 7},
)
REST = Gauges(running=0, waiting=0, draining=False, providers=(), left_alone={})
Parse = Callable[[str], Iterable[Metric]]
FORMATS = [
    pytest.param("", parser.text_string_to_metric_families, id="text"),
    pytest.param(OPENMETRICS, openmetrics.text_string_to_metric_families, id="openmetrics"),
]


class Figures:
    """All samples of a text, by name and labels."""

    def __init__(self, text: str, parse: Parse) -> None:
        self.samples = {
            (sample.name, frozenset(sample.labels.items())): sample.value
            for family in parse(text)
            for sample in family.samples
        }

    def __call__(self, name: str, **labels: str) -> float:
        return self.samples[f"g4f_aio_{name}", frozenset(labels.items())]

    def labels(self, name: str, label: str) -> set[str]:
        """The values of a label."""
        found = [dict(labels) for known, labels in self.samples if known == f"g4f_aio_{name}"]
        return {labels[label] for labels in found}


def figures(counters: Counters, now: Gauges, accept: str, parse: Parse) -> Figures:
    body, _ = render(counters, now, accept)
    return Figures(body.decode(), parse)


@pytest.mark.parametrize(("accept", "parse"), FORMATS)
def test_what_was_counted_is_there(accept: str, parse: Parse) -> None:
    counters = Counters()
    counters.ended(record(usage=Usage(10, 20, 3, 4)))
    counters.ended(record(attempt("bad", outcome="failed", code="provider_timeout"), attempt()))
    counters.ended(record(attempt(outcome="failed", code="x"), error=UpstreamError("no")))
    find = figures(counters, REST, accept, parse)
    chat = {"dialect": "openai-chat", "provider": "work", "model": "gpt-4o"}
    assert find("requests_total", **chat, outcome="ok", status="2xx") == 2
    assert find("requests_total", **chat, outcome="failed", status="5xx") == 1
    of = {"provider": "work", "model": "gpt-4o"}
    assert find("attempts_total", **of, outcome="ok", code="none") == 2
    assert find("attempts_total", **of, outcome="failed", code="other") == 1
    other = {"provider": "bad", "model": "other"}
    assert find("attempts_total", **other, outcome="failed", code="provider_timeout") == 1
    assert find("further_attempts_total", reason="fallback") == 1
    assert find("further_attempts_total", reason="hedge") == 0
    assert find("tokens_total", **of, type="input") == 10
    assert find("tokens_total", **of, type="output") == 20
    assert find("cached_tokens_total", **of) == 3
    assert find("reasoning_tokens_total", **of) == 4
    assert find("key_requests_total", key="alice") == 3
    assert find("key_tokens_total", key="alice", type="output") == 20


@pytest.mark.parametrize(("accept", "parse"), FORMATS)
def test_histograms_add_up(accept: str, parse: Parse) -> None:
    counters = Counters()
    for _ in range(3):
        counters.ended(record())
    counters.late.observe(0.003)
    find = figures(counters, REST, accept, parse)
    of = {"provider": "work", "model": "gpt-4o"}
    whole = "request_duration_seconds"
    assert [find(f"{whole}_bucket", **of, le=le) for le in ("3.0", "5.0", "+Inf")] == [0, 3, 3]
    assert (find(f"{whole}_count", **of), find(f"{whole}_sum", **of)) == (3, 12)
    assert find("time_to_first_token_seconds_bucket", **of, le="0.2") == 3
    assert find("event_loop_delay_seconds_bucket", le="0.005") == 1
    assert find("event_loop_delay_seconds_bucket", le="0.001") == 0


@pytest.mark.parametrize(("accept", "parse"), FORMATS)
def test_how_things_stand_is_there(accept: str, parse: Parse) -> None:
    find = figures(Counters(), NOW, accept, parse)
    assert find("requests_running") == 3
    assert find("requests_waiting") == 2
    assert find("draining") == 1
    assert find("provider_calls_running", provider="wide") == 5
    assert find("provider_calls_waiting", provider="work") == 4
    assert find.labels("provider_calls_waiting", "provider") == {"work"}
    assert find("provider_breaker_open", provider="work") == 1
    assert find("provider_breaker_open", provider="wide") == 0
    assert find("provider_keys", provider="work") == 3
    assert find("provider_keys_resting", provider="work") == 2
    assert find("model_breakers_open", provider="work", model="other") == 7
    assert find("model_breakers_open", provider="work", model="gpt-4o") == 0


@pytest.mark.parametrize(("accept", "parse"), FORMATS)
def test_who_we_are_and_how_the_process_is(accept: str, parse: Parse) -> None:
    find = figures(Counters(), REST, accept, parse)
    assert find.labels("build_info", "version") == {g4f_aio.__version__}
    process = {name for name, _ in find.samples if name.startswith("process_")}
    assert {"process_resident_memory_bytes", "process_open_fds"} <= process
    assert "process_start_time_seconds" in process


@pytest.mark.parametrize(("accept", "parse"), FORMATS)
def test_no_name_is_there_twice_and_every_value_is_one(accept: str, parse: Parse) -> None:
    counters = Counters()
    counters.ended(record())
    body, _ = render(counters, NOW, accept)
    families = [line.split(" ") for line in body.decode().splitlines() if line.startswith("# TYPE")]
    names = [words[2] for words in families]
    assert len(names) == len(set(names))
    find = Figures(body.decode(), parse)
    assert not [value for value in find.samples.values() if math.isnan(value)]


def test_responses_of_both_paths_of_a_route_are_one_figure() -> None:
    counters = Counters()
    app = web.Application()
    for path in ("/v1/models", "/v1/models/"):
        counters.responses["GET", app.router.add_resource(path), 200] = 2
    counters.responses["GET", None, 404] = 1
    find = figures(counters, REST, "", parser.text_string_to_metric_families)
    assert find("http_responses_total", method="GET", path="/v1/models", status="200") == 4
    assert find("http_responses_total", method="GET", path="none", status="404") == 1


def test_requests_that_nobody_was_asked_for_have_no_tokens_unless_from_the_cache() -> None:
    counters = Counters()
    lone = record(error=GatewayError("no"))
    lone.attempts = []
    counters.ended(lone)
    find = figures(counters, REST, "", parser.text_string_to_metric_families)
    assert "none" not in find.labels("tokens_total", "provider")
    cached = record(usage=Usage(5, 6), cache="hit")
    cached.attempts = []
    counters.ended(cached)
    find = figures(counters, REST, "", parser.text_string_to_metric_families)
    assert find("tokens_total", provider="none", model="none", type="input") == 5
    assert find("cache_requests_total", result="hit") == 1
    assert find("cache_requests_total", result="miss") == 0


@pytest.mark.parametrize(("accept", "parse"), FORMATS)
@pytest.mark.parametrize("model", ['quo"te', "back\\slash", "new\nline", "héllo 日本", "a{b=c}"])
def test_odd_names_survive(accept: str, parse: Parse, model: str) -> None:
    counters = Counters()
    counters.ended(record(attempt(model=model)))
    assert figures(counters, REST, accept, parse).labels("requests_total", "model") == {model}


def test_ten_thousand_models_do_not_make_it_long() -> None:
    counters = Counters()
    for number in range(200):
        counters.ended(record(attempt(model=f"m{number}")))
    first = len(render(counters, REST, "")[0])
    for number in range(10_000):
        counters.ended(record(attempt(model=f"x{number}"), model=f"x{number}"))
        counters.ended(record(attempt(model=f"y{number}", outcome="failed"), model=f"y{number}"))
    body, _ = render(counters, REST, "")
    assert len(body) < first * 1.1
    find = Figures(body.decode(), parser.text_string_to_metric_families)
    assert len(find.labels("requests_total", "model")) == MODELS_OF_ONE + 1
    assert find.labels("requests_total", "model") >= {"m0", "other"}


def test_a_system_without_a_limit_of_files_has_the_other_figures(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def unlimited(_: ProcessCollector) -> Any:
        return float("unlimited")

    monkeypatch.setattr(ProcessCollector, "collect", unlimited)
    assert b"g4f_aio_requests_running" in render(Counters(), REST, "")[0]
