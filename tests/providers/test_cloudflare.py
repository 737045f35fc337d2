"""Cloudflare Workers AI: the address of an account, its list of models, errors in an envelope."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator
from typing import Any

import pytest
from aiohttp import web

from g4f_aio.core.errors import UpstreamAuthError, UpstreamError
from g4f_aio.core.models import Capability
from g4f_aio.core.provider import CallContext
from g4f_aio.gateway.plugins import find_plugins, instantiate, load_class
from g4f_aio.providers.cloudflare import Cloudflare
from g4f_aio.providers.pool import Pool
from g4f_aio.providers.upstream import Client
from tests.cloudflare_server import ACCOUNT, ECHO, KEY, MODELS
from tests.hosted_server import Running, running
from tests.providers.served import Gateway, finishes, said, served


@pytest.fixture(scope="module")
def process() -> Iterator[Running]:
    with running("tests.cloudflare_server") as fake:
        yield fake


@pytest.fixture
def api(process: Running) -> Running:
    """The fake API, with no records of earlier tests."""
    process.forget()
    return process


@pytest.fixture
def provider(api: Running) -> Cloudflare:
    return Cloudflare(base_url=f"{api.root}/client/v4/accounts/{ACCOUNT}/ai/v1")


@pytest.fixture
async def gateway(provider: Cloudflare) -> AsyncIterator[Gateway]:
    async with served(provider, KEY, ECHO) as found:
        yield found


def context(session: Pool, credential: str = KEY) -> CallContext:
    return CallContext(Client(session, "Cloudflare", 5.0, 5.0, 2**20), "Cloudflare", credential)


# the address


def test_it_is_installed_under_its_name() -> None:
    assert load_class(find_plugins()["Cloudflare"]) is Cloudflare


def test_it_lacks_an_account() -> None:
    assert Cloudflare.key == "required"
    missing = Cloudflare().missing()
    assert missing is not None
    assert missing.startswith("account_id, ")
    assert Cloudflare(account_id=ACCOUNT).missing() is None


def test_the_account_is_in_the_address() -> None:
    expected = f"https://api.cloudflare.com/client/v4/accounts/{ACCOUNT}/ai/v1"
    assert Cloudflare(account_id=ACCOUNT).base_url == expected


def test_a_gateway_of_one_s_own_has_another_address() -> None:
    url = "https://gateway.ai.cloudflare.com/v1/a/g/workers-ai/v1"
    assert Cloudflare(account_id=ACCOUNT, base_url=f"{url}/").base_url == url


@pytest.mark.parametrize("account", ["a/../b", "a b", "https://x"])
def test_an_account_that_is_none_is_told(account: str) -> None:
    (problem,) = instantiate(Cloudflare, {"account_id": account}, "providers.Cloudflare")  # type: ignore[misc]
    assert problem == "providers.Cloudflare: account_id must be letters and digits"


# models


async def test_the_models_that_generate_text(
    provider: Cloudflare, api: Running, session: Pool
) -> None:
    found = await provider.fetch_models(context(session))
    assert [model.id for model in found] == [entry["name"] for entry in MODELS]
    echo, scout, oss, *_ = found
    plain = Capability.CHAT | Capability.STREAM | Capability.JSON_OBJECT | Capability.JSON_SCHEMA
    assert (echo.capabilities, echo.context_length) == (plain, 7968)
    assert scout.capabilities == plain | Capability.TOOLS | Capability.VISION
    assert oss.capabilities == plain | Capability.REASONING
    assert found[-1].context_length is None
    paths = [record["path"].rpartition("/")[2] for record in await api.records()]
    query = "search?task=Text+Generation&per_page=100&page="
    assert paths == [f"{query}1", f"{query}2"]


async def test_a_gateway_has_no_list(api: Running, session: Pool) -> None:
    behind = Cloudflare(base_url=f"{api.root}/v1/a/g/workers-ai/v1")
    assert await behind.fetch_models(context(session)) == ()
    assert await api.records() == []


async def test_a_refused_key_is_told(provider: Cloudflare, session: Pool) -> None:
    with pytest.raises(UpstreamAuthError, match=r"answered 401: Authentication error$"):
        await provider.fetch_models(context(session, "wrong"))


@pytest.mark.parametrize("answer", [{"result": None}, [], {"success": True}])
async def test_what_is_no_list_is_an_error(session: Pool, serve: Any, answer: object) -> None:
    other = await serve({"/ai/models/search": answer})
    with pytest.raises(UpstreamError, match="sent no list of models"):
        await Cloudflare(base_url=f"{other.root}/ai/v1").fetch_models(context(session))


async def test_a_list_that_never_ends_is_not_read_for_ever(session: Pool, serve: Any) -> None:
    page: list[object] = [
        {"name": "@cf/a/b", "properties": broken} for broken in (None, 1, [1, {}])
    ]
    other = await serve({"/ai/models/search": {"result": page + [1, {}] * 50}})
    found = await Cloudflare(base_url=f"{other.root}/ai/v1").fetch_models(context(session))
    assert len(other.requests) == 20
    assert len(found) == 60


# answers


@pytest.mark.parametrize("model", [ECHO, f"Cloudflare:{ECHO}"])
async def test_an_answer(gateway: Gateway, api: Running, model: str) -> None:
    answer = await gateway.completion(model)
    assert answer.choices[0].message.content == "Hello big world"
    (record,) = await api.records()
    assert record["path"] == f"/client/v4/accounts/{ACCOUNT}/ai/v1/chat/completions"
    assert record["headers"]["authorization"] == f"Bearer {KEY}"
    assert record["body"]["model"] == ECHO


async def test_a_stream(gateway: Gateway) -> None:
    chunks = await gateway.stream(ECHO)
    assert said(chunks) == "Hello big world"
    assert finishes(chunks) == {0: "stop"}
    assert chunks[-1].usage is not None
    assert chunks[-1].usage.completion_tokens == 3


async def test_its_models_are_listed_by_their_whole_names(gateway: Gateway) -> None:
    async with gateway.client.get(f"/v1/models/{ECHO}") as response:
        assert (await response.json())["id"] == ECHO


# failures


@pytest.mark.parametrize("stream", [False, True])
@pytest.mark.parametrize(
    ("model", "status", "code", "message"),
    [
        ("@cf/no/model", 404, "model_not_found", "No such model @cf/no/model or task"),
        ("@cf/busy/model", 429, "rate_limit_exceeded", "No more data centers to forward"),
    ],
)
async def test_an_error_is_taken_out_of_its_envelope(
    gateway: Gateway, *, model: str, status: int, code: str, message: str, stream: bool
) -> None:
    answer = await gateway.ask(f"Cloudflare:{model}", stream=stream)
    assert answer.status == status
    error = answer.error()
    assert error["code"] == code
    assert message in error["message"]
    assert "success" not in error["message"]


async def test_a_key_of_the_caller_s_own_is_refused_to_him(gateway: Gateway) -> None:
    answer = await gateway.ask(ECHO, key="wrong")
    assert answer.status == 401
    assert "Authentication error" in answer.error()["message"]


async def test_what_comes_in_no_envelope_is_an_error_as_well(session: Pool, serve: Any) -> None:
    other = await serve({})
    with pytest.raises(UpstreamError, match="answered 404"):
        await Cloudflare(base_url=f"{other.root}/ai/v1").fetch_models(context(session))


async def test_a_page_in_the_place_of_an_answer_is_an_error(session: Pool, serve: Any) -> None:
    async def page(_: web.Request) -> web.Response:
        return web.Response(status=502, text="<h1>Bad gateway</h1>", content_type="text/html")

    other = await serve({"/ai/models/search": page})
    with pytest.raises(UpstreamError, match="answered 502: Bad gateway"):
        await Cloudflare(base_url=f"{other.root}/ai/v1").fetch_models(context(session))


async def test_a_cut_stream_ends_with_an_error(gateway: Gateway) -> None:
    text, error = await gateway.failed_stream("@cf/cut/model")
    assert text == "Hello "
    assert error["type"] == "provider_error"
