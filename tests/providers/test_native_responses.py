"""An upstream that speaks the Responses API itself: it gets requests as they are, and keeps state."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator
from typing import Any

import attrs
import orjson
import pytest

from g4f_aio.core.errors import UnsupportedError, UpstreamError
from g4f_aio.core.provider import CallContext
from g4f_aio.providers.azure import Azure
from g4f_aio.providers.openai_compatible import OpenAICompatible
from g4f_aio.providers.openai_presets import XAI, OpenAI, OpenRouter
from g4f_aio.providers.pool import Pool
from g4f_aio.providers.upstream import Client
from tests.conftest import Serve
from tests.dialects.responses_wire import read
from tests.dialects.wire import datas
from tests.e2e.wire import Answer
from tests.e2e.wire import read as read_answer
from tests.hosted_server import Running, running
from tests.providers.served import Gateway, served
from tests.responses_server import KEY

Json = dict[str, Any]

NAME = "openai-responses"


@pytest.fixture(scope="module")
def process() -> Iterator[Running]:
    with running("tests.responses_server") as fake:
        yield fake


@pytest.fixture
def api(process: Running) -> Running:
    """The fake API, with no records of earlier tests."""
    process.forget()
    return process


@pytest.fixture
async def gateway(api: Running) -> AsyncIterator[Gateway]:
    async with served(OpenAI(base_url=f"{api.root}/v1"), KEY, "gpt-5") as found:
        yield found


@pytest.fixture
def context(session: Pool) -> CallContext:
    """What a call may use."""
    return CallContext(Client(session, "OpenAI", 5.0, 5.0, 2**24), "OpenAI", KEY)


async def ask(gateway: Gateway, model: str = "gpt-5", **fields: Any) -> Answer:
    body = {"model": model, "input": "Hello big world"} | fields
    async with gateway.client.post("/v1/responses", json=body) as response:
        return await read_answer(response)


# who speaks it


def test_who_speaks_it() -> None:
    assert OpenAI().speaks(NAME)
    assert XAI().speaks(NAME)
    assert not OpenRouter().speaks(NAME)
    assert not attrs.evolve(OpenAI(), responses=False).speaks(NAME)
    assert OpenAICompatible(base_url="http://x", responses=True).speaks(NAME)
    assert not OpenAICompatible(base_url="http://x").speaks(NAME)
    assert not OpenAI().speaks("openai-chat")


def test_of_azure_s_endpoints_the_newer_one_does() -> None:
    assert Azure(resource="r").speaks(NAME)
    assert Azure(resource="r", api_version="preview").speaks(NAME)
    assert not Azure(resource="r", api_version="2024-10-21").speaks(NAME)
    assert not Azure(resource="r", responses=False).speaks(NAME)


# requests and answers


async def test_the_request_goes_upstream_as_it_is(gateway: Gateway, api: Running) -> None:
    fields: Json = {
        "input": [{"type": "message", "role": "user", "content": "Hi", "phase": None}],
        "instructions": "Be brief",
        "tools": [{"type": "web_search", "search_context_size": "low"}],
        "metadata": {"a": "b"},
        "client_metadata": {"deep": [1, None]},
        "stream": True,
    }
    answer = await ask(gateway, provider="OpenAI", timeout=9, **fields)
    assert answer.status == 200
    (record,) = await api.records()
    assert record["path"] == "/v1/responses"
    assert record["headers"]["authorization"] == f"Bearer {KEY}"
    assert record["body"] == {"model": "gpt-5", **fields}
    assert answer.headers["x-provider"] == "OpenAI"


@pytest.mark.parametrize("twist", ["", "@extra", "@crlf", "@bytes", "@incomplete", "@no-usage"])
async def test_a_stream_passes_byte_for_byte(gateway: Gateway, twist: str) -> None:
    answer = await ask(gateway, f"gpt-5{twist}", stream=True, reasoning={"effort": "low"})
    assert answer.status == 200
    assert not answer.cut
    assert b"[DONE]" not in answer.body
    events = [orjson.loads(data) for data in datas(answer.body)]
    assert [event["sequence_number"] for event in events] == list(range(len(events)))
    last = "response.incomplete" if twist == "@incomplete" else "response.completed"
    assert events[-1]["type"] == last
    deltas = [e for e in events if e["type"] == "response.output_text.delta"]
    assert "".join(event["delta"] for event in deltas) == "Hello big world"
    assert all(event["obfuscation"] for event in deltas)
    assert (b"response.new.happened" in answer.body) is (twist == "@extra")
    assert (b"\r\n" in answer.body) is (twist == "@crlf")


async def test_a_body_passes_byte_for_byte(gateway: Gateway) -> None:
    found = (await ask(gateway, "gpt-5@extra")).json()
    assert found["x_new"] == {"a": 1}
    assert found["output"][0]["x"] == [1]
    assert "provider" not in found


async def test_an_upstream_that_never_streams(gateway: Gateway) -> None:
    answer = await ask(gateway, "gpt-5@body", stream=True)
    events = read(answer.body)
    assert events[-1]["type"] == "response.completed"
    assert events[-1]["response"]["output"][0]["content"][0]["text"] == "Hello big world"


async def test_an_upstream_that_always_streams(gateway: Gateway) -> None:
    found = (await ask(gateway, "gpt-5@stream")).json()
    assert found["status"] == "completed"
    assert found["output"][0]["content"][0]["text"] == "Hello big world"


async def test_a_provider_that_only_chats_is_asked_for_a_chat(api: Running) -> None:
    provider = OpenAI(base_url=f"{api.root}/v1", responses=False)
    async with served(provider, KEY, "gpt-5") as gateway:
        assert (await ask(gateway)).status == 404
    (record,) = await api.records()
    assert record["path"] == "/v1/chat/completions"


async def test_an_edited_request_goes_the_way_of_all_others(gateway: Gateway, api: Running) -> None:
    assert (await ask(gateway, conversation_id="c1")).status == 404
    (record,) = await api.records()
    assert record["path"] == "/v1/chat/completions"


# failures


@pytest.mark.parametrize(
    ("twist", "status", "said"),
    [
        ("@cut-head", 502, "hung up"),
        ("@cut-first", 502, "hung up"),
        ("@error-first", 502, "The engine broke"),
        ("@failed-first", 502, "The engine broke"),
        ("@too-long", 400, "Your input is too long."),
        ("@status-500", 502, "Told so."),
        ("@status-429", 429, "Told so."),
    ],
)
async def test_a_failure_before_any_content_has_its_status(
    gateway: Gateway, twist: str, status: int, said: str
) -> None:
    answer = await ask(gateway, f"gpt-5{twist}", stream=True)
    assert answer.status == status
    assert said in answer.error()["message"]
    if twist == "@too-long":
        assert answer.error()["code"] == "context_length_exceeded"


@pytest.mark.parametrize(
    "twist",
    [
        "@cut-event",
        "@cut-between",
        "@cut-last",
        "@no-end",
        "@done",
        "@malformed",
        "@untyped",
        "@error-late",
        "@failed-late",
    ],
)
async def test_a_failure_after_it_ends_the_stream_as_failed(gateway: Gateway, twist: str) -> None:
    answer = await ask(gateway, f"gpt-5{twist}", stream=True)
    assert answer.status == 200
    assert not answer.cut
    events = read(answer.body)
    assert events[-1]["type"] == "response.failed"
    response = events[-1]["response"]
    assert response["id"] == events[0]["response"]["id"]
    assert response["error"]["code"] == "server_error"
    assert "OpenAI" in response["error"]["message"]
    assert b"response.completed" not in answer.body
    async with gateway.client.get(f"/v1/responses/{response['id']}") as kept:
        assert kept.status == 404


@pytest.mark.parametrize(
    "twist", ["@cut-head", "@cut-first", "@failed-first", "@malformed", "@untyped"]
)
async def test_a_body_that_fails_is_an_error(gateway: Gateway, twist: str) -> None:
    answer = await ask(gateway, f"gpt-5{twist}")
    assert answer.status == 502
    assert answer.error()["code"] == "provider_not_working"


async def test_the_upstream_s_own_refusal_keeps_its_status_and_field(gateway: Gateway) -> None:
    answer = await ask(gateway, nonsense=1)
    assert answer.status == 400
    error = answer.error()
    assert (error["param"], error["code"]) == ("nonsense", "unknown_parameter")


async def test_a_client_that_leaves_takes_the_call_along(gateway: Gateway, api: Running) -> None:
    body = {"model": "gpt-5@hang", "input": "Hello big world", "stream": True}
    async with gateway.client.post("/v1/responses", json=body) as response:
        assert b"response.created" in await response.content.readany()
    await api.closed()


# what it keeps


async def test_what_the_upstream_keeps(api: Running, context: CallContext) -> None:
    provider = OpenAI(base_url=f"{api.root}/v1")
    headers = {"Authorization": f"Bearer {KEY}"}
    body = {"model": "gpt-5", "input": "Hi", "background": True}
    url = f"{provider.base_url}/responses"
    async with context.http.post(url, headers=headers, json=body) as response:
        name = (await response.json())["id"]
    assert (await provider.kept_response(name, context))["status"] == "in_progress"
    assert (await provider.kept_response(name, context, "cancel"))["status"] == "cancelled"
    assert (await provider.kept_response(name, context, "delete"))["deleted"] is True
    paths = [(record["method"], record["path"]) for record in await api.records()]
    assert paths[1:] == [
        ("GET", f"/v1/responses/{name}"),
        ("POST", f"/v1/responses/{name}/cancel"),
        ("DELETE", f"/v1/responses/{name}"),
    ]


async def test_azure_keeps_them_at_its_own_addresses(serve: Serve, context: CallContext) -> None:
    fake = await serve({"/openai/v1/responses/a/b": {"id": "a/b"}})
    provider = Azure(base_url=fake.root, api_version="preview")
    assert await provider.kept_response("a/b", context) == {"id": "a/b"}
    (request,) = fake.requests
    assert request.raw_path == "/openai/v1/responses/a%2Fb?api-version=preview"
    assert request.headers["api-key"] == KEY


async def test_one_that_only_chats_keeps_none(context: CallContext) -> None:
    with pytest.raises(UnsupportedError):
        await OpenAICompatible(base_url="http://127.0.0.1:9").kept_response("a", context)


async def test_what_is_no_response_is_an_error(serve: Serve, context: CallContext) -> None:
    fake = await serve({"/responses/a": ["x"]})
    provider = OpenAICompatible(base_url=fake.root, responses=True)
    with pytest.raises(UpstreamError, match="no response"):
        await provider.kept_response("a", context)
