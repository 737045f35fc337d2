"""The counters as Prometheus and OpenMetrics read them.

Imported when somebody first asks for them: a server that nobody watches pays nothing for the library.
"""

from __future__ import annotations

import platform
from collections import Counter
from collections.abc import Iterable, Iterator
from contextlib import suppress

import attrs
from prometheus_client.exposition import CONTENT_TYPE_PLAIN_0_0_4, generate_latest
from prometheus_client.metrics_core import (
    CounterMetricFamily,
    GaugeMetricFamily,
    HistogramMetricFamily,
    InfoMetricFamily,
    Metric,
)
from prometheus_client.openmetrics import exposition as openmetrics
from prometheus_client.process_collector import ProcessCollector
from prometheus_client.registry import Collector

from .. import __version__
from .counters import NONE, Counters, Histogram, code_of
from .gauges import Gauges

#: label values and what is counted for them
Samples = Iterable[tuple[tuple[str, ...], float]]
_PREFIX = "g4f_aio_"


def render(counters: Counters, now: Gauges, accept: str) -> tuple[bytes, str]:
    """The whole text and its content type, in the format that *accept* asks for.

    It takes its time; from a thread it sees counters that go on counting.
    """
    source = _Source(counters, now)
    if "application/openmetrics-text" in accept:
        text = openmetrics.generate_latest(source)  # type: ignore[no-untyped-call]  # it is not typed
        return text, openmetrics.CONTENT_TYPE_LATEST
    return generate_latest(source), CONTENT_TYPE_PLAIN_0_0_4


@attrs.frozen
class _Source(Collector):
    counters: Counters
    now: Gauges

    def collect(self) -> Iterator[Metric]:
        yield InfoMetricFamily(
            f"{_PREFIX}build",
            "This program.",
            {"version": __version__, "python": platform.python_version()},
        )
        yield from _requests(self.counters)
        yield from _calls(self.counters)
        yield from _keys(self.counters)
        yield from _server(self.counters, self.now)
        yield from _providers(self.now)
        yield from _process()


def _requests(counters: Counters) -> Iterator[Metric]:
    requests: Counter[tuple[str, ...]] = Counter()
    whole: list[tuple[tuple[str, ...], Histogram]] = []
    first: list[tuple[tuple[str, ...], Histogram]] = []
    for provider, model, lane in counters.lanes():
        for (dialect, outcome, status), count in tuple(lane.requests.items()):
            requests[dialect, provider, model, outcome, f"{status // 100}xx"] += count
        whole.append(((provider, model), lane.whole))
        if any(lane.first.counts):  # nothing of it may ever be streamed
            first.append(((provider, model), lane.first))
    yield _counter(
        "requests",
        "Requests for an answer that have ended, by who answered or was asked last.",
        ("dialect", "provider", "model", "outcome", "status"),
        requests.items(),
    )
    labels = ("provider", "model")
    yield _histogram(
        "request_duration_seconds", "From a request to the end of its answer.", labels, whole
    )
    yield _histogram(
        "time_to_first_token_seconds",
        "From a request to the first event of its answer, for streams.",
        labels,
        first,
    )


def _calls(counters: Counters) -> Iterator[Metric]:
    attempts: Counter[tuple[str, ...]] = Counter()
    tokens: list[tuple[tuple[str, ...], float]] = []
    cached: list[tuple[tuple[str, ...], float]] = []
    reasoning: list[tuple[tuple[str, ...], float]] = []
    for provider, model, lane in counters.lanes():
        for (outcome, code), count in tuple(lane.attempts.items()):
            attempts[provider, model, outcome, code_of(code)] += count
        if provider is NONE and not lane.input:
            continue  # only answers from the response cache count there
        tokens += (
            ((provider, model, "input"), lane.input),
            ((provider, model, "output"), lane.output),
        )
        cached.append(((provider, model), lane.cached))
        reasoning.append(((provider, model), lane.reasoning))
    labels = ("provider", "model")
    yield _counter(
        "attempts",
        "Calls of providers that have ended.",
        (*labels, "outcome", "code"),
        attempts.items(),
    )
    yield _counter(
        "further_attempts",
        "Calls that were not the first of their request.",
        ("reason",),
        _with_zeros(counters.further, "retry", "fallback", "hedge"),
    )
    yield _counter("tokens", "Tokens, reported or counted here.", (*labels, "type"), tokens)
    yield _counter("cached_tokens", "Input tokens from a provider's cache.", labels, cached)
    yield _counter("reasoning_tokens", "Output tokens of thinking.", labels, reasoning)


def _keys(counters: Counters) -> Iterator[Metric]:
    keys = tuple(counters.keys.items())
    yield _counter(
        "key_requests",
        "Requests for an answer that have ended, by the name of the caller's key.",
        ("key",),
        [((name,), key.requests) for name, key in keys],
    )
    yield _counter(
        "key_tokens",
        "Tokens by the name of the caller's key.",
        ("key", "type"),
        [
            ((name, kind), count)
            for name, key in keys
            for kind, count in (("input", key.input), ("output", key.output))
        ],
    )


def _server(counters: Counters, now: Gauges) -> Iterator[Metric]:
    responses: Counter[tuple[str, ...]] = Counter()
    for (method, resource, status), count in tuple(counters.responses.items()):
        path = NONE if resource is None else resource.canonical.rstrip("/")
        responses[method, path, str(status)] += count
    yield _counter(
        "http_responses",
        "Responses that have begun, by the route's path.",
        ("method", "path", "status"),
        responses.items(),
    )
    yield _counter(
        "cache_requests",
        "Requests that the response cache took part in.",
        ("result",),
        _with_zeros(counters.cache, "hit", "miss", "shared"),
    )
    yield _histogram(
        "event_loop_delay_seconds",
        "How late timers of the event loop are.",
        (),
        [((), counters.late)],
    )
    yield _gauge("requests_running", "Requests that are being answered.", (), [((), now.running)])
    yield _gauge("requests_waiting", "Requests that stand in line.", (), [((), now.waiting)])
    yield _gauge("draining", "1 while the server is stopping.", (), [((), now.draining)])


def _providers(now: Gauges) -> Iterator[Metric]:
    def each(name: str, about: str, values: Iterable[tuple[str, float | None]]) -> Metric:
        samples = [((provider,), value) for provider, value in values if value is not None]
        return _gauge(f"provider_{name}", about, ("provider",), samples)

    all_of = now.providers
    yield each("calls_running", "Calls under way.", ((p.name, p.running) for p in all_of))
    yield each(
        "calls_waiting", "Calls that wait for max_requests.", ((p.name, p.waiting) for p in all_of)
    )
    yield each(
        "breaker_open",
        "1 while a provider is left alone because it keeps failing.",
        ((p.name, p.left_alone) for p in all_of),
    )
    yield each("keys", "Keys that this server holds.", ((p.name, p.keys) for p in all_of))
    yield each(
        "keys_resting", "Keys that are left alone for now.", ((p.name, p.resting) for p in all_of)
    )
    yield _gauge(
        "model_breakers_open",
        "Models that are left alone because they keep failing.",
        ("provider", "model"),
        now.left_alone.items(),
    )


def _process() -> Iterator[Metric]:
    with suppress(ValueError):  # it takes no "unlimited" for a number of files
        yield from ProcessCollector(registry=None).collect()


def _with_zeros(counts: Counter[str], *names: str) -> Samples:
    """One that is not there until it happens first cannot be told from one that is not counted."""
    return [((name,), counts[name]) for name in dict.fromkeys((*names, *tuple(counts)))]


def _counter(name: str, about: str, labels: tuple[str, ...], samples: Samples) -> Metric:
    metric = CounterMetricFamily(_PREFIX + name, about, labels=labels)
    for values, count in samples:
        metric.add_metric(values, count)
    return metric


def _gauge(name: str, about: str, labels: tuple[str, ...], samples: Samples) -> Metric:
    metric = GaugeMetricFamily(_PREFIX + name, about, labels=labels)
    for values, value in samples:
        metric.add_metric(values, value)
    return metric


def _histogram(
    name: str,
    about: str,
    labels: tuple[str, ...],
    samples: Iterable[tuple[tuple[str, ...], Histogram]],
) -> Metric:
    metric = HistogramMetricFamily(_PREFIX + name, about, labels=labels)
    for values, histogram in samples:
        total = 0
        buckets = []
        bounds = (*map(str, histogram.bounds), "+Inf")
        for bound, count in zip(bounds, tuple(histogram.counts), strict=True):
            total += count
            buckets.append((bound, total))
        metric.add_metric(values, buckets, histogram.sum)
    return metric
