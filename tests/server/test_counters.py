"""Counting requests: what counts where, and that it stays bounded whatever comes."""

from __future__ import annotations

import pytest
from aiohttp import web
from aiohttp.test_utils import TestClient, TestServer

from g4f_aio.core.errors import GatewayError, RateLimitError, UpstreamError
from g4f_aio.core.events import Usage
from g4f_aio.server.counters import (
    CODES,
    MODELS,
    MODELS_OF_ONE,
    NAME,
    NONE,
    OTHER,
    Counters,
    Histogram,
    Lane,
    code_of,
)
from tests.server.records import attempt, record


def lanes(counters: Counters) -> dict[tuple[str, str], Lane]:
    return {(provider, model): lane for provider, model, lane in counters.lanes()}


def test_a_value_counts_for_the_first_bound_that_is_not_below_it() -> None:
    histogram = Histogram((1.0, 2.0))
    for value in (0.5, 1.0, 1.5, 2.0, 2.5, 100.0):
        histogram.observe(value)
    assert histogram.counts == [2, 2, 2]
    assert histogram.sum == 107.5


def test_a_request_counts_for_who_answered_it() -> None:
    counters = Counters()
    counters.ended(record(usage=Usage(10, 20, 3, 4)))
    ((key, lane),) = lanes(counters).items()
    assert key == ("work", "gpt-4o")
    assert lane.requests == {("openai-chat", "ok", 200): 1}
    assert lane.attempts == {("ok", None): 1}
    assert (lane.input, lane.output, lane.cached, lane.reasoning) == (10, 20, 3, 4)
    assert (lane.whole.sum, lane.first.sum) == (4.0, 0.2)
    alice = counters.keys["alice"]
    assert (alice.requests, alice.input, alice.output) == (1, 10, 20)
    assert counters.further.total() == counters.cache.total() == 0


def test_only_streams_have_a_first_token() -> None:
    counters = Counters()
    counters.ended(record(streamed=False))
    assert lanes(counters)["work", "gpt-4o"].first.counts == [0] * 17


def test_a_fall_back_counts_for_who_answered_and_each_call_for_its_own() -> None:
    counters = Counters()
    failed = attempt("bad", outcome="failed", code="provider_timeout")
    counters.ended(record(failed, attempt("good")))
    found = lanes(counters)
    assert found["good", "gpt-4o"].requests == {("openai-chat", "ok", 200): 1}
    assert found["bad", OTHER].requests == {}
    assert found["bad", OTHER].attempts == {("failed", "provider_timeout"): 1}
    assert counters.further == {"fallback": 1}


def test_a_stream_that_broke_counts_for_who_began_it() -> None:
    counters = Counters()
    broke = attempt("bad", outcome="failed", code="provider_not_working", ttft=0.1)
    counters.ended(record(attempt("worse", outcome="failed"), broke, error=UpstreamError("cut")))
    assert lanes(counters)["bad", OTHER].requests == {("openai-chat", "failed", 502): 1}


def test_one_that_nobody_answered_counts_for_the_last_that_was_asked() -> None:
    counters = Counters()
    calls = [attempt(name, outcome="failed") for name in ("one", "two")]
    counters.ended(record(*calls, error=RateLimitError("no")))
    found = lanes(counters)
    assert found["one", OTHER].requests == {}
    assert found["two", OTHER].requests == {("openai-chat", "failed", 429): 1}


def test_one_that_nobody_was_asked_for_counts_for_none() -> None:
    counters = Counters()
    made = record(error=GatewayError("no"), cache="hit")
    made.attempts = []
    counters.ended(made)
    assert lanes(counters)[NONE, NONE].requests == {("openai-chat", "failed", 500): 1}
    assert counters.cache == {"hit": 1}


def test_further_calls_are_told_apart_by_why_they_were_made() -> None:
    counters = Counters()
    failed = [attempt("a", outcome="failed"), attempt("a", outcome="failed")]
    counters.ended(record(*failed, attempt("b", outcome="cancelled"), attempt("c")))
    assert counters.further == {"retry": 1, "fallback": 1, "hedge": 1}


def test_one_without_a_duration_is_counted_all_the_same() -> None:
    counters = Counters()
    made = record()
    made.duration = None
    counters.ended(made)
    lane = lanes(counters)["work", "gpt-4o"]
    assert sum(lane.requests.values()) == 1
    assert sum(lane.whole.counts) == 0


def test_a_model_is_told_apart_once_it_has_answered() -> None:
    counters = Counters()
    counters.ended(record(attempt(outcome="failed"), error=UpstreamError("no")))
    assert set(lanes(counters)) == {("work", OTHER)}
    assert counters.model("work", "gpt-4o") == OTHER
    counters.ended(record())
    counters.ended(record(attempt(outcome="failed"), error=UpstreamError("no")))
    found = lanes(counters)
    assert set(found) == {("work", OTHER), ("work", "gpt-4o")}
    assert sum(found["work", "gpt-4o"].requests.values()) == 2
    assert counters.model("work", "gpt-4o") == "gpt-4o"


def test_models_without_end_do_not_take_room_without_end() -> None:
    counters = Counters()
    for number in range(1000):
        counters.ended(record(attempt(model=f"m{number}")))
        counters.ended(record(attempt(model=f"x{number}", outcome="failed")))
    found = lanes(counters)
    assert len(found) == MODELS_OF_ONE + 1
    assert sum(found["work", OTHER].requests.values()) == 2000 - MODELS_OF_ONE
    for number in range(1000):
        counters.ended(record(attempt(f"p{number % 20}", model=f"m{number}")))
    assert len(lanes(counters)) == MODELS + 21


def test_a_model_with_a_long_name_is_not_told_apart() -> None:
    counters = Counters()
    for length in (NAME, NAME + 1):
        counters.ended(record(attempt(model="m" * length)))
    assert set(lanes(counters)) == {("work", "m" * NAME), ("work", OTHER)}


def test_codes_that_upstreams_make_up_are_counted_together() -> None:
    counters = Counters()
    for number in range(100):
        counters.ended(record(attempt(outcome="failed", code=f"sk-secret-{number}")))
    assert lanes(counters)["work", OTHER].attempts == {("failed", OTHER): 100}


def test_the_codes_of_our_own_errors_are_told_apart() -> None:
    classes: list[type[GatewayError]] = [GatewayError]
    for cls in classes:
        classes.extend(cls.__subclasses__())
    ours = {cls.code for cls in classes if cls.__module__ == GatewayError.__module__}
    assert ours - {None} <= CODES
    assert code_of(None) == NONE
    assert code_of("overloaded") == "overloaded"
    assert code_of("made_up") == OTHER


async def accept(_: web.Request) -> web.Response:
    return web.Response(status=202)


@pytest.mark.parametrize(("method", "counted"), [("POST", "POST"), ("PROPFIND", OTHER)])
async def test_responses_are_counted_by_method_path_and_status(method: str, counted: str) -> None:
    counters = Counters()
    app = web.Application()

    async def count(request: web.Request, response: web.StreamResponse) -> None:
        counters.count(request, response)

    app.on_response_prepare.append(count)
    resource = app.router.add_resource("/v1/models/{id}")
    resource.add_route("*", accept)
    async with TestClient(TestServer(app)) as client:
        for path in ("/v1/models/a", "/v1/models/b", "/nowhere"):
            async with client.request(method, path) as response:
                await response.read()
    assert counters.responses == {(counted, resource, 202): 2, (counted, None, 404): 1}
