"""The exceptions of OpenAI's own Python client, and when it tries again."""

from __future__ import annotations

import asyncio
import time
from typing import Any

import openai
import pytest

from tests.conftest import Upstream
from tests.e2e.conftest import KEY
from tests.e2e.gateway import Gateway

HELLO: Any = [{"role": "user", "content": "Hello"}]


def test_a_wrong_key(keyed: Gateway, upstream: Upstream) -> None:
    with (
        openai.OpenAI(base_url=keyed.v1, api_key="wrong", max_retries=3) as sdk,
        pytest.raises(openai.AuthenticationError) as raised,
    ):
        sdk.chat.completions.create(model="echo", messages=HELLO)
    assert raised.value.code == "invalid_api_key"
    assert raised.value.type == "authentication_error"
    assert raised.value.request_id is not None
    assert upstream.fetch_records() == []


def test_a_model_that_nobody_has(unkeyed: Gateway) -> None:
    with (
        openai.OpenAI(base_url=unkeyed.v1, api_key="-") as sdk,
        pytest.raises(
            openai.NotFoundError, match=r"gpt-4o-mni.*Did you mean gpt-4o-mini"
        ) as raised,
    ):
        sdk.chat.completions.create(model="gpt-4o-mni", messages=HELLO)
    assert raised.value.code == "model_not_found"
    assert raised.value.param == "model"


def test_a_model_that_is_not_listed(sdk: openai.OpenAI) -> None:
    with pytest.raises(openai.NotFoundError) as raised:
        sdk.models.retrieve("nothing/like:this")
    assert raised.value.code == "model_not_found"


def test_a_provider_that_does_not_exist(keyed: Gateway) -> None:
    with (
        openai.OpenAI(base_url=f"{keyed.url}/api/wrk", api_key=KEY) as sdk,
        pytest.raises(openai.NotFoundError, match="Did you mean work") as raised,
    ):
        sdk.chat.completions.create(model="echo", messages=HELLO)
    assert raised.value.code == "provider_not_found"


@pytest.mark.parametrize(
    ("wrong", "param"),
    [
        ({"temperature": "hot"}, "temperature"),
        ({"n": "3"}, "n"),
        ({"model": 1}, "model"),
        ({"messages": [{"role": "user", "content": 5}]}, "messages[0].content"),
        ({"tools": [{"type": "function", "function": {}}]}, "tools[0].function.name"),
        ({"stop": [1]}, "stop[0]"),
    ],
    ids=str,
)
def test_a_request_that_is_wrong(
    sdk: openai.OpenAI, upstream: Upstream, wrong: dict[str, Any], param: str
) -> None:
    given: dict[str, Any] = {"model": "echo", "messages": HELLO, **wrong}
    with pytest.raises(openai.BadRequestError) as raised:
        sdk.chat.completions.create(**given)
    assert raised.value.type == "invalid_request_error"
    assert raised.value.param == param
    assert param in raised.value.message
    assert upstream.fetch_records() == []


def test_the_upstream_refuses_the_request(sdk: openai.OpenAI) -> None:
    with pytest.raises(openai.BadRequestError, match="work answered 400"):
        sdk.chat.completions.create(model="status-400", messages=HELLO)
    with pytest.raises(openai.UnprocessableEntityError):
        sdk.chat.completions.create(model="status-422", messages=HELLO)


def test_the_upstream_breaks(keyed: Gateway, upstream: Upstream) -> None:
    with (
        openai.OpenAI(base_url=keyed.v1, api_key=KEY, max_retries=1) as sdk,
        pytest.raises(openai.InternalServerError) as raised,
    ):
        sdk.chat.completions.create(model="status-500@twice", messages=HELLO)
    assert raised.value.status_code == 502
    assert len(upstream.fetch_records("status-500@twice")) == 2


@pytest.mark.parametrize("stream", [False, True])
@pytest.mark.parametrize(("hint", "least", "most"), [(20, 0.02, 0.35), (900, 0.9, 1.6)])
def test_it_comes_back_when_the_upstream_said(
    keyed: Gateway, upstream: Upstream, hint: int, least: float, most: float, *, stream: bool
) -> None:
    """By itself it would wait for 0.4 to 0.5 s."""
    model = f"once-429-{hint}@{stream}"
    with openai.OpenAI(base_url=keyed.v1, api_key=KEY) as sdk:
        before = time.monotonic()
        raw = sdk.chat.completions.with_raw_response.create(
            model=model, messages=HELLO, stream=stream
        )
        took = time.monotonic() - before
        raw.http_response.close()
    assert raw.retries_taken == 1
    assert least <= took < most
    assert len(upstream.fetch_records(model)) == 2


async def test_it_comes_back_on_the_event_loop(keyed: Gateway, upstream: Upstream) -> None:
    async with openai.AsyncOpenAI(base_url=keyed.v1, api_key=KEY) as sdk:
        ask = sdk.chat.completions.create
        answers = await asyncio.gather(
            *(ask(model=f"once-429@{number}", messages=HELLO) for number in range(5))
        )
    assert [answer.choices[0].message.content for answer in answers] == ["Hello"] * 5
    assert len(await upstream.records()) == 10


def test_a_limit_that_stays_is_an_error(keyed: Gateway, upstream: Upstream) -> None:
    with (
        openai.OpenAI(base_url=keyed.v1, api_key=KEY, max_retries=0) as sdk,
        pytest.raises(openai.RateLimitError) as raised,
    ):
        sdk.chat.completions.create(model="status-429@stays", messages=HELLO)
    assert raised.value.code == "rate_limit_exceeded"
    assert raised.value.response.headers["retry-after"] == "1"
    assert len(upstream.fetch_records("status-429@stays")) == 1
