"""A chain of providers: the next one is asked before the first word, and never after it."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import aiohttp
import pytest

from tests.conftest import Upstream
from tests.e2e.gateway import Gateway, running
from tests.e2e.wire import Attempt, post

CHAIN = """
[models."{model}"]
providers = [{{ provider = "{first}", model = "{model}" }}, {{ provider = "second", model = "words-2" }}]
"""
PROVIDER = """
[providers.{name}]
type = "openai-compatible"
base_url = "{base_url}"
models = ["words-2"]
first_token_timeout = 0.3
stream_timeout = 0.3
timeout = 3
"""
BEFORE = (
    "cut-before-headers",
    "cut-before-token",
    "error-first",
    "status-429",
    "status-500",
    "hang-token",
    "html",
    "comments-only",
)
AFTER = ("cut-between-events", "malformed", "error-in-stream", "hang-mid")
WHOLE = ("cut-mid-event@whole", "status-500@whole", "malformed@whole", "error-first@whole")
FINAL = ("status-400", "status-422")


@pytest.fixture(scope="module")
def chained(
    upstream_process: Upstream, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Gateway]:
    """A gateway with a chain for each failing model; its second link works."""
    directory: Path = tmp_path_factory.mktemp("chained")
    settings = "[routing]\ndetect_local = false\n"
    settings += PROVIDER.format(name="second", base_url=upstream_process.base_url)
    for number, model in enumerate((*BEFORE, *AFTER, *WHOLE, *FINAL)):
        # each has a provider of its own, as one that failed just now is asked last
        settings += PROVIDER.format(name=f"first{number}", base_url=upstream_process.base_url)
        settings += CHAIN.format(model=model, first=f"first{number}")
    with running(directory, settings) as gateway:
        yield gateway


@pytest.mark.parametrize("model", BEFORE)
async def test_a_stream_that_does_not_begin_is_asked_of_the_next(
    chained: Gateway, client: aiohttp.ClientSession, model: str
) -> None:
    answer = await post(client, chained.chat, model, stream=True)
    assert answer.done
    assert answer.text() == "w0 w1"
    assert answer.headers["x-provider"] == "second"
    assert answer.headers["x-model"] == "words-2"
    first, second = answer.attempts
    assert first.who.endswith(f"/{model}")
    assert first.status in (429, 502, 504)
    assert second == Attempt("second/words-2")


@pytest.mark.parametrize("model", WHOLE)
async def test_an_answer_that_is_not_streamed_is_asked_of_the_next(
    chained: Gateway, client: aiohttp.ClientSession, model: str
) -> None:
    answer = await post(client, chained.chat, model)
    assert answer.json()["choices"][0]["message"]["content"] == "w0 w1"
    assert answer.json()["provider"] == "second"


@pytest.mark.parametrize("model", AFTER)
async def test_a_stream_that_has_begun_is_never_continued_by_another(
    chained: Gateway, client: aiohttp.ClientSession, upstream: Upstream, model: str
) -> None:
    answer = await post(client, chained.chat, model, stream=True)
    assert answer.text() == "One two"
    assert "error" in answer.chunks()[-1]
    assert not answer.done
    (attempt,) = answer.attempts
    assert attempt.error is None, "it was sent before the failure"
    assert await upstream.records("words-2") == []


@pytest.mark.parametrize("model", FINAL)
async def test_a_request_that_is_wrong_is_asked_of_nobody_else(
    chained: Gateway, client: aiohttp.ClientSession, upstream: Upstream, model: str
) -> None:
    answer = await post(client, chained.chat, model)
    assert answer.status == int(model.removeprefix("status-"))
    assert await upstream.records("words-2") == []
