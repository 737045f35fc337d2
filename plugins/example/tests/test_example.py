"""The installed plug-in behind a gateway, in front of an upstream that speaks its API."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable
from importlib.metadata import entry_points
from pathlib import Path
from typing import Any

import pytest
from aiohttp import web
from aiohttp.test_utils import TestClient

from g4f_aio import Provider
from g4f_aio.app import create_app
from g4f_aio.settings import load
from g4f_aio.testing import Answer, FakeUpstream, Received, check_provider

Client = TestClient[web.Request, web.Application]
Ask = Callable[..., Awaitable[tuple[int, Any]]]


def answer(request: Received) -> Answer:
    """``POST /ask``: every word of the prompt on a line of its own."""
    asked = request.json
    assert asked["model"] == "example-small"
    if asked["prompt"] == "too often":
        return Answer.stream("slow down", status=429, headers={"Retry-After": "7"})
    return Answer.stream(*(f"{word}\n" for word in asked["prompt"].split()))


@pytest.fixture
async def upstream() -> AsyncIterator[FakeUpstream]:
    """An upstream that speaks the plug-in's API."""
    async with FakeUpstream({"POST /ask": answer}) as upstream:
        yield upstream


@pytest.fixture
def example() -> type[Provider]:
    """The class that the installed plug-in offers."""
    (point,) = entry_points(group="g4f.providers", name="example")
    found: type[Provider] = point.load()
    return found


async def test_it_keeps_the_contract_of_a_provider(
    example: type[Provider], upstream: FakeUpstream
) -> None:
    await check_provider(example, upstream=upstream, request="Good morning, upstream")


def gateway(folder: Path, settings: str = "") -> web.Application:
    """A gateway with these settings, and nothing but them."""
    file = folder / "gateway.toml"
    file.write_text(f"[routing]\ndetect_local = false\n{settings}\n", "utf-8")
    return create_app(load({"config": str(file), "data_dir": str(folder)}, {}))


@pytest.fixture
async def ask(
    upstream: FakeUpstream,
    aiohttp_client: Callable[[web.Application], Awaitable[Client]],
    tmp_path: Path,
) -> Ask:
    """Send a prompt to a gateway whose settings name the upstream."""
    settings = f'[providers.example]\nbase_url = "{upstream.url}"'
    client = await aiohttp_client(gateway(tmp_path, settings))

    async def post(prompt: str, **extra: object) -> tuple[int, Any]:
        messages = [{"role": "user", "content": prompt}]
        body = {"model": "example-small", "messages": messages, **extra}
        async with client.post("/v1/chat/completions", json=body) as response:
            streamed = response.content_type == "text/event-stream"
            return response.status, await (response.text() if streamed else response.json())

    return post


async def test_an_answer_is_the_lines_of_the_upstream(ask: Ask) -> None:
    status, answered = await ask("Grüße aus Köln")
    assert status == 200
    assert answered["provider"] == "example"
    assert answered["choices"][0]["message"]["content"] == "Grüße\naus\nKöln\n"
    assert answered["choices"][0]["finish_reason"] == "stop"


async def test_a_stream_is_one_too(ask: Ask) -> None:
    status, streamed = await ask("one two", stream=True)
    assert status == 200
    assert streamed.index('"content":"one\\n"') < streamed.index('"content":"two\\n"')
    assert streamed.endswith("data: [DONE]\n\n")


async def test_the_upstreams_refusal_reaches_the_client(ask: Ask) -> None:
    status, answered = await ask("too often")
    assert status == 429
    assert answered["error"]["message"] == "example answered 429: slow down"


async def test_what_it_does_not_declare_is_refused(ask: Ask) -> None:
    status, answered = await ask("How sure are you?", logprobs=True)
    assert (status, answered["error"]["param"]) == (400, "logprobs")


async def test_without_its_base_url_it_is_listed_with_what_it_lacks(
    aiohttp_client: Callable[[web.Application], Awaitable[Client]], tmp_path: Path
) -> None:
    client = await aiohttp_client(gateway(tmp_path))
    async with client.get("/v1/providers/example") as response:
        listed = await response.json()
    assert listed["error"] is None
    assert listed["missing"].startswith("base_url")
    assert listed["plugin"]["distribution"] == "g4f-aio-example"
